/** Transactions whose answers depend on what lies outside the RAM of a trace, where the judge takes zeros. (IHI 0070 7.3.) */
import { keyOf } from '../caches/answers.ts';
import type { SmmuTrace } from '../trace.ts';
import { replay } from './replay.ts';

/** The rule, for a step at which it matters. */
export const BEYOND_RAM =
  'the answers depend on words outside machine.ram, which are taken as 0; on a machine without memory there the reads are aborted: F_WALK_EABT, F_STE_FETCH or F_CD_FETCH (7.3)';

/** Steps of accesses that have other answers where reads outside RAM are aborted. Replays the trace twice. */
export function dependsOnBeyondRam(trace: SmmuTrace): readonly number[] {
  const [zero, abort] = [keysOf(trace, 'zero'), keysOf(trace, 'abort')];
  return [...zero].flatMap(([step, keys]) => (abort.get(step) === keys ? [] : [step]));
}

function keysOf(trace: SmmuTrace, beyondRam: 'zero' | 'abort'): ReadonlyMap<number, string> {
  const found = new Map<number, string>();
  for (const { step, answers } of replay(trace, { beyondRam })) {
    if (answers !== undefined)
      found.set(
        step,
        answers
          .map(({ outcome }) => keyOf(outcome))
          .sort()
          .join(),
      );
  }
  return found;
}
