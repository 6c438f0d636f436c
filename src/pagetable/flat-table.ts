/**
 * Single calls over flat memory: finds, writes or empties one entry with 32-bit integers only, by the numbers that a format gives of its entries
 * (`EntryShape`), so that the loop is the same for every format. What is not a plain case (a table outside flat memory or missing, a run, a
 * large block) is left to the general path of `PageTable`, which answers the same. (DDI 0487 D8.2.)
 */
import type { RamRegion } from '../memory/index.ts';
import type { EntryShape, LeafBits, TableFormat } from './format.ts';
import { perPow2, pow2 } from './page-size.ts';

/** Instead of a PA: nothing is mapped there. */
export const NOWHERE = -1;
/** Instead of a PA: the general path knows. */
export const ASK = -2;

const TWO_32 = 2 ** 32;
const PER_TWO_32 = 2 ** -32;
/** No word has a number as high as this. */
const BEYOND = 2 ** 30;

/** For each level a row of numbers: the address bits of a leaf's low half (0 if it has more than 2^31 bytes), and what a single leaf has. */
const LEAF_NUMBERS = 4;

/** The tree of one root, entry by entry. Input addresses are exact numbers below the end of the input range. */
export class FlatTable {
  readonly #region: RamRegion;
  /** Word number of the root, and the low half of the first word's address. */
  readonly #root: number;
  readonly #start: number;
  readonly #below: number;
  /** From an entry's first word to its last, which is log2 of its words, too. */
  readonly #toHigh: number;
  /** Root entries and smallest pages per byte of input; the index of a table below the root is `#stride` bits of a page number. */
  readonly #perRoot: number;
  readonly #perPage: number;
  readonly #stride: number;
  /** By the number of levels below: the last level's row is the first. */
  readonly #leaves: Int32Array;
  readonly #sharedRuns: boolean;
  /** Both words of a descriptor of a table in flat memory: these bits are the same in all of them. */
  readonly #lowMask: number;
  readonly #low: number;
  readonly #high: number;
  /** A table's type, of the bits above. */
  readonly #tableMask: number;
  readonly #tableType: number;
  /** The address bits of both words, how far they are below their place, and those of the upper half that the low word has. */
  readonly #addressLow: number;
  readonly #addressHigh: number;
  readonly #shift: number;
  readonly #overShift: number;
  readonly #overMask: number;
  readonly #movedMask: number;
  readonly #movedFrom: number;
  readonly #movedTo: number;
  /** Address bits of the upper half that the high word has. */
  readonly #keepHigh: number;
  readonly #emptyLow: number;
  readonly #emptyHigh: number;
  /** Where the last descent ended: how many levels are below. */
  #left = 0;

