/** One range of the fast path: a walk from its first table to a leaf, one address at a time or in bulk. (DDI 0487 D8.2.) */
import type { PhysicalMemory, RamRegion } from '../../memory/index.ts';
import { AF_BIT, type Leaf, TYPE_BIT, VALID_BIT } from '../descriptor64.ts';
import type { S1Params } from '../params/params.ts';
import { ALL_PERMISSIONS, GCS_PERMISSIONS, TABLE_PERMISSIONS_SHIFT } from '../permissions.ts';
import { ELSEWHERE, FlatWalk } from './flat-walk.ts';
import { keyOf } from './key.ts';
import { DIRTIES, type TablePlan } from './plan.ts';
import { OUTSIDE, slotOf, TableViews } from './table-views.ts';

/** Returned instead of a PA: the access faults. */
export const FAULT = -1;
/** Returned instead of a PA: only the full walk knows the answer. */
export const ASK = -2;

const HIGH = 2 ** 32;
/** An entry is two words. */
const ENTRY_WORDS_LOG2 = 1;
/** The last level's index in a plan's arrays. */
const LAST = 4;
/** Level 3 tables (or blocks in their place) that a bulk run keeps at hand: of 1 GiB with 4K pages all. */
const SLOTS = 512;
/** Copied into constants of this module, which the compiler treats as numbers. */
const VALID = VALID_BIT;
const TYPE = TYPE_BIT;
const TYPES = VALID | TYPE;
const AF = AF_BIT;
/** A page descriptor with its access flag set. */
const PAGE = TYPES | AF;
const HIERARCHY_SHIFT = TABLE_PERMISSIONS_SHIFT;
const PERMISSIONS = ALL_PERMISSIONS | GCS_PERMISSIONS;

/** A bulk run goes batch by batch: the addresses' low halves, and what was read for them. */
const BATCH = 128;
const LOWS = new Int32Array(BATCH);
const GROUPS = new Int32Array(BATCH);
const DESCRIPTOR_LOWS = new Int32Array(BATCH);
const DESCRIPTOR_HIGHS = new Int32Array(BATCH);

/** The requested access, the same for all addresses. */
export interface FastAccess {
  /** The one permission bit that the access needs. */
  readonly needed: number;
  readonly write: boolean;
  readonly privileged: boolean;
  /** Whether PAN is in effect and the access is a data access. */
  readonly pan: boolean;
}

/** The leaf of the last translation, with its rights. */
export interface FoundLeaf extends Leaf {
  /** Of stage 1: its range's parameters. */
  readonly s1: S1Params | undefined;
  readonly permissions: number;
}

/**
 * Where the translations of a bulk run ended, by the input addresses that a level 3 table covers: no more than its words are read
 * again. Which addresses a slot is about, the words, where it begins in them, and the table bits above.
 */
class Groups {
  readonly groups = new Int32Array(SLOTS).fill(-1);
  readonly words: Uint32Array[] = new Array<Uint32Array>(SLOTS).fill(new Uint32Array(0));
  readonly starts = new Int32Array(SLOTS);
  readonly bits = new Int32Array(SLOTS);
  /** Masks of the index (0 for a block) and of the address bits in a leaf's low half; its type bits with AF set. */
  readonly masks = new Int32Array(SLOTS);
  readonly lows = new Int32Array(SLOTS);
  readonly types = new Int32Array(SLOTS);
}

/** One range of input addresses and its tables. */
export class FastRange implements FoundLeaf {
  readonly s1: S1Params | undefined;
  lo = 0;
  hi = 0;
  level = 0;
  permissions = 0;
  readonly first: number;
  readonly end: number;
  readonly #memory: PhysicalMemory;
  readonly #plan: TablePlan;
  /** Made when it is needed, as `#groups` is: either is larger than all else of a range. */
  #views: TableViews | undefined;
  readonly #needed: number;
  readonly #dirties: number;
  /** By the key of `allowed`: 1 where the access is allowed and changes nothing. */
  readonly #plain: Uint8Array;
  #region: RamRegion;
  /** The region of the first table, and the tables in its flat memory, once there is some. */
  readonly #firstRegion: RamRegion | undefined;
  #flat: FlatWalk | undefined;
  /** Where the last translation ended, a level 3 table or a block: its words, where it begins in them, its level, the table bits above. */
  #words: Uint32Array | undefined;
  #start = 0;
  #level = 0;
  #tableBits = 0;
  #groups: Groups | undefined;

