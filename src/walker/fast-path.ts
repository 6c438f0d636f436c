/**
 * The fast path: an address to its PA and nothing else, without an object on the way. It knows one stage of little-endian 64-bit
 * descriptors that hardware need not update, and leaves all else to the full walk. (DDI 0487 D8.2; the order of checks does
 * not matter here, since every fault is the same answer.)
 */
import type { PhysicalMemory, RamRegion } from '../memory/index.ts';
import { AF_BIT } from './descriptor64.ts';
import { DIRTIES, type DirectStage, type TablePlan, tablePlans } from './fast-plan.ts';
import { OUTSIDE, slotOf, TableViews } from './table-views.ts';

/** In place of a PA: the access faults. */
export const FAULT = -1;
/** In place of a PA: only the full walk can tell. */
export const ASK = -2;

const HIGH = 2 ** 32;
/** The last level's index in a plan's arrays. */
const LAST = 4;
/** Level 3 tables that a bulk run keeps at hand: of 1 GiB with 4K pages all. */
const SLOTS = 512;

/** What is asked for each time. */
export interface FastAccess {
  /** The one permission bit that the access needs. */
  readonly needed: number;
  readonly write: boolean;
  readonly privileged: boolean;
  /** PAN is in effect, and the access is one of data. */
  readonly pan: boolean;
}

/** Input addresses are signed 64-bit numbers that a double holds exactly. */
export class FastPath {
  readonly #ranges: readonly FastRange[];

  constructor(memory: PhysicalMemory, stage: DirectStage, access: FastAccess) {
    this.#ranges = tablePlans(stage, access).map((plan) => new FastRange(memory, plan, access));
  }

  /** The PA, FAULT or ASK. */
  translate(ia: number): number {
    const range = this.#rangeOf(ia);
    return range === undefined ? FAULT : range.translate(ia);
  }

  /** The same for the first `count` of `ias`. */
  translateMany(ias: Float64Array, pas: Float64Array, count: number): void {
    for (const range of this.#ranges) range.forget();
    for (let i = 0; i < count; ) {
      const ia = ias[i]!;
      const range = this.#rangeOf(ia);
      if (!Number.isSafeInteger(ia)) pas[i++] = ASK;
      else if (range === undefined) pas[i++] = FAULT;
      else i = range.translateMany(ias, pas, i, count);
    }
  }

  #rangeOf(ia: number): FastRange | undefined {
    for (const range of this.#ranges) if (ia >= range.first && ia < range.end) return range;
    return undefined;
  }
}

/** One range of input addresses and its tables. */
class FastRange {
  readonly first: number;
  readonly end: number;
  readonly #memory: PhysicalMemory;
  readonly #plan: TablePlan;
  readonly #views: TableViews;
  readonly #needed: number;
  readonly #dirties: number;
  #region: RamRegion;
  /** The level 3 table that the last translation came to: its words, where it starts, the table bits above it. */
  #words: Uint32Array | undefined;
  #start = 0;
  #tableBits = 0;
  /** Level 3 tables of a bulk run, by the input addresses they cover. */
  readonly #groups = new Float64Array(SLOTS).fill(-1);
  readonly #groupWords: Uint32Array[] = new Array<Uint32Array>(SLOTS).fill(new Uint32Array(0));
  readonly #groupStarts = new Int32Array(SLOTS);
  readonly #groupBits = new Int32Array(SLOTS);

  constructor(memory: PhysicalMemory, plan: TablePlan, access: FastAccess) {
    this.first = plan.first;
    this.end = plan.end;
    this.#memory = memory;
    this.#plan = plan;
    this.#views = new TableViews(memory, plan.tableBytes);
    this.#needed = access.needed;
    this.#dirties = access.write ? DIRTIES : 0;
    this.#region = memory.regions[0]!;
  }

