/**
 * Which descriptors a walk may reach while a trace is written: through the tables in memory, and through table
 * descriptors that a walk cache may still hold. (DDI 0487 D8.17: an intermediate TLB caching structure.)
 */
import { inScope } from '../tlb/scope.ts';
import { entryLog2, type TableSpace } from './context.ts';
import { type CachedEntry, cachedEntry, type TableMount, tagOf } from './entry.ts';
import { TraceError } from './errors.ts';
import { StaleEntries } from './stale.ts';
import type { Form, StepScope } from './step-scope.ts';

/** What a write changed at one place where its table is used. */
export interface PlaceChange {
  readonly mount: TableMount;
  readonly index: number;
  /** Whether a walk from the root gets here. Otherwise only a stale table descriptor leads here. */
  readonly live: boolean;
  /** Entries that a walk can find now but could not before, also in the tables below; and those that it no longer finds. */
  readonly made: readonly CachedEntry[];
  readonly lost: readonly CachedEntry[];
}

/** Whether the entry is in memory, and a table descriptor cached in this form leads a walk to it. */
function comesBack({ present, mount }: CachedEntry, form: Form): boolean {
  return present && [...mount.through].some(({ forms }) => forms.has(form));
}

/**
 * Adds to stale entries the stale table descriptors through which a walk would find them again. All must be invalidated.
 */
export function withTables(entries: Iterable<CachedEntry>): Set<CachedEntry> {
  const all = new Set(entries);
  // The loop also visits what is added on the way.
  for (const entry of all) if (entry.present) for (const table of entry.mount.through) all.add(table);
  return all;
}

/** More places than any table tree has. A table that points to itself is walked again at every level. */
const MAX_MOUNTS = 2 ** 18;

export class Reach {
  readonly stale: StaleEntries;
  readonly #space: TableSpace;
  readonly #read: (pa: number) => bigint;
  readonly #mounts = new Map<number, Set<TableMount>>();
  readonly #rootMount: TableMount;
  #count = 0;
  #step = -1;
  #epoch = 0;
  #made: CachedEntry[] = [];
  #lost: CachedEntry[] = [];

  /** @param read - the descriptor at a PA, as memory holds it now. */
  constructor(space: TableSpace, read: (pa: number) => bigint) {
    this.#space = space;
    this.#read = read;
    this.stale = new StaleEntries(space);
    const { root, startLevel, rootEntries } = space;
    this.#rootMount = this.#mount(root, startLevel, 0, rootEntries);
    this.#settleMount(this.#rootMount);
  }

  /** Applies a write of a descriptor. Returns the changes at each place where its table is used: none if no walk gets there. */
  write(pa: number, word: bigint, step: number): PlaceChange[] {
    this.#step = step;
    return this.#mountsOver(pa).map((mount) => {
      [this.#made, this.#lost] = [[], []];
      const index = (pa - mount.base) / 8;
      this.#replace(mount, index, word);
      return { mount, index, live: mount.live === true, made: this.#made, lost: this.#lost };
    });
  }

