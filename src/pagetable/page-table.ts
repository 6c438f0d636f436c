/**
 * The radix tree over a format: Linux's io-pgtable operations, written once for every format. Input addresses here
 * are exact numbers counted from the format's first IOVA. No operation throws: each returns a count or an error.
 */
import type { FrameAllocator, RamRegion } from '../memory/index.ts';
import { ERRNO } from './errors.ts';
import { ASK, FlatTable, isFlatFormat, NOWHERE } from './flat-table.ts';
import { EMPTY, type EntryCodec, LEAF, type Level, type Prot, TABLE, type TableFormat } from './format.ts';
import { LastTable } from './last-table.ts';
import { leavesOf, type TableLeaf } from './leaf-sizes.ts';
import { offsetIn, perPow2, pow2 } from './page-size.ts';
import type { PartialUnmap, UnmapStop } from './partial-unmap.ts';
import { type ProtBits, ProtTable } from './prot-bits.ts';
import { freeBelow, freeTable, holdsLeaf, reclaimBelow } from './subtree.ts';

/** A leaf found by `lookup`. Addresses are exact numbers of bytes. */
export interface Leaf {
  readonly pa: number;
  readonly level: Level;
  /** log2 of the bytes it maps. If it is a run, those of the whole run. */
  readonly sizeLog2: number;
  /** PA of the descriptor. */
  readonly descriptorPa: number;
}

/** Where a leaf for the next page goes: the entry at word `at`, with `room` bytes of input range left in its table. */
export interface Place {
  readonly words: Uint32Array;
  at: number;
  room: number;
  /** The table was made for the previous leaf: every entry from `at` on is empty. */
  readonly isFresh: boolean;
  /** The leaf size, as an index in `leaves`. */
  readonly size: number;
}

/** Why the last operation failed: which page, at which level. */
export interface Failure {
  readonly errno: number;
  readonly ia: number;
  readonly pa: number;
  readonly sizeLog2: number;
  readonly level: number;
}

/** A direct codec uses 32-bit integers, so its leaves have at most 2^30 bytes. */
const DIRECT_MAX_LOG2 = 30;

export class PageTable {
  readonly format: TableFormat;
  readonly allocator: FrameAllocator;
  readonly region: RamRegion;
  /** PA of the root. */
  readonly root: number;
  readonly levels: readonly Level[];
  readonly entries: EntryCodec;
  /** The page sizes that this table has entries for, ascending. (A table with few levels may lack an offered size.) */
  readonly leaves: readonly TableLeaf[];
  /** log2 of each leaf size. */
  readonly sizes: readonly number[];
  /** First input and output address that is out of range. */
  readonly iaEnd: number;
  readonly oaEnd: number;
  /** What an unmap does with a leaf that it covers only in part. */
  partialUnmap: PartialUnmap = 'split';
  /** Set by an operation that answers with an error. */
  failure: Failure | undefined;
  /** Set by an unmap: why it stopped early, if it did, and the first address that it unmapped (a whole leaf may begin before the requested range). */
  unmapStop: UnmapStop | undefined;
  unmapFrom = Number.POSITIVE_INFINITY;
  readonly entryBytes: number;
  readonly lastTable: LastTable;
  /** The same table in flat memory, for single calls. Absent if the format has no shape. */
  readonly #flat: FlatTable | undefined;
  /** Bytes of the smallest page if it is a single entry of the last level, which is what `#flat` maps and unmaps; else 0. */
  readonly flatPage: number;
  /** About the last mapPages: whether it made the table that it ended in, the first address after the mapped range, the leaf size and the words. */
  #isFresh = false;
  #lastEnd = -1;
  #lastSize = 0;
  #lastWords: Uint32Array = new Uint32Array(0);
  #lastAt = 0;
  #lastLeft = 0;
  readonly #prots: ProtTable;

  /** @param root - PA of a zeroed frame of `format.rootBytes`, which the caller keeps owning. */
  constructor(format: TableFormat, allocator: FrameAllocator, root: number) {
    this.format = format;
    this.allocator = allocator;
    this.region = allocator.region;
    this.root = root;
    this.levels = format.levels;
    this.entries = format.entries;
    this.leaves = leavesOf(format);
    this.#prots = new ProtTable(format, this.leaves);
    this.sizes = this.leaves.map(({ sizeLog2 }) => sizeLog2);
    this.iaEnd = 2 ** format.ias;
    this.oaEnd = 2 ** format.oas;
    this.entryBytes = format.entries.wordsPerEntry * 4;
    this.lastTable = new LastTable(format, this.region);
    const shape = isFlatFormat(format) ? format.entries.shape : undefined;
    this.#flat = shape && new FlatTable(format, shape, this.region, root);
    const [page] = this.leaves;
    const isFlat = shape && page && page.depth === this.levels.length - 1 && page.runLog2 === 0;
    this.flatPage = isFlat ? 2 ** page.sizeLog2 : 0;
  }

