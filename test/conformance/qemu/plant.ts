/**
 * Random trees of 64-bit descriptors: for each input address a path is planted, mostly well formed, down to a leaf, a hole or
 * something malformed. It knows just enough of the format to reach every level; what a descriptor means is for the walker and
 * QEMU to say. (DDI 0487 D8.3.1.)
 */

import type { Random } from '../../support/random.ts';
import type { Frame } from './probe.ts';
import type { TableSpace } from './table-space.ts';

/** A table tree to plant in. */
export interface Tree {
  readonly stage: 1 | 2;
  readonly granuleLog2: number;
  readonly iaBits: number;
  readonly startLevel: number;
  /** PA of the root. */
  readonly root: number;
  /** Output address bits that leaves mostly stay within. */
  readonly oaBits: number;
  /** Where OA[51:48] goes: nowhere, to bits [15:12], or to [49:48] and [9:8]. */
  readonly high: 'none' | 'bits15_12' | 'ds';
  /** A bit that output addresses of leaves get. Default: none. */
  readonly outputBit?: number;
  /** HCR_EL2.FWB: another meaning of MemAttr. */
  readonly fwb?: boolean;
  /** The first level with blocks; a block above it is malformed. */
  readonly firstBlockLevel: number;
  /** A frame for a table: its PA, and its address as a descriptor names it (an IPA under stage 2). */
  frame(log2: number): Frame;
  /** How often a page that must be somewhere is not as it should be: Device memory, not to be read, or not accessed yet. */
  readonly flawed?: number;
  /** Few malformed descriptors, and permissions for most. */
  readonly calm?: boolean;
}

/** Where a path ended. */
export interface Planted {
  readonly level: number;
  readonly sizeLog2: number;
  /** The output address of a leaf that was planted or found. */
  readonly oa?: number;
}

const TWO_48 = 2 ** 48;
/** Stage 2 of Realm state: the page is in Non-secure memory, where no table is read. Ignored in other states. */
const REALM_NS = 1n << 55n;
/** How often a table pointer goes astray. */
const WILD = 0.05;

/** Descriptor bits of an address, at most 52 bits. */
export function addressBits(address: number, high: Tree['high']): bigint {
  const word = BigInt(address);
  const low = word & 0xffff_ffff_f000n;
  if (high === 'none') return low;
  const top = word >> 48n;
  if (high === 'bits15_12') return (low & ~0xf000n) | (top << 12n);
  return low | ((top & 3n) << 48n) | ((top >> 2n) << 8n);
}

export class Planter {
  readonly #space: TableSpace;
  readonly #random: Random;
  /** PA of the table behind a table descriptor that was planted here, by the descriptor's PA. */
  readonly #next = new Map<number, number>();

  constructor(space: TableSpace, random: Random) {
    this.#space = space;
    this.#random = random;
  }

  /** Plants a path for `ia`; `forced` is where a well-formed page must put it. */
  plant(tree: Tree, ia: number, forced?: number): Planted {
    const stride = tree.granuleLog2 - 3;
    let table = tree.root;
    for (let level = tree.startLevel; ; level++) {
      const sizeLog2 = tree.granuleLog2 + (3 - level) * stride;
      const first = level === tree.startLevel;
      const index = Math.floor(ia / 2 ** sizeLog2) % (first ? 2 ** 24 : 2 ** stride);
      const at = table + index * 8;
      if (this.#space.read(at) === 0n) this.#fill(tree, level, at, sizeLog2, forced);
      const next = this.#next.get(at);
      if (next === undefined) return this.#end(tree, level, at, sizeLog2, ia);
      table = next;
    }
  }

  #end(tree: Tree, level: number, at: number, sizeLog2: number, ia: number): Planted {
    const word = this.#space.read(at);
    const leaf = level === 3 ? (word & 3n) === 3n : (word & 3n) === 1n;
    if (!leaf) return { level, sizeLog2 };
    const base = Number(word & 0xffff_ffff_f000n) + (tree.high === 'none' ? 0 : highOf(word, tree.high));
    const size = 2 ** sizeLog2;
    return { level, sizeLog2, oa: Math.floor(base / size) * size + (ia % size) };
  }

