/**
 * A lean TLB over a walked trace: sets and ways with least-recently-used replacement, and a walk cache of tables. It counts
 * the same as `Tlb`, access by access, in a fraction of the time. A property test holds the two equal. (DDI 0487 D8.16, D8.17.)
 */
import { StudyError } from '../errors.ts';
import { LruSets } from './lru.ts';
import { Regions, type WalkedTrace } from './walks.ts';

/** The size of a TLB. */
export interface TlbShape {
  /** Entries in all, 1 to 2^20. */
  readonly entries: number;
  /** Entries in a set. The number of sets is a power of two. `full`: one set, fully associative. */
  readonly ways: number | 'full';
  /** Tables that the walk cache holds, 0 to 2^20. 0 means no walk cache. */
  readonly walkCache: number;
  /** A contiguous run takes one entry, if only one stage translates. Default: true. */
  readonly runs?: boolean;
}

/** What a TLB counted. Sizes in bytes. */
export interface TlbCounts {
  readonly accesses: number;
  readonly hits: number;
  /** Each one is a walk. */
  readonly misses: number;
  /** The misses that end in a fault, which is never cached. */
  readonly faults: number;
  readonly evictions: number;
  /** Descriptors that walks read from memory: of both stages together, of each, and those that the walk cache saved. */
  readonly fetches: number;
  readonly stage1Fetches: number;
  readonly stage2Fetches: number;
  readonly fetchesSaved: number;
  /** The most descriptors that one walk read. */
  readonly costliestWalk: number;
  /** Walks that began at a table from the walk cache. */
  readonly walkCacheHits: number;
  /** Bytes that the entries cover: at the end of the trace, and at the most. */
  readonly reach: number;
  readonly bestReach: number;
  /** What a TLB needs so that nothing in the whole trace misses twice: entries, the bytes that they cover, and tables. */
  readonly workingSet: { readonly entries: number; readonly bytes: number; readonly tables: number };
}

const MAX_ENTRIES = 2 ** 20;

/** Number of sets in a TLB. @throws StudyError for an impossible shape. */
export function setsOf({ entries, ways, walkCache }: TlbShape): number {
  const isCount = (value: number, least: number) =>
    Number.isInteger(value) && value >= least && value <= MAX_ENTRIES;
  if (!isCount(entries, 1)) throw new StudyError(`a TLB has 1 to 2^20 entries, not ${entries}`, entries);
  if (!isCount(walkCache, 0)) {
    throw new StudyError(`a walk cache has 0 to 2^20 tables, not ${walkCache}`, walkCache);
  }
  if (ways === 'full') return 1;
  const sets = entries / ways;
  if (isCount(ways, 1) && isCount(sets, 1) && Number.isInteger(Math.log2(sets))) return sets;
  throw new StudyError(
    `${entries} entries of ${ways} ways make ${sets} sets, which must be a power of two; ways 'full' means one set`,
    ways,
  );
}

/**
 * Runs a trace through a TLB that starts empty.
 * @param each - called with the cost of every access: descriptors read, or -1 if an entry answered.
 * @throws StudyError for an impossible shape.
 */
export function runTlb(walked: WalkedTrace, shape: TlbShape, each?: (cost: number) => void): TlbCounts {
  return new LeanTlb(walked, shape).run(each);
}

class LeanTlb {
  readonly #walked: WalkedTrace;
  readonly #entries: number;
  readonly #entryOf: Int32Array;
  readonly #sizes: Float64Array;
  readonly #setOf: Uint32Array;
  readonly #held: LruSets;
  readonly #cache: LruSets | undefined;
  /** By table: the walk that filled its walk cache entry, and how many of that walk's fetches led to the table. */
  readonly #filledBy: Uint32Array;
  readonly #depth: Uint32Array;
  #reach = 0;
  #bestReach = 0;
  #misses = 0;
  #faults = 0;
  #evictions = 0;
  #fetches = 0;
  #stage1 = 0;
  #saved = 0;
  #costliest = 0;
  #cacheHits = 0;

  constructor(walked: WalkedTrace, shape: TlbShape) {
    const { walks, tables } = walked;
    const sets = setsOf(shape);
    const { walkCache, runs = true } = shape;
    this.#walked = walked;
    const regions = new Regions();
    this.#entryOf = new Int32Array(walks.count);
    this.#sizes = new Float64Array(walks.count);
    this.#setOf = new Uint32Array(walks.count);
    const held = runs ? walks.runSize : walks.leafSize;
    for (const [i, size] of held.entries()) {
      const ia = walks.ia[i]!;
      const entry = size === 0 ? -1 : regions.numberOf(ia, size);
      this.#entryOf[i] = entry;
      if (entry < 0) continue;
      this.#sizes[entry] = size;
      const index = Math.floor(ia / size) % sets;
      this.#setOf[entry] = index < 0 ? index + sets : index;
    }
    this.#entries = regions.count;
    this.#held = new LruSets(regions.count, sets, shape.entries / sets);
    this.#cache = walkCache > 0 ? new LruSets(tables, 1, walkCache) : undefined;
    this.#filledBy = new Uint32Array(tables);
    this.#depth = new Uint32Array(tables);
  }

