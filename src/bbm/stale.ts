/** The entries that TLBs may still hold although a walk from the root no longer finds them, by level and input address. */
import { contiguousEntries } from '../arch/descriptors/index.ts';
import { entryLog2, type TableSpace } from './context.ts';
import type { CachedEntry } from './entry.ts';

type Kind = CachedEntry['kind'];
type ByAddress = Map<number, Set<CachedEntry>>;

export class StaleEntries implements Iterable<CachedEntry> {
  readonly #space: TableSpace;
  readonly #all = new Set<CachedEntry>();
  readonly #places = new Map<string, ByAddress>();

  constructor(space: TableSpace) {
    this.#space = space;
  }

  [Symbol.iterator](): Iterator<CachedEntry> {
    return this.#all[Symbol.iterator]();
  }

  add(entry: CachedEntry): void {
    this.#all.add(entry);
    const places = this.#of(entry.kind, entry.level);
    const here = places.get(entry.ia);
    if (here) here.add(entry);
    else places.set(entry.ia, new Set([entry]));
  }

  delete(entry: CachedEntry): void {
    if (!this.#all.delete(entry)) return;
    const places = this.#of(entry.kind, entry.level);
    const here = places.get(entry.ia);
    here?.delete(entry);
    if (here?.size === 0) places.delete(entry.ia);
  }

  /** The stale entries at one place. */
  at(kind: Kind, level: number, ia: number): Iterable<CachedEntry> {
    return this.#places.get(placeName(kind, level))?.get(ia) ?? [];
  }

  /** Blocks, pages and runs of any level that overlap the input addresses of `entry` (or its run). */
  *leavesOver({ runIa, runSize }: Pick<CachedEntry, 'runIa' | 'runSize'>): Iterable<CachedEntry> {
    if (this.#all.size === 0) return;
    for (let level = this.#space.startLevel; level <= 3; level++) {
      const places = this.#places.get(placeName('leaf', level));
      if (places === undefined || places.size === 0) continue;
      for (const ia of this.#addresses(places, level, runIa, runIa + runSize)) {
        for (const old of places.get(ia) ?? []) {
          if (old.runIa < runIa + runSize && old.runIa + old.runSize > runIa) yield old;
        }
      }
    }
  }

  /** Where leaves of a level that overlap `[from, end)` may begin: by counting, or from the known ones, whichever are fewer. */
  #addresses(places: ByAddress, level: number, from: number, end: number): number[] {
    const size = 2 ** entryLog2(this.#space, level);
    const run = size * contiguousEntries(this.#space.granuleLog2, level);
    const first = Math.floor(from / run) * run;
    const last = Math.ceil(end / run) * run;
    if ((last - first) / size > places.size) return [...places.keys()];
    return Array.from({ length: (last - first) / size }, (_, i) => first + i * size);
  }

  #of(kind: Kind, level: number): ByAddress {
    const name = placeName(kind, level);
    const known = this.#places.get(name);
    if (known) return known;
    const made: ByAddress = new Map();
    this.#places.set(name, made);
    return made;
  }
}

function placeName(kind: Kind, level: number): string {
  return `${kind} ${level}`;
}