  /** The block or page that a walk finds for an input address, counted from the first of the tables. */
  leafAt(ia: number): CachedEntry | undefined {
    let mount: TableMount | undefined = this.#rootMount;
    while (mount !== undefined) {
      const index = Math.floor((ia - mount.ia) / 2 ** entryLog2(this.#space, mount.level));
      const entry: CachedEntry | undefined = mount.held.get(index);
      if (entry?.kind !== 'table') return entry;
      mount = entry.child;
    }
    return undefined;
  }

  /**
   * The rights of leaves change with a register, as if each had been written again.
   * @returns the leaves as TLBs may still hold them.
   */
  changeRights(isAffected: (word: bigint) => boolean, step: number): readonly CachedEntry[] {
    this.#step = step;
    this.#epoch++;
    [this.#made, this.#lost] = [[], []];
    for (const mounts of this.#mounts.values()) {
      for (const mount of mounts) {
        for (const [index, { kind, word }] of [...mount.held]) {
          if (kind === 'leaf' && isAffected(word)) this.#replace(mount, index, word);
        }
      }
    }
    return this.#lost;
  }

  /** Removes stale entries in scope, except those that a walk finds again through a stale table descriptor. Returns how many. */
  invalidate({ own, combined }: StepScope): number {
    let removed = 0;
    const byLevel = [...this.stale].sort((a, b) => a.level - b.level);
    // Start at the top: when nothing leads to a table any more, its entries become stale, and may be in scope too.
    for (const entry of byLevel) {
      const { forms } = entry;
      const hit = own !== undefined && inScope(own, tagOf(entry, this.#space), entry.kind === 'table');
      if (hit && !comesBack(entry, 'own')) forms.delete('own');
      // As long as the stage-2 entry is cached, a combined one can be made from it again.
      const both = combined === 'all' || (combined === 'same' && hit);
      if (both && !forms.has('own') && !comesBack(entry, 'combined')) forms.delete('combined');
      if (forms.size > 0) continue;
      this.#forget(entry);
      removed++;
    }
    return removed;
  }

  #forget(entry: CachedEntry): void {
    this.stale.delete(entry);
    const { child } = entry;
    if (child === undefined) return;
    child.through.delete(entry);
    if (child.through.size > 0) return;
    for (const held of child.held.values()) held.present = false;
    child.held.clear();
    this.#mounts.get(child.base)?.delete(child);
    this.#count--;
  }

  #replace(mount: TableMount, index: number, word: bigint): void {
    const old = mount.held.get(index);
    if (old) old.present = false;
    mount.held.delete(index);
    const next = this.#take(mount, index, word);
    // Settle the new entry first, so that a table that both lead to stays in place.
    if (next) this.#settle(next);
    if (old && old !== next) this.#settle(old);
  }

  /** Adds the entry for a word. If a TLB still holds the very same word, that entry is used again. */
  #take(mount: TableMount, index: number, word: bigint): CachedEntry | undefined {
    const made =
      word === 0n
        ? undefined
        : cachedEntry(this.#space, mount, index, word, { step: this.#step, epoch: this.#epoch });
    if (made === undefined) return undefined;
    const same = [...this.stale.at(made.kind, made.level, made.ia)].find(
      (old) => old.word === word && old.pa === made.pa && !old.present && !this.#isOutdated(old),
    );
    const entry = same ?? made;
    entry.mount = mount;
    entry.present = true;
    mount.held.set(index, entry);
    if (entry.kind === 'table') {
      entry.child = this.#mount(entry.next, entry.level + 1, entry.ia, 2 ** (this.#space.granuleLog2 - 3));
      entry.child.through.add(entry);
    }
    return entry;
  }

  /** A leaf that a TLB may hold with rights from before a register was written. */
  #isOutdated({ kind, epoch }: CachedEntry): boolean {
    return kind === 'leaf' && epoch !== this.#epoch;
  }

  #mount(base: number, level: number, ia: number, entryCount: number): TableMount {
    const here = this.#mounts.get(base) ?? new Set();
    for (const known of here) if (known.level === level && known.ia === ia) return known;
    if (++this.#count > MAX_MOUNTS) {
      throw new TraceError(
        'the tables point to themselves too often: more than 262,144 of them can be reached',
        {
          pa: BigInt(base),
        },
      );
    }
    const mount: TableMount = {
      base,
      level,
      ia,
      entryCount,
      through: new Set(),
      held: new Map(),
      live: undefined,
    };
    this.#mounts.set(base, here.add(mount));
    for (let index = 0; index < entryCount; index++) this.#take(mount, index, this.#read(base + index * 8));
    return mount;
  }

  /** Updates an entry, and everything below it, to match its table and memory. */
  #settle(entry: CachedEntry): void {
    const live = entry.present && entry.mount.live === true;
    if (live === entry.live) return;
    if (live || entry.live === undefined) this.#made.push(entry);
    else this.#lost.push(entry);
    entry.live = live;
    if (live) this.stale.delete(entry);
    else {
      // From now on a TLB may hold it in both forms.
      entry.forms.add('own');
      if (this.#space.combined) entry.forms.add('combined');
      this.stale.add(entry);
    }
    if (entry.child) this.#settleMount(entry.child);
  }

  #settleMount(mount: TableMount): void {
    const live = mount === this.#rootMount || [...mount.through].some((entry) => entry.live === true);
    if (live === mount.live) return;
    mount.live = live;
    for (const entry of mount.held.values()) this.#settle(entry);
  }

  #mountsOver(pa: number): TableMount[] {
    const { root, granuleLog2 } = this.#space;
    const table = 2 ** granuleLog2;
    const bases = new Set([Math.floor(pa / table) * table, root]);
    const found = [...bases].flatMap((base) => [...(this.#mounts.get(base) ?? [])]);
    return found.filter(({ base, entryCount }) => pa >= base && pa < base + entryCount * 8);
  }
}
