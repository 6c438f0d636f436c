/** A part of a listed range. */
import type { AddressRange } from '../space/address-range.ts';
import type { MappedRange } from '../space/ranges.ts';

/** @param part - inside the range. Leaves count if any part of them is in it. */
export function cut(range: MappedRange, { first, last }: AddressRange): MappedRange {
  if (first === range.first && last === range.last) return range;
  const { pa, leafSize } = range;
  const [from, to] = [first - range.first, last - range.first];
  const leaves = Number(to / leafSize - from / leafSize) + 1;
  return { ...range, first, last, pa: pa === undefined ? undefined : pa + from, leaves };
}
