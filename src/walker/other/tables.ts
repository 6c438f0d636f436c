/** Tables of 4K with 64-bit entries, nine address bits a level: the shape that Mali GPUs and RISC-V share. (io-pgtable-arm.c; RISC-V Privileged Architecture 1.13, "Sv39".) */
import { VALID_BIT } from '../descriptor64.ts';
import type { TableMemory } from '../table-memory.ts';
import { type DescriptorReader, type TableEntry, TableTree } from '../table-tree.ts';

export const LAST_LEVEL = 3;
export const PAGE_LOG2 = 12;
/** Address bits that a table resolves. */
export const INDEX_BITS = 9;

/** log2 of the bytes that an entry of a level covers. */
export function sizeOf(level: number): number {
  return PAGE_LOG2 + (LAST_LEVEL - level) * INDEX_BITS;
}

/** Reads the entries of such tables. What an entry means is the format's. In both formats bit 0 says that it is valid. */
export abstract class WideReader implements DescriptorReader {
  abstract readonly format: DescriptorReader['format'];
  readonly granuleLog2 = PAGE_LOG2;
  readonly lpa2 = false;
  readonly entryBytes = 8;
  readonly lastLevel = LAST_LEVEL;
  readonly bigEndian = false;

  abstract decode(entry: TableEntry): void;

  isContiguous(): boolean {
    return false;
  }

  hasValidBit({ lo }: TableEntry): boolean {
    return (lo & VALID_BIT) !== 0;
  }

  entrySizeLog2(level: number): number {
    return sizeOf(level);
  }

  entryCount(): number {
    return 2 ** INDEX_BITS;
  }
}

/** Input addresses, and the root's entry that serves the first of them. */
export interface TreeRange {
  readonly startLevel: number;
  readonly base: number;
  readonly firstIa: bigint;
  readonly lastIa: bigint;
  readonly firstIndex: number;
}

/** The tables below a root, for tools that look at whole tables. `outputBits`: larger outputs are address size faults. */
export function wideTree(
  memory: TableMemory,
  range: TreeRange,
  reader: WideReader,
  outputBits: number,
): TableTree {
  return new TableTree(memory, { stage: 1, register: 'ttbr0', ...range }, reader, { outputBits });
}
