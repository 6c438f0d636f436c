/** Walks whole subtrees of a page table: finds what they hold, gives their frames back, frees empty tables. */
import type { FrameAllocator, RamRegion } from '../memory/index.ts';
import { EMPTY, type EntryCodec, LEAF, type Level, TABLE } from './format.ts';

/** What tables are made of. */
export interface TableParts {
  readonly levels: readonly Level[];
  readonly entries: EntryCodec;
  readonly region: RamRegion;
  readonly allocator: FrameAllocator;
}

/** One entry that is not empty: a table or a leaf, and where its words are. */
export interface LiveEntry {
  readonly index: number;
  readonly kind: typeof TABLE | typeof LEAF;
  readonly words: Uint32Array;
  readonly at: number;
}

/** The entries of the table at PA `base` that are not empty, in order. `depth` is the table's index in `levels`. */
export function* liveEntries(table: TableParts, base: number, depth: number): Generator<LiveEntry> {
  const { entries, region } = table;
  const { level, entries: count } = table.levels[depth]!;
  for (let index = 0; index < count; index++) {
    const pa = base + index * entries.wordsPerEntry * 4;
    const words = region.peek(pa);
    if (words === undefined) continue;
    const at = region.wordIndex(pa);
    const kind = entries.classify(words, at, level);
    if (kind !== EMPTY) yield { index, kind, words, at };
  }
}

/** True when anything is mapped in or below the table at PA `base`. */
export function holdsLeaf(table: TableParts, base: number, depth: number): boolean {
  for (const { kind, words, at } of liveEntries(table, base, depth)) {
    if (kind === LEAF) return true;
    if (holdsLeaf(table, table.entries.tableAddress(words, at), depth + 1)) return true;
  }
  return false;
}

/** Gives back the frame of the table at PA `base`, and of every table below it. */
export function freeTable(table: TableParts, base: number, depth: number): void {
  freeBelow(table, base, depth);
  table.allocator.free(base);
}

/** Gives back the frames of every table below the one at PA `base`. Its own entries are left unchanged. */
export function freeBelow(table: TableParts, base: number, depth: number): void {
  if (depth === table.levels.length - 1) return;
  const { entries, region } = table;
  const { level, entries: count } = table.levels[depth]!;
  const { wordsPerEntry } = entries;
  const bytes = wordsPerEntry * 4;
  // Unmapping blocks passes each of them here, so there is no generator, and a table's words are looked up once per chunk.
  for (let index = 0; index < count; ) {
    const pa = base + index * bytes;
    const end = Math.min(count, index + region.bytesToChunkEnd(pa) / bytes);
    const words = region.peek(pa);
    if (words !== undefined) {
      const start = region.wordIndex(pa);
      const stop = start + (end - index) * wordsPerEntry;
      for (let at = nextTable(entries, level, words, start, stop); at < stop; ) {
        freeTable(table, entries.tableAddress(words, at), depth + 1);
        at = nextTable(entries, level, words, at + wordsPerEntry, stop);
      }
    }
    index = end;
  }
}

/** The first word of the first table entry from word `at` on, or `stop`. */
function nextTable(entries: EntryCodec, level: number, words: Uint32Array, at: number, stop: number): number {
  const { shape, wordsPerEntry } = entries;
  let found = at;
  if (shape === undefined) {
    while (found < stop && entries.classify(words, found, level) !== TABLE) found += wordsPerEntry;
  } else {
    const { tableMask, tableType } = shape;
    while (found < stop && (words[found]! & tableMask) !== tableType) found += wordsPerEntry;
  }
  return found;
}

/**
 * Frees the tables below the one at PA `base` that hold nothing, children first, and empties the entries that pointed to them.
 * @returns how many were freed, and whether anything is left.
 */
export function reclaimBelow(
  table: TableParts,
  base: number,
  depth: number,
): { freed: number; live: boolean } {
  let freed = 0;
  let live = false;
  for (const { kind, words, at } of liveEntries(table, base, depth)) {
    if (kind === LEAF) {
      live = true;
      continue;
    }
    const child = table.entries.tableAddress(words, at);
    const below = reclaimBelow(table, child, depth + 1);
    freed += below.freed;
    if (below.live) live = true;
    else {
      table.entries.clear(words, at, 1);
      table.allocator.free(child);
      freed++;
    }
  }
  return { freed, live };
}
