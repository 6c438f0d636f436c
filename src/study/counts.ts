/** What tables hold, counted from the driver's side: descriptors by level and kind, tables and their bytes. */
import type { IommuDomain } from '../iommu/domain.ts';
import { EMPTY, LEAF, type TableFormat } from '../pagetable/format.ts';

/** Leaves of one size. */
export interface LeafCount {
  /** Arm's number. */
  readonly level: number;
  readonly kind: 'block' | 'page';
  /** Bytes that one leaf maps. A run is one leaf. */
  readonly size: bigint;
  /** Entries in a leaf: 1, or 16, 32 or 128 for a contiguous run. */
  readonly run: number;
  readonly leaves: number;
  /** Entries: `leaves * run`. */
  readonly descriptors: number;
}

/** Tables of one level, by Arm's number. `bytes` is the size of all of them. */
export interface TableCount {
  readonly level: number;
  /** A concatenated root counts as one. */
  readonly tables: number;
  readonly bytes: number;
}

/** What the tables of a domain hold, or of several domains together. */
export interface Counts {
  /** Entries that map something, and the leaves that a TLB would hold for them: a contiguous run is one leaf. */
  readonly descriptors: number;
  readonly leaves: number;
  readonly tables: number;
  readonly tableBytes: number;
  /** The leaf sizes that occur: ordered by level from the first, and within a level from the largest. */
  readonly byLeaf: readonly LeafCount[];
  readonly byLevel: readonly TableCount[];
}

/** Adds up tables and leaves of one format. */
export class Tally {
  readonly #format: TableFormat;
  /** Leaves by depth, then by log2 of the run; tables by depth. */
  readonly #leaves: number[][];
  readonly #tables: number[];

  constructor(format: TableFormat) {
    this.#format = format;
    this.#leaves = format.levels.map(() => []);
    this.#tables = format.levels.map(() => 0);
  }

  addLeaves(depth: number, runLog2: number, leaves: number): void {
    const ofLevel = this.#leaves[depth]!;
    ofLevel[runLog2] = (ofLevel[runLog2] ?? 0) + leaves;
  }

  addTables(depth: number, tables: number): void {
    this.#tables[depth]! += tables;
  }

  /** Whether leaves of this kind were added. */
  has(depth: number, runLog2: number): boolean {
    return this.#leaves[depth]![runLog2] !== undefined;
  }

  result(): Counts {
    const { levels, entries, rootBytes } = this.#format;
    const byLeaf = levels.flatMap(({ level, shift }, depth) =>
      [...this.#leaves[depth]!.entries()].reverse().flatMap(([runLog2, leaves]): LeafCount[] => {
        if (leaves === undefined) return [];
        const kind = depth === levels.length - 1 ? 'page' : 'block';
        const run = 2 ** runLog2;
        return [{ level, kind, size: 1n << BigInt(shift + runLog2), run, leaves, descriptors: leaves * run }];
      }),
    );
    const byLevel = levels.flatMap(({ level, entries: count }, depth): TableCount[] => {
      const tables = this.#tables[depth]!;
      const bytes = tables * (depth === 0 ? rootBytes : count * entries.wordsPerEntry * 4);
      return tables > 0 ? [{ level, tables, bytes }] : [];
    });
    return {
      descriptors: sum(byLeaf.map(({ descriptors }) => descriptors)),
      leaves: sum(byLeaf.map(({ leaves }) => leaves)),
      tables: sum(byLevel.map(({ tables }) => tables)),
      tableBytes: sum(byLevel.map(({ bytes }) => bytes)),
      byLeaf,
      byLevel,
    };
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}

/** Entries in 4 KiB of a table. */
const PAGE_ENTRIES = 512;

/** Called once for each new kind of leaf, with an IOVA that such a leaf maps. */
export type OnNewLeaf = (level: number, run: number, iova: bigint) => void;

/** Adds what a domain's tables hold to `tally`: plain numbers, since there may be millions of entries. */
export function addTablesOf(domain: IommuDomain, tally: Tally, onNewLeaf?: OnNewLeaf): void {
  const { format } = domain;
  const { levels, entries: codec, firstIova } = format;
  const { region } = domain.allocator;
  const entryBytes = codec.wordsPerEntry * 4;
  const addTable = (pa: number, depth: number, ia: number): void => {
    tally.addTables(depth, 1);
    const { level, shift, entries } = levels[depth]!;
    const entrySize = 2 ** shift;
    const runs = new Int32Array(16);
    for (let first = 0; first < entries; first += PAGE_ENTRIES) {
      // A page of a table is contiguous in memory.
      const words = region.peek(pa + first * entryBytes);
      if (words === undefined) continue;
      const start = region.wordIndex(pa + first * entryBytes);
      const end = Math.min(entries - first, PAGE_ENTRIES);
      for (let i = 0, at = start; i < end; i++, at += codec.wordsPerEntry) {
        const kind = codec.classify(words, at, level);
        if (kind === EMPTY) continue;
        if (kind === LEAF) {
          const runLog2 = codec.runLog2(words, at, level);
          if (runs[runLog2]!++ === 0 && onNewLeaf && !tally.has(depth, runLog2)) {
            onNewLeaf(level, 2 ** runLog2, firstIova + BigInt(ia + (first + i) * entrySize));
          }
        } else addTable(codec.tableAddress(words, at), depth + 1, ia + (first + i) * entrySize);
      }
    }
    for (const [runLog2, count] of runs.entries()) {
      if (count > 0) tally.addLeaves(depth, runLog2, count / 2 ** runLog2);
    }
  };
  addTable(Number(domain.root), 0, 0);
}
