/** An address space listed: the windows of addresses that tables translate, and what is mapped in them, in ranges. */
import type { Translator } from '../machine/machine.ts';
import type { AddressRange } from './address-range.ts';
import { nestedRanges, nestedTrees } from './nested-ranges.ts';
import { type MappedRange, RangeCollector } from './ranges.ts';
import { type Stretch, scan, windows } from './scan.ts';
import { listableTrees, SHORT_LIST, tableRanges } from './table-ranges.ts';

/** What an address space maps. */
export interface Space {
  /** What was looked at. */
  readonly windows: readonly AddressRange[];
  readonly ranges: readonly MappedRange[];
  /** False: there was more than anyone would list. */
  readonly complete: boolean;
}

/** More than any table of reasonable size has; tables that hold themselves would hardly end. */
const MAX_STRETCHES = 1 << 22;

/** What `walker` maps, all of it or within `only`, up to about `maxRanges` ranges. */
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
