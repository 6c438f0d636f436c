/**
 * The radix tree over a format: Linux's io-pgtable operations, written once for every format. Input addresses here
 * are exact numbers counted from the format's first IOVA; nothing is thrown, every operation answers with a count or an error.
 */
import type { FrameAllocator, RamRegion } from '../memory/index.ts';
import { ERRNO } from './errors.ts';
import {
  EMPTY,
  type EntryCodec,
  halves,
  LEAF,
  type LeafBits,
  type Level,
  type Prot,
  TABLE,
  type TableFormat,
} from './format.ts';
import { offsetIn, pow2, sizesOf } from './page-size.ts';
import { freeBelow, freeTable, holdsLeaf, reclaimBelow } from './subtree.ts';

/** A leaf found by `lookup`. Addresses are exact numbers of bytes. */
export interface Leaf {
  readonly pa: number;
  readonly level: Level;
  /** PA of the descriptor. */
  readonly descriptorPa: number;
}

/** Where a leaf for the next page goes: the entry at word `at`, with `room` bytes of input range left in its table. */
export interface Place {
  readonly words: Uint32Array;
  at: number;
  room: number;
  readonly sizeLog2: number;
  /** Index in `levels`. */
  readonly depth: number;
}

/** Why the last operation failed: which page, at which level. */
export interface Failure {
  readonly errno: number;
  readonly ia: number;
  readonly pa: number;
  readonly sizeLog2: number;
  readonly level: number;
}

/** A direct codec counts in 32 bits: its pages have at most 2^30 bytes. */
const DIRECT_MAX_LOG2 = 30;

export class PageTable {
  readonly format: TableFormat;
  readonly allocator: FrameAllocator;
  readonly region: RamRegion;
  /** PA of the root. */
  readonly root: number;
  readonly levels: readonly Level[];
  readonly entries: EntryCodec;
  /** log2 of the page sizes that this table has a level for, ascending. (A short table may start below a size that was offered.) */
  readonly sizes: readonly number[];
  /** First input and output address that is out of range. */
  readonly iaEnd: number;
  readonly oaEnd: number;
  /** Set by an operation that answers with an error. */
  failure: Failure | undefined;
  readonly #entryBytes: number;
  /** Entries of a table below the root; a concatenated root is so many tables side by side. */
  readonly #tableEntries: number;
  /** By the flags of a prot as a number. */
  readonly #bits: (readonly LeafBits[] | undefined)[] = new Array(64).fill(undefined);

  /** @param root - PA of a zeroed frame of `format.rootBytes`, which stays the caller's. */
  constructor(format: TableFormat, allocator: FrameAllocator, root: number) {
    this.format = format;
    this.allocator = allocator;
    this.region = allocator.region;
    this.root = root;
    this.levels = format.levels;
    this.entries = format.entries;
    this.sizes = sizesOf(format.pgsizeBitmap).filter((log2) => format.levels.some((l) => l.shift === log2));
    this.iaEnd = 2 ** format.ias;
    this.oaEnd = 2 ** format.oas;
    this.#entryBytes = format.entries.wordsPerEntry * 4;
    this.#tableEntries = 2 ** format.granuleLog2 / this.#entryBytes;
  }

  /** Attribute bits of `prot` by depth (index in `levels`), made once for each combination of flags. */
  bitsOf(prot: Prot): readonly LeafBits[] {
    const key =
      (prot.read ? 1 : 0) |
      (prot.write ? 2 : 0) |
      (prot.cache ? 4 : 0) |
      (prot.noexec ? 8 : 0) |
      (prot.mmio ? 16 : 0) |
      (prot.priv ? 32 : 0);
    let bits = this.#bits[key];
    if (bits === undefined) {
      bits = this.levels.map(({ level }) => halves(this.format.leafBits(prot, level)));
      this.#bits[key] = bits;
    }
    return bits;
  }

