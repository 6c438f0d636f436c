/**
 * A page table as simple as can be: which entries are leaves, which are tables, one page at a time and nothing cached. It says
 * what every operation must answer, how many tables there must be, and what every page must translate to.
 */
import type { TableFormat } from '../../formats/index.ts';

export type ModelCode = 'EINVAL' | 'ERANGE' | 'EEXIST' | 'ENOMEM';

interface ModelLeaf {
  readonly depth: number;
  readonly ia: number;
  readonly pa: number;
  readonly prot: number;
}

export class Model {
  readonly page: number;
  /** By page of the input space: -1, or the PA with the number of the prot in its low bits. A plain map of pages. */
  readonly pages: Float64Array;
  /** Makes the nth table from now fail to be made, as FrameAllocator.failAt does. */
  failAt = 0;
  readonly #shifts: number[];
  readonly #sizes: number[];
  readonly #end: number;
  readonly #oaEnd: number;
  readonly #leaves = new Map<string, ModelLeaf>();
  readonly #tables = new Map<string, { depth: number; ia: number }>();

  constructor({ levels, pgsizeBitmap, ias, oas }: TableFormat) {
    this.#shifts = levels.map(({ shift }) => shift);
    this.#sizes = this.#shifts
      .filter((shift) => (pgsizeBitmap >> BigInt(shift)) & 1n)
      .map((shift) => 2 ** shift);
    this.page = this.#sizes.at(-1)!;
    this.#end = 2 ** ias;
    this.#oaEnd = 2 ** oas;
    this.pages = new Float64Array(this.#end / this.page).fill(-1);
  }

  /** Tables below the root. */
  get tableCount(): number {
    return this.#tables.size;
  }

  /** Mapped ranges of the input space, leaf by leaf. */
  leaves(): { ia: number; size: number }[] {
    return [...this.#leaves.values()].map(({ ia, depth }) => ({ ia, size: 2 ** this.#shifts[depth]! }));
  }

  map(ia: number, pa: number, size: number, prot: number): ModelCode | 0 {
    const code = this.#map(ia, pa, size, prot);
    if (code === 0) this.#set(ia, size, pa + prot);
    return code;
  }

  /** Entries as address and length, joined where they touch. */
  mapSg(ia: number, entries: readonly (readonly [number, number])[], prot: number): ModelCode | number {
    const runs: [number, number][] = [];
    let open = false;
    for (const [pa, length] of entries) {
      const last = runs.at(-1);
      if (open && last && last[0] + last[1] === pa) last[1] += length;
      else if (length > 0) runs.push([pa, length]);
      // An empty entry elsewhere parts its neighbours.
      open = length > 0 || (open && last !== undefined && last[0] + last[1] === pa);
    }
    let mapped = 0;
    for (const [pa, size] of runs) {
      const code = this.#map(ia + mapped, pa, size, prot);
      if (code !== 0) {
        this.#unmap(ia, mapped);
        return code;
      }
      mapped += size;
    }
    let at = ia;
    for (const [pa, size] of runs) {
      this.#set(at, size, pa + prot);
      at += size;
    }
    return mapped;
  }

  unmap(ia: number, size: number): number {
    const done = this.#unmap(ia, size);
    this.pages.fill(-1, ia / this.page, Math.min(ia + done, this.#end) / this.page);
    return done;
  }

  #set(ia: number, size: number, value: number): void {
    const first = ia / this.page;
    for (let i = 0; i < size / this.page; i++) this.pages[first + i] = value + i * this.page;
  }

  #map(ia: number, pa: number, size: number, prot: number): ModelCode | 0 {
    if ([ia, pa, size].some((n) => n % this.page !== 0)) return 'EINVAL';
    for (let done = 0; done < size; ) {
      const fits = (s: number) => s <= size - done && (ia + done) % s === 0 && (pa + done) % s === 0;
      const leaf = this.#sizes.find(fits)!;
      const code = this.#mapLeaf(ia + done, pa + done, leaf, prot);
      if (code !== 0) {
        this.#unmap(ia, done);
        return code;
      }
      done += leaf;
    }
    return 0;
  }

  #mapLeaf(ia: number, pa: number, size: number, prot: number): ModelCode | 0 {
    if (ia >= this.#end || pa + size > this.#oaEnd) return 'ERANGE';
    let depth = 0;
    for (; 2 ** this.#shifts[depth]! !== size; depth++) {
      const key = this.#key(depth, ia);
      if (this.#leaves.has(key)) return 'EEXIST';
      if (!this.#tables.has(key) && !this.#makeTable(depth, ia)) return 'ENOMEM';
    }
    const key = this.#key(depth, ia);
    if (this.#leaves.has(key)) return 'EEXIST';
    if (this.#tables.has(key)) {
      const within = ({ ia: at }: { ia: number }) => at >= ia && at < ia + size;
      if ([...this.#leaves.values()].some(within)) return 'EEXIST';
      this.#drop(depth, ia, size);
    }
    this.#leaves.set(key, { depth, ia, pa, prot });
    return 0;
  }

  #unmap(ia: number, size: number): number {
    if (ia % this.page !== 0 || size % this.page !== 0) return 0;
    let done = 0;
    while (done < size) {
      const leaf = this.#sizes.find((s) => s <= size - done && (ia + done) % s === 0)!;
      if (!this.#unmapLeaf(ia + done, leaf)) break;
      done += leaf;
    }
    return done;
  }

  #unmapLeaf(ia: number, size: number): boolean {
    if (ia >= this.#end) return false;
    for (let depth = 0; ; depth++) {
      const key = this.#key(depth, ia);
      const leaf = this.#leaves.get(key);
      if (leaf === undefined && !this.#tables.has(key)) return false;
      if (2 ** this.#shifts[depth]! === size) {
        // Whatever is under a table goes with it.
        if (leaf === undefined) this.#drop(depth, ia, size);
        else this.#leaves.delete(key);
        return true;
      }
      if (leaf === undefined) continue;
      const [whole, part] = [2 ** this.#shifts[depth]!, 2 ** this.#shifts[depth + 1]!];
      if (!this.#makeTable(depth, ia)) return false;
      this.#leaves.delete(key);
      for (let at = 0; at < whole; at += part) {
        const below = { ...leaf, depth: depth + 1, ia: leaf.ia + at, pa: leaf.pa + at };
        this.#leaves.set(this.#key(depth + 1, below.ia), below);
      }
    }
  }

  /** Takes away an entry, leaf or table, and all tables and leaves below it. */
  #drop(depth: number, ia: number, size: number): void {
    for (const entries of [this.#leaves, this.#tables]) {
      for (const [key, entry] of entries) {
        if (entry.depth >= depth && entry.ia >= ia && entry.ia < ia + size) entries.delete(key);
      }
    }
  }

  #makeTable(depth: number, ia: number): boolean {
    if (this.failAt > 0 && --this.failAt === 0) return false;
    const size = 2 ** this.#shifts[depth]!;
    this.#tables.set(this.#key(depth, ia), { depth, ia: ia - (ia % size) });
    return true;
  }

  #key(depth: number, ia: number): string {
    return `${depth}:${Math.floor(ia / 2 ** this.#shifts[depth]!)}`;
  }
}