  /** From the first table to the leaf. */
  translate(ia: number): number {
    const plan = this.#plan;
    const { perByte, indexMask } = plan;
    const { lows, highs, words: viewWords, starts } = this.#views;
    const address = ia - plan.bias;
    this.#words = undefined;
    let level = plan.startLevel + 1;
    // The first table may be smaller or larger than any other, so it has no view.
    const first = plan.tableBase + ((address * perByte[level]!) | 0) * 8;
    let region = this.#region;
    if (!region.contains(first, 8)) {
      const other = this.#memory.regionAt(first, 8);
      if (other === undefined) return FAULT;
      region = other;
      this.#region = other;
    }
    let words = region.peek(first);
    if (words === undefined) return FAULT;
    let at = region.wordIndex(first);
    let tableBits = 0;
    for (;;) {
      const lo = words[at]! | 0;
      const hi = words[at + 1]! | 0;
      if ((lo & 1) === 0) return FAULT;
      if ((lo & 2) === 0) {
        if (level === LAST || level <= plan.firstBlockLevel) return FAULT;
        return this.#leaf(lo, hi, level, tableBits, address);
      }
      if (level === LAST) return this.#leaf(lo, hi, level, tableBits, address);
      const high = (hi & plan.tableHigh) | ((lo << plan.movedShift) & plan.movedMask);
      const low = lo & plan.tableLow;
      if ((high & plan.beyondOutput) !== 0) return FAULT;
      tableBits |= (hi >>> 27) & plan.hierarchical;
      level++;
      let slot = slotOf(low);
      if (lows[slot] !== low || highs[slot] !== high) {
        slot = this.#views.load(high, low);
        if (slot < 0) return slot === OUTSIDE ? ASK : FAULT;
      }
      words = viewWords[slot]!;
      const start = starts[slot]!;
      at = start + (((address * perByte[level]!) & indexMask[level]!) << 1);
      if (level === LAST) {
        this.#words = words;
        this.#start = start;
        this.#tableBits = tableBits;
      }
    }
  }

  #leaf(lo: number, hi: number, level: number, tableBits: number, address: number): number {
    const plan = this.#plan;
    const key = ((lo >>> 6) & 3) | ((hi >>> 19) & 0xc) | ((hi >>> 15) & 0x10) | (tableBits << 5);
    const mask = plan.allowed[key]!;
    if ((lo & AF_BIT) === 0 || (mask & this.#dirties) !== 0) return ASK;
    if ((mask & this.#needed) === 0) return FAULT;
    const high = (hi & plan.leafHigh[level]!) | ((lo << plan.movedShift) & plan.movedMask);
    const base = high * HIGH + ((lo & plan.leafLow[level]!) >>> 0);
    const offset = address - Math.floor(address * plan.perByte[level]!) * plan.entrySize[level]!;
    const oa = base + offset;
    return oa < plan.outputEnd ? oa : FAULT;
  }

  /** Before a bulk run: tables may have changed since the last one. */
  forget(): void {
    this.#groups.fill(-1);
  }

  /**
   * The hot loop: from `from` on, as long as addresses are integers in this range. Returns where it ended. Nothing else runs
   * meanwhile, so that what was found above the level 3 tables stays true for the whole run.
   */
  translateMany(ias: Float64Array, pas: Float64Array, from: number, count: number): number {
    const { first, end } = this;
    const { bias, allowed, outputEnd, tableHigh, tableLow, movedShift, movedMask } = this.#plan;
    const perPage = this.#plan.perByte[LAST]!;
    const pageSize = this.#plan.entrySize[LAST]!;
    const indexMask = this.#plan.indexMask[LAST]!;
    const perGroup = this.#plan.perByte[LAST - 1]!;
    const [groups, groupWords, groupStarts, groupBits] = [
      this.#groups,
      this.#groupWords,
      this.#groupStarts,
      this.#groupBits,
    ];
    const needed = this.#needed;
    const dirties = this.#dirties;
    for (let i = from; i < count; i++) {
      const ia = ias[i]!;
      if (!(ia >= first && ia < end && Math.floor(ia) === ia)) return i;
      const address = ia - bias;
      const group = Math.floor(address * perGroup);
      const slot = group & (SLOTS - 1);
      if (groups[slot] !== group) {
        pas[i] = this.translate(ia);
        this.#remember(slot, group);
        continue;
      }
      const page = Math.floor(address * perPage);
      const words = groupWords[slot]!;
      const at = groupStarts[slot]! + ((page & indexMask) << 1);
      const lo = words[at]! | 0;
      const hi = words[at + 1]! | 0;
      const key = ((lo >>> 6) & 3) | ((hi >>> 19) & 0xc) | ((hi >>> 15) & 0x10) | groupBits[slot]!;
      const mask = allowed[key]!;
      let pa = FAULT;
      if ((lo & 3) === 3) {
        const high = (hi & tableHigh) | ((lo << movedShift) & movedMask);
        const oa = high * HIGH + ((lo & tableLow) >>> 0) + (address - page * pageSize);
        if ((lo & AF_BIT) === 0 || (mask & dirties) !== 0) pa = ASK;
        else if ((mask & needed) !== 0 && oa < outputEnd) pa = oa;
      }
      pas[i] = pa;
    }
    return count;
  }

  /** After a translation from the first table: the level 3 table it came to, if it did. */
  #remember(slot: number, group: number): void {
    if (this.#words === undefined) return;
    this.#groups[slot] = group;
    this.#groupWords[slot] = this.#words;
    this.#groupStarts[slot] = this.#start;
    this.#groupBits[slot] = this.#tableBits << 5;
  }
}
