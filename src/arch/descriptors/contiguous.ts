/** How many entries a contiguous run has, and where the Contiguous bit is RES0. (DDI 0487 D8.7.1, Table D8-104; G5.5.3 for AArch32.) */

/** By log2 of the granule, then by level. Of the largest blocks (4K level 0, 16K level 1, 64K level 1) the bit is RES0. */
const RUN_ENTRIES: Readonly<Record<number, Readonly<Record<number, number>>>> = {
  12: { 1: 16, 2: 16, 3: 16 },
  14: { 2: 32, 3: 128 },
  16: { 2: 32, 3: 32 },
};

/** Entries of one contiguous run at a level: 16, 32 or 128, or 1 where the Contiguous bit is RES0. */
export function contiguousEntries(granuleLog2: number, level: number): number {
  return RUN_ENTRIES[granuleLog2]?.[level] ?? 1;
}
