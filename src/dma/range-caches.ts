/**
 * Freed IOVA ranges that are kept to be handed out again: the caches of Linux's alloc_iova_fast and free_iova_fast (drivers/iommu/iova.c) for one
 * CPU. There is a cache for each size of 1, 2, 4 up to 32 granules. It consists of magazines, which are filled and emptied like stacks.
 */

/** How many ranges a magazine holds. */
const MAGAZINE = 127;
/** Sizes that are cached: powers of two below 2^6 granules. */
const SIZES = 6;

/** The two magazines in use, and full ones set aside. */
interface Cache {
  loaded: number[];
  previous: number[];
  depot: number[][];
}

/** Caches of ranges by their first granule. */
export class RangeCaches {
  readonly #caches: Cache[] = Array.from({ length: SIZES }, () => ({ loaded: [], previous: [], depot: [] }));

  /** Sizes of fewer granules than this are rounded up to a power of two, so that a cached range fits the next request. */
  static readonly rounded = 2 ** (SIZES - 1);

  /** Keeps a freed range. @returns false when ranges of this size are not cached. */
  put(first: number, size: number): boolean {
    const cache = this.#caches[orderOf(size)];
    if (cache === undefined) return false;
    if (cache.loaded.length === MAGAZINE) {
      if (cache.previous.length < MAGAZINE) swap(cache);
      else {
        cache.depot.push(cache.loaded);
        cache.loaded = [];
      }
    }
    cache.loaded.push(first);
    return true;
  }

  /** The most recently kept range that ends below `end`. Only the magazine in use is searched. */
  get(size: number, end: number): number | undefined {
    const cache = this.#caches[orderOf(size)];
    if (cache === undefined) return undefined;
    if (cache.loaded.length === 0) {
      if (cache.previous.length > 0) swap(cache);
      else cache.loaded = cache.depot.pop() ?? [];
    }
    const { loaded } = cache;
    for (let i = loaded.length - 1; i >= 0; i--) {
      const first = loaded[i]!;
      if (first > end - size) continue;
      loaded[i] = loaded.at(-1)!;
      loaded.pop();
      return first;
    }
    return undefined;
  }

  /** Empties all caches. @returns the ranges in the order in which Linux gives them back. */
  flush(): number[] {
    const ranges = this.#caches.flatMap(({ loaded, previous }) => [...loaded, ...previous]);
    const depots = this.#caches.flatMap(({ depot }) => depot.reverse().flat());
    for (const cache of this.#caches) Object.assign(cache, { loaded: [], previous: [], depot: [] });
    return [...ranges, ...depots];
  }

  /** The first granules of all ranges that are kept. */
  list(): number[] {
    return this.#caches.flatMap(({ loaded, previous, depot }) => [...depot.flat(), ...previous, ...loaded]);
  }
}

function orderOf(size: number): number {
  return Math.ceil(Math.log2(size));
}

function swap(cache: Cache): void {
  [cache.loaded, cache.previous] = [cache.previous, cache.loaded];
}
