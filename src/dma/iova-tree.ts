/**
 * The tree of used IOVAs as Linux's alloc_iova, free_iova and reserve_iova keep it (drivers/iommu/iova.c): a search begins where the last
 * one ended, not at the top. Everything here counts granules.
 */

/** A range of granules in use, `lo` to `hi` inclusive, and its neighbours by address. */
export interface IovaNode {
  readonly lo: number;
  readonly hi: number;
  below: IovaNode | undefined;
  above: IovaNode | undefined;
}

/** The used ranges as a list in order of address, with the two places where searches continue: one below 4 GiB, one above. */
export class IovaTree {
  readonly #start: number;
  /** The first granule at or above 4 GiB. */
  readonly #end32: number;
  /** A node above every address, like Linux's anchor. */
  readonly #anchor: IovaNode = { lo: Number.POSITIVE_INFINITY, hi: Number.POSITIVE_INFINITY, ...ALONE };
  #resume: IovaNode;
  #resume32: IovaNode;
  /** A search below 4 GiB for this many granules failed, and nothing was freed there since. Larger requests fail at once. */
  #full32: number;

  /**
   * @param start - the first granule that may be handed out.
   * @param end32 - granules below 4 GiB.
   */
  constructor(start: number, end32: number) {
    this.#start = start;
    this.#end32 = end32;
    this.#full32 = end32;
    this.#resume = this.#anchor;
    this.#resume32 = this.#anchor;
  }

  /**
   * Takes `size` granules below `end`, aligned to the size rounded up to a power of two. The search goes down from the last place. It looks at
   * the addresses above that place only if it found nothing.
   */
  take(size: number, end: number): IovaNode | undefined {
    if (end <= this.#end32 && size >= this.#full32) return undefined;
    const from = end <= this.#end32 ? this.#resume32 : this.#resume;
    const found =
      this.#search(from, size, end, this.#start) ??
      (from.hi < end ? this.#search(this.#anchor, size, end, from.hi + 1) : undefined);
    if (found === undefined) {
      // Linux also remembers this for a search above 4 GiB, or with a lower limit.
      this.#full32 = size;
      return undefined;
    }
    const node = insertBelow(found.above, found.at, found.at + size - 1);
    if (node.hi < this.#end32) this.#resume32 = node;
    else this.#resume = node;
    return node;
  }

  /** Removes a node of this tree. A search that would have begun lower now begins above it. */
  give(node: IovaNode): void {
    const low = node.hi < this.#end32;
    if (node === this.#resume32 || (low && node.lo >= this.#resume32.lo)) this.#resume32 = node.above!;
    if (node.lo < this.#end32) this.#full32 = this.#end32;
    if (node.lo >= this.#resume.lo) this.#resume = node.above!;
    node.above!.below = node.below;
    if (node.below !== undefined) node.below.above = node.above;
  }

  /** Marks the parts of `lo` to `hi` that are not in use yet. It does not change where searches continue. */
  reserve(lo: number, hi: number): void {
    let above = this.#anchor;
    while (above.below !== undefined && above.below.lo > hi) above = above.below;
    let last = hi;
    while (last >= lo) {
      const below: IovaNode | undefined = above.below;
      const first = below === undefined || below.hi < lo ? lo : below.hi + 1;
      if (first <= last) insertBelow(above, first, last);
      if (below === undefined) return;
      last = Math.min(last, below.lo - 1);
      above = below;
    }
  }

  /** Every used range, from the lowest on. */
  *[Symbol.iterator](): Generator<IovaNode> {
    const all: IovaNode[] = [];
    for (let node = this.#anchor.below; node !== undefined; node = node.below) all.push(node);
    yield* all.reverse();
  }

  /** The first place found from `from` downwards: its first granule, and the node above it. */
  #search(from: IovaNode, size: number, end: number, lowest: number) {
    const alignment = 2 ** Math.ceil(Math.log2(size));
    let top = end;
    for (let above = from; ; above = above.below) {
      top = Math.min(top, above.lo);
      const at = Math.floor((top - size) / alignment) * alignment;
      if (at < lowest) return undefined;
      if (above.below === undefined || at > above.below.hi) return { at, above };
    }
  }
}

const ALONE = { below: undefined, above: undefined };

function insertBelow(above: IovaNode, lo: number, hi: number): IovaNode {
  const node: IovaNode = { lo, hi, below: above.below, above };
  if (above.below !== undefined) above.below.above = node;
  above.below = node;
  return node;
}
