/** A table tree seen from the driver side: every table with its entries, breadth first, and counts of what it holds. */
import { LEAF, TABLE } from './format.ts';
import type { PageTable } from './page-table.ts';
import { liveEntries } from './subtree.ts';

/** One entry that is not empty. */
export interface TreeEntry {
  readonly index: number;
  readonly kind: 'table' | 'block' | 'page';
  readonly descriptor: bigint;
  /** First input address it covers, from 0. */
  readonly ia: bigint;
  /** Next table, or output address. */
  readonly pa: bigint;
  /** Number of entries in its run: 1 for a table or a single leaf. */
  readonly run: number;
}

/** One table. `pa` is its first byte; a concatenated root is one table. */
export interface TreeTable {
  readonly pa: bigint;
  readonly level: number;
  /** First input address it covers, from 0, and how many bytes one entry covers. */
  readonly ia: bigint;
  readonly entrySize: bigint;
  readonly entryCount: number;
  readonly bytes: number;
  readonly entries: readonly TreeEntry[];
}

const KIND_NAMES = { [TABLE]: 'table', [LEAF]: 'block' } as const;

/** Every table, the root first, then level by level in entry order. */
export function tablesOf(table: PageTable): TreeTable[] {
  const found: TreeTable[] = [readTable(table, BigInt(table.root), 0, 0n)];
  let depth = 0;
  for (let from = 0; from < found.length; depth++) {
    const until = found.length;
    for (; from < until; from++) {
      for (const entry of found[from]!.entries) {
        if (entry.kind === 'table') found.push(readTable(table, entry.pa, depth + 1, entry.ia));
      }
    }
  }
  return found;
}

/** The number of tables and leaves by level, and the bytes that the tables take. */
export interface TreeCounts {
  readonly tables: number;
  readonly tableBytes: number;
  readonly leaves: number;
  readonly byLevel: readonly { level: number; tables: number; blocks: number; pages: number }[];
}

/**
 * Counts tables, their bytes and leaves by level, in the result of `IommuDomain.tables()`.
 *
 * @example
 * const { tables, tableBytes, leaves } = countTree(domain.tables());
 */
export function countTree(tables: readonly TreeTable[]): TreeCounts {
  const levels = [...new Set(tables.map((t) => t.level))].sort((a, b) => a - b);
  const byLevel = levels.map((level) => {
    const here = tables.filter((t) => t.level === level);
    const count = (kind: string) =>
      here.reduce((sum, t) => sum + t.entries.filter((e) => e.kind === kind).length, 0);
    return { level, tables: here.length, blocks: count('block'), pages: count('page') };
  });
  return {
    tables: tables.length,
    tableBytes: tables.reduce((sum, t) => sum + t.bytes, 0),
    leaves: byLevel.reduce((sum, l) => sum + l.blocks + l.pages, 0),
    byLevel,
  };
}

function readTable(table: PageTable, pa: bigint, depth: number, ia: bigint): TreeTable {
  const level = table.levels[depth]!;
  const { entries: codec } = table;
  const entries: TreeEntry[] = [];
  for (const { index, kind, words, at } of liveEntries(table, Number(pa), depth)) {
    const address =
      kind === TABLE ? codec.tableAddress(words, at) : codec.leafAddress(words, at, level.level, index);
    entries.push({
      index,
      kind: kind === LEAF && depth === table.levels.length - 1 ? 'page' : KIND_NAMES[kind],
      descriptor: codec.read(words, at),
      ia: ia + (BigInt(index) << BigInt(level.shift)),
      pa: BigInt(address),
      run: kind === LEAF ? 1 << codec.runLog2(words, at, level.level) : 1,
    });
  }
  return {
    pa,
    level: level.level,
    ia,
    entrySize: 1n << BigInt(level.shift),
    entryCount: level.entries,
    bytes: level.entries * codec.wordsPerEntry * 4,
    entries,
  };
}