  /**
   * Maps up to `count` pages of `2 ** sizeLog2` bytes (one of `sizes`), at most to the end of their table (Linux's map_pages).
   * @returns pages mapped, at least 1; or a negative errno, with `failure` set and no leaf written.
   */
  mapPages(ia: number, pa: number, sizeLog2: number, count: number, prot: Prot): number {
    if (ia >= this.iaEnd || pa >= this.oaEnd)
      return this.#fail(ERRNO.ERANGE, ia, pa, sizeLog2, this.levels[0]!);
    if (!prot.read && !prot.write) return this.#fail(ERRNO.EINVAL, ia, pa, sizeLog2, this.levels[0]!);
    let table = this.root;
    let depth = 0;
    for (; this.levels[depth]!.shift !== sizeLog2; depth++) {
      const level = this.levels[depth]!;
      const next = this.#nextTable(table + this.#index(ia, level) * this.#entryBytes, level);
      if (next < 0) return this.#fail(next, ia, pa, sizeLog2, level);
      table = next;
    }
    const level = this.levels[depth]!;
    const index = this.#index(ia, level);
    const pages = Math.min(count, this.entriesToTableEnd(index, level));
    if (pa + pages * pow2(sizeLog2) > this.oaEnd) return this.#fail(ERRNO.ERANGE, ia, pa, sizeLog2, level);
    const entryPa = table + index * this.#entryBytes;
    const words = this.region.words(entryPa);
    const at = this.region.wordIndex(entryPa);
    const { direct, wordsPerEntry } = this.entries;
    const bits = this.bitsOf(prot)[depth]!;
    if (direct !== undefined && sizeLog2 <= DIRECT_MAX_LOG2 && direct.areEmpty(words, at, pages)) {
      direct.writeLeaves(words, at, pages, pa | 0, Math.floor(pa / 2 ** 32), sizeLog2, bits);
      return pages;
    }
    for (let i = 0; i < pages; i++) {
      if (!this.#makeEmpty(words, at + i * wordsPerEntry, depth)) {
        const offset = i * pow2(sizeLog2);
        return this.#fail(ERRNO.EEXIST, ia + offset, pa + offset, sizeLog2, level);
      }
    }
    for (let i = 0; i < pages; i++) {
      this.entries.writeLeaf(words, at + i * wordsPerEntry, pa + i * pow2(sizeLog2), bits);
    }
    return pages;
  }

  /**
   * Unmaps up to `count` pages of `2 ** sizeLog2` bytes, at most to the end of their table (Linux's unmap_pages): whole tables
   * under an entry of that size go with it, and a larger leaf is split around the hole.
   * @returns bytes unmapped; 0 at a hole, out of range, or where no table can be made for a split.
   */
  unmapPages(ia: number, sizeLog2: number, count: number): number {
    if (ia < 0 || ia >= this.iaEnd) return 0;
    let table = this.root;
    for (let depth = 0; ; depth++) {
      const level = this.levels[depth]!;
      const index = this.#index(ia, level);
      const entryPa = table + index * this.#entryBytes;
      const words = this.region.words(entryPa);
      const at = this.region.wordIndex(entryPa);
      const kind = this.entries.classify(words, at, level.level);
      if (kind === EMPTY) return 0;
      if (level.shift === sizeLog2) {
        const pages = Math.min(count, this.entriesToTableEnd(index, level));
        return this.#clearEntries(words, at, pages, depth) * pow2(sizeLog2);
      }
      if (kind === LEAF) {
        const made = this.#split(words, at, depth, ia, sizeLog2, count);
        if (made !== 0) return Math.max(made, 0);
      }
      table = this.entries.tableAddress(words, at);
    }
  }

  /** The leaf that translates `ia` (below `iaEnd`), or undefined where nothing is mapped. */
  lookup(ia: number): Leaf | undefined {
    let table = this.root;
    for (const level of this.levels) {
      const descriptorPa = table + this.#index(ia, level) * this.#entryBytes;
      const words = this.region.peek(descriptorPa);
      if (words === undefined) return undefined;
      const at = this.region.wordIndex(descriptorPa);
      const kind = this.entries.classify(words, at, level.level);
      if (kind === EMPTY) return undefined;
      if (kind === LEAF) {
        const base = this.entries.leafAddress(words, at, level.level);
        return { pa: base + offsetIn(ia, level.shift), level, descriptorPa };
      }
      table = this.entries.tableAddress(words, at);
    }
    return undefined;
  }

  /**
   * The entry behind the leaf that ends at `ia`, in the same table.
   * @returns undefined where that table ends there, or its pages are too large for a direct codec.
   */
  placeAfter(ia: number): Place | undefined {
    const leaf = this.lookup(ia - 1);
    if (leaf === undefined || leaf.level.shift > DIRECT_MAX_LOG2) return undefined;
    const index = this.#index(ia - 1, leaf.level);
    const left = this.entriesToTableEnd(index, leaf.level) - 1;
    if (left === 0) return undefined;
    return {
      words: this.region.words(leaf.descriptorPa),
      at: this.region.wordIndex(leaf.descriptorPa) + this.entries.wordsPerEntry,
      room: left * pow2(leaf.level.shift),
      sizeLog2: leaf.level.shift,
      depth: this.levels.indexOf(leaf.level),
    };
  }

