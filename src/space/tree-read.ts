/** The tables behind an address space, each read once, whatever leads to it. */
import type { Translator } from '../image/machine.ts';
import { entryCountOf, iaAt, type TablePlace, visitTree } from '../image/visit.ts';
import { ENTRY_KINDS, type TableEntry as ScannedEntry } from '../walker/index.ts';
import type { AddressRange } from './address-range.ts';
import { makeTree, type TableEntry, type TableNode, type TableTree } from './tree.ts';

export interface TargetTables {
  tables(): readonly TableNode[];
  tree(): TableTree;
}

/** All tables, or those (and their entries) that serve addresses within `only`. */
export function treeOfTarget(walker: Translator, only?: AddressRange): TargetTables {
  const nodes: TableNode[] = [];
  const roots: TableNode[] = [];
  for (const tree of walker.trees()) {
    const { stage } = tree.root;
    const met = new Map<string, TableEntry[]>();
    const keep = (entry: ScannedEntry, place: TablePlace, offset: number) => {
      const { index, lo, hi } = entry;
      const descriptor = (BigInt(hi) << 32n) | BigInt(lo);
      const kind = kindOf(entry, place);
      // Of a table that is read whole, what is not listed is zero.
      if (kind === 'invalid' && descriptor === 0n && only === undefined) return;
      const entries = met.get(keyOf(place));
      entries?.push({ index, kind, descriptor, ia: iaAt(tree, offset), output: BigInt(entry.output) });
    };
    visitTree(
      tree,
      {
        enter: (place) => {
          if (met.has(keyOf(place))) return false;
          const entries: TableEntry[] = [];
          met.set(keyOf(place), entries);
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
          return true;
        },
        leaf: keep,
        table: keep,
        other: keep,
      },
      only === undefined ? {} : { within: only },
    );
  }
  return { tables: () => nodes, tree: () => makeTree(nodes, roots) };
}

function keyOf({ level, base }: TablePlace): string {
  return `${level}@${base}`;
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
