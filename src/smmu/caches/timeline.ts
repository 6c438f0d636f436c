/**
 * What one part of a cache may hold, moment by moment. An entry is possible while the SMMU can read it, and afterwards until an
 * invalidation that covers it is complete. A command covers what was read before it, not what is read again after it.
 * (IHI 0070 3.21, 4.3, 4.4, 4.8.)
 */
import type { Change, Changes } from './changes.ts';
import type { Invalidation } from './invalidation.ts';

/** Sources of an outcome other than memory as it is, as bits of a mask. */
export const FROM = { memory: 0, write: 1, ste: 2, cd: 4, tlb: 8, atc: 16 } as const;

/** The last moment at which something could be read, or "still". */
export const STILL = Number.POSITIVE_INFINITY;

/** Something that a cache may hold. */
export interface Possible<T> {
  readonly item: T;
  /** The last moment at which further reads may go through it. */
  readonly last: number;
  /** The last moment at which memory held all of it; {@link STILL} while it does. */
  readonly until: number;
  /** Of {@link FROM}: the sources that it needs. */
  readonly mask: number;
}

/** An item that an exploration found. */
export interface Found<T> extends Possible<T> {
  /** Equal for equal items. */
  readonly key: string;
}

/** A command that was consumed and is not known to be complete. */
interface Pending {
  readonly moment: number;
  readonly invalidation: Invalidation;
}

/** What is known at a moment. */
interface State<T> {
  readonly moment: number;
  /** Changes when the possible entries, or what can be read beside them, may have changed. */
  readonly version: object;
  /** What can be read now, and what can no longer be but may have stayed. */
  readonly live: ReadonlyMap<string, Possible<T>>;
  readonly kept: ReadonlyMap<string, Possible<T>>;
  readonly pending: readonly Pending[];
  readonly watch: Watch;
}

/** What an exploration looked at: when none of it changes, its result doesn't. */
export class Watch {
  /** Whether a CMD_SYNC that is consumed makes a difference. */
  syncs = false;
  readonly words = new Set<number>();
  readonly #timelines = new Map<Versioned, object>();

  /** Notes that another timeline was asked, and its version. */
  timeline(asked: Versioned, moment: number): void {
    this.#timelines.set(asked, asked.versionAt(moment));
  }

  isStale(change: Change, moment: number): boolean {
    if (change.kind === 'registers') return true;
    if (change.kind === 'command' && change.sync && this.syncs) return true;
    if (change.kind === 'words') {
      for (const word of change.words) if (this.words.has(word)) return true;
    }
    for (const [timeline, version] of this.#timelines) {
      if (timeline.versionAt(moment) !== version) return true;
    }
    return false;
  }
}

/** Something with a version. */
export interface Versioned {
  versionAt(moment: number): object;
}

export abstract class Timeline<T> implements Versioned {
  protected readonly changes: Changes;
  /** The mask of entries that stayed. */
  readonly #source: number;
  #states: State<T>[] = [];
  readonly #possible = new WeakMap<State<T>, readonly Found<T>[]>();
  #next = 0;

  constructor(changes: Changes, source: number) {
    this.changes = changes;
    this.#source = source;
  }

  /** Finds all that can be read at a moment, where `kept` may be cached already. */
  protected abstract explore(moment: number, kept: readonly Possible<T>[], watch: Watch): readonly Found<T>[];

  /** Whether an invalidation covers an item. */
  protected abstract covers(invalidation: Invalidation, item: T): boolean;

  versionAt(moment: number): object {
    return this.#at(moment)?.version ?? this;
  }

  /** Every item that may be cached at a moment. `last`: from a doomed entry (a command that covers it was consumed) the moment of that command. */
  possibleAt(moment: number): readonly Found<T>[] {
    const state = this.#at(moment);
    if (state === undefined) return [];
    let known = this.#possible.get(state);
    if (known === undefined) {
      known = this.#possibleIn(state);
      this.#possible.set(state, known);
    }
    return known;
  }

