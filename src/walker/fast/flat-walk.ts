/**
 * The way down to an entry where tables are in flat memory (`RamRegion.flat`): 32-bit integers and two comparisons a level. What leaves
 * flat memory is left to the general loop of the fast path. (DDI 0487 D8.2, D8.3.1.)
 */
import type { RamRegion } from '../../memory/index.ts';
import { TYPE_BIT, VALID_BIT } from '../descriptor64.ts';
import { TABLE_PERMISSIONS_SHIFT } from '../permissions.ts';
import type { TablePlan } from './plan.ts';

const PER_HIGH = 2 ** -32;
const TABLE = VALID_BIT | TYPE_BIT;
const HIERARCHY_SHIFT = TABLE_PERMISSIONS_SHIFT;
/** An entry is two words. */
const ENTRY_WORDS_LOG2 = 1;
/** log2 of the bytes of a word. */
const WORD_LOG2 = 2;
/** No word has a number as high as this. */
const BEYOND = 2 ** 30;
/** The last level, as plans count: level 3 is 4. */
const LAST = 4;

/** Answer of `descend`: the way leads out of flat memory. */
export const ELSEWHERE = -1;

/** The tables of one range. */
export class FlatWalk {
  /** About the last descent: the index of the level that it ended at, as plans count, and the permission bits of the tables on the way. */
  level = 0;
  tableBits = 0;
  readonly #root: number;
  readonly #start: number;
  readonly #startLevel: number;
  /** Entries of the first table, and pages, per byte of input; the bits of an index below the first table. */
  readonly #perRoot: number;
  readonly #perPage: number;
  readonly #stride: number;
  /** The bits that both words have in every descriptor of a table in flat memory, whose upper address half is that of its start. */
  readonly #lowMask: number;
  readonly #low: number;
  readonly #highMask: number;
  readonly #high: number;
  readonly #tableLow: number;
  readonly #hierarchical: number;

  constructor(region: RamRegion, plan: TablePlan) {
    const { flatStart } = region;
    const upper = Math.floor(flatStart * PER_HIGH);
    const levels = LAST - 1 - plan.startLevel;
    this.#stride = Math.log2(plan.indexMask[LAST]! + 1);
    const word = (plan.tableBase - flatStart) / (1 << WORD_LOG2);
    // A shift of 32 bits or more does not exist, and tables beyond the output size fault.
    const isFlat =
      word >= 0 && word < BEYOND && levels * this.#stride <= 32 && (upper & plan.beyondOutput) === 0;
    this.#root = isFlat ? word : BEYOND;
    this.#start = flatStart | 0;
    this.#startLevel = plan.startLevel + 1;
    this.#perRoot = plan.perByte[plan.startLevel + 1]!;
    this.#perPage = plan.perByte[LAST]!;
    this.#lowMask = TABLE | (plan.movedMask >>> plan.movedShift);
    this.#low = TABLE | ((upper & plan.movedMask) >>> plan.movedShift);
    this.#highMask = plan.tableHigh;
    this.#high = upper & ~plan.movedMask;
    this.#tableLow = plan.tableLow;
    this.#hierarchical = plan.hierarchical;
  }

  /** The first word of the entry where the tables of flat memory end for an address within the range: a leaf, an invalid one, or a table elsewhere. */
  descend(words: Uint32Array, address: number): number {
    const lowMask = this.#lowMask;
    const low = this.#low;
    const highMask = this.#highMask;
    const high = this.#high;
    const start = this.#start;
    const tableLow = this.#tableLow;
    const hierarchical = this.#hierarchical;
    const stride = this.#stride;
    const mask = (1 << stride) - 1;
    const end = words.length - 1;
    const page = (address * this.#perPage) | 0;
    let level = this.#startLevel;
    let shift = (LAST - level) * stride;
    let tableBits = 0;
    let at = this.#root + (((address * this.#perRoot) | 0) << ENTRY_WORDS_LOG2);
    for (; at < end && level < LAST; level++) {
      const lo = words[at]! | 0;
      const hi = words[at + 1]! | 0;
      if ((lo & lowMask) !== low || (hi & highMask) !== high) break;
      tableBits |= (hi >>> HIERARCHY_SHIFT) & hierarchical;
      shift -= stride;
      at = (((lo & tableLow) - start) >>> WORD_LOG2) + (((page >>> shift) & mask) << ENTRY_WORDS_LOG2);
    }
    this.level = level;
    this.tableBits = tableBits;
    return at < end ? at : ELSEWHERE;
  }
}
