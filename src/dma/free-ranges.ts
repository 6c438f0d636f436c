/** The free parts of an address range: disjoint stretches in ascending order, like the gaps between the nodes of Linux's IOVA tree (drivers/iommu/iova.c). */

/** A stretch of addresses: `[start, end)`, in bytes. */
export interface Stretch {
  readonly start: bigint;
  readonly end: bigint;
}

/** Constraints on a place. Alignment and boundary are powers of two; the size is at most the boundary. */
export interface PlaceRules {
  readonly size: bigint;
  readonly alignment: bigint;
  /** The address that alignment counts from. */
  readonly origin: bigint;
  /** A place must not cross a multiple of this. */
  readonly boundary: bigint | undefined;
  /** The first address after the usable ones. */
  readonly end: bigint;
}

/** Free stretches, no two of them adjacent. */
export class FreeRanges {
  #stretches: Stretch[];
  #bytes: bigint;

  constructor(start: bigint, end: bigint) {
    this.#stretches = [{ start, end }];
    this.#bytes = end - start;
  }

  /** Bytes in all stretches. */
  get bytes(): bigint {
    return this.#bytes;
  }

  list(): readonly Stretch[] {
    return this.#stretches;
  }

  /** The highest place that satisfies the rules. */
  findHighest(rules: PlaceRules): bigint | undefined {
    for (let i = this.#stretches.length - 1; i >= 0; i--) {
      const at = highestIn(this.#stretches[i]!, rules);
      if (at !== undefined) return at;
    }
    return undefined;
  }

  /** The lowest place that satisfies the rules. */
  findLowest(rules: PlaceRules): bigint | undefined {
    for (const stretch of this.#stretches) {
      if (stretch.start >= rules.end) break;
      const at = lowestIn(stretch, rules);
      if (at !== undefined) return at;
    }
    return undefined;
  }

  /** Removes the free parts of `[start, end)`. */
  remove(start: bigint, end: bigint): void {
    const first = this.#firstEndingAfter(start);
    let behind = first;
    const left: Stretch[] = [];
    for (; behind < this.#stretches.length && this.#stretches[behind]!.start < end; behind++) {
      const stretch = this.#stretches[behind]!;
      this.#bytes -= stretch.end - stretch.start;
      if (stretch.start < start) left.push({ start: stretch.start, end: start });
      if (stretch.end > end) left.push({ start: end, end: stretch.end });
    }
    for (const part of left) this.#bytes += part.end - part.start;
    this.#stretches.splice(first, behind - first, ...left);
  }

  /** Adds `[start, end)`, of which nothing may be free yet, and joins it with adjacent stretches. */
  add(start: bigint, end: bigint): void {
    const next = this.#firstEndingAfter(start);
    const before = this.#stretches[next - 1];
    const after = this.#stretches[next];
    const joinsBefore = before?.end === start;
    const joinsAfter = after?.start === end;
    this.#stretches.splice(joinsBefore ? next - 1 : next, Number(joinsBefore) + Number(joinsAfter), {
      start: joinsBefore ? before.start : start,
      end: joinsAfter ? after.end : end,
    });
    this.#bytes += end - start;
  }

  /** Index of the first stretch that ends after `address`. */
  #firstEndingAfter(address: bigint): number {
    let [low, high] = [0, this.#stretches.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#stretches[middle]!.end > address) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** The first multiple of the boundary that a place at `start` would cross. */
function lineWithin(start: bigint, { size, boundary }: PlaceRules): bigint | undefined {
  if (boundary === undefined) return undefined;
  const line = (start + size - 1n) & -boundary;
  return line > start ? line : undefined;
}

// In both functions one move is enough: every place between the one that crosses a boundary and the moved one crosses it as well.

function highestIn(stretch: Stretch, rules: PlaceRules): bigint | undefined {
  const { size, alignment, origin } = rules;
  const end = stretch.end < rules.end ? stretch.end : rules.end;
  if (end - size < stretch.start) return undefined;
  let at = origin + ((end - size - origin) & -alignment);
  const line = lineWithin(at, rules);
  if (line !== undefined) at = origin + ((line - size - origin) & -alignment);
  return at >= stretch.start ? at : undefined;
}

function lowestIn(stretch: Stretch, rules: PlaceRules): bigint | undefined {
  const { size, alignment, origin } = rules;
  const end = stretch.end < rules.end ? stretch.end : rules.end;
  let at = origin + ((stretch.start - origin + alignment - 1n) & -alignment);
  at = lineWithin(at, rules) ?? at;
  return at + size <= end ? at : undefined;
}
