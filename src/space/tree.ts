/** Tables as nodes with entries, from a driver or a machine. Drawings and dumps of tables are made from them. */
import type { TreeTable } from '../pagetable/tree.ts';

/** One entry of a table. Addresses are bytes. */
export interface TableEntry {
  readonly index: number;
  readonly kind: 'invalid' | 'table' | 'block' | 'page' | 'external_abort';
  readonly descriptor: bigint;
  /** First input address it serves. */
  readonly ia: bigint;
  /** The next table, or the output address. */
  readonly output: bigint;
  /** The descriptor without its address, if the two were read separately. */
  readonly attributes?: bigint;
}

/** One table, with the entries that it holds. */
export interface TableNode {
  readonly stage: 1 | 2;
  readonly level: number;
  readonly pa: bigint;
  readonly entryCount: number;
  /** True if every entry is known, so that unlisted ones are zero. Otherwise unlisted entries were not read. */
  readonly complete: boolean;
  /** By index. */
  readonly entries: readonly TableEntry[];
}

/** Tables by address: a root and everything below it. */
export interface TableTree {
  readonly roots: readonly TableNode[];
  readonly nodeAt: (stage: 1 | 2, level: number, pa: bigint) => TableNode | undefined;
}

/** The driver's own view of its tables. */
export function treeOfTables(tables: readonly TreeTable[], stage: 1 | 2, firstIova: bigint): TableTree {
  const nodes = tables.map(
    (table): TableNode => ({
      stage,
      level: table.level,
      pa: table.pa,
      entryCount: table.entryCount,
      complete: true,
      entries: table.entries.map((e) => ({ ...e, ia: e.ia + firstIova, output: e.pa })),
    }),
  );
  return makeTree(nodes, nodes.slice(0, 1));
}

function keyOf(stage: number, level: number, pa: bigint): string {
  return `${stage}.${level}@${pa.toString(16)}`;
}

export function makeTree(nodes: readonly TableNode[], roots: readonly TableNode[]): TableTree {
  const byKey = new Map(nodes.map((node) => [keyOf(node.stage, node.level, node.pa), node]));
  return { roots, nodeAt: (stage, level, pa) => byKey.get(keyOf(stage, level, pa)) };
}
