/** Page-size choice: Linux's iommu_pgsize, on exact numbers. */

/** What to map next: `count` pages of `2 ** sizeLog2` bytes. */
export interface PageChoice {
  sizeLog2: number;
  count: number;
}

/** True when `address` (an exact number) is a multiple of `2 ** log2`. */
export function isAligned(address: number, log2: number): boolean {
  return address % 2 ** log2 === 0;
}

/** log2 of each size in a bitmap, ascending. */
export function sizesOf(pgsizeBitmap: bigint): number[] {
  const sizes: number[] = [];
  for (let log2 = 0, rest = pgsizeBitmap; rest > 0n; log2++, rest >>= 1n) if (rest & 1n) sizes.push(log2);
  return sizes;
}

/**
 * The largest page size that divides both addresses and fits, and how many of it to map before a larger one becomes possible.
 * @param sizes - log2 of the page sizes, ascending; the smallest divides `ia`, `pa` and `size`, and `size` is not 0.
 * @param out - receives the answer, so that the hot loops allocate nothing.
 */
export function choosePageSize(
  sizes: readonly number[],
  ia: number,
  pa: number,
  size: number,
  out: PageChoice,
): void {
  let i = sizes.length - 1;
  while (i > 0 && !(2 ** sizes[i]! <= size && isAligned(ia, sizes[i]!) && isAligned(pa, sizes[i]!))) i--;
  const sizeLog2 = sizes[i]!;
  let span = size;
  if (i + 1 < sizes.length) {
    // A larger page comes into play only where both addresses reach its boundary together, with enough left to fill one.
    const larger = 2 ** sizes[i + 1]!;
    const ahead = larger - (ia % larger);
    if (ia % larger === pa % larger && ahead + larger <= size) span = ahead;
  }
  out.sizeLog2 = sizeLog2;
  out.count = Math.floor(span / 2 ** sizeLog2);
}
