/**
 * Long descriptors in table memory: 64-bit entries as two little-endian 32-bit words, in integer arithmetic only, since this
 * is the innermost code of every mapping. Masks come from the declared fields. (DDI 0487 D8.3.1.)
 */
import { fieldMask } from '../../src/descriptor/field.ts';
import { type DescriptorLayout, encode, type Field } from '../../src/descriptor/index.ts';
import {
  type DirectCodec,
  EMPTY,
  type EntryCodec,
  type EntryKind,
  type EntryShape,
  type Halves,
  halves,
  LEAF,
  type LeafBits,
  type LeafSize,
  leafBitsOf,
  TABLE,
  type TrackingCodec,
} from '../../src/pagetable/format.ts';
import { WideEntries } from '../common/wide-entries.ts';

const TWO_32 = 2 ** 32;
const PER_TWO_32 = 2 ** -32;
/** The contiguous hint (DDI 0487 D8.7.1), in the descriptor and in its upper half. */
const CONTIGUOUS_BIT = 1n << 52n;
const CONTIGUOUS = 1 << 20;
/** The bits that tell a table from a block, and their value in a table descriptor above level 3 (DDI 0487 table D8-48). */
const TYPE = 3;
const TABLE_TYPE = 3;

/** What the codec needs: the layouts of a table descriptor and a page descriptor, and the constant bits of each kind. */
export interface LongCodecOptions {
  readonly table: DescriptorLayout;
  readonly page: DescriptorLayout;
  /** Type and attribute bits that every table descriptor gets. */
  readonly tableBits: bigint;
  /** Attribute bits that survive the split of a block. */
  readonly splitMask: bigint;
  /** The type bits of leaves at `level`, which are added to their attributes. */
  readonly typeBits: (level: number) => bigint;
  /** Bytes that a leaf covers, by level from -1 on. */
  readonly leafSizes: readonly number[];
  /** log2 of the entries of a level's contiguous runs. */
  readonly runLog2: (level: number) => number;
  /** The state that hardware keeps in leaves. Absent if it keeps none. */
  readonly tracking?: LongTracking | undefined;
}

export class LongEntryCodec extends WideEntries implements EntryCodec, DirectCodec {
  readonly direct = this;
  readonly #options: LongCodecOptions;
  readonly #tableBits: Halves;
  readonly #leafSizes: readonly number[];
  /** Where address bits stand in each half. */
  readonly #addressLow: number;
  readonly #addressHigh: number;
  /**
   * Upper address bits that a descriptor keeps lower down: bits from 48 in `[15:12]` with a 64K granule, bits from 50 in `[9:8]`
   * with LPA2. They start at `moveFrom` in the upper half of the address, and at `moveTo` in the descriptor.
   */
  readonly #movedMask: number;
  readonly #moveFrom: number;
  readonly #moveTo: number;
  readonly tracking?: LongTracking;
  readonly shape: EntryShape;