  /** Frees every table below the root that holds nothing, children first. @returns how many. */
  reclaim(): number {
    return reclaimBelow(this, this.root, 0).freed;
  }

  /** Frees every table below the root, whatever it holds, and empties the root. */
  clear(): void {
    freeBelow(this, this.root, 0);
    this.region.clear(this.root, this.format.rootBytes);
  }

  /** How many entries are left from `index` to the end of its table; a concatenated root ends every so many. */
  entriesToTableEnd(index: number, level: Level): number {
    return Math.min(this.#tableEntries - (index & (this.#tableEntries - 1)), level.entries - index);
  }

  #index(ia: number, level: Level): number {
    return Math.floor(ia / pow2(level.shift)) & (level.entries - 1);
  }

  #fail(errno: number, ia: number, pa: number, sizeLog2: number, level: Level): number {
    this.failure = { errno, ia, pa, sizeLog2, level: level.level };
    return errno;
  }

  /** The table behind an entry, made if the entry is empty. A negative errno where a leaf is in the way or no frame is left. */
  #nextTable(entryPa: number, level: Level): number {
    const words = this.region.words(entryPa);
    const at = this.region.wordIndex(entryPa);
    const kind = this.entries.classify(words, at, level.level);
    if (kind === TABLE) return this.entries.tableAddress(words, at);
    if (kind === LEAF) return ERRNO.EEXIST;
    const table = this.#newTable();
    if (table === undefined) return ERRNO.ENOMEM;
    this.entries.writeTable(words, at, table);
    return table;
  }

  /** A frame for a table below the root, where an entry can point. */
  #newTable(): number | undefined {
    return this.allocator.allocate(pow2(this.format.granuleLog2), pow2(this.format.tableAddressBits));
  }

  /** True when a leaf may be written here: the entry is empty, or a table without a single leaf, which is freed. */
  #makeEmpty(words: Uint32Array, at: number, depth: number): boolean {
    const kind = this.entries.classify(words, at, this.levels[depth]!.level);
    if (kind === EMPTY) return true;
    if (kind === LEAF) return false;
    const table = this.entries.tableAddress(words, at);
    if (holdsLeaf(this, table, depth + 1)) return false;
    this.entries.clear(words, at, 1);
    freeTable(this, table, depth + 1);
    return true;
  }

  /** Empties up to `count` entries, and frees the tables under them. Stops at an empty one. @returns how many. */
  #clearEntries(words: Uint32Array, at: number, count: number, depth: number): number {
    const { level } = this.levels[depth]!;
    let done = 0;
    for (; done < count; done++) {
      const entry = at + done * this.entries.wordsPerEntry;
      const kind = this.entries.classify(words, entry, level);
      if (kind === EMPTY) break;
      if (kind === TABLE) freeTable(this, this.entries.tableAddress(words, entry), depth + 1);
    }
    this.entries.clear(words, at, done);
    return done;
  }

  /**
   * Replaces a leaf by a table of the next level's leaves. Where those are the pages to unmap, they are left out.
   * @returns bytes unmapped, 0 when the pages lie deeper, or a negative errno.
   */
  #split(words: Uint32Array, at: number, depth: number, ia: number, sizeLog2: number, count: number): number {
    const { entries } = this;
    const below = this.levels[depth + 1]!;
    const base = entries.leafAddress(words, at, this.levels[depth]!.level);
    const bits = entries.splitBits(words, at, below.level);
    const table = this.#newTable();
    if (table === undefined) return ERRNO.ENOMEM;
    const first = this.#index(ia, below);
    const hole = below.shift === sizeLog2 ? Math.min(count, this.#tableEntries - first) : 0;
    const tableWords = this.region.words(table);
    const tableAt = this.region.wordIndex(table);
    for (let i = 0; i < this.#tableEntries; i++) {
      if (i >= first && i < first + hole) continue;
      entries.writeLeaf(tableWords, tableAt + i * entries.wordsPerEntry, base + i * pow2(below.shift), bits);
    }
    entries.writeTable(words, at, table);
    return hole * pow2(sizeLog2);
  }
}
