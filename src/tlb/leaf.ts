/** Blocks, pages and contiguous runs: what their sizes and levels say to a TLB. (DDI 0487 D8.2.1, D8.7.1.) */
import { log2 } from '../walker/bits.ts';
import { runEntries } from '../walker/contiguous.ts';

/** The granule of 64-bit descriptors by a leaf's or table entry's level and size: sizes tell granules apart. */
export function granuleOf(level: number, size: bigint): number {
  // size = granuleLog2 + (3 - level) * (granuleLog2 - 3)
  return (log2(size) + 3 * (3 - level)) / (4 - level);
}

/** Adjacent entries of one contiguous run at a level, or 1 where the Contiguous bit is RES0. */
export function contiguousEntries(granuleLog2: number, level: number): number {
  return runEntries(granuleLog2 + (3 - level) * (granuleLog2 - 3));
}
