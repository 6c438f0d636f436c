/**
 * Remembers the last-level table that the previous walk reached, since calls for neighbouring pages use the same table again.
 * The entries on the path to it are read again on every call, so a change to any of them is noticed. (DDI 0487 D8.2.)
 */
import { viewsMoved } from '../memory/flat-words.ts';
import type { RamRegion } from '../memory/index.ts';
import type { TableFormat } from './format.ts';
import { perPow2 } from './page-size.ts';

/** A table entry on the path: the index of its first word, and the values that its first and last word had. */
interface Step {
  words: Uint32Array;
  at: number;
  first: number;
  last: number;
}

export class LastTable {
  /** PA of the table, and the words that hold it. */
  base = 0;
  words: Uint32Array = new Uint32Array(0);
  #start = 0;
  readonly #region: RamRegion;
  readonly #wordsPerEntry: number;
  readonly #entries: number;
  /** log2 of the bytes that an entry covers, and that the whole table covers. */
  readonly #entryLog2: number;
  readonly #tableLog2: number;
  /** By depth, from the root's entry on. */
  readonly #steps: readonly Step[];
  /** Number of the remembered table (input address divided by what a table covers), and of the one that the last walk wanted. NaN if there is none, because NaN equals nothing. */
  #found = Number.NaN;
  #wanted = Number.NaN;
  /** `viewsMoved` when the path was recorded: its views are those of that time. */
  #seen = 0;
  /** A path is recorded only when it is taken a second time, because recording takes as long as walking. */
  #isNoted = false;

  constructor({ levels, entries }: TableFormat, region: RamRegion) {
    const last = levels.at(-1)!;
    this.#region = region;
    this.#wordsPerEntry = entries.wordsPerEntry;
    this.#entries = last.entries;
    this.#entryLog2 = last.shift;
    this.#tableLog2 = levels.at(-2)?.shift ?? last.shift;
    this.#steps = levels.slice(1).map(() => ({ words: this.words, at: 0, first: 0, last: 0 }));
  }

  /** Index in `words` of the first word of the entry for `ia`, if that is in this table and no entry on the path has changed; else -1. */
  find(ia: number): number {
    if (
      Math.floor(ia * perPow2(this.#tableLog2)) !== this.#found ||
      this.#seen !== viewsMoved ||
      !this.#region.isSteady
    )
      return -1;
    const toLast = this.#wordsPerEntry - 1;
    const steps = this.#steps;
    for (let depth = 0; depth < steps.length; depth++) {
      const { words, at, first, last } = steps[depth]!;
      if ((words[at]! | 0) !== first || (words[at + toLast]! | 0) !== last) return -1;
    }
    const index = Math.floor(ia * perPow2(this.#entryLog2)) & (this.#entries - 1);
    return this.#start + index * this.#wordsPerEntry;
  }

  /** Starts a walk to `ia` that wants a table at `depth`. @returns true if the walk can start in this table, false if at the root. */
  enter(ia: number, depth: number): boolean {
    if (depth === this.#steps.length && this.find(ia) >= 0) return true;
    this.begin(ia);
    return false;
  }

  /** Starts a walk to `ia` at the root. */
  begin(ia: number): void {
    const table = Math.floor(ia * perPow2(this.#tableLog2));
    this.#found = Number.NaN;
    this.#isNoted = table === this.#wanted;
    this.#wanted = table;
  }

  /** The walk passed the table entry at word `at` of `words`, from `depth` to the table at PA `next`. */
  through(depth: number, words: Uint32Array, at: number, next: number): void {
    if (this.#isNoted) this.#note(depth, words, at, next);
  }

  #note(depth: number, words: Uint32Array, at: number, next: number): void {
    if (depth === 0) this.#seen = viewsMoved;
    const step = this.#steps[depth]!;
    step.words = words;
    step.at = at;
    step.first = words[at]! | 0;
    step.last = words[at + this.#wordsPerEntry - 1]! | 0;
    if (depth + 1 < this.#steps.length) return;
    const region = this.#region;
    if (!region.isSteady || !region.contains(next, this.#entries * this.#wordsPerEntry * 4)) return;
    const found = region.peek(next);
    if (found === undefined) return;
    this.base = next;
    this.words = found;
    this.#start = region.wordIndex(next);
    this.#found = this.#wanted;
  }
}
