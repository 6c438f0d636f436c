/** Page-size choice: Linux's iommu_pgsize, on exact numbers. */

/** What to map next: `count` pages of `2 ** sizeLog2` bytes. */
export interface PageChoice {
  sizeLog2: number;
  count: number;
}

/** Powers of two as exact numbers: `**` with a variable exponent, and `%` on anything but a small integer, costs more than a whole table lookup. */
const POWERS = Float64Array.from({ length: 64 }, (_, log2) => 2 ** log2);

const INVERSES = Float64Array.from({ length: 64 }, (_, log2) => 2 ** -log2);

/** `2 ** -log2`, for 0 to 63. Multiplying by it is exact, and much cheaper than dividing. */
export function perPow2(log2: number): number {
  return INVERSES[log2]!;
}

/** `2 ** log2`, for 0 to 63. */
export function pow2(log2: number): number {
  return POWERS[log2]!;
}

/** `address % 2 ** log2` of an exact, non-negative number. */
export function offsetIn(address: number, log2: number): number {
  if (log2 < 31) return address & ((1 << log2) - 1);
  const size = pow2(log2);
  return address - Math.floor(address * INVERSES[log2]!) * size;
}

/** True when `address` (an exact number) is a multiple of `2 ** log2`. */
export function isAligned(address: number, log2: number): boolean {
  return offsetIn(address, log2) === 0;
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
  while (i > 0 && !(pow2(sizes[i]!) <= size && isAligned(ia, sizes[i]!) && isAligned(pa, sizes[i]!))) i--;
  const sizeLog2 = sizes[i]!;
  let span = size;
  if (i + 1 < sizes.length) {
    // A larger page becomes possible only if both addresses reach its boundary together, with enough left to fill one.
    const largerLog2 = sizes[i + 1]!;
    const larger = pow2(largerLog2);
    const offset = offsetIn(ia, largerLog2);
    if (offset === offsetIn(pa, largerLog2) && larger - offset + larger <= size) span = larger - offset;
  }
  out.sizeLog2 = sizeLog2;
  out.count = Math.floor(span * INVERSES[sizeLog2]!);
}
