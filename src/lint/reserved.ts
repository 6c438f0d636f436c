/** Reserved bits that are set, by the declared fields of each kind of descriptor. (DDI 0487 D8.3.1, G5.4, G5.5.) */
import type { DescriptorLayout } from '../arch/descriptors/index.ts';
import { maskOf } from '../arch/read.ts';
import { bitRange, decode } from '../descriptor/index.ts';
import { hex } from '../text/numbers.ts';
import type { TableEntry, TableTree } from '../walker/index.ts';
import { halvesOf, word64 } from '../walker/word.ts';
import { layoutOf } from './layout.ts';

interface Masks {
  readonly layout: DescriptorLayout;
  readonly lo: number;
  readonly hi: number;
}

const KNOWN = new WeakMap<TableTree, Map<string, Masks | undefined>>();

/** `bits [50:48] are RES0, but 0x4`, or undefined where nothing is wrong or the format has no declared fields here. */
export function reservedBits(entry: TableEntry, tree: TableTree, aarch32: boolean): string | undefined {
  const masks = masksOf(entry, tree, aarch32);
  if (masks === undefined || ((entry.lo & masks.lo) | (entry.hi & masks.hi)) === 0) return undefined;
  const word = word64(entry.lo, entry.hi);
  return decode(masks.layout, word)
    .filter(({ field, problem }) => field.kind === 'res0' && problem !== undefined)
    .map(({ field, value }) => `bits ${bitRange(field)} are RES0, but ${hex(value)} (${field.meaning})`)
    .join('; ');
}

function masksOf(entry: TableEntry, tree: TableTree, aarch32: boolean): Masks | undefined {
  const known = KNOWN.get(tree) ?? new Map<string, Masks | undefined>();
  KNOWN.set(tree, known);
  const key = `${entry.level}.${entry.kind}.${entry.sizeLog2}`;
  if (!known.has(key)) {
    const layout = layoutOf(entry, tree, aarch32);
    known.set(key, layout && masksIn(layout));
  }
  return known.get(key);
}

function masksIn(layout: DescriptorLayout): Masks {
  const reserved = layout.fields
    .filter(({ kind }) => kind === 'res0')
    .reduce((mask, field) => mask | maskOf(field), 0n);
  return { layout, ...halvesOf(reserved) };
}
