/** Frames for random tables, at random addresses in RAM: written once, walked by the walker here and by QEMU from its file. */
import { PhysicalMemory } from '../../../src/memory/index.ts';
import type { Random } from '../../support/random.ts';
import { RAM_BASE, type SharedRam } from './emulator.ts';

const SLOT_LOG2 = 16;
const SLOT = 2 ** SLOT_LOG2;

export class TableSpace {
  readonly memory: PhysicalMemory;
  readonly #first: number;
  readonly #count: number;
  readonly #used = new Set<number>();
  readonly #random: Random;

  /** `base`: below it RAM is not for tables. */
  constructor(random: Random, options: { readonly base: number; readonly ramBytes: number }) {
    this.memory = new PhysicalMemory({ base: BigInt(RAM_BASE), size: BigInt(options.ramBytes) });
    this.#random = random;
    this.#first = options.base / SLOT;
    this.#count = (RAM_BASE + options.ramBytes - options.base) / SLOT;
  }

  /** A frame of 2^log2 bytes (at most 2^20), aligned to its size, nothing else within the same 64 KiB. */
  frame(log2: number): number {
    const slots = 2 ** Math.max(0, log2 - SLOT_LOG2);
    for (let attempt = 0; attempt < 10_000; attempt++) {
      const slot =
        Math.ceil((this.#first + this.#random.between(0, this.#count - 2 * slots)) / slots) * slots;
      const wanted = Array.from({ length: slots }, (_, i) => slot + i);
      if (wanted.some((one) => this.#used.has(one))) continue;
      for (const one of wanted) this.#used.add(one);
      const places = log2 < SLOT_LOG2 ? 2 ** (SLOT_LOG2 - log2) : 1;
      return slot * SLOT + this.#random.between(0, places - 1) * 2 ** log2;
    }
    throw new Error('no room for another table');
  }

  /** An address in RAM where tables may be, whatever is there. */
  anywhere(): number {
    return (this.#first + this.#random.between(0, this.#count - 1)) * SLOT;
  }

  read(pa: number): bigint {
    const word = this.memory.read64(BigInt(pa));
    return typeof word === 'bigint' ? word : 0n;
  }

  write(pa: number, word: bigint): void {
    this.memory.write64(BigInt(pa), word);
  }

  /** Whether a table of this space is there. */
  holds(pa: number): boolean {
    return this.#used.has(Math.floor(pa / SLOT));
  }

  read32(pa: number): number {
    const word = this.memory.read32(BigInt(pa));
    return typeof word === 'number' ? word : 0;
  }

  write32(pa: number, word: number): void {
    this.memory.write32(BigInt(pa), word);
  }

  /** Copies every table into the RAM that QEMU sees. */
  flush(ram: SharedRam): void {
    for (const slot of this.#used) {
      const region = this.memory.regions[0];
      const words = region?.peek(slot * SLOT);
      if (words !== undefined) ram.writeWords32(slot * SLOT, words);
    }
  }

  /** Words where QEMU's RAM is not as the walker left it: hardware updates that only one of them made. */
  differences(ram: SharedRam): { readonly pa: number; readonly walker: bigint; readonly qemu: bigint }[] {
    const found: { pa: number; walker: bigint; qemu: bigint }[] = [];
    for (const slot of this.#used) {
      const here = this.memory.regions[0]?.peek(slot * SLOT);
      if (here === undefined) continue;
      const bytes = new Uint8Array(here.buffer, here.byteOffset, here.byteLength);
      const there = ram.read(slot * SLOT, SLOT);
      if (Buffer.compare(bytes, new Uint8Array(there)) === 0) continue;
      const mine = new BigUint64Array(here.buffer, here.byteOffset, here.length / 2);
      new BigUint64Array(there).forEach((qemu, i) => {
        const walker = mine[i] ?? 0n;
        if (qemu !== walker) found.push({ pa: slot * SLOT + i * 8, walker, qemu });
      });
    }
    return found;
  }
}
