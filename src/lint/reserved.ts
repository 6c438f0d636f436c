/**
 * Finds wrong bits in a descriptor, from the declared fields of each kind: reserved bits, address bits inside a
 * leaf's own size, and nT. (DDI 0487 D8.3.1, D8.7.3, G5.4, G5.5.)
 */
import { type DescriptorLayout, type LayoutField, STAGE1_LEAF } from '../arch/descriptors/index.ts';
import { addressOf, maskOf } from '../arch/read.ts';
import { bitRange, type DecodedField, decode } from '../descriptor/index.ts';
import { hex } from '../text/numbers.ts';
import { ENTRY_KINDS, type TableEntry, type TableTree } from '../walker/index.ts';
import { halvesOf, word64 } from '../walker/word.ts';
import { layoutOf, type Reader } from './layout.ts';
import type { RuleName } from './rules.ts';

interface Halves {
  readonly lo: number;
  readonly hi: number;
}

interface Masks {
  readonly layout: DescriptorLayout;
  /** Masks of the bits that must be 0, and of those that must be 1. */
  readonly zeros: Halves;
  readonly ones: Halves;
  /** The part of `zeros` that is address bits inside the leaf's own size, as a word. */
  readonly inside: bigint;
  readonly nT: Halves;
}

/** A problem with the bits of one descriptor. */
export interface BitProblem {
  readonly rule: Extract<RuleName, 'reserved-bits' | 'reserved-ones' | 'misaligned-output' | 'block-nt'>;
  readonly message: string;
}

const KNOWN = new WeakMap<TableTree, Map<string, Masks | undefined>>();
const NONE: readonly BitProblem[] = [];
const { BASE, nT: NT } = STAGE1_LEAF.fields;

/** What is wrong with the bits of a valid entry. Empty if the format has no declared fields here. */
export function bitProblems(entry: TableEntry, tree: TableTree, by: Reader): readonly BitProblem[] {
  const masks = masksOf(entry, tree, by);
  if (masks === undefined) return NONE;
  const { zeros, ones, nT } = masks;
  const { lo, hi } = entry;
  const wrong = (lo & zeros.lo) | (hi & zeros.hi) | (~lo & ones.lo) | (~hi & ones.hi) | (lo & nT.lo);
  return wrong === 0 ? NONE : told(word64(lo, hi), entry.output, masks);
}

function told(word: bigint, output: number, { layout, inside, nT }: Masks): BitProblem[] {
  const found: BitProblem[] = [];
  const decoded = decode(layout, word).filter(({ problem }) => problem !== undefined);
  const set = decoded.filter(({ field, value }) => field.kind === 'res0' && value !== 0n);
  const isNt = (BigInt(nT.lo) & word) !== 0n;
  const bitsText = ({ field, value }: DecodedField) =>
    field.high === field.low
      ? `bit ${bitRange(field)} is RES0, but it is 1`
      : `bits ${bitRange(field)} are RES0, but they are ${hex(value)}`;
  const misplaced = set.filter(({ field }) => (maskOf(field) & inside) !== 0n);
  if (misplaced.length > 0) {
    const meant = BigInt(output) | addressOf(word & (inside | BigInt(nT.lo)), BASE);
    const bits = misplaced.map(bitsText).join('; ');
    const also = isNt ? `; bit ${NT.low} of it is nT, which keeps the block out of TLBs` : '';
    found.push({
      rule: 'misaligned-output',
      message: `meant ${hex(meant)}, hardware goes to ${hex(output)}: ${bits} (inside the ${layout.kind}'s size)${also}`,
    });
  } else if (isNt) {
    const meant = BigInt(output) | addressOf(BigInt(nT.lo), BASE);
    found.push({
      rule: 'block-nt',
      message: `nT is set, so TLBs need not hold the block; if ${hex(meant)} was meant, hardware goes to ${hex(output)}`,
    });
  }
  const others = set.filter((one) => !misplaced.includes(one));
  if (others.length > 0) {
    const message = others.map((one) => `${bitsText(one)} (${one.field.meaning})`).join('; ');
    found.push({ rule: 'reserved-bits', message });
  }
  const clear = decoded.filter(({ field }) => field.kind === 'res1');
  if (clear.length > 0) {
    const message = clear
      .map(({ field }) => `bit ${bitRange(field)} is RES1, but it is 0 (${field.meaning})`)
      .join('; ');
    found.push({ rule: 'reserved-ones', message });
  }
  return found;
}

function masksOf(entry: TableEntry, tree: TableTree, by: Reader): Masks | undefined {
  const known = KNOWN.get(tree) ?? new Map<string, Masks | undefined>();
  KNOWN.set(tree, known);
  const key = `${entry.level}.${entry.kind}.${entry.sizeLog2}.${by.regime}.${by.security ?? ''}.${by.hierarchical ?? ''}`;
  if (!known.has(key)) {
    const layout = layoutOf(entry, tree, by);
    known.set(key, layout && masksIn(layout, entry, tree));
  }
  return known.get(key);
}

function masksIn(layout: DescriptorLayout, { kind, sizeLog2 }: TableEntry, { reader }: TableTree): Masks {
  const maskOfKind = (wanted: LayoutField['kind']) =>
    layout.fields.filter((field) => field.kind === wanted).reduce((mask, field) => mask | maskOf(field), 0n);
  const zeros = maskOfKind('res0');
  const isLong = reader.format === 'long' && kind === ENTRY_KINDS.leaf;
  const inside = isLong ? zeros & maskOf({ high: sizeLog2 - 1, low: BASE.low }) : 0n;
  const nT = layout.fields.some(({ name }) => name === NT.name) ? maskOf(NT) : 0n;
  return { layout, zeros: halvesOf(zeros), ones: halvesOf(maskOfKind('res1')), inside, nT: halvesOf(nT) };
}
