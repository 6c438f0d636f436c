/** Turns a map request into a trace: operations run on a recorded memory, and their writes are judged operation by operation. */
import type { StepVerdict, TraceJudge } from '../../bbm/index.ts';
import { Recorder } from '../../explore/timeline.ts';
import type { Operation } from '../../operations/schema.ts';
import { hex, sizeText } from '../../text/numbers.ts';
import type { MapRequest } from '../input/request.ts';
import { inputError } from '../io.ts';
import { performOrRefuse } from './perform.ts';

/** The writes of one operation. */
export interface JudgedOp {
  readonly title: string;
  readonly verdicts: readonly StepVerdict[];
}

export interface RecordedRun {
  readonly judge: TraceJudge;
  readonly ops: readonly JudgedOp[];
}

/**
 * Records and judges a request.
 *
 * @param sync - invalidate as Linux does: the range after every unmap, and what a table covered when its descriptor is
 * removed, before its frame is reused (io_pgtable_tlb_flush_walk).
 * @throws CliError (input) for a format without VMSAv8-64 descriptors.
 */
export function recordRequest(request: MapRequest, source: string, sync: boolean): RecordedRun {
  if (request.dma !== undefined)
    throw inputError(`${source}: dma is for lpae map, walk and dump`, 'give the same as ops');
  const { domain } = performOrRefuse({ ...request, ops: [] }, source);
  const recorder = new Recorder(domain, sync);
  const { judge, unjudged = '' } = recorder;
  if (judge === undefined) {
    throw inputError(`${source}: ${unjudged}`, 'formats arm_64_lpae_s1 and arm_64_lpae_s2 have such tables');
  }
  const ops = request.ops.map((op) => ({
    title: titleOf(op),
    verdicts: recorder.perform(op, request).verdicts,
  }));
  return { judge, ops };
}

function titleOf(op: Operation): string {
  const at = `${op.op}  IOVA ${hex(op.iova)}`;
  if (op.op === 'map') return `${at} -> PA ${hex(op.paddr)}, ${sizeText(op.size)}`;
  return 'size' in op ? `${at}, ${sizeText(op.size)}` : at;
}
