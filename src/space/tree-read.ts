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
 * The tables behind an address space, each read once, however many entries lead to it. When nested, addresses of stage 1 tables are IPAs.
 *
 * @param only - keep tables and entries for these input addresses, both ends inclusive. Default: all.
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
      const { index, lo, hi, attributesLo, attributesHi } = entry;
      const attributes = word64(attributesLo, attributesHi);
      const descriptor = word64(lo, hi);
      const kind = kindOf(entry, place);
      // In a table that is read as a whole, entries that are not listed are zero.
      if (kind === 'invalid' && descriptor === 0n && only === undefined) return;
      const entries = entriesOf.get(place);
      const output = BigInt(entry.output);
      entries?.push({ index, kind, descriptor, ia: iaAt(tree, offset), output, attributes });
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

/** The smallest page of any stage. */
const PAGE = 4096;

/** The tables that lie at these physical addresses, in part at least. */
export function tablesWithin(walker: Translator, { first, last }: AddressRange): LocatedTable[] {
  const found: LocatedTable[] = [];
  for (const tree of walker.trees()) {
    visitTables(tree, (place) => {
      const { level, base } = place;
      const bytes = entryCountOf(place) * tree.reader.entryBytes;
      // Stage 2 may scatter the pages of a table.
      for (let at = 0; at < bytes; at += PAGE) {
        const pa = tree.entryAddress(level, base, at / tree.reader.entryBytes, place.space);
        if (pa === undefined || BigInt(pa) > last || BigInt(pa + Math.min(PAGE, bytes - at)) <= first)
          continue;
        found.push({ pa: BigInt(pa), level, register: tree.root.register });
        break;
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
      const key = `${place.level}@${place.base} ${place.space}`;
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
