/**
 * The walker's port to memory, behind a walk cache: as long as a walk makes the same fetches as an earlier one,
 * it takes descriptors from the cache, and it reads memory from the first fetch that differs. (DDI 0487 D8.17: intermediate TLB
 * caching structures.)
 */
import { TableMemory } from '../walker/table-memory.ts';

/** A descriptor fetch: its PA, and the descriptor as two unsigned 32-bit halves. */
export interface TableFetch {
  readonly pa: number;
  readonly lo: number;
  readonly hi: number;
}

/** Records the fetches of one walk, one for each of its steps, and replays those that are cached. */
export class WalkPort extends TableMemory {
  #fetches: TableFetch[] = [];
  #cached: readonly TableFetch[] = [];
  #saved = 0;

  /** Call before a walk with the fetches that it may take from the walk cache, in order. */
  begin(cached: readonly TableFetch[] = []): void {
    this.#fetches = [];
    this.#cached = cached;
    this.#saved = 0;
  }

  /** The fetches of the walk, including cached ones. */
  get fetches(): readonly TableFetch[] {
    return this.#fetches;
  }

  /** How many of them were not read from memory. */
  get saved(): number {
    return this.#saved;
  }

  override read64(pa: number, bigEndian: boolean): boolean {
    return this.#fetch(pa, () => super.read64(pa, bigEndian));
  }

  override read32(pa: number, bigEndian: boolean): boolean {
    return this.#fetch(pa, () => super.read32(pa, bigEndian));
  }

  /** Writes a hardware update to memory, and updates the recorded fetch to match. */
  override write64(pa: number, lo: number, hi: number, bigEndian: boolean): void {
    super.write64(pa, lo, hi, bigEndian);
    this.#fetches = this.#fetches.map((fetch) => (fetch.pa === pa ? { pa, lo, hi } : fetch));
  }

  #fetch(pa: number, read: () => boolean): boolean {
    const known = this.#cached[this.#fetches.length];
    if (known?.pa === pa) {
      this.lo = known.lo;
      this.hi = known.hi;
      this.#saved++;
      this.#fetches.push(known);
      return true;
    }
    this.#cached = [];
    const answered = read();
    this.#fetches.push({ pa, lo: answered ? this.lo : 0, hi: answered ? this.hi : 0 });
    return answered;
  }
}
