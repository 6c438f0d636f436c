/** The StreamIDs for which a stream table has a valid entry. (IHI 0070 3.3.1, 5.1, 5.2.) */
import { isSetIn } from '../arch/read.ts';
import { STE } from '../arch/smmu/index.ts';
import type { Smmu } from './smmu.ts';

/** StreamIDs in ascending order. `complete`: there are no others. */
export interface StreamIds {
  readonly ids: readonly number[];
  readonly complete: boolean;
}

/** The maximum number of entries to read. Most tables have fewer than 2^20 StreamIDs. */
const MOST_ENTRIES = 2 ** 20;
/** The maximum number of valid entries to list. */
const MOST_IDS = 256;

/** Reads the entries of the table one by one. In a two-level table, it reads only those that exist. */
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
      // There is no entry here, so none after it: the array or the RAM has ended.
      if ('kind' in outcome) break;
      if (!isSetIn(outcome, STE.fields.V)) continue;
      if (ids.length === MOST_IDS) return { ids, complete: false };
      ids.push(id);
    }
  }
  return { ids, complete: true };
}