  #possibleIn(state: State<T>): readonly Found<T>[] {
    const found = new Map<string, Found<T>>();
    for (const [key, entry] of state.live)
      found.set(key, { key, ...entry, last: this.#usable(state, entry) });
    for (const [key, entry] of state.kept) {
      const last = this.#usable(state, entry);
      const live = found.get(key);
      if (live === undefined) found.set(key, { key, ...entry, last });
      else if (last > live.last) found.set(key, { ...live, last });
    }
    return [...found.values()];
  }

  /** The words of memory that were looked at. */
  wordsAt(moment: number): ReadonlySet<number> {
    return this.#at(moment)?.watch.words ?? new Set();
  }

  /** Forgets what was computed for moments after one. */
  rewind(moment: number): void {
    if (this.#next <= moment + 1) return;
    while (this.#states.length > 0 && this.#states.at(-1)!.moment > moment) this.#states.pop();
    this.#next = moment + 1;
  }

  /** Until when further reads may go through an entry: for a doomed one, until its command. So a TLBI after a CFGI covers everything that was read through it. */
  #usable({ pending }: State<T>, { item, last }: Possible<T>): number {
    if (last === STILL) return STILL;
    const doom = pending.find(
      ({ moment, invalidation }) => last <= moment && this.covers(invalidation, item),
    );
    return doom === undefined ? STILL : doom.moment;
  }

  #at(moment: number): State<T> | undefined {
    for (; this.#next <= moment; this.#next++) this.#advance(this.changes.at(this.#next), this.#next);
    for (let i = this.#states.length - 1; i >= 0; i--) {
      const state = this.#states[i]!;
      if (state.moment <= moment) return state;
    }
    return undefined;
  }

  #advance(change: Change, moment: number): void {
    const old = this.#states.at(-1);
    if (old === undefined) {
      // Nothing is read before the first registers are set.
      if (change.kind === 'registers') this.#push(moment, new Map(), new Map(), []);
      return;
    }
    if (change.kind === 'command') {
      const { invalidation } = change;
      const pending = [...old.pending, { moment, invalidation }];
      const dooms = [...old.kept.values(), ...old.live.values()].some(
        ({ item, last }) => last !== STILL && this.covers(invalidation, item),
      );
      if (!dooms && !old.watch.isStale(change, moment)) this.#states.push({ ...old, moment, pending });
      else this.#push(moment, old.live, old.kept, pending);
      return;
    }
    if (change.kind === 'complete') this.#complete(old, change, moment);
    else if (old.watch.isStale(change, moment)) {
      this.#push(moment, old.live, old.kept, old.pending);
    }
  }

  #complete(old: State<T>, change: Change & { kind: 'complete' }, moment: number): void {
    const done = old.pending.filter((command) => command.moment < change.before);
    const pending = old.pending.filter((command) => command.moment >= change.before);
    const isGone = ({ item, last }: Possible<T>) =>
      done.some((command) => last <= command.moment && this.covers(command.invalidation, item));
    const kept = new Map([...old.kept].filter(([, entry]) => !isGone(entry)));
    const live = new Map([...old.live].filter(([, entry]) => !isGone(entry)));
    if (kept.size < old.kept.size || live.size < old.live.size || old.watch.isStale(change, moment)) {
      this.#push(moment, live, kept, pending);
    } else this.#states.push({ ...old, moment, pending });
  }

  /** Explores again: what can no longer be read may have stayed. */
  #push(
    moment: number,
    oldLive: State<T>['live'],
    oldKept: State<T>['kept'],
    pending: readonly Pending[],
  ): void {
    const kept = new Map(oldKept);
    for (const [key, entry] of oldLive) {
      const last = entry.last === STILL ? moment - 1 : entry.last;
      const until = Math.min(entry.until, moment - 1);
      if ((kept.get(key)?.last ?? -1) < last) kept.set(key, { ...entry, last, until, mask: this.#source });
    }
    const watch = new Watch();
    const version = {};
    const state: State<T> = { moment, version, live: new Map(), kept, pending, watch };
    const starts = [...kept.values()].map((entry) => ({ ...entry, last: this.#usable(state, entry) }));
    const live = new Map<string, Possible<T>>();
    for (const { key, ...found } of this.explore(moment, starts, watch)) {
      live.set(key, merged(live.get(key), found));
    }
    // What can still be read need not be kept twice.
    for (const [key, entry] of live) if (entry.last === STILL) kept.delete(key);
    this.#states.push({ ...state, live });
  }
}

/** The same thing, found in two ways. */
export function merged<T>(known: Possible<T> | undefined, found: Possible<T>): Possible<T> {
  if (known === undefined) return found;
  return {
    item: known.item,
    last: Math.max(known.last, found.last),
    until: Math.max(known.until, found.until),
    mask: simpler(known.mask, found.mask),
  };
}

/** The mask with fewer sources. */
export function simpler(one: number, other: number): number {
  return weightOf(other) < weightOf(one) ? other : one;
}

/** Configuration is preferred to the TLB, one source to two. */
const ORDER: readonly number[] = orderOf();

function orderOf(): number[] {
  const { write, ste, cd, tlb, atc } = FROM;
  const order = [0, ste, ste | tlb, cd, cd | tlb, tlb, ste | cd, ste | cd | tlb];
  const written = [...order, ...order.map((mask) => mask | write)];
  return [...written, ...written.map((mask) => mask | atc)];
}

export function weightOf(mask: number): number {
  return ORDER.indexOf(mask);
}