  constructor(options: LongCodecOptions) {
    super();
    this.#options = options;
    this.#tableBits = halves(options.tableBits);
    this.#leafSizes = options.leafSizes;
    const inPlace = addressField(options.page, (f) => f.address === f.low);
    const moved = addressField(options.page, (f) => f.address !== f.low);
    const mask = halves(fieldMask(inPlace!));
    this.#addressLow = mask.low;
    this.#addressHigh = mask.high;
    this.#movedMask = moved === undefined ? 0 : Number(fieldMask(moved));
    this.#moveFrom = (moved?.address ?? 48) - 32;
    this.#moveTo = moved?.low ?? 12;
    if (options.tracking !== undefined) this.tracking = options.tracking;
    this.shape = {
      empty: { low: -1, high: -1 },
      tableMask: TYPE,
      tableType: TABLE_TYPE,
      address: mask,
      addressShift: 0,
      moved: { mask: this.#movedMask, from: this.#moveFrom, to: this.#moveTo },
      single: () => ({ lowMask: 0, low: 0, high: CONTIGUOUS }),
      sharedRuns: false,
    };
  }

  classify(words: Uint32Array, at: number, level: number): EntryKind {
    const low = words[at]!;
    if (low === 0 && words[at + 1] === 0) return EMPTY;
    // At level 3 there are only pages.
    return level < 3 && (low & TYPE) === TABLE_TYPE ? TABLE : LEAF;
  }

  tableAddress(words: Uint32Array, at: number): number {
    return this.#address(words[at]!, words[at + 1]!);
  }

  writeTable(words: Uint32Array, at: number, pa: number): void {
    this.#write(words, at, pa | 0, (pa * PER_TWO_32) | 0, this.#tableBits);
  }

  leafAddress(words: Uint32Array, at: number, level: number, _index: number): number {
    const address = this.#address(words[at]!, words[at + 1]!);
    const size = this.#leafSizes[level + 1]!;
    return Math.floor(address / size) * size;
  }

  writeLeaf(words: Uint32Array, at: number, pa: number, bits: LeafBits): void {
    const count = 1 << bits.runLog2;
    for (let i = 0; i < count; i++) {
      const part = pa + i * 2 ** bits.shift;
      this.#write(words, at + i * 2, part | 0, (part * PER_TWO_32) | 0, bits);
    }
  }

  runLog2(words: Uint32Array, at: number, level: number): number {
    return (words[at + 1]! & CONTIGUOUS) === 0 ? 0 : this.#options.runLog2(level);
  }

  splitBits(words: Uint32Array, at: number, _level: number, part: LeafSize): LeafBits {
    const { splitMask, typeBits } = this.#options;
    const contiguous = part.runLog2 > 0 ? CONTIGUOUS_BIT : 0n;
    return leafBitsOf((this.read(words, at) & splitMask) | typeBits(part.level) | contiguous, part);
  }

  writeLeaves(
    words: Uint32Array,
    at: number,
    count: number,
    paLow: number,
    paHigh: number,
    bits: LeafBits,
  ): void {
    // If no bits move, the moved part is 0, so one expression serves every case.
    const { low: bitsLow, high: bitsHigh } = bits;
    const from = this.#moveFrom;
    const to = this.#moveTo;
    const mask = (1 << from) - 1;
    const step = 1 << bits.shift;
    const end = at + ((count << bits.runLog2) << 1);
    let low = paLow;
    // The upper half changes only every 4 GiB.
    for (let i = at, high = paHigh; i < end; high++) {
      const inLow = ((high >>> from) << to) | bitsLow;
      const inHigh = (high & mask) | bitsHigh;
      do {
        words[i] = low | inLow;
        words[i + 1] = inHigh;
        i += 2;
        low = (low + step) | 0;
      } while (i < end && low >>> 0 >= step);
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
    const { low: bitsLow, high: bitsHigh } = bits;
    const moveFrom = this.#moveFrom;
    const moveTo = this.#moveTo;
    const mask = (1 << moveFrom) - 1;
    for (let i = from, end = from + count, w = at; i < end; i++, w += 2) {
      const pa = addresses[i]!;
      const high = (pa * PER_TWO_32) | 0;
      words[w] = pa | ((high >>> moveFrom) << moveTo) | bitsLow;
      words[w + 1] = (high & mask) | bitsHigh;
    }
  }

  #write(words: Uint32Array, at: number, paLow: number, paHigh: number, bits: Halves): void {
    words[at] = paLow | ((paHigh >>> this.#moveFrom) << this.#moveTo) | bits.low;
    words[at + 1] = (paHigh & ((1 << this.#moveFrom) - 1)) | bits.high;
  }

  #address(low: number, high: number): number {
    const moved = ((low & this.#movedMask) >>> this.#moveTo) << this.#moveFrom;
    const top = (high & this.#addressHigh) | moved;
    return (top >>> 0) * TWO_32 + ((low & this.#addressLow) >>> 0);
  }
}

const AF = 1 << 10;
/** DBM, bit 51, in the upper half; AP[2] or S2AP[1], nDirty or Dirty. */
const DBM = 1 << 19;
const AP_HIGH = 1 << 7;

/**
 * A leaf is dirty when its permissions allow writes: AP[2] is 0 at stage 1, S2AP[1] is 1 at stage 2, which hardware does where DBM is 1. With
 * indirect permissions the same bit is nDirty or Dirty, and there is no DBM. (DDI 0487 D8.5.2.)
 */
export class LongTracking implements TrackingCodec {
  readonly dirtyState: boolean;
  readonly #dirty: number;
  /** The bits that a leaf must have for its state to count, in the upper half. */
  readonly #tracked: number;

  /**
   * @param stage - the stage decides which bit marks a dirty leaf.
   * @param indirect - permissions are indirect, and leaves that nobody may write were made clean.
   */
  constructor(stage: 1 | 2, dirtyState: boolean, indirect: boolean) {
    this.dirtyState = dirtyState;
    this.#dirty = stage === 1 ? 0 : AP_HIGH;
    this.#tracked = indirect ? 0 : DBM;
  }

  isDirty(words: Uint32Array, at: number): boolean {
    return (words[at + 1]! & this.#tracked) === this.#tracked && (words[at]! & AP_HIGH) === this.#dirty;
  }

  setClean(words: Uint32Array, at: number): void {
    words[at] = (words[at]! & ~AP_HIGH) | (this.#dirty ^ AP_HIGH);
  }

  isAccessed(words: Uint32Array, at: number): boolean {
    return (words[at]! & AF) !== 0;
  }

  setIdle(words: Uint32Array, at: number): void {
    words[at] = words[at]! & ~AF;
  }
}

function addressField(layout: DescriptorLayout, which: (f: Field) => boolean): Field | undefined {
  return layout.fields.find((f) => f.address !== undefined && which(f));
}

/** The type bits of a kind of descriptor: those that `encode` sets without being asked. */
export function typeBits(layout: DescriptorLayout): bigint {
  return encode(layout, {});
}
