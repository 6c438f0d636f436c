/** Prepares a tree of tables for drawing: equal neighbours join into runs, consecutive equal tables into one, and holes become gaps. */

import { isNested } from '../arch/regimes.ts';
import type { Translator } from '../machine/machine.ts';
import { iaAt } from '../machine/visit.ts';
import { probe } from '../space/probe.ts';
import type { TableEntry, TableNode, TableTree } from '../space/tree.ts';
import { hex } from '../text/numbers.ts';
import type { TableTree as ScannedTree } from '../walker/index.ts';
import { type Look, lookOf } from './look.ts';

interface Spanned {
  readonly level: number;
  /** Its first and last index in its table, both inclusive. */
  readonly first: number;
  readonly last: number;
  /** First input address. */
  readonly ia: bigint;
  /** Bytes of address space that it spans. */
  readonly size: bigint;
}

/** Consecutive leaves that allow the same. */
export interface LeafItem extends Spanned {
  readonly kind: 'leaf';
  readonly leaf: 'block' | 'page' | 'not readable';
  readonly look: Look;
  /** Output address of the first. */
  readonly output: bigint;
  /** Whether output addresses are contiguous, like input addresses. */
  readonly contiguous: boolean;
}

export interface GapItem extends Spanned {
  readonly kind: 'gap';
  readonly text: 'invalid' | 'not zero, but not valid' | 'not looked at';
}

/** A table, or several that differ only in addresses: the first stands for all. */
export interface TableItem extends Spanned {
  readonly kind: 'table';
  readonly pa: bigint;
  readonly items: readonly Item[];
  /** Why there are no items: the table is drawn elsewhere, or was not visited. */
  readonly missing: '' | 'drawn already' | 'not visited';
  /** Equal for tables that are drawn as one. */
  readonly sign: string;
}

export type Item = LeafItem | GapItem | TableItem;

/** One root and everything below it. */
export interface IciclePanel {
  readonly title: string;
  readonly startLevel: number;
  readonly lastLevel: number;
  /** Bytes that an entry spans at each level, from the start level on. */
  readonly entrySizes: readonly bigint[];
  /** @internal What is drawn. */
  readonly root: TableItem;
  readonly tables: number;
  readonly leaves: number;
}

/**
 * Panels of a tree, one for each root.
 * @param tree - the result of `treeOfTarget(walker).tree()`.
 * @param walker - says what leaves allow.
 */
export function iciclePanels(tree: TableTree, walker: Translator): IciclePanel[] {
  const scanned = walker.trees();
  return tree.roots.flatMap((node) => {
    const of = scanned.find(
      ({ root }) =>
        root.stage === node.stage && root.startLevel === node.level && BigInt(root.base) === node.pa,
    );
    return of === undefined ? [] : [new PanelMaker(tree, walker, of).panel(node)];
  });
}

class PanelMaker {
  readonly #tree: TableTree;
  readonly #walker: Translator;
  readonly #of: ScannedTree;
  readonly #drawn = new Set<TableNode>();
  readonly #looks = new Map<string, Look>();
  #leaves = 0;
  #lastLevel: number;

  constructor(tree: TableTree, walker: Translator, of: ScannedTree) {
    this.#tree = tree;
    this.#walker = walker;
    this.#of = of;
    this.#lastLevel = of.root.startLevel;
  }

