/**
 * A page table as simple as can be: which entries are leaves, which are tables, one page at a time and nothing cached. It says
 * what every operation must answer, how many tables there must be, and what every page must translate to.
 */
import type { TableFormat } from '../../formats/index.ts';

export type ModelCode = 'EINVAL' | 'ERANGE' | 'EEXIST' | 'ENOMEM';

/** One entry: a leaf by itself, or a part of a run of `1 << runLog2` of them. */
interface ModelLeaf {
  readonly depth: number;
  readonly runLog2: number;
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
  /** Leaf sizes that are offered, the largest first. */
  readonly #sizes: { size: number; depth: number; runLog2: number }[];
  /** Of a run's worth of entries with a hole nothing is unmapped (arm_v7s). */
  readonly #wholeRuns: boolean;
  readonly #end: number;
  readonly #oaEnd: number;
  readonly #leaves = new Map<string, ModelLeaf>();
  readonly #tables = new Map<string, { depth: number; ia: number }>();

  constructor({ name, levels, pgsizeBitmap, ias, oas }: TableFormat) {
    this.#shifts = levels.map(({ shift }) => shift);
    this.#wholeRuns = name === 'arm_v7s';
    this.#sizes = levels
      .flatMap(({ shift, entries, runLog2 = 0 }, depth) =>
        [...new Set([runLog2, 0])]
          .filter((run) => (pgsizeBitmap >> BigInt(shift + run)) & 1n && entries >= 2 ** run)
          .map((run) => ({ size: 2 ** (shift + run), depth, runLog2: run })),
      )
      .sort((a, b) => b.size - a.size);
    this.page = this.#sizes.at(-1)!.size;
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
    return [...this.#leaves.values()]
      .map(({ ia, depth, runLog2 }) => ({ ia, size: 2 ** (this.#shifts[depth]! + runLog2) }))
      .filter(({ ia, size }) => ia % size === 0);
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
      const leaf = this.#sizes.find(({ size: s }) => fits(s))!;
      const code = this.#mapLeaf(ia + done, pa + done, leaf, prot);
      if (code !== 0) {
        this.#unmap(ia, done);
        return code;
      }
      done += leaf.size;
    }
    return 0;
  }

  #mapLeaf(
    ia: number,
    pa: number,
    { size, depth: last, runLog2 }: { size: number; depth: number; runLog2: number },
    prot: number,
  ): ModelCode | 0 {
    if (ia >= this.#end || pa + size > this.#oaEnd) return 'ERANGE';
    for (let depth = 0; depth < last; depth++) {
      const key = this.#key(depth, ia);
      if (this.#leaves.has(key)) return 'EEXIST';
      if (!this.#tables.has(key) && !this.#makeTable(depth, ia)) return 'ENOMEM';
    }
    const part = 2 ** this.#shifts[last]!;
    for (let at = 0; at < size; at += part) {
      const key = this.#key(last, ia + at);
      if (this.#leaves.has(key)) return 'EEXIST';
      if (!this.#tables.has(key)) continue;
      const within = (leaf: { ia: number }) => leaf.ia >= ia + at && leaf.ia < ia + at + part;
      if ([...this.#leaves.values()].some(within)) return 'EEXIST';
      this.#drop(last, ia + at, part);
    }
    for (let at = 0; at < size; at += part) {
      const leaf = { depth: last, ia: ia + at, pa: pa + at, prot, runLog2 };
      this.#leaves.set(this.#key(last, ia + at), leaf);
    }
    return 0;
  }

  #unmap(ia: number, size: number): number {
    if (ia % this.page !== 0 || size % this.page !== 0) return 0;
    let done = 0;
    while (done < size) {
      const leaf = this.#sizes.find(({ size: s }) => s <= size - done && (ia + done) % s === 0)!;
      const bytes = this.#unmapLeaf(ia + done, leaf);
      done += bytes;
      if (bytes < leaf.size) break;
    }
    return done;
  }

  /** @returns bytes: all of the size, or as much as there is before a hole. */
  #unmapLeaf(
    ia: number,
    { size, depth: last, runLog2 }: { size: number; depth: number; runLog2: number },
  ): number {
    if (ia >= this.#end) return 0;
    for (let depth = 0; depth < last; ) {
      const key = this.#key(depth, ia);
      if (this.#tables.has(key)) depth++;
      else if (!this.#leaves.has(key) || !this.#split(key, ia)) return 0;
    }
    const first = this.#leaves.get(this.#key(last, ia));
    if (first !== undefined && first.runLog2 > runLog2) this.#split(this.#key(last, ia), ia);
    const part = 2 ** this.#shifts[last]!;
    const isThere = (at: number) =>
      [this.#leaves, this.#tables].some((entries) => entries.has(this.#key(last, ia + at)));
    let live = 0;
    while (live < size && isThere(live)) live += part;
    if (this.#wholeRuns && live < size) return 0;
    // Whatever is under a table goes with it.
    if (live > 0) this.#drop(last, ia, live);
    return live;
  }

  /** A run into single entries, or a single entry into a table of the largest that its level has. @returns false for want of memory. */
  #split(key: string, ia: number): boolean {
    const { depth, runLog2 } = this.#leaves.get(key)!;
    if (runLog2 > 0) {
      const run = 2 ** (this.#shifts[depth]! + runLog2);
      for (const [other, leaf] of this.#leaves) {
        const same = leaf.depth === depth && Math.floor(leaf.ia / run) === Math.floor(ia / run);
        if (same) this.#leaves.set(other, { ...leaf, runLog2: 0 });
      }
      return true;
    }
    if (!this.#makeTable(depth, ia)) return false;
    const whole = this.#leaves.get(key)!;
    this.#leaves.delete(key);
    const below = this.#sizes.find((leaf) => leaf.depth === depth + 1)?.runLog2 ?? 0;
    const [size, part] = [2 ** this.#shifts[depth]!, 2 ** this.#shifts[depth + 1]!];
    for (let at = 0; at < size; at += part) {
      const leaf = { ...whole, depth: depth + 1, ia: whole.ia + at, pa: whole.pa + at, runLog2: below };
      this.#leaves.set(this.#key(depth + 1, leaf.ia), leaf);
    }
    return true;
  }

  /** Takes away entries, leaves or tables, and all tables and leaves below them. */
  #drop(depth: number, from: number, size: number): void {
    const part = 2 ** this.#shifts[depth]!;
    for (let ia = from; ia < from + size; ia += part) {
      const key = this.#key(depth, ia);
      // Below a leaf is nothing.
      if (this.#leaves.delete(key) || !this.#tables.has(key)) continue;
      for (const entries of [this.#leaves, this.#tables]) {
        for (const [name, entry] of entries) {
          if (entry.depth >= depth && entry.ia >= ia && entry.ia < ia + part) entries.delete(name);
        }
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
