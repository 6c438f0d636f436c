/**
 * The fast path through two stages: stage 2 translates the address of every stage-1 descriptor, and then stage 1's output. Nothing is
 * remembered from one walk to the next. (DDI 0487 D8.2; J1.1 AArch64.FullTranslate.)
 */
import type { PhysicalMemory, RamRegion } from '../../memory/index.ts';
import { TYPE_BIT, VALID_BIT } from '../descriptor64.ts';
import { PR, TABLE_PERMISSIONS_SHIFT } from '../permissions.ts';
import { FastPath } from './path.ts';
import { type DirectNested, type TablePlan, tablePlans } from './plan.ts';
import { ASK, FAULT, type FastAccess, FastRange, type FoundLeaf } from './range.ts';

/** Copied into constants of this module, which the compiler treats as numbers. */
const VALID = VALID_BIT;
const TYPE = TYPE_BIT;
const HIERARCHY_SHIFT = TABLE_PERMISSIONS_SHIFT;
const ENTRY_BYTES = 8;
/** The last level's index in a plan's arrays. */
const LAST = 4;

/** The fetch of a stage-1 descriptor: stage 2 must allow reading. */
const TABLE_READ: FastAccess = { needed: PR, write: false, privileged: true, pan: false };

/** A range of stage 1: its plan, and what decides about its leaves. */
interface Range {
  readonly plan: TablePlan;
  readonly leaves: FastRange;
}

/** Input addresses are signed 64-bit numbers that a double holds exactly. */
export class NestedPath {
  /** For the last `translate` that was not FAULT or ASK: the leaves of both stages, and the IPA between them. */
  leaf: FoundLeaf | undefined;
  first: FoundLeaf | undefined;
  ipa = 0;
  readonly #memory: PhysicalMemory;
  readonly #ranges: readonly Range[];
  readonly #tables: FastPath;
  readonly #outputs: FastPath;
  #region: RamRegion;

  constructor(memory: PhysicalMemory, { stage1, below }: DirectNested, access: FastAccess) {
    this.#memory = memory;
    this.#region = memory.regions[0]!;
    this.#ranges = tablePlans({ stage1 }, access).map((plan) => ({
      plan,
      leaves: new FastRange(memory, plan, access),
    }));
    this.#tables = new FastPath(memory, below, TABLE_READ);
    this.#outputs = new FastPath(memory, below, access);
  }

  /** The PA, FAULT or ASK. */
  translate(ia: number): number {
    for (const { plan, leaves } of this.#ranges) {
      if (ia < plan.first || ia >= plan.end) continue;
      const ipa = this.#translate(plan, leaves, ia - plan.bias);
      if (ipa < 0) return ipa;
      const pa = this.#outputs.translate(ipa);
      this.leaf = this.#outputs.leaf;
      this.first = leaves;
      this.ipa = ipa;
      return pa;
    }
    return FAULT;
  }

  /** The same for the first `count` of `ias`. */
  translateMany(ias: Float64Array, pas: Float64Array, count: number): void {
    for (let i = 0; i < count; i++) {
      const ia = ias[i]!;
      pas[i] = Number.isSafeInteger(ia) ? this.translate(ia) : ASK;
    }
  }

  /** Stage 1: from an address within the range to the IPA. */
  #translate(plan: TablePlan, leaves: FastRange, address: number): number {
    const { perByte, indexMask, movedShift, movedMask, firstBlockLevel } = plan;
    let level = plan.startLevel + 1;
    let descriptor = plan.tableBase + ((address * perByte[level]!) | 0) * ENTRY_BYTES;
    let tableBits = 0;
    for (;;) {
      const pa = this.#tables.translate(descriptor);
      if (pa < 0) return pa;
      const words = this.#wordsAt(pa);
      if (words === undefined) return FAULT;
      const at = this.#region.wordIndex(pa);
      const lo = words[at]! | 0;
      const hi = words[at + 1]! | 0;
      if ((lo & VALID) === 0) return FAULT;
      if ((lo & TYPE) === 0) {
        if (level === LAST || level <= firstBlockLevel) return FAULT;
        return leaves.leafOf(lo, hi, level, tableBits, address);
      }
      if (level === LAST) return leaves.leafOf(lo, hi, level, tableBits, address);
      const high = (hi & plan.tableHigh) | ((lo << movedShift) & movedMask);
      if ((high & plan.beyondOutput) !== 0) return FAULT;
      tableBits |= (hi >>> HIERARCHY_SHIFT) & plan.hierarchical;
      level++;
      const base = high * 2 ** 32 + ((lo & plan.tableLow) >>> 0);
      descriptor = base + ((address * perByte[level]!) & indexMask[level]!) * ENTRY_BYTES;
    }
  }

  /** The words that hold a descriptor; undefined if it is outside RAM or was never written. Either is a fault. */
  #wordsAt(pa: number): Uint32Array | undefined {
    if (!this.#region.contains(pa, ENTRY_BYTES)) {
      const other = this.#memory.regionAt(pa, ENTRY_BYTES);
      if (other === undefined) return undefined;
      this.#region = other;
    }
    return this.#region.peek(pa);
  }
}
