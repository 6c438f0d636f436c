/** An address space listed: the windows of addresses that tables translate, and what is mapped in them, in ranges. */
import type { Translator } from '../machine/machine.ts';
import type { AddressRange } from './address-range.ts';
import { nestedRanges, nestedTrees } from './nested-ranges.ts';
import { type MappedRange, RangeCollector } from './ranges.ts';
import { type Stretch, scan, windows } from './scan.ts';
import { listableTrees, SHORT_LIST, tableRanges } from './table-ranges.ts';

/** What an address space maps. */
export interface Space {
  /** The addresses that were examined. */
  readonly windows: readonly AddressRange[];
  readonly ranges: readonly MappedRange[];
  /** False if the list was cut because it became too long. */
  readonly complete: boolean;
}

/** More than any reasonable table has. Tables that point to themselves would hardly end otherwise. */
const MAX_STRETCHES = 2 ** 22;

/**
 * Lists what an address space maps, in ranges that are alike and contiguous on both sides. Memory is only read; nothing throws.
 *
 * @param only - input addresses to look at, both ends inside. Default: all that the tables translate.
 * @param maxRanges - about how many ranges to list; `complete` is false where there are more. Default: 2^16.
 */
export function listSpace(walker: Translator, only?: AddressRange, maxRanges = SHORT_LIST): Space {
  const looked = only ? [only] : windows(walker);
  const trees = listableTrees(walker);
  if (trees !== undefined) return { windows: looked, ...tableRanges(walker, trees, only, maxRanges) };
  const nested = nestedTrees(walker);
  if (nested !== undefined) return { windows: looked, ...nestedRanges(walker, nested, only, maxRanges) };
  return scanSpace(walker, only);
}

/** The same, address by address; `each` sees every stretch on the way. */
export function scanSpace(walker: Translator, only?: AddressRange, each?: (stretch: Stretch) => void): Space {
  const collector = new RangeCollector(walker.regime);
  const looked = only ? [only] : windows(walker);
  let stretches = 0;
  for (const window of looked) {
    for (const stretch of scan(walker, window)) {
      if (++stretches > MAX_STRETCHES) return { windows: looked, ranges: collector.ranges, complete: false };
      collector.add(stretch);
      each?.(stretch);
    }
  }
  return { windows: looked, ranges: collector.ranges, complete: true };
}
