/** The tables of an address space. Each is read once, even if several entries point to it. */
import type { Translator } from '../machine/machine.ts';
import { entryCountOf, iaAt, type TablePlace, type TreeVisitor, visitTree } from '../machine/visit.ts';
import { ENTRY_KINDS, type TableEntry as ScannedEntry, type TableTree as Tree } from '../walker/index.ts';
import { word64 } from '../walker/word.ts';
import type { AddressRange } from './address-range.ts';
import { makeTree, type TableEntry, type TableNode, type TableTree } from './tree.ts';

/** An address space's tables: as a list, root first, and as a tree. They are read when they are asked for. */
export interface TargetTables {
  tables(): readonly TableNode[];
  tree(): TableTree;
}

/**
 * The tables behind an address space, each read once, whatever leads to it. Of stage 1 under stage 2 their addresses are IPAs.
 *
 * @param only - keep tables and entries that serve these input addresses, both ends inside. Default: all.
 */
export function treeOfTarget(walker: Translator, only?: AddressRange): TargetTables {
  const nodes: TableNode[] = [];
  const roots: TableNode[] = [];
  for (const tree of walker.trees()) {
    const { stage } = tree.root;
    const entriesOf = new Map<TablePlace, TableEntry[]>();
    const enter = (place: TablePlace) => {
      const entries: TableEntry[] = [];
      entriesOf.set(place, entries);
      const node = {
        stage,
        level: place.level,
        pa: BigInt(place.base),
        entryCount: entryCountOf(place),
        complete: only === undefined,
        entries,
      };
      nodes.push(node);
      if (place.parent === undefined) roots.push(node);
    };
    const keep = (entry: ScannedEntry, place: TablePlace, offset: number) => {
      const { index, lo, hi } = entry;
      const descriptor = word64(lo, hi);
      const kind = kindOf(entry, place);
      // In a table that is read as a whole, entries that are not listed are zero.
      if (kind === 'invalid' && descriptor === 0n && only === undefined) return;
      const entries = entriesOf.get(place);
      entries?.push({ index, kind, descriptor, ia: iaAt(tree, offset), output: BigInt(entry.output) });
    };
    visitTables(tree, enter, keep, only);
  }
  return { tables: () => nodes, tree: () => makeTree(nodes, roots) };
}

/** A table, and the register at the root of its tree. */
export interface LocatedTable {
  readonly pa: bigint;
  readonly level: number;
  readonly register: string;
}

/** The tables that lie at these output addresses, in part at least. Of stage 1 under stage 2 they are IPAs. */
export function tablesWithin(walker: Translator, { first, last }: AddressRange): LocatedTable[] {
  const found: LocatedTable[] = [];
  for (const tree of walker.trees()) {
    visitTables(tree, (place) => {
      const { level, base } = place;
      const end = BigInt(base + entryCountOf(place) * tree.reader.entryBytes);
      if (BigInt(base) <= last && end > first) {
        found.push({ pa: BigInt(base), level, register: tree.root.register });
      }
    });
  }
  return found;
}

/** Visits each table once, even if several entries point to it. */
function visitTables(
  tree: Tree,
  enter: (place: TablePlace) => void,
  entry: TreeVisitor['leaf'] = () => {},
  only?: AddressRange,
): void {
  const met = new Set<string>();
  const visitor: TreeVisitor = {
    enter(place) {
      const key = `${place.level}@${place.base}`;
      if (met.has(key)) return false;
      met.add(key);
      enter(place);
      return true;
    },
    leaf: entry,
    table: entry,
    other: entry,
  };
  visitTree(tree, visitor, only === undefined ? {} : { within: only });
}

function kindOf({ kind, level }: ScannedEntry, { tree }: TablePlace): TableEntry['kind'] {
  switch (kind) {
    case ENTRY_KINDS.table:
      return 'table';
    case ENTRY_KINDS.leaf:
      return level === tree.reader.lastLevel ? 'page' : 'block';
    case ENTRY_KINDS.abort:
      return 'external_abort';
    default:
      return 'invalid';
  }
}