  /** The bits of `prot` in this table. @throws FormatError if the format can't express it. */
  bitsOf(prot: Prot): ProtBits {
    return this.#prots.bitsOf(prot);
  }

  /**
   * Maps up to `count` pages of `2 ** sizeLog2` bytes (one of `sizes`), at most to the end of their table (Linux's map_pages).
   * @returns pages mapped, at least 1; or a negative errno, with `failure` set and no leaf written.
   */
  mapPages(ia: number, pa: number, sizeLog2: number, count: number, prot: ProtBits): number {
    if (ia >= this.iaEnd || pa >= this.oaEnd)
      return this.#fail(ERRNO.ERANGE, ia, pa, sizeLog2, this.levels[0]!);
    if (!prot.access) return this.#fail(ERRNO.EINVAL, ia, pa, sizeLog2, this.levels[0]!);
    const size = this.sizes.indexOf(sizeLog2);
    const { depth, runLog2 } = this.leaves[size]!;
    this.#isFresh = false;
    this.#lastEnd = -1;
    const known = this.lastTable.enter(ia, depth);
    let table = known ? this.lastTable.base : this.root;
    for (let above = known ? depth : 0; above < depth; above++) {
      const level = this.levels[above]!;
      const next = this.#nextTable(table + this.indexOf(ia, level) * this.entryBytes, above);
      if (next < 0) return this.#fail(next, ia, pa, sizeLog2, level);
      table = next;
    }
    const level = this.levels[depth]!;
    const index = this.indexOf(ia, level);
    const entriesLeft = this.entriesToTableEnd(index, level);
    const pages = Math.min(count, entriesLeft >> runLog2);
    const entryPa = table + index * this.entryBytes;
    const words = this.region.words(entryPa);
    const at = this.region.wordIndex(entryPa);
    const { direct, wordsPerEntry } = this.entries;
    const entries = pages << runLog2;
    if (pa + pages * pow2(sizeLog2) > this.oaEnd) {
      // If both reasons apply, Linux meets the leaf first.
      const isTaken = this.#hasLeaf(words, at, entries, level);
      return this.#fail(isTaken ? ERRNO.EEXIST : ERRNO.ERANGE, ia, pa, sizeLog2, level);
    }
    const bits = prot.leaves[size]!;
    const isDirect = direct !== undefined && sizeLog2 <= DIRECT_MAX_LOG2;
    if (isDirect && (this.#isFresh || direct.areEmpty(words, at, entries))) {
      direct.writeLeaves(words, at, pages, pa | 0, Math.floor(pa / 2 ** 32), bits);
      this.#lastEnd = ia + pages * pow2(sizeLog2);
      this.#lastSize = size;
      this.#lastWords = words;
      this.#lastAt = at + entries * wordsPerEntry;
      this.#lastLeft = entriesLeft - entries;
      return pages;
    }
    for (let i = 0; i < entries; i++) {
      if (!this.#makeEmpty(words, at + i * wordsPerEntry, depth)) {
        const offset = i * pow2(level.shift);
        return this.#fail(ERRNO.EEXIST, ia + offset, pa + offset, sizeLog2, level);
      }
    }
    for (let i = 0; i < pages; i++) {
      this.entries.writeLeaf(words, at + (i << runLog2) * wordsPerEntry, pa + i * pow2(sizeLog2), bits);
    }
    return pages;
  }

  /**
   * Maps the page of `flatPage` bytes at `ia` where that takes no more than to write its entry: `mapPages` for the plain case.
   * @returns false if nothing was written: the general path finds out why, or makes what is missing.
   */
  mapPage(ia: number, pa: number, prot: ProtBits): boolean {
    const mask = this.flatPage - 1;
    if (mask < 0 || ia >= this.iaEnd || pa >= this.oaEnd || ((ia | pa) & mask) !== 0) return false;
    return prot.access && this.#flat!.map(ia, pa, prot.leaves[0]!);
  }

  /** Unmaps the page of `flatPage` bytes at `ia` where that takes no more than to clear its entry. @returns false if nothing was done. */
  unmapPage(ia: number): boolean {
    const mask = this.flatPage - 1;
    if (mask < 0 || ia >= this.iaEnd || (ia & mask) !== 0 || !this.#flat!.unmap(ia)) return false;
    this.unmapStop = undefined;
    this.unmapFrom = ia;
    return true;
  }

  /** The PA that `ia` (within the root's range) translates to, or NOWHERE. */
  translate(ia: number): number {
    const pa = this.#flat === undefined ? ASK : this.#flat.translate(ia);
    return pa === ASK ? (this.lookup(ia)?.pa ?? NOWHERE) : pa;
  }

  /** The leaf that translates `ia` (below `iaEnd`), or undefined if nothing is mapped there. */
  lookup(ia: number): Leaf | undefined {
    const { lastTable } = this;
    const last = this.levels.length - 1;
    const known = lastTable.enter(ia, last);
    let table = known ? lastTable.base : this.root;
    for (let depth = known ? last : 0; depth <= last; depth++) {
      const level = this.levels[depth]!;
      const index = this.indexOf(ia, level);
      const descriptorPa = table + index * this.entryBytes;
      const words = this.region.peek(descriptorPa);
      if (words === undefined) return undefined;
      const at = this.region.wordIndex(descriptorPa);
      const kind = this.entries.classify(words, at, level.level);
      if (kind === EMPTY) return undefined;
      if (kind === LEAF) {
        const base = this.entries.leafAddress(words, at, level.level, index);
        const sizeLog2 = level.shift + this.entries.runLog2(words, at, level.level);
        return { pa: base + offsetIn(ia, level.shift), level, sizeLog2, descriptorPa };
      }
      table = this.entries.tableAddress(words, at);
      lastTable.through(depth, words, at, table);
    }
    return undefined;
  }

  /**
   * The entry after the leaves that the last mapPages wrote up to `ia`, in the same table.
   * @returns undefined if the table ends there, or if a direct codec did not write the leaves.
   */
  placeAfter(ia: number): Place | undefined {
    if (ia !== this.#lastEnd || this.#lastLeft === 0 || ia >= this.iaEnd) return undefined;
    const { sizeLog2, shift } = this.leaves[this.#lastSize]!;
    return {
      words: this.#lastWords,
      at: this.#lastAt,
      // A root can resolve more bits than the input size has (arm_mali_lpae).
      room: this.#roomFor(ia, sizeLog2, Math.min(this.#lastLeft * pow2(shift), this.iaEnd - ia)),
      isFresh: this.#isFresh,
      size: this.#lastSize,
    };
  }

  /**
   * How far a leaf size may be used directly from `ia` on: to the end of its table, or to where a larger size of the same table
   * could begin.
   */
  #roomFor(ia: number, sizeLog2: number, room: number): number {
    const larger = this.sizes[this.sizes.indexOf(sizeLog2) + 1];
    if (larger === undefined) return room;
    const offset = offsetIn(ia, larger);
    return offset === 0 ? 0 : Math.min(room, pow2(larger) - offset);
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

  /** How many entries are left from `index` to the end of its table; a concatenated root consists of several tables. */
  entriesToTableEnd(index: number, level: Level): number {
    const entries = level.tables === undefined ? level.entries : level.entries / level.tables;
    return entries - (index & (entries - 1));
  }

  /** Index of the entry for `ia` in a table of that level. */
  indexOf(ia: number, level: Level): number {
    return Math.floor(ia * perPow2(level.shift)) & (level.entries - 1);
  }

  /** Index of the first word of a run of `1 << runLog2` entries, of which entry `index` of its table is at word `at`. */
  runStart(at: number, index: number, runLog2: number): number {
    return at - (index & ((1 << runLog2) - 1)) * this.entries.wordsPerEntry;
  }

  #fail(errno: number, ia: number, pa: number, sizeLog2: number, level: Level): number {
    this.failure = { errno, ia, pa, sizeLog2, level: level.level };
    return errno;
  }

  /** The table that an entry points to, made if the entry is empty. A negative errno if a leaf is in the way or no frame is left. */
  #nextTable(entryPa: number, depth: number): number {
    const words = this.region.words(entryPa);
    const at = this.region.wordIndex(entryPa);
    const kind = this.entries.classify(words, at, this.levels[depth]!.level);
    this.#isFresh = false;
    if (kind === LEAF) return ERRNO.EEXIST;
    const table = kind === TABLE ? this.entries.tableAddress(words, at) : this.newTable(depth + 1);
    if (table === undefined) return ERRNO.ENOMEM;
    if (kind === EMPTY) {
      this.entries.writeTable(words, at, table);
      this.#isFresh = true;
    }
    this.lastTable.through(depth, words, at, table);
    return table;
  }

  /** Bytes of a table below an entry of `level`. */
  tableBytesBelow(level: number): number {
    const depth = this.levels.findIndex((one) => one.level === level);
    return (this.levels[depth + 1] ?? this.levels[depth]!).entries * this.entryBytes;
  }

  /** A frame for a table below the root, at an address that entries can hold. */
  newTable(depth: number): number | undefined {
    const bytes = this.levels[depth]!.entries * this.entryBytes;
    return this.allocator.allocate(bytes, pow2(this.format.tableAddressBits));
  }

  #hasLeaf(words: Uint32Array, at: number, entries: number, { level }: Level): boolean {
    for (let i = 0; i < entries; i++)
      if (this.entries.classify(words, at + i * this.entries.wordsPerEntry, level) === LEAF) return true;
    return false;
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
}