  panel(node: TableNode): IciclePanel {
    const { root, reader } = this.#of;
    const size = this.#entrySize(node.level);
    const first = root.firstIndex;
    const count = this.#of.rootEntries;
    const ia = iaAt(this.#of, 0);
    const items = this.#items(node, ia - size * BigInt(first), first);
    const levels = this.#lastLevel - node.level + 1;
    return {
      title: `${root.register.toUpperCase()}, stage ${node.stage}: level ${node.level} table at ${hex(node.pa)}`,
      startLevel: node.level,
      lastLevel: this.#lastLevel,
      entrySizes: Array.from(
        { length: levels },
        (_, i) => 1n << BigInt(reader.entrySizeLog2(node.level + i)),
      ),
      root: {
        kind: 'table',
        level: node.level - 1,
        first: 0,
        last: 0,
        ia,
        size: size * BigInt(count),
        pa: node.pa,
        items,
        missing: '',
        sign: '',
      },
      tables: this.#drawn.size,
      leaves: this.#leaves,
    };
  }

  #entrySize(level: number): bigint {
    return 1n << BigInt(this.#of.reader.entrySizeLog2(level));
  }

  /** @param ia - of index 0. @param from - the first index that is in use. */
  #items(node: TableNode, ia: bigint, from = 0): Item[] {
    this.#drawn.add(node);
    this.#lastLevel = Math.max(this.#lastLevel, node.level);
    const size = this.#entrySize(node.level);
    const items: Item[] = [];
    let next = from;
    const spanned = (first: number, last: number): Spanned => ({
      level: node.level,
      first,
      last,
      ia: ia + size * BigInt(first),
      size: size * BigInt(last - first + 1),
    });
    const gap = (until: number) => {
      if (until <= next) return;
      items.push({
        kind: 'gap',
        text: node.complete ? 'invalid' : 'not looked at',
        ...spanned(next, until - 1),
      });
    };
    for (const entry of node.entries) {
      gap(entry.index);
      const item = this.#item(entry, node, spanned(entry.index, entry.index));
      const before = items.at(-1);
      const joined = before && joinAlike(before, item);
      if (joined) items[items.length - 1] = joined;
      else items.push(item);
      next = entry.index + 1;
    }
    gap(node.entryCount);
    return items;
  }

  #item(entry: TableEntry, node: TableNode, place: Spanned): Item {
    const { kind, descriptor, output } = entry;
    switch (kind) {
      case 'table':
        return this.#table(entry, node, place);
      case 'invalid':
        return { kind: 'gap', text: descriptor === 0n ? 'invalid' : 'not zero, but not valid', ...place };
      case 'external_abort':
        return { kind: 'leaf', leaf: 'not readable', look: OUTSIDE_RAM, output, contiguous: false, ...place };
      default:
        this.#leaves++;
        return {
          kind: 'leaf',
          leaf: kind,
          look: this.#look(entry, node, place.ia),
          output,
          contiguous: true,
          ...place,
        };
    }
  }

  #table({ output }: TableEntry, node: TableNode, place: Spanned): TableItem {
    const child = this.#tree.nodeAt(node.stage, node.level + 1, output);
    const missing = child === undefined ? 'not visited' : this.#drawn.has(child) ? 'drawn already' : '';
    const items = missing === '' ? this.#items(child!, place.ia) : [];
    // Nothing is known about a table that is not drawn, so treat it as unlike any other.
    const sign = missing === '' ? signOf(items) : `${missing} ${output}`;
    return { kind: 'table', pa: output, items, missing, sign, ...place };
  }

  #look(entry: TableEntry, node: TableNode, ia: bigint): Look {
    const { regime } = this.#walker;
    // Under stage 1, the walker can't be asked about a stage-2 leaf by its own input address.
    if (node.stage === 2 && isNested(regime)) return UNKNOWN;
    if (isNested(regime)) return lookOf(probe(this.#walker, ia, false), regime);
    // In one table, leaves that differ only in the address allow the same, except beyond the output size.
    const key = `${node.level}.${node.pa}.${entry.descriptor ^ entry.output}.${entry.output >> 32n}`;
    const known = this.#looks.get(key) ?? lookOf(probe(this.#walker, ia, false), regime);
    this.#looks.set(key, known);
    return known;
  }
}

const OUTSIDE_RAM: Look = { rights: 'fault', memory: 'unknown', text: 'outside RAM' };
const UNKNOWN: Look = { rights: 'unknown', memory: 'unknown', text: '' };

function signOf(items: readonly Item[]): string {
  return items
    .map((item) => {
      const says =
        item.kind === 'leaf'
          ? `${item.leaf} ${item.look.text} ${item.contiguous}`
          : item.kind === 'gap'
            ? item.text
            : `(${item.sign})`;
      return `${item.first}-${item.last}:${says}`;
    })
    .join();
}

function joinAlike(before: Item, item: Item): Item | undefined {
  const joined = { last: item.last, size: before.size + item.size };
  if (before.kind === 'leaf' && item.kind === 'leaf') {
    if (before.leaf !== item.leaf || before.look.text !== item.look.text) return undefined;
    const goesOn = item.output === before.output + before.size;
    return { ...before, ...joined, contiguous: before.contiguous && goesOn };
  }
  if (before.kind === 'gap' && item.kind === 'gap' && before.text === item.text)
    return { ...before, ...joined };
  if (before.kind === 'table' && item.kind === 'table' && before.sign === item.sign) {
    return { ...before, ...joined };
  }
  return undefined;
}
