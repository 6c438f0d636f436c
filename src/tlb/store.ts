/** Where entries are: sets and ways, each set with the least recently used entry as the next to go. Nothing is random. */

import { log2 } from '../walker/bits.ts';
import type { TlbContext } from './context.ts';
import { cleanedEntry, entryMatches, type TlbEntry } from './entry.ts';
import { inScope, type Scope, sameOwner } from './scope.ts';

/** An entry in its place. */
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

  /** `sets` is a power of two; one set is a fully associative TLB. */
  constructor(sets: number, ways: number) {
    this.#sets = sets;
    this.#ways = ways;
  }

  /** By age: the oldest first. */
  get entries(): readonly TlbEntry[] {
    return [...this.#slots].sort((a, b) => a.filled - b.filled).map(({ entry }) => entry);
  }

  /** Every entry that an address hits, the oldest first: more than one is a conflict. Counts as a use. */
  find(context: TlbContext, ia: bigint, side: TlbEntry['side']): TlbEntry[] {
    const hits = this.#slots.filter(({ entry }) => entryMatches(entry, context, ia, side));
    if (hits.length > 0) this.#clock++;
    for (const slot of hits) slot.lastUse = this.#clock;
    return hits.sort((a, b) => a.filled - b.filled).map(({ entry }) => entry);
  }

  /** Puts an entry into its set. True: another one had to go. */
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

  /** Drops what is in scope. Answers how many entries that were. */
  invalidate(scope: Scope): number {
    const before = this.#slots.length;
    this.#slots = this.#slots.filter(({ entry }) => !inScope(scope, entry.tag, false));
    return before - this.#slots.length;
  }

  /** Makes writable-dirty entries in scope writable-clean. Answers how many entries that were. */
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

  /** Indexed by the address bits above the entry's own size, as a TLB is that looks up each size it holds. */
  #setOf({ base, size }: TlbEntry): number {
    return Number((base >> BigInt(log2(size))) & BigInt(this.#sets - 1));
  }
}

/** The same addresses in the same context: what a walk found now takes the place of what one found before. */
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