  constructor(memory: PhysicalMemory, plan: TablePlan, access: FastAccess) {
    this.s1 = plan.s1;
    this.first = plan.first;
    this.end = plan.end;
    this.#memory = memory;
    this.#plan = plan;
    this.#needed = access.needed;
    this.#dirties = access.write ? DIRTIES : 0;
    this.#plain = Uint8Array.from(plan.allowed, (mask) =>
      (mask & this.#dirties) === 0 && (mask & this.#needed) !== 0 ? 1 : 0,
    );
    this.#region = memory.regions[0]!;
    this.#firstRegion = memory.regionAt(plan.tableBase, 8);
  }

  /** From the first table to the leaf. */
  translate(ia: number): number {
    const region = this.#firstRegion;
    if (region === undefined || region.flat.length === 0) return this.#translate(ia);
    const words = region.flat;
    this.#flat ??= new FlatWalk(region, this.#plan);
    const address = ia - this.#plan.bias;
    const flat = this.#flat;
    const at = flat.descend(words, address);
    if (at === ELSEWHERE) return this.#translate(ia);
    const { level } = flat;
    const lo = words[at]! | 0;
    const hi = words[at + 1]! | 0;
    if ((lo & VALID) === 0) return FAULT;
    // At the last level a page has the bit, above it a table does, which is elsewhere.
    if ((lo & TYPE) === 0) {
      if (level === LAST || level <= this.#plan.firstBlockLevel) return FAULT;
    } else if (level < LAST) return this.#translate(ia);
    return this.leafOf(lo, hi, level, flat.tableBits, address);
  }

  /** The same wherever the tables are. */
  #translate(ia: number): number {
    const plan = this.#plan;
    const { perByte, indexMask } = plan;
    this.#views ??= new TableViews(this.#memory, plan.tableBytes);
    const views = this.#views;
    const { lows, highs, words: viewWords, starts } = views;
    const address = ia - plan.bias;
    this.#words = undefined;
    views.check();
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
      if ((lo & VALID) === 0) return FAULT;
      if ((lo & TYPE) === 0) {
        if (level === LAST || level <= plan.firstBlockLevel) return FAULT;
        if (plan.entrySize[level]! <= HIGH) this.#cameTo(words, at, level, tableBits);
        return this.leafOf(lo, hi, level, tableBits, address);
      }
      if (level === LAST) return this.leafOf(lo, hi, level, tableBits, address);
      const high = (hi & plan.tableHigh) | ((lo << plan.movedShift) & plan.movedMask);
      const low = lo & plan.tableLow;
      if ((high & plan.beyondOutput) !== 0) return FAULT;
      tableBits |= (hi >>> HIERARCHY_SHIFT) & plan.hierarchical;
      level++;
      let slot = slotOf(low);
      if (lows[slot] !== low || highs[slot] !== high) {
        slot = views.load(high, low);
        if (slot < 0) return slot === OUTSIDE ? ASK : FAULT;
      }
      words = viewWords[slot]!;
      const start = starts[slot]!;
      at = start + (((address * perByte[level]!) & indexMask[level]!) << ENTRY_WORDS_LOG2);
      if (level === LAST) this.#cameTo(words, start, level, tableBits);
    }
  }

  #cameTo(words: Uint32Array, start: number, level: number, tableBits: number): void {
    this.#words = words;
    this.#start = start;
    this.#level = level;
    this.#tableBits = tableBits;
  }

  /** The PA that a leaf gives, FAULT or ASK. `level` is an index of the plan's arrays, `address` within the range. */
  leafOf(lo: number, hi: number, level: number, tableBits: number, address: number): number {
    const plan = this.#plan;
    const mask = plan.allowed[keyOf(lo, hi, tableBits)]!;
    if ((lo & AF) === 0 || (mask & this.#dirties) !== 0) return ASK;
    if ((mask & this.#needed) === 0) return FAULT;
    this.lo = lo;
    this.hi = hi;
    this.level = level - 1;
    this.permissions = mask & PERMISSIONS;
    const high = (hi & plan.leafHigh[level]!) | ((lo << plan.movedShift) & plan.movedMask);
    const low = plan.leafLow[level]!;
    // A leaf of 4 GiB or more has address bits in the upper half alone.
    const offset =
      low !== 0
        ? (address & ~low) >>> 0
        : address - Math.floor(address * plan.perByte[level]!) * plan.entrySize[level]!;
    const oa = high * HIGH + ((lo & low) >>> 0) + offset;
    return oa < plan.outputEnd ? oa : FAULT;
  }

  /** Before a bulk run: tables may have changed since the last one. */
  forget(): void {
    this.#groups?.groups.fill(-1);
  }

  /**
   * Many addresses, from `from` on, as long as they are integers in this range. Returns where it ended. Nothing else runs
   * meanwhile, so that what was found on the way to a level 3 table or a block stays true for the whole run.
   */
  translateMany(ias: Float64Array, pas: Float64Array, from: number, count: number): number {
    this.#groups ??= new Groups();
    const groups = this.#groups;
    for (let i = from; i < count; ) {
      const end = Math.min(count, i + BATCH);
      const read = this.#read(groups, ias, i, end);
      this.#decode(groups, pas, i, read);
      i = read;
      if (i === end) continue;
      const ia = ias[i]!;
      if (!(ia >= this.first && ia < this.end && Math.floor(ia) === ia)) return i;
      pas[i++] = this.#translate(ia);
      this.#remember(groups, ((ia - this.#plan.bias) * this.#plan.perByte[LAST - 1]!) | 0);
    }
    return count;
  }

  /**
   * Reads the leaves of a batch of addresses, up to one whose table is not at hand. Returns where it ended. This loop is apart
   * from what is made of the leaves because a short one has more reads under way at once, where tables are larger than a cache.
   */
  #read({ groups, words, starts, masks }: Groups, ias: Float64Array, from: number, to: number): number {
    const { first, end } = this;
    const { bias, pageLog2 } = this.#plan;
    const perGroup = this.#plan.perByte[LAST - 1]!;
    for (let i = from; i < to; i++) {
      const ia = ias[i]!;
      const address = ia - bias;
      const group = (address * perGroup) | 0;
      const slot = group & (SLOTS - 1);
      if (groups[slot] !== group || !(ia >= first && ia < end && Math.floor(ia) === ia)) return i;
      const low = address | 0;
      const table = words[slot]!;
      const at = starts[slot]! + (((low >>> pageLog2) & masks[slot]!) << ENTRY_WORDS_LOG2);
      const j = i - from;
      LOWS[j] = low;
      GROUPS[j] = slot;
      DESCRIPTOR_LOWS[j] = table[at]!;
      DESCRIPTOR_HIGHS[j] = table[at + 1]!;
    }
    return to;
  }

  /** Decodes the descriptors that were read. */
  #decode({ bits, lows, types }: Groups, pas: Float64Array, from: number, to: number): void {
    const { tableHigh, movedShift, movedMask, beyondOutput } = this.#plan;
    const plain = this.#plain;
    for (let i = from; i < to; i++) {
      const j = i - from;
      const lo = DESCRIPTOR_LOWS[j]!;
      const hi = DESCRIPTOR_HIGHS[j]!;
      const slot = GROUPS[j]!;
      const type = types[slot]!;
      const tableBits = bits[slot]!;
      const high = (hi & tableHigh) | ((lo << movedShift) & movedMask);
      if ((lo & PAGE) === type && plain[keyOf(lo, hi, tableBits)] === 1 && (high & beyondOutput) === 0) {
        const mask = lows[slot]!;
        pas[i] = high * HIGH + (((lo & mask) | (LOWS[j]! & ~mask)) >>> 0);
      } else if (((lo ^ type) & TYPES) !== 0) pas[i] = FAULT;
      // FAULT or ASK, which do not depend on the address.
      else pas[i] = this.leafOf(lo, hi, LAST, tableBits, 0);
    }
  }

  /** After a translation from the first table, remembers where it ended, for nearby addresses. */
  #remember({ groups, words, starts, bits, masks, lows, types }: Groups, group: number): void {
    if (this.#words === undefined) return;
    const slot = group & (SLOTS - 1);
    const level = this.#level;
    groups[slot] = group;
    words[slot] = this.#words;
    starts[slot] = this.#start;
    bits[slot] = this.#tableBits;
    masks[slot] = level === LAST ? this.#plan.indexMask[LAST]! : 0;
    lows[slot] = this.#plan.leafLow[level]!;
    types[slot] = level === LAST ? PAGE : PAGE & ~TYPE;
  }
}
