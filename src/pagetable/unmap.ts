/** Unmapping, entry by entry: whole leaves, whole tables below an entry, and leaves covered only in part (Linux's unmap_pages). */
import { EMPTY, LEAF, type LeafSize, TABLE } from './format.ts';
import type { TableLeaf } from './leaf-sizes.ts';
import { pow2 } from './page-size.ts';
import type { PageTable } from './page-table.ts';
import type { UnmapStop } from './partial-unmap.ts';
import { freeTable } from './subtree.ts';

/**
 * Unmaps up to `count` pages of `2 ** sizeLog2` bytes (one of `table.sizes`), at most to the end of their table. A table below an
 * entry of that size is freed with the entry. `table.partialUnmap` decides what happens to a larger leaf.
 * @returns bytes unmapped from `ia` on, more than asked if a whole leaf was unmapped; 0 if nothing was, with `table.unmapStop` set.
 */
export function unmapPages(table: PageTable, ia: number, sizeLog2: number, count: number): number {
  if (ia < 0 || ia >= table.iaEnd) return stop(table, { reason: 'range', ia });
  const target = table.leaves[table.sizes.indexOf(sizeLog2)]!;
  let base = table.root;
  table.lastTable.begin(ia);
  for (let depth = 0; ; ) {
    const level = table.levels[depth]!;
    const index = table.indexOf(ia, level);
    const entryPa = base + index * table.entryBytes;
    const words = table.region.words(entryPa);
    const at = table.region.wordIndex(entryPa);
    const kind = table.entries.classify(words, at, level.level);
    if (kind === EMPTY) return stop(table, { reason: 'hole', ia });
    if (kind === TABLE && depth < target.depth) {
      base = table.entries.tableAddress(words, at);
      table.lastTable.through(depth, words, at, base);
      depth++;
      continue;
    }
    const runLog2 = kind === LEAF ? table.entries.runLog2(words, at, level.level) : 0;
    if (depth === target.depth && runLog2 <= target.runLog2) {
      const pages = Math.min(count, table.entriesToTableEnd(index, level) >> target.runLog2);
      const bytes = clearEntries(table, words, at, pages, target) * pow2(level.shift);
      return bytes > 0 ? bytes : stop(table, { reason: 'hole', ia });
    }
    const leaf = { words, at, entryPa, depth, index, runLog2 };
    if (table.partialUnmap !== 'split') return partOf(table, leaf, ia);
    const done = split(table, leaf, ia, target, count);
    if (done < 0) return stop(table, { reason: 'memory', ia });
    if (done > 0) return done;
  }
}

/**
 * Unmaps one page of the smallest size. The fast path needs a single leaf in the table that the last walk reached;
 * {@link unmapPages} handles everything else.
 * @returns bytes unmapped, as {@link unmapPages} does.
 */
export function unmapPage(table: PageTable, ia: number): number {
  const { lastTable, entries } = table;
  const { sizeLog2, level, depth, runLog2 } = table.leaves[0]!;
  const at = lastTable.find(ia);
  const { words } = lastTable;
  if (
    at < 0 ||
    depth < table.levels.length - 1 ||
    runLog2 > 0 ||
    entries.classify(words, at, level) !== LEAF ||
    entries.runLog2(words, at, level) > 0
  )
    return unmapPages(table, ia, sizeLog2, 1);
  entries.clear(words, at, 1);
  return pow2(sizeLog2);
}

function stop(table: PageTable, why: UnmapStop): 0 {
  table.unmapStop = why;
  return 0;
}

/** Unmaps all of a leaf or nothing, where leaves are not split. */
function partOf(table: PageTable, { words, at, depth, index, runLog2 }: Larger, ia: number): number {
  const { shift } = table.levels[depth]!;
  const leafSize = pow2(shift + runLog2);
  const leafIa = Math.floor(ia / leafSize) * leafSize;
  if (table.partialUnmap === 'refuse') return stop(table, { reason: 'partial', ia, leafIa, leafSize });
  table.entries.clear(words, table.runStart(at, index, runLog2), 1 << runLog2);
  table.unmapFrom = Math.min(table.unmapFrom, leafIa);
  return leafIa + leafSize - ia;
}

