/** Memory as one walk sees it: first the words of a cached entry, then words of memory, some of which may be read with several values. */
import { PhysicalMemory } from '../../memory/index.ts';
import { byteSwap, TableMemory } from '../../walker/table-memory.ts';
import { halvesOf } from '../../walker/word.ts';
import type { Changes } from './changes.ts';
import type { Choices } from './choices.ts';
import { FROM, type Possible, STILL, type Watch } from './timeline.ts';

/** What a walk depends on: the part of {@link Possible} that it collects. */
export type Way = Omit<Possible<unknown>, 'item'>;

/** Memory as it is. */
export const FRESH: Way = { last: STILL, until: STILL, mask: FROM.memory };

/** Two things that are both needed. */
export function together(one: Way, other: Way): Way {
  return {
    last: Math.min(one.last, other.last),
    until: Math.min(one.until, other.until),
    mask: one.mask | other.mask,
  };
}

/** What a walk depends on: until when all of it could be read, and the caches that it needs. */
export class Trail {
  last: number;
  until: number;
  mask: number;

  constructor({ last, until, mask }: Way = FRESH) {
    this.last = last;
    this.until = until;
    this.mask = mask;
  }

  use({ last, until, mask }: Way): void {
    this.last = Math.min(this.last, last);
    this.until = Math.min(this.until, until);
    this.mask |= mask;
  }
}

/** The moment and the choices of one walk. */
export interface Reading {
  readonly changes: Changes;
  readonly moment: number;
  readonly choices: Choices;
  readonly trail: Trail;
  /** Words that are read from memory are noted here. */
  readonly watch?: Watch | undefined;
}

/** No walk reads it: all reads are answered by the script and the history of memory. */
const NOWHERE = new PhysicalMemory({ base: 0n, size: 0x1000n });

export class ScriptedMemory extends TableMemory {
  readonly #reading: Reading;
  readonly #script: readonly bigint[];
  /** Every word that was read, and what the walk depended on before the first and after each. */
  readonly words: bigint[] = [];
  readonly marks: Way[];

  constructor(reading: Reading, script: readonly bigint[] = []) {
    super(NOWHERE);
    this.#reading = reading;
    this.#script = script;
    this.marks = [this.#mark()];
  }

  override read64(pa: number, bigEndian: boolean): boolean {
    const word = this.#script[this.words.length] ?? this.#fromMemory(pa);
    if (word === undefined) return false;
    this.words.push(word);
    this.marks.push(this.#mark());
    const { lo, hi } = halvesOf(word);
    this.lo = bigEndian ? byteSwap(hi) : lo;
    this.hi = bigEndian ? byteSwap(lo) : hi;
    return true;
  }

  /** Hardware updates are not made, since the same walk runs many times. */
  override write64(): void {}

  #mark(): Way {
    const { last, until, mask } = this.#reading.trail;
    return { last, until, mask };
  }

  #fromMemory(pa: number): bigint | undefined {
    const { changes, moment, choices, trail, watch } = this.#reading;
    watch?.words.add(pa);
    const values = changes.words.readable(pa, moment);
    if (values === undefined) return undefined;
    const chosen = choices.pick(values.length);
    if (chosen > 0) trail.use({ ...FRESH, mask: FROM.write });
    return values[chosen]!;
  }
}
