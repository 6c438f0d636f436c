/** The layout of an icicle's cells: widths by entries or by address space, short holes, and nothing too narrow to see. */
import type { IciclePanel, Item, TableItem } from './icicle-tree.ts';
import { type Share, sharesOf } from './look.ts';

/** Neighbours in one table that are too narrow to be drawn separately. */
export interface MixedItem {
  readonly kind: 'mixed';
  readonly level: number;
  readonly first: number;
  readonly last: number;
  readonly ia: bigint;
  readonly size: bigint;
  readonly items: readonly Item[];
}

export interface Cell {
  readonly item: Item | MixedItem;
  readonly x: number;
  readonly width: number;
}

/** `entries`: by the logarithm of entries in use. `span`: by bytes of address space. The widths of holes mean nothing. */
export type IcicleScale = 'entries' | 'span';

export interface LayoutOptions {
  readonly width: number;
  /** Cells narrower than this are drawn together with their neighbours. */
  readonly minWidth: number;
  readonly scale: IcicleScale;
}

/** The cells from left to right, each before the cells of its table. */
export function layoutIcicle(panel: IciclePanel, { width, minWidth, scale }: LayoutOptions): Cell[] {
  const { root } = panel;
  const weights = scale === 'entries' ? entryWeights(root) : spanWeights(root);
  const unit = width / weights.get(root)!;
  const cells: Cell[] = [];
  const place = (items: readonly Item[], from: number) => {
    let x = from;
    let narrow: Item[] = [];
    let start = from;
    const flush = () => {
      const [only, ...more] = narrow;
      if (only === undefined) return;
      // A single narrow cell is drawn all the same.
      const item = more.length === 0 ? only : mixed(narrow);
      cells.push({ item, x: start, width: x - start });
      narrow = [];
    };
    for (const item of items) {
      const taken = weights.get(item)! * unit;
      if (taken < minWidth) {
        if (narrow.length === 0) start = x;
        narrow.push(item);
        x += taken;
        if (x - start >= minWidth) flush();
        continue;
      }
      flush();
      cells.push({ item, x, width: taken });
      if (item.kind === 'table') place(item.items, x);
      x += taken;
    }
    flush();
  };
  place(root.items, 0);
  return cells;
}

function mixed(items: readonly Item[]): MixedItem {
  const [a, z] = [items[0]!, items.at(-1)!];
  const { level, first, ia } = a;
  return { kind: 'mixed', level, first, last: z.last, ia, size: z.ia + z.size - ia, items };
}

/** The rights in an item, measured in leaves. */
export function sharesWithin(item: Item | MixedItem): Share[] {
  const parts: Share[] = [];
  const add = (one: Item | MixedItem, times: number) => {
    if (one.kind === 'leaf')
      parts.push({ rights: one.look.rights, amount: (one.last - one.first + 1) * times });
    else if (one.kind === 'table')
      for (const below of one.items) add(below, times * (one.last - one.first + 1));
    else if (one.kind === 'mixed') for (const below of one.items) add(below, times);
  };
  add(item, 1);
  return sharesOf(parts);
}

/** Up to this, the width of a table's own entries grows linearly with their weight, then logarithmically. */
const FAIR = 10;
const GAP = 1;
/** Weight of a hole in the first table, where holes are largest. */
const ROOT_GAP = 3;
const ALONE = 2;

function entryWeights(root: TableItem): Map<Item, number> {
  const weights = new Map<Item, number>();
  const own = (item: Item) => {
    if (item.kind === 'leaf') return ALONE + Math.log2(item.last - item.first + 1);
    return item.kind === 'gap' && item.level === root.level + 1 ? ROOT_GAP : GAP;
  };
  const weigh = (table: TableItem): number => {
    const alone = table.items.filter((item) => item.kind !== 'table');
    const sum = alone.reduce((total, item) => total + own(item), 0);
    const scale = sum <= FAIR ? 1 : (FAIR + 4 * Math.log2(sum / FAIR)) / sum;
    let weight = 0;
    for (const item of table.items) {
      const taken = item.kind === 'table' ? weigh(item) : own(item) * scale;
      weights.set(item, taken);
      weight += taken;
    }
    return Math.max(weight, ALONE);
  };
  weights.set(root, weigh(root));
  return weights;
}

/** All holes together take at most this part of what is mapped, and one of them at most a part of that. */
const HOLES = 0.3;
const FEWEST_HOLES = 15;
/** The same of what is so small that it would not be seen. */
const SMALL = 0.3;
const FEWEST_SMALL = 150;

function spanWeights(root: TableItem): Map<Item, number> {
  let mappedBytes = 0;
  let [holes, pieces] = [0, 0];
  const count = (table: TableItem) => {
    for (const item of table.items) {
      if (item.kind === 'gap') holes++;
      else if (hasItems(item)) count(item);
      else {
        pieces++;
        mappedBytes += Number(item.size);
      }
    }
  };
  count(root);
  const hole = ((mappedBytes || 1) * HOLES) / Math.max(holes, FEWEST_HOLES);
  const least = (mappedBytes * SMALL) / Math.max(pieces, FEWEST_SMALL);
  const weights = new Map<Item, number>();
  const weigh = (table: TableItem): number => {
    let weight = 0;
    for (const item of table.items) {
      const taken =
        item.kind === 'gap' ? hole : hasItems(item) ? weigh(item) : Math.max(least, Number(item.size));
      weights.set(item, taken);
      weight += taken;
    }
    return weight;
  };
  weights.set(root, weigh(root) || 1);
  return weights;
}

function hasItems(item: Item): item is TableItem {
  return item.kind === 'table' && item.items.length > 0;
}
