/** Visits a tree of tables, entry by entry in the order of input addresses. Dumps, lints and searches use it. */
import type { PaSpace } from '../arch/security.ts';
import { ENTRY_KINDS, type TableEntry, type TableTree } from '../walker/index.ts';

/** A table, reached from the root. A table is visited once for each path that leads to it. */
export interface TablePlace {
  readonly tree: TableTree;
  readonly level: number;
  /** Its address: an IPA for stage 1 under stage 2. */
  readonly base: number;
  /** Bytes from the tree's first input address ({@link iaAt}) to the one of index 0. Negative if the first entries are not in use. */
  readonly offset: number;
  /** log2 of the bytes that an entry covers. */
  readonly entrySizeLog2: number;
  readonly parent: TablePlace | undefined;
  /** The address space of the table: a space of IPAs for stage 1 under stage 2. */
  readonly space: PaSpace;
  /** A number for everything except addresses in the descriptors on the path. Equal paths have equal numbers. */
  readonly path: number;
}

/** Input addresses, both included. */
export interface IaRange {
  readonly first: bigint;
  readonly last: bigint;
}

export interface TreeVisitor {
  /** Return false to skip this table. */
  enter?(table: TablePlace): boolean;
  /** A leaf, at `offset`. */
  leaf(entry: TableEntry, table: TablePlace, offset: number): void;
  /** An entry that leads nowhere: invalid, unreadable, or a table beyond the output size. */
  other?(entry: TableEntry, table: TablePlace, offset: number): void;
  /** A table descriptor, before its table is entered. */
  table?(entry: TableEntry, table: TablePlace, offset: number): void;
}

export interface VisitOptions {
  /** Visit only entries for some of these addresses. */
  readonly within?: IaRange;
  /** How many entries of tables that were visited before are visited before it gives up: tables may contain themselves. Default: 2^21. */
  readonly maxRepeated?: number;
}

const MAX_REPEATED = 2 ** 21;
/** Tables that are visited for the first time count this much less: 2^26 entries are 256 GiB of 4K pages. */
const FIRST_TIME = 1 / 32;

/** The input address of an offset: 64 bits, unsigned. */
export function iaAt({ root, reader }: TableTree, offset: number): bigint {
  const sizeLog2 = BigInt(reader.entrySizeLog2(root.startLevel));
  return ((root.firstIa >> sizeLog2) << sizeLog2) + BigInt(offset);
}

/** The entries of a table that have an input address, counted from index 0. */
export function entryCountOf({ tree, parent, level }: TablePlace): number {
  return parent ? tree.reader.entryCount(level) : tree.root.firstIndex + tree.rootEntries;
}

/**
 * The page of memory that an entry lies in, by number. Of entries in one page of a table, those that can't be read are alike: translation
 * and granule protection both go by pages.
 */
export function entryPage({ tree, base }: TablePlace, index: number): number {
  return Math.floor((base + index * tree.reader.entryBytes) / Number(PAGE));
}

/** @returns false if it gave up. */
export function visitTree(tree: TableTree, visitor: TreeVisitor, options: VisitOptions = {}): boolean {
  const { root } = tree;
  const { first, last } = options.within ?? { first: root.firstIa, last: root.lastIa };
  const [from, to] = [first > root.firstIa ? first : root.firstIa, last < root.lastIa ? last : root.lastIa];
  if (from > to) return true;
  const origin = iaAt(tree, 0);
  return new Visit(tree, visitor, {
    first: pageOf(from - origin),
    last: pageOf(to - origin),
    maxRepeated: options.maxRepeated ?? MAX_REPEATED,
  }).run();
}

const PAGE = 0x1000n;

/** The page of an offset. No entry is smaller than a page, and a double holds every page number exactly, though not every byte address (Sv57). */
function pageOf(offset: bigint): number {
  return Number(offset - (offset % PAGE));
}

interface Limits {
  readonly first: number;
  readonly last: number;
  readonly maxRepeated: number;
}

class Visit {
  readonly #tree: TableTree;
  readonly #visitor: TreeVisitor;
  readonly #limits: Limits;
  readonly #paths = new Map<string, number>();
  readonly #known = new Set<number>();
  #left: number;

  constructor(tree: TableTree, visitor: TreeVisitor, limits: Limits) {
    this.#tree = tree;
    this.#visitor = visitor;
    this.#limits = limits;
    this.#left = limits.maxRepeated;
  }

  run(): boolean {
    const { root, reader } = this.#tree;
    const entrySizeLog2 = reader.entrySizeLog2(root.startLevel);
    this.#table({
      tree: this.#tree,
      level: root.startLevel,
      base: root.base,
      offset: -root.firstIndex * 2 ** entrySizeLog2,
      entrySizeLog2,
      parent: undefined,
      space: this.#tree.spaces.root,
      path: 0,
    });
    return this.#left >= 0;
  }

  #table(place: TablePlace): void {
    const visitor = this.#visitor;
    if (this.#left < 0 || visitor.enter?.(place) === false) return;
    const { first, last } = this.#limits;
    const { level, base, offset, entrySizeLog2 } = place;
    const size = 2 ** entrySizeLog2;
    const entries = entryCountOf(place);
    const from = Math.max(0, Math.floor((first - offset) / size));
    const until = Math.min(entries, Math.floor((last - offset) / size) + 1);
    const outputEnd = 2 ** this.#tree.outputBits;
    this.#left -= (until - from) * (this.#isKnown(place) ? 1 : FIRST_TIME);
    const visit = (entry: TableEntry) => {
      const at = offset + entry.index * size;
      if (entry.kind === ENTRY_KINDS.leaf) visitor.leaf(entry, place, at);
      else if (entry.kind === ENTRY_KINDS.table && entry.output < outputEnd) {
        visitor.table?.(entry, place, at);
        this.#table(this.#below(entry, place, at));
      } else visitor.other?.(entry, place, at);
    };
    this.#tree.scan(level, base, from, until - from, visit, place.space);
  }

  #isKnown({ level, base }: TablePlace): boolean {
    // A table is aligned to at least 64 bytes, so the level fits into the low bits.
    const key = (base / 64) * 8 + level + 1;
    if (this.#known.has(key)) return true;
    this.#known.add(key);
    return false;
  }

  #below(entry: TableEntry, parent: TablePlace, offset: number): TablePlace {
    const level = entry.level + 1;
    return {
      tree: this.#tree,
      level,
      base: entry.output,
      offset,
      entrySizeLog2: this.#tree.reader.entrySizeLog2(level),
      parent,
      space: this.#tree.spaces.below(entry, parent.space),
      path: this.#pathOf(parent.path, entry),
    };
  }

  #pathOf(parent: number, { level, attributesLo, attributesHi }: TableEntry): number {
    const key = `${parent}.${level}.${attributesLo}.${attributesHi}`;
    let path = this.#paths.get(key);
    if (path === undefined) {
      path = this.#paths.size + 1;
      this.#paths.set(key, path);
    }
    return path;
  }
}