  constructor({ levels, entries }: TableFormat, shape: EntryShape, region: RamRegion, root: number) {
    this.#region = region;
    const { flatStart } = region;
    const word = (root - flatStart) / 4;
    this.#root = word >= 0 && word < BEYOND ? word : BEYOND;
    this.#start = flatStart | 0;
    this.#below = levels.length - 1;
    this.#toHigh = entries.wordsPerEntry - 1;
    const last = levels.at(-1)!;
    this.#stride = Math.log2(last.entries);
    this.#perRoot = perPow2(levels[0]!.shift);
    this.#perPage = perPow2(last.shift);
    this.#leaves = Int32Array.from(
      levels.toReversed().flatMap(({ level, shift }) => {
        const { lowMask, low, high } = shape.single(level);
        return [shift < 32 ? -pow2(shift) : 0, lowMask, low, high];
      }),
    );
    this.#sharedRuns = shape.sharedRuns;
    this.#emptyLow = shape.empty.low;
    this.#emptyHigh = shape.empty.high;
    this.#tableMask = shape.tableMask;
    this.#tableType = shape.tableType;
    this.#addressLow = shape.address.low;
    this.#addressHigh = shape.address.high;
    this.#shift = shape.addressShift;
    this.#overShift = 32 - shape.addressShift;
    this.#overMask = (1 << shape.addressShift) - 1;
    this.#movedMask = shape.moved.mask;
    this.#movedFrom = shape.moved.from;
    this.#movedTo = shape.moved.to;
    this.#keepHigh = shape.moved.mask === 0 ? -1 : (1 << shape.moved.from) - 1;
    // Flat memory does not reach across a multiple of 4 GiB, so the upper half of every address in it is that of its start.
    const upper = Math.floor(flatStart * PER_TWO_32);
    this.#lowMask = this.#tableMask | this.#movedMask | this.#upperInLow(-1);
    this.#low = this.#tableType | this.#upperInLow(upper);
    this.#high = this.#upperInHigh(upper);
  }

  /** The PA that `ia` translates to, NOWHERE or ASK. */
  translate(ia: number): number {
    const words = this.#region.flat;
    const at = this.#descend(words, ia);
    if (at < 0) return ASK;
    const lo = words[at]! | 0;
    const hi = words[at + this.#toHigh]! | 0;
    if (((lo & this.#emptyLow) | (hi & this.#emptyHigh)) === 0) return NOWHERE;
    const left = this.#left;
    // A table that is not in flat memory.
    if (left > 0 && (lo & this.#tableMask) === this.#tableType) return ASK;
    const mask = this.#leaves[left * LEAF_NUMBERS]!;
    const base = (lo & this.#addressLow) << this.#shift;
    if ((base & ~mask) !== 0 || mask === 0 || (this.#sharedRuns && !this.#isSingle(lo, hi))) return ASK;
    const upper =
      ((hi & this.#addressHigh) << this.#shift) |
      ((lo >>> this.#overShift) & this.#overMask) |
      (((lo & this.#movedMask) >>> this.#movedTo) << this.#movedFrom);
    return upper * TWO_32 + ((base | (ia & ~mask)) >>> 0);
  }

  /**
   * Writes a page of the last level at `ia`, if its entry is empty and its table was written before. Addresses are multiples of the page, within range.
   * @returns false if nothing was written.
   */
  map(ia: number, pa: number, bits: LeafBits): boolean {
    const words = this.#region.flat;
    const at = this.#descend(words, ia);
    if (at < 0 || this.#left > 0) return false;
    const toHigh = this.#toHigh;
    if (((words[at]! & this.#emptyLow) | (words[at + toHigh]! & this.#emptyHigh)) !== 0) return false;
    if (!this.#region.isMade(at)) return false;
    const upper = (pa * PER_TWO_32) | 0;
    // An entry of one word has no high one: the low one replaces it.
    words[at + toHigh] = this.#upperInHigh(upper) | bits.high;
    words[at] = ((pa | 0) >>> this.#shift) | this.#upperInLow(upper) | bits.low;
    return true;
  }

  /** Empties the entry of a page of the last level. @returns false if there is none, or it is part of a run: nothing was done. */
  unmap(ia: number): boolean {
    const words = this.#region.flat;
    const at = this.#descend(words, ia);
    if (at < 0 || this.#left > 0) return false;
    const lo = words[at]! | 0;
    const hi = words[at + this.#toHigh]! | 0;
    if (((lo & this.#emptyLow) | (hi & this.#emptyHigh)) === 0 || !this.#isSingle(lo, hi)) return false;
    words[at + this.#toHigh] = 0;
    words[at] = 0;
    return true;
  }

  /**
   * The first word of the entry where the tables of flat memory end for `ia`: one of the last level, or one that is no table, or points out of
   * flat memory; `#left` says where that is. ASK if there is no such word. This is the hot loop: two comparisons a level.
   */
  #descend(words: Uint32Array, ia: number): number {
    const toHigh = this.#toHigh;
    const start = this.#start;
    const lowMask = this.#lowMask;
    const low = this.#low;
    const highMask = this.#addressHigh;
    const high = this.#high;
    const addressLow = this.#addressLow;
    const addressShift = this.#shift;
    const stride = this.#stride;
    const mask = (1 << stride) - 1;
    const end = words.length - toHigh;
    const page = (ia * this.#perPage) | 0;
    let left = this.#below;
    let shift = left * stride;
    let at = this.#root + (((ia * this.#perRoot) | 0) << toHigh);
    for (; at < end; left--) {
      if (left === 0) break;
      const word = words[at]! | 0;
      if ((word & lowMask) !== low || (words[at + toHigh]! & highMask) !== high) break;
      shift -= stride;
      at = ((((word & addressLow) << addressShift) - start) >>> 2) + (((page >>> shift) & mask) << toHigh);
    }
    this.#left = left;
    return at < end ? at : ASK;
  }

  #isSingle(lo: number, hi: number): boolean {
    const row = this.#left * LEAF_NUMBERS;
    const leaves = this.#leaves;
    return (lo & leaves[row + 1]!) === leaves[row + 2]! && (hi & leaves[row + 3]!) === 0;
  }

  /** The bits of an address from 32 on that the low word of an entry holds: those that a shift moves over, and those that stand elsewhere. */
  #upperInLow(upper: number): number {
    const over = (upper & this.#overMask) << (this.#overShift & 31);
    return over | (((upper >>> this.#movedFrom) << this.#movedTo) & this.#movedMask);
  }

  #upperInHigh(upper: number): number {
    return (upper >>> this.#shift) & this.#keepHigh;
  }
}

/** Whether the numbers of this file can say it: indexes below the root are 32 bits of a page number at most, all of one width. */
export function isFlatFormat({ levels }: TableFormat): boolean {
  const below = levels.slice(1);
  const bits = below.reduce((sum, { entries }) => sum + Math.log2(entries), 0);
  return bits <= 32 && below.every(({ entries }) => entries === levels.at(-1)!.entries);
}
