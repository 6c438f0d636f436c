/**
 * Short descriptors in table memory: 32-bit entries, of which a supersection or large page is 16 that hold the same word.
 * (DDI 0487 G5.4.1; MediaTek's address bits as in Linux's io-pgtable-arm-v7s.c.)
 */
import { type DescriptorLayout, decode, encode } from '../../src/descriptor/index.ts';
import {
  type DirectCodec,
  EMPTY,
  type EntryCodec,
  type EntryKind,
  type EntryShape,
  LEAF,
  type LeafBits,
  type LeafSize,
  leafBitsOf,
  TABLE,
} from '../../src/pagetable/format.ts';

const TWO_32 = 2 ** 32;
const PER_TWO_32 = 2 ** -32;
/** log2 of the entries of a supersection or large page. */
export const RUN_LOG2 = 4;
const SUPERSECTION = 1 << 18;
const SHIFT = { 1: 20, 2: 12 } as const;
/** The bits that tell an entry's kind, their value in a table descriptor of level 1, and bit 1, which a small page has and a large one has not. */
const TYPE = 3;
const TABLE_TYPE = 1;
const SMALL_PAGE = 2;
const TABLE_BASE = 0xffff_fc00 | 0;

const SHAPE: EntryShape = {
  empty: { low: TYPE, high: 0 },
  tableMask: TYPE,
  tableType: TABLE_TYPE,
  address: { low: TABLE_BASE, high: 0 },
  addressShift: 0,
  moved: { mask: 0, from: 0, to: 0 },
  single: (level) =>
    level === 1
      ? { lowMask: SUPERSECTION, low: 0, high: 0 }
      : { lowMask: SMALL_PAGE, low: SMALL_PAGE, high: 0 },
  sharedRuns: true,
};

/** What the codec needs. */
export interface ShortCodecOptions {
  /** Attribute bits of every table descriptor, type included. */
  readonly tableBits: number;
  /** Descriptors carry PA[34:32] (MediaTek). */
  readonly extended: boolean;
  /** The fields of a leaf of that size. */
  readonly layout: (size: Pick<LeafSize, 'level' | 'runLog2'>) => DescriptorLayout;
}

export class ShortEntryCodec implements EntryCodec, DirectCodec {
  readonly wordsPerEntry = 1;
  readonly wholeRuns = true;
  readonly direct = this;
  /** PA[34:32] lie in three places, which a shape can't say. */
  readonly shape?: EntryShape;
  readonly #options: ShortCodecOptions;
  readonly #extended: boolean;

  constructor(options: ShortCodecOptions) {
    this.#options = options;
    this.#extended = options.extended;
    if (!options.extended) this.shape = SHAPE;
  }

  read(words: Uint32Array, at: number): bigint {
    return BigInt(words[at]!);
  }

  clear(words: Uint32Array, at: number, count: number): void {
    words.fill(0, at, at + count);
  }

  classify(words: Uint32Array, at: number, level: number): EntryKind {
    const type = words[at]! & TYPE;
    if (type === 0) return EMPTY;
    return level === 1 && type === TABLE_TYPE ? TABLE : LEAF;
  }

  tableAddress(words: Uint32Array, at: number): number {
    const word = words[at]!;
    return ((word & TABLE_BASE) >>> 0) + this.#above(word);
  }

  writeTable(words: Uint32Array, at: number, pa: number): void {
    words[at] = pa | this.#bitsAbove(Math.floor(pa / TWO_32)) | this.#options.tableBits;
  }

  leafAddress(words: Uint32Array, at: number, level: number, index: number): number {
    const word = words[at]!;
    const shift = SHIFT[level as 1 | 2];
    const runLog2 = this.runLog2(words, at, level);
    const base = (word & (-1 << (shift + runLog2))) >>> 0;
    return base + this.#above(word) + (index & ((1 << runLog2) - 1)) * 2 ** shift;
  }

  runLog2(words: Uint32Array, at: number, level: number): number {
    const word = words[at]!;
    const isRun = level === 1 ? (word & SUPERSECTION) !== 0 : (word & SMALL_PAGE) === 0;
    return isRun ? RUN_LOG2 : 0;
  }

  writeLeaf(words: Uint32Array, at: number, pa: number, bits: LeafBits): void {
    const word = pa | this.#bitsAbove(Math.floor(pa / TWO_32)) | bits.low;
    words.fill(word, at, at + (1 << bits.runLog2));
  }

  /** Copies the attributes by name, since each kind of leaf keeps them in other bits. */
  splitBits(words: Uint32Array, at: number, level: number, part: LeafSize): LeafBits {
    const from = this.#options.layout({ level, runLog2: this.runLog2(words, at, level) });
    const to = this.#options.layout(part);
    const values: Record<string, bigint> = {};
    for (const { field, value } of decode(from, this.read(words, at))) {
      const same = to.fields.find(({ name, kind }) => name === field.name && kind === 'field');
      const isAttribute = field.kind === 'field' && field.address === undefined && field.fixed === undefined;
      if (isAttribute && same !== undefined) values[field.name] = value;
    }
    return leafBitsOf(encode(to, values), part);
  }

  areEmpty(words: Uint32Array, at: number, count: number): boolean {
    for (let i = at, end = at + count; i < end; i++) if (words[i] !== 0) return false;
    return true;
  }

  writeLeaves(
    words: Uint32Array,
    at: number,
    count: number,
    paLow: number,
    paHigh: number,
    bits: LeafBits,
  ): void {
    const step = 1 << (bits.shift + bits.runLog2);
    const run = 1 << bits.runLog2;
    let low = paLow;
    let high = paHigh;
    for (let i = at, end = at + count * run; i < end; ) {
      const word = low | this.#bitsAbove(high) | bits.low;
      for (const next = i + run; i < next; i++) words[i] = word;
      low = (low + step) | 0;
      if (low >>> 0 < step) high++;
    }
  }

  writePages(
    words: Uint32Array,
    at: number,
    count: number,
    addresses: Float64Array,
    from: number,
    bits: LeafBits,
  ): void {
    for (let i = 0; i < count; i++) {
      const pa = addresses[from + i]!;
      words[at + i] = pa | this.#bitsAbove((pa * PER_TWO_32) | 0) | bits.low;
    }
  }

  #bitsAbove(high: number): number {
    return this.#extended ? ((high & 1) << 9) | ((high & 2) << 3) | ((high & 4) << 3) : 0;
  }

  #above(word: number): number {
    return this.#extended ? (((word >>> 9) & 1) | ((word >>> 3) & 2) | ((word >>> 3) & 4)) * TWO_32 : 0;
  }
}
