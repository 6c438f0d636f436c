/** What Linux reserves of a domain's IOVAs before the first mapping: iova_reserve_iommu_regions and iova_reserve_pci_windows (drivers/iommu/dma-iommu.c). */
import type { IovaSource } from '../dma/index.ts';
import type { DmaConfig } from './dma-schema.ts';

/** A range by its first and last byte. */
interface Bytes {
  readonly first: bigint;
  readonly last: bigint;
}

/** What was reserved, and what iommu_dma_init_domain returns: 0, or -22 for bridge windows that are not in order. */
export interface Reserved {
  readonly init: number;
  readonly taken: readonly Bytes[];
}

const EINVAL = -22;
const LAST = (1n << 64n) - 1n;

/** Reserves the ranges and lists them, in whole granules, in the order and pieces that Linux's tree has. */
export function reserveAsLinux(config: DmaConfig, allocator: IovaSource): Reserved {
  const { granule } = config;
  const { init, ranges } = rangesOf(config);
  let taken: Bytes[] = [];
  for (const { first, last } of ranges) {
    allocator.reserve({ iova: first, size: last - first + 1n > LAST ? LAST : last - first + 1n });
    taken = withRange(taken, { first: first & -granule, last: last | (granule - 1n) });
  }
  return { init, taken };
}

function rangesOf(config: DmaConfig): { readonly init: number; readonly ranges: readonly Bytes[] } {
  const ranges: Bytes[] = [];
  if (config.pci) {
    for (const { start, end, offset, mem } of config.pci_windows) {
      if (mem) ranges.push({ first: wrapped(start - offset), last: wrapped(end - offset) });
    }
    let next = 0n;
    for (const { start, end, offset } of config.pci_dma_ranges) {
      const first = wrapped(start - offset);
      if (first < next) return { init: EINVAL, ranges };
      // What the bridge does not let through, and the first granule of what it lets through.
      if (first > next) ranges.push({ first: next, last: first });
      next = wrapped(end - offset + 1n);
    }
    if (config.pci_dma_ranges.length > 0 && next < LAST) ranges.push({ first: next, last: LAST });
  }
  for (const { iova, size, type } of config.reserved) {
    if (type !== 'sw_msi') ranges.push({ first: iova, last: iova + size - 1n });
  }
  return { init: 0, ranges };
}

function wrapped(address: bigint): bigint {
  return BigInt.asUintN(64, address);
}

/** Ranges by address. As in Linux's tree, a range that overlaps others extends the one that it begins before, and the rest becomes a new range. */
function withRange(taken: readonly Bytes[], range: Bytes): Bytes[] {
  const rows: { first: bigint; last: bigint }[] = taken.map((one) => ({ ...one }));
  let { first } = range;
  const { last } = range;
  let overlapped = false;
  for (const row of rows) {
    if (first <= row.last && last >= row.first) {
      if (first < row.first) row.first = first;
      if (last > row.last) first = row.last + 1n;
      if (first >= row.first && last <= row.last) return rows;
      overlapped = true;
    } else if (overlapped) break;
  }
  return [...rows, { first, last }].sort((a, b) => (a.first < b.first ? -1 : 1));
}
