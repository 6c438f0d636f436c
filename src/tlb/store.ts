/** The store of entries: sets and ways with least-recently-used replacement. Nothing is random. */

import { log2 } from '../walker/bits.ts';
import type { TlbContext } from './context.ts';
import { cleanedEntry, entryMatches, type TlbEntry } from './entry.ts';
import { inScope, type Scope, sameOwner } from './scope.ts';

/** A way of a set that holds an entry. */
interface Slot {
  readonly entry: TlbEntry;
  readonly set: number;
  readonly filled: number;
  lastUse: number;
}

/** @internal Used through Tlb. */
export class EntryStore {
  readonly #sets: number;
  readonly #ways: number;
  #slots: Slot[] = [];
  #clock = 0;

  /** `sets` is a power of two. One set makes a fully associative TLB. */
  constructor(sets: number, ways: number) {
    this.#sets = sets;
    this.#ways = ways;
  }

  /** All entries by age, the oldest first. */
  get entries(): readonly TlbEntry[] {
    return [...this.#slots].sort((a, b) => a.filled - b.filled).map(({ entry }) => entry);
  }

  /** All entries that an address hits, the oldest first. More than one is a conflict. Counts as a use. */
  find(context: TlbContext, ia: bigint, side: TlbEntry['side']): TlbEntry[] {
    const hits = this.#slots.filter(({ entry }) => entryMatches(entry, context, ia, side));
    if (hits.length > 0) this.#clock++;
    for (const slot of hits) slot.lastUse = this.#clock;
    return hits.sort((a, b) => a.filled - b.filled).map(({ entry }) => entry);
  }

  /** Puts an entry into its set. Returns whether another one was evicted. */
  insert(entry: TlbEntry): boolean {
    this.#slots = this.#slots.filter((slot) => !sameTranslation(slot.entry, entry));
    const set = this.#setOf(entry);
    const inSet = this.#slots.filter((slot) => slot.set === set);
    const evicted = inSet.length === this.#ways;
    if (evicted) {
      const oldest = inSet.reduce((a, b) => (a.lastUse < b.lastUse ? a : b));
      this.#slots = this.#slots.filter((slot) => slot !== oldest);
    }
    const now = ++this.#clock;
    this.#slots.push({ entry, set, filled: now, lastUse: now });
    return evicted;
  }

  /** Drops the entries in scope, and returns their number. */
  invalidate(scope: Scope): number {
    const before = this.#slots.length;
    this.#slots = this.#slots.filter(({ entry }) => !inScope(scope, entry.tag, false));
    return before - this.#slots.length;
  }

  /** Makes writable-dirty entries in scope writable-clean, and returns their number. */
  clean(scope: Scope): number {
    let count = 0;
    this.#slots = this.#slots.map((slot) => {
      const cleaned = inScope(scope, slot.entry.tag, false) ? cleanedEntry(slot.entry) : undefined;
      if (cleaned === undefined) return slot;
      count++;
      return { ...slot, entry: cleaned };
    });
    return count;
  }

  /** The set is chosen by the address bits above the entry's own size, as in a TLB that looks up each size. */
  #setOf({ base, size }: TlbEntry): number {
    return Number((base >> BigInt(log2(size))) & BigInt(this.#sets - 1));
  }
}

/** The same addresses in the same context: the newer walk's entry replaces the older one. */
function sameTranslation(a: TlbEntry, b: TlbEntry): boolean {
  return (
    a.base === b.base &&
    a.size === b.size &&
    a.side === b.side &&
    a.upper === b.upper &&
    a.context.dacr === b.context.dacr &&
    sameOwner(a.tag, b.tag)
  );
}