  run(each?: (cost: number) => void): TlbCounts {
    const { trace, walkOf, tables } = this.#walked;
    const { unmaps = [] } = trace;
    const entryOf = this.#entryOf;
    const held = this.#held;
    let [unmap, from] = [0, 0];
    for (let i = 0; i < walkOf.length; i++) {
      while (unmaps[unmap] === i) {
        this.#drop(from, i);
        from = i;
        unmap++;
      }
      const walk = walkOf[i]!;
      const entry = entryOf[walk]!;
      if (entry >= 0 && held.has(entry)) {
        held.use(entry);
        each?.(-1);
      } else {
        const cost = this.#miss(walk);
        each?.(cost);
      }
    }
    const accesses = walkOf.length;
    return {
      accesses,
      hits: accesses - this.#misses,
      misses: this.#misses,
      faults: this.#faults,
      evictions: this.#evictions,
      fetches: this.#fetches,
      stage1Fetches: this.#stage1,
      stage2Fetches: this.#fetches - this.#stage1,
      fetchesSaved: this.#saved,
      costliestWalk: this.#costliest,
      walkCacheHits: this.#cacheHits,
      reach: this.#reach,
      bestReach: this.#bestReach,
      workingSet: {
        entries: this.#entries,
        bytes: this.#sizes.reduce((sum, size) => sum + size, 0),
        tables,
      },
    };
  }

  /** Drops the entries of what was accessed in `[from, end)`, because it is unmapped. */
  #drop(from: number, end: number): void {
    for (let i = from; i < end; i++) {
      const entry = this.#entryOf[this.#walked.walkOf[i]!]!;
      if (entry >= 0 && this.#held.remove(entry)) this.#reach -= this.#sizes[entry]!;
    }
  }

  /** Returns the number of descriptors read. */
  #miss(walk: number): number {
    const { ok, fetchStart, stage } = this.#walked.walks;
    const saved = this.#cache ? this.#throughCache(this.#cache, walk) : 0;
    const end = fetchStart[walk + 1]!;
    const from = fetchStart[walk]! + saved;
    for (let i = from; i < end; i++) if (stage[i] === 1) this.#stage1++;
    const cost = end - from;
    this.#misses++;
    if (ok[walk] === 0) this.#faults++;
    this.#fetches += cost;
    this.#saved += saved;
    if (cost > this.#costliest) this.#costliest = cost;
    this.#fill(this.#entryOf[walk]!);
    return cost;
  }

  #fill(entry: number): void {
    if (entry < 0) return;
    const evicted = this.#held.insert(entry, this.#setOf[entry]!);
    this.#reach += this.#sizes[entry]!;
    if (evicted >= 0) {
      this.#evictions++;
      this.#reach -= this.#sizes[evicted]!;
    }
    this.#bestReach = Math.max(this.#bestReach, this.#reach);
  }

  /** Returns the number of fetches that the walk cache saves, and adds the tables of the walk to it. */
  #throughCache(cache: LruSets, walk: number): number {
    const { tableStart, table, depth } = this.#walked.walks;
    const [first, end] = [tableStart[walk]!, tableStart[walk + 1]!];
    let nearest = end - 1;
    while (nearest >= first && !cache.has(table[nearest]!)) nearest--;
    const saved = nearest < first ? 0 : this.#savedFrom(table[nearest]!, walk);
    if (nearest >= first) cache.use(table[nearest]!);
    if (saved > 0) this.#cacheHits++;
    for (let i = first; i < end; i++) {
      if (depth[i] === 0) continue;
      cache.insert(table[i]!, 0);
      this.#filledBy[table[i]!] = walk;
      this.#depth[table[i]!] = depth[i]!;
    }
    return saved;
  }

  /** The fetches on the way to a table that this walk shares with the one that filled the entry. Two walks can differ where a table is larger than a page of stage 2. */
  #savedFrom(table: number, walk: number): number {
    const { fetchStart, fetch } = this.#walked.walks;
    const [ours, theirs] = [fetchStart[walk]!, fetchStart[this.#filledBy[table]!]!];
    const most = Math.min(this.#depth[table]!, fetchStart[walk + 1]! - ours);
    let saved = 0;
    while (saved < most && fetch[ours + saved] === fetch[theirs + saved]) saved++;
    return saved;
  }
}
