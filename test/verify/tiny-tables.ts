/** A table builder such as people write in an afternoon: one stage, the largest blocks that fit. Attributes are the caller's words. (DDI 0487 D8.3.1.) */
import { PhysicalMemory } from '../../src/memory/index.ts';

/** A region to map: where, how much, and the descriptor's bits beside address and type. */
export interface Region {
  readonly va: bigint;
  readonly pa: bigint;
  readonly size: bigint;
  readonly attributes: bigint;
  /** No blocks: pages only. */
  readonly pages?: boolean;
}

const RAM = 0x4000_0000n;

export class TinyTables {
  readonly memory = new PhysicalMemory({ base: RAM, size: 1n << 24n });
  readonly #granuleLog2: number;
  readonly #startLevel: number;
  #next: bigint;

  constructor(granuleLog2: 12 | 14 | 16, startLevel: number) {
    this.#granuleLog2 = granuleLog2;
    this.#startLevel = startLevel;
    this.#next = RAM;
  }

  /** A root with these regions below it. Input addresses are taken modulo what the root covers. */
  root(regions: readonly Region[]): bigint {
    const root = this.#table();
    for (const region of regions) this.#map(root, region);
    return root;
  }

  #table(): bigint {
    const at = this.#next;
    this.#next += 1n << BigInt(this.#granuleLog2);
    return at;
  }

  #sizeLog2(level: number): bigint {
    return BigInt(this.#granuleLog2 + (3 - level) * (this.#granuleLog2 - 3));
  }

  #map(root: bigint, { va, pa, size, attributes, pages }: Region): void {
    for (let done = 0n; done < size; ) {
      let [table, level] = [root, this.#startLevel];
      for (; level < 3; level++) {
        const bytes = 1n << this.#sizeLog2(level);
        const aligned = (va + done) % bytes === 0n && (pa + done) % bytes === 0n;
        const hasBlocks = level === 2 || (level === 1 && this.#granuleLog2 === 12);
        if (!pages && hasBlocks && aligned && size - done >= bytes) break;
        const entry = this.#entry(table, level, va + done);
        const word = this.memory.read64(entry) as bigint;
        table = (word & 1n) === 1n ? word & 0xffff_ffff_f000n : this.#table();
        if ((word & 1n) === 0n) this.memory.write64(entry, table | 3n);
      }
      const type = level === 3 ? 3n : 1n;
      this.memory.write64(this.#entry(table, level, va + done), (pa + done) | attributes | type);
      done += 1n << this.#sizeLog2(level);
    }
  }

  #entry(table: bigint, level: number, va: bigint): bigint {
    const index = (va >> this.#sizeLog2(level)) & ((1n << BigInt(this.#granuleLog2 - 3)) - 1n);
    return table + index * 8n;
  }
}
