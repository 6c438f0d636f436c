/** The StreamIDs that a stream table has a valid entry for. (IHI 0070 3.3.1, 5.1, 5.2.) */
import { isSetIn } from '../arch/read.ts';
import { STE } from '../arch/smmu/index.ts';
import type { Smmu } from './smmu.ts';

/** StreamIDs, ascending. `complete`: there are no others. */
export interface StreamIds {
  readonly ids: readonly number[];
  readonly complete: boolean;
}

/** Entries that are looked at: a table of 2^20 StreamIDs is larger than most. */
const MOST_ENTRIES = 2 ** 20;
/** Valid ones that are worth a list. */
const MOST_IDS = 256;

/** Looks at the entries of the table one by one; of a table with two levels, only at those that exist. */
export function validStreamIds(smmu: Smmu): StreamIds {
  const ids: number[] = [];
  const { log2Size, split } = smmu.locate(0).table;
  const count = 2 ** log2Size;
  const block = split === undefined ? count : 2 ** split;
  let looked = 0;
  for (let first = 0; first < count; first += block) {
    for (let id = first; id < Math.min(first + block, count); id++) {
      if (looked++ >= MOST_ENTRIES) return { ids, complete: false };
      const { outcome } = smmu.locate(id);
      // No entry here, and so none behind it: the array has ended, or the RAM.
      if ('kind' in outcome) break;
      if (!isSetIn(outcome, STE.fields.V)) continue;
      if (ids.length === MOST_IDS) return { ids, complete: false };
      ids.push(id);
    }
  }
  return { ids, complete: true };
}