/** Empties the entries of up to `pages` pages, and frees the tables below them. Stops at an empty entry, and at a run larger than a page. @returns how many entries. */
function clearEntries(
  table: PageTable,
  words: Uint32Array,
  at: number,
  pages: number,
  { depth, runLog2 }: TableLeaf,
): number {
  const { entries } = table;
  const { level, runLog2: largest = 0 } = table.levels[depth]!;
  const run = 1 << runLog2;
  const count = pages << runLog2;
  let live = 0;
  let tables = false;
  for (; live < count; live++) {
    const entry = at + live * entries.wordsPerEntry;
    const kind = entries.classify(words, entry, level);
    if (kind === EMPTY) break;
    if (kind === TABLE) tables = true;
    else if (largest > runLog2 && entries.runLog2(words, entry, level) > runLog2) break;
  }
  if (entries.wholeRuns === true) live -= live % run;
  for (let i = 0; tables && i < live; i++) {
    const entry = at + i * entries.wordsPerEntry;
    if (entries.classify(words, entry, level) === TABLE)
      freeTable(table, entries.tableAddress(words, entry), depth + 1);
  }
  entries.clear(words, at, live);
  return live;
}

/** An entry of a leaf that is larger than the range to unmap. */
interface Larger {
  readonly words: Uint32Array;
  readonly at: number;
  readonly entryPa: number;
  readonly depth: number;
  readonly index: number;
  readonly runLog2: number;
}

/**
 * Splits a leaf into leaves of the next smaller size: a run into its entries, a single entry into a table of the next level's
 * leaves (of its runs, if those are offered). If the parts have the size of the pages to unmap, those pages are left out.
 * @returns bytes unmapped, 0 if the pages are still smaller, or a negative number if there is no frame for the table.
 */
function split(table: PageTable, leaf: Larger, ia: number, target: TableLeaf, count: number): number {
  const { words, at, depth, index, runLog2 } = leaf;
  const { entries } = table;
  const level = table.levels[depth]!;
  if (runLog2 > 0) {
    const first = index & ~((1 << runLog2) - 1);
    const start = table.runStart(at, index, runLog2);
    const base = entries.leafAddress(words, start, level.level, first);
    const part = { level: level.level, shift: level.shift, runLog2: 0 };
    const bits = entries.splitBits(words, at, level.level, part);
    const parts = { words, start, count: 1 << runLog2, part };
    return fill(table, parts, base, bits, index - first, holeOf(target, part, count));
  }
  const base = entries.leafAddress(words, at, level.level, index);
  const part = partBelow(table, depth + 1, target);
  const bits = entries.splitBits(words, at, level.level, part);
  const made = table.newTable(depth + 1);
  if (made === undefined) return -1;
  const below = table.levels[depth + 1]!;
  const first = table.indexOf(ia, below) >> part.runLog2;
  const parts = {
    words: table.region.words(made),
    start: table.region.wordIndex(made),
    count: below.entries >> part.runLog2,
    part,
  };
  const done = fill(table, parts, base, bits, first, holeOf(target, part, count));
  // The new table's first word may have moved all of memory.
  entries.writeTable(table.region.words(leaf.entryPa), table.region.wordIndex(leaf.entryPa), made);
  return done;
}

/** The largest leaf of a level: a run if the table has them, else one entry. In arm_v7s, as in Linux, it is the size being unmapped. */
function partBelow(table: PageTable, depth: number, target: TableLeaf): LeafSize {
  if (table.entries.wholeRuns === true && target.depth === depth) return target;
  const { level, shift } = table.levels[depth]!;
  return table.leaves.findLast((leaf) => leaf.depth === depth) ?? { level, shift, runLog2: 0 };
}

/** How many parts to leave out: 0 if the range to unmap is smaller than a part. */
function holeOf(target: TableLeaf, part: LeafSize, count: number): number {
  return part.shift + part.runLog2 === target.sizeLog2 ? count : 0;
}

/** Writes the parts of a leaf, except `hole` of them from `first` on. @returns bytes left out. */
function fill(
  table: PageTable,
  parts: { words: Uint32Array; start: number; count: number; part: LeafSize },
  base: number,
  bits: Parameters<PageTable['entries']['writeLeaf']>[3],
  first: number,
  hole: number,
): number {
  const { words, start, count, part } = parts;
  const { entries } = table;
  const partSize = pow2(part.shift + part.runLog2);
  const stride = entries.wordsPerEntry << part.runLog2;
  const end = Math.min(count, first + hole);
  for (let i = 0; i < count; i++) {
    if (i >= first && i < end) entries.clear(words, start + i * stride, 1 << part.runLog2);
    else entries.writeLeaf(words, start + i * stride, base + i * partSize, bits);
  }
  return (end - first) * partSize;
}
