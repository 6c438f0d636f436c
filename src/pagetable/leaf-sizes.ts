/** The leaf sizes of a table: single entries of its levels, and runs of entries that hardware may hold as one (DDI 0487 D8.7.1, G5.4.1). */
import type { LeafSize, TableFormat } from './format.ts';

/** A leaf size of a table. */
export interface TableLeaf extends LeafSize {
  /** log2 of the bytes that the whole leaf covers. */
  readonly sizeLog2: number;
  /** Index in `levels`. */
  readonly depth: number;
}

/** The leaf sizes of a table: those of the format for which a level has entries (and runs). */
export function leavesOf({ levels, pgsizeBitmap }: TableFormat): TableLeaf[] {
  const leaves: TableLeaf[] = [];
  for (const [depth, { level, shift, entries, tables = 1, runLog2: run = 0 }] of levels.entries()) {
    for (const runLog2 of new Set([0, run])) {
      const sizeLog2 = shift + runLog2;
      if (!((pgsizeBitmap >> BigInt(sizeLog2)) & 1n) || entries / tables < 2 ** runLog2) continue;
      leaves.push({ level, shift, runLog2, sizeLog2, depth });
    }
  }
  return leaves.sort((a, b) => a.sizeLog2 - b.sizeLog2);
}
