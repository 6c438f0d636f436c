/**
 * Goes down a tree of 64-bit descriptors, one lookup after another: the current entry, the descriptor in it, and its meaning.
 * Both stages use it, and each applies its own rules. (DDI 0487 D8.2; J1.1 S1SLTTEntryAddress,
 * S1TTEntryAddress, S2SLTTEntryAddress, S2TTEntryAddress.)
 */
import { lowBits, POW2, shiftRight } from './bits.ts';
import {
  descriptorType,
  entrySizeLog2,
  INVALID,
  LEAF,
  outputBase,
  type TableGeometry,
} from './descriptor64.ts';
import type { TableMemory } from './table-memory.ts';
import type { Fault, FaultKind, WalkStep } from './types.ts';
import { bigintOf, word64 } from './word.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** 2^n as a bigint, n up to 64. */
const SIZES: readonly bigint[] = Array.from({ length: 65 }, (_, log2) => 1n << BigInt(log2));

/** A fault of one stage. */
export interface StageFault {
  readonly ok: false;
  readonly fault: Fault;
}

export class Lookup {
  readonly geometry: TableGeometry;
  /** The input address, within the tables' input size. */
  readonly ia: number;
  level: number;
  tableBase: number;
  index: number;
  /** log2 of the bytes that an entry here maps. */
  sizeLog2: number;
  /** The descriptor's address in the stage's own output space, and the descriptor. */
  address: number;
  lo = 0;
  hi = 0;
  type = INVALID;
  /** The next table's base, or the leaf's; 0 for an invalid descriptor. */
  output = 0;
  #fetched = false;
  #denied = false;

  /** Starts at the first table. The index uses all upper address bits, so it may reach into concatenated tables. */
  constructor(geometry: TableGeometry, ia: number) {
    this.geometry = geometry;
    this.ia = ia;
    this.level = geometry.startLevel;
    this.tableBase = geometry.tableBase;
    this.sizeLog2 = entrySizeLog2(this.level, geometry);
    this.index = shiftRight(ia, this.sizeLog2);
    this.address = this.tableBase + this.index * 8;
  }

  /** Reads the descriptor, at `pa` (the address itself, or what stage 2 made of it). False is an external abort. */
  fetch(memory: TableMemory, pa: number): boolean {
    this.#fetched = memory.read64(pa, this.geometry.bigEndian);
    if (!this.#fetched) return false;
    const { lo, hi } = memory;
    this.lo = lo;
    this.hi = hi;
    this.type = descriptorType(lo, this.level, this.geometry);
    if (this.type === INVALID) {
      this.output = 0;
    } else {
      const alignLog2 = this.type === LEAF ? this.sizeLog2 : this.geometry.granuleLog2;
      this.output = outputBase(lo, hi, alignLog2, this.geometry);
    }
    return true;
  }

  /** Records that it was not read because a granule protection check failed. */
  deny(): void {
    this.#fetched = false;
    this.#denied = true;
  }

  /** Moves to the next table, whose base was just read. */
  descend(): void {
    this.#fetched = false;
    this.tableBase = this.output;
    this.level++;
    this.sizeLog2 -= this.geometry.stride;
    this.index = lowBits(shiftRight(this.ia, this.sizeLog2), this.geometry.stride);
    this.address = this.tableBase + this.index * 8;
  }

  /** StageOA: the leaf's base and the input address bits below its size. */
  outputAddress(): number {
    return this.output + lowBits(this.ia, this.sizeLog2);
  }

  outputOutOfRange(): boolean {
    return this.output >= POW2[this.geometry.oaBits]!;
  }

  /** This lookup as a step of a walk. Views and a table of sizes: conversions and spreads cost more than the walk itself. */
  step(stage: 1 | 2, s1Level?: number): WalkStep {
    const { level, index } = this;
    const tableBase = bigintOf(this.tableBase);
    const address = bigintOf(this.address);
    const size = SIZES[this.sizeLog2]!;
    const kind = this.#kind();
    const step: Mutable<WalkStep> = this.#fetched
      ? { stage, level, tableBase, index, address, size, descriptor: word64(this.lo, this.hi), kind }
      : { stage, level, tableBase, index, address, size, kind };
    if (this.#fetched && this.type !== INVALID) step.output = bigintOf(this.output);
    if (s1Level !== undefined) step.s1Level = s1Level;
    return step;
  }

  /** A fault at this lookup. */
  fault(kind: FaultKind, stage: 1 | 2, more: Partial<Fault> = {}): StageFault {
    const descriptor = this.#fetched ? { descriptor: word64(this.lo, this.hi) } : {};
    const descriptorAddress = bigintOf(this.address);
    return {
      ok: false,
      fault: { kind, level: this.level, stage, ...more, ...descriptor, descriptorAddress },
    };
  }

  #kind(): WalkStep['kind'] {
    if (!this.#fetched) return this.#denied ? 'granule_protection' : 'external_abort';
    if (this.type === INVALID) return 'invalid';
    if (this.type !== LEAF) return 'table';
    return this.level === 3 ? 'page' : 'block';
  }
}
