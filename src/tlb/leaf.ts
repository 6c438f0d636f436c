/** Blocks, pages and contiguous runs: what their sizes and bits say to a TLB. (DDI 0487 D8.2.1, D8.7.1 Table D8-104, D8.7.3 nT.) */

/** log2 of a power of two. */
export function log2(size: bigint): number {
  return size.toString(2).length - 1;
}

/** The granule of 64-bit descriptors by a leaf's or table entry's level and size: sizes tell granules apart. */
export function granuleOf(level: number, size: bigint): number {
  // size = granuleLog2 + (3 - level) * (granuleLog2 - 3)
  return (log2(size) + 3 * (3 - level)) / (4 - level);
}

const RUNS: Readonly<Record<number, Readonly<Record<number, number>>>> = {
  12: { 1: 16, 2: 16, 3: 16 },
  14: { 2: 32, 3: 128 },
  16: { 2: 32, 3: 32 },
};

/** Adjacent entries of one contiguous run at a level, or 1 where the Contiguous bit is RES0. (Table D8-104.) */
export function contiguousEntries(granuleLog2: number, level: number): number {
  return RUNS[granuleLog2]?.[level] ?? 1;
}
