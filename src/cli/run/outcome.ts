/** The answer to one operation of a request, beside what its file expects. */
import type { Answer } from '../../operations/perform.ts';
import type { Operation } from '../../operations/schema.ts';

/** The outcome of one operation. */
export interface Outcome extends Omit<Answer, 'done'> {
  readonly op: Operation;
  /** Whether the result is the one that the file expects; without an expectation, whether it was done in full. */
  readonly ok: boolean;
}

/** An answer beside what the file expects. */
export function outcomeOf(op: Operation, { done, ...answer }: Answer): Outcome {
  const asWanted = op.ret === undefined ? done : op.ret === answer.ret;
  return { op, ...answer, ok: asWanted && rangesAsWanted(op, answer.ranges) };
}

/** Whether reading dirty state gave the ranges that the file expects, if it expects any. */
function rangesAsWanted(op: Operation, got: Answer['ranges'] = []): boolean {
  if (op.op !== 'dirty' || op.ranges === undefined) return true;
  const { ranges } = op;
  return (
    ranges.length === got.length &&
    ranges.every(({ iova, size }, i) => iova === got[i]?.iova && size === got[i]?.size)
  );
}
