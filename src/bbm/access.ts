/** What an access may meet: the tables in memory, and entries that a TLB may still hold. (DDI 0487 D8.17 RRVJDB.) */
import type { TableSpace } from './context.ts';
import type { CachedEntry } from './entry.ts';
import { bbmFields } from './fields.ts';
import type { Reach } from './reach.ts';

/** One thing that an access may meet. */
export interface AccessOutcome {
  /** Whether the tables in memory say so, or a stale entry. */
  readonly from: 'memory' | 'stale';
  /** Where the access goes. Undefined: a translation, address size or access flag fault. */
  readonly oa: bigint | undefined;
  /** The step that wrote the descriptor; -1: it was there before, or nothing is there. */
  readonly step: number;
}

/** @param ia - in bytes, from the first input address of the tables on. */
export function accessOutcomes(ia: number, reach: Reach, space: TableSpace): AccessOutcome[] {
  const live = reach.leafAt(ia);
  const now: AccessOutcome = {
    from: 'memory',
    oa: live && outputOf(live, ia, space),
    step: live?.step ?? -1,
  };
  const older = [...reach.stale.leavesOver({ runIa: ia, runSize: 1 })].map(
    (entry): AccessOutcome => ({ from: 'stale', oa: outputOf(entry, ia, space), step: entry.step }),
  );
  const seen = new Set([now.oa]);
  return [now, ...older.filter(({ oa }) => !seen.has(oa) && seen.add(oa))];
}

/** Members of a run count from the run's first entry. */
function outputOf({ word, level, ia, size }: CachedEntry, at: number, space: TableSpace): bigint {
  const { oa } = bbmFields(word, { ...space, level, bbml: 0 });
  const run = at - ia;
  return run >= 0 && run < size ? oa + BigInt(run) : BigInt(Number(oa) + run);
}