  #fill(tree: Tree, level: number, at: number, sizeLog2: number, forced: number | undefined): void {
    const random = this.#random;
    if (forced !== undefined) {
      if (level === 3) this.#space.write(at, this.#plainBits(tree) | addressBits(forced, tree.high) | 3n);
      else this.#table(tree, at, true);
      return;
    }
    const rate = tree.calm ? 0.2 : 1;
    if (level === 3) {
      const type = random.chance(1 - 0.08 * rate) ? 3n : random.bits(2);
      this.#space.write(at, this.#leafBits(tree, false) | this.#output(tree, sizeLog2) | type);
      return;
    }
    const blocks = level >= tree.firstBlockLevel;
    // A block at level -1 aborts QEMU 7.2 if it comes to an access flag or permission fault.
    const may = level >= 0;
    if (may && random.chance(blocks ? 0.3 : 0.03 * rate)) {
      this.#space.write(at, this.#leafBits(tree, false) | this.#output(tree, sizeLog2) | 1n);
    } else if (random.chance(0.04 * rate)) {
      // Invalid, with whatever software keeps there.
      this.#space.write(at, random.word64() & ~1n);
    } else if (random.chance(WILD * rate)) {
      this.#space.write(at, this.#tableBits() | addressBits(this.#wild(tree), tree.high) | 3n);
    } else {
      this.#table(tree, at, false);
    }
  }

  #table(tree: Tree, at: number, plain: boolean): void {
    const { pa, address } = tree.frame(tree.granuleLog2);
    this.#next.set(at, pa);
    this.#space.write(at, (plain ? 0n : this.#tableBits()) | addressBits(address, tree.high) | 3n);
  }

  /** A table pointer that goes astray: elsewhere in RAM, beyond RAM, beyond the output size. */
  #wild(tree: Tree): number {
    const random = this.#random;
    if (random.chance(0.4)) return this.#space.anywhere();
    // From 2 TiB on there is nothing on the machine; below it there are devices.
    const widest = tree.high === 'none' ? 48 : 52;
    const top = random.between(Math.min(Math.max(tree.oaBits - 2, 42), widest), widest);
    const far = 2 ** (top - 1) + (top > 48 ? 2 ** 47 : 0);
    return far + Math.floor(Number(random.bits(40)) / 2 ** 16) * 2 ** 16;
  }

  /** Ignored bits and hierarchical permissions, the latter in one table of four. */
  #tableBits(): bigint {
    const random = this.#random;
    const hierarchical = random.chance(0.25) ? random.bits(5) << 59n : 0n;
    return hierarchical | (random.bits(8) << 51n) | (random.bits(2) << 10n) | (random.bits(6) << 2n);
  }

  /** Attribute bits of a stage-2 page that must be somewhere. */
  #plainBits(tree: Tree): bigint {
    const random = this.#random;
    const leaf = this.#leafBits(tree, true);
    const bits = random.chance(0.9) ? leaf & ~REALM_NS : leaf;
    if (tree.flawed === undefined || !random.chance(tree.flawed)) return bits;
    // MemAttr, S2AP, AF.
    return bits & ~random.pick([0b1100n << 2n, 3n << 6n, 1n << 10n]);
  }

  /** Attribute bits of a leaf. */
  #leafBits(tree: Tree, plain: boolean): bigint {
    const random = this.#random;
    const af = plain || random.chance(tree.calm ? 0.98 : 0.92) ? 1n << 10n : 0n;
    if (tree.stage === 1)
      return (
        af |
        (random.bits(14) << 50n) |
        (random.bits(6) << 2n) |
        ((random.bits(2) << 8n) & (tree.high === 'ds' ? 0n : ~0n)) |
        (random.bits(1) << 11n)
      );
    const attr = BigInt(random.pick(tree.fwb ? FWB_ATTRIBUTES : STAGE2_ATTRIBUTES)) << 2n;
    const s2ap = plain || random.chance(tree.calm ? 0.85 : 0.6) ? 3n : random.bits(2);
    const sh = tree.high === 'ds' ? 0n : random.bits(2) << 8n;
    const memory = plain ? (tree.fwb ? 6n : 15n) << 2n : attr;
    return af | memory | (s2ap << 6n) | sh | ((random.bits(5) << 51n) & ~(1n << 52n));
  }

  /** Descriptor bits of an output address: mostly within the output size, and aligned to the entry's size. */
  #output(tree: Tree, sizeLog2: number): bigint {
    const random = this.#random;
    const bits = random.chance(tree.calm ? 0.99 : 0.93)
      ? tree.oaBits
      : random.chance(0.5)
        ? tree.oaBits + 2
        : 52;
    const aligned = random.chance(0.93) ? sizeLog2 : tree.granuleLog2;
    const pa = Number(random.bits(Math.min(bits, 52)));
    const reserved = tree.high === 'none' && random.chance(0.05) ? random.bits(2) << 48n : 0n;
    const outputBit = BigInt(tree.outputBit ?? 0);
    return addressBits(Math.floor(pa / 2 ** aligned) * 2 ** aligned, tree.high) | outputBit | reserved;
  }
}

function highOf(word: bigint, high: 'bits15_12' | 'ds'): number {
  const top = high === 'ds' ? ((word >> 48n) & 3n) | (((word >> 8n) & 3n) << 2n) : (word >> 12n) & 0xfn;
  return Number(top) * TWO_48 - (high === 'bits15_12' ? Number(word & 0xf000n) : 0);
}

/** MemAttr[3:0] without the reserved encodings; with FWB also 0b1xxx, whose top bit is RES0. */
const STAGE2_ATTRIBUTES = [0, 1, 2, 3, 5, 6, 7, 9, 10, 11, 13, 14, 15, 15, 15];
const FWB_ATTRIBUTES = [0, 1, 2, 3, 5, 6, 7, 6, 7, 0b1110, 0b1111];
