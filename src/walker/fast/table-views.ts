/**
 * Where the tables of the fast path are in host memory: maps a table's address to the array and index of its first word. RAM that was
 * once written stays where it is, until `viewsMoved` changes, so this may be remembered; its contents are read each time.
 */
import { viewsMoved } from '../../memory/flat-words.ts';
import type { PhysicalMemory } from '../../memory/index.ts';

const SLOTS = 1024;
const PAGE_LOG2 = 12;
const HIGH = 2 ** 32;
/** An empty slot: no table has this low half, since it is no multiple of 64. */
const NOWHERE = 1;

/** Every word of the table is 0: nothing was ever written there. */
export const ZEROS = -1;
/** Part of the table is outside RAM. */
export const OUTSIDE = -2;

/** Direct-mapped by the table's page. Addresses are two int32 halves. */
export class TableViews {
  readonly lows = new Int32Array(SLOTS).fill(NOWHERE);
  readonly highs = new Int32Array(SLOTS);
  readonly words: Uint32Array[] = new Array<Uint32Array>(SLOTS).fill(new Uint32Array(0));
  /** Index of the table's first 32-bit word. */
  readonly starts = new Int32Array(SLOTS);
  readonly #memory: PhysicalMemory;
  readonly #tableBytes: number;
  #seen = viewsMoved;

  constructor(memory: PhysicalMemory, tableBytes: number) {
    this.#memory = memory;
    this.#tableBytes = tableBytes;
  }

  /** Forgets where tables were, if RAM has moved since. Before every walk. */
  check(): void {
    if (this.#seen === viewsMoved) return;
    this.#seen = viewsMoved;
    this.lows.fill(NOWHERE);
  }

  /** Puts a table into its slot. Returns the slot, ZEROS or OUTSIDE. */
  load(high: number, low: number): number {
    const pa = high * HIGH + (low >>> 0);
    const region = this.#memory.regionAt(pa, this.#tableBytes);
    if (region === undefined) return OUTSIDE;
    const words = region.peek(pa);
    if (words === undefined) return ZEROS;
    const slot = slotOf(low);
    this.lows[slot] = low;
    this.highs[slot] = high;
    this.words[slot] = words;
    this.starts[slot] = region.wordIndex(pa);
    return slot;
  }
}

/** The slot where a table would be. */
export function slotOf(low: number): number {
  return (low >>> PAGE_LOG2) & (SLOTS - 1);
}
