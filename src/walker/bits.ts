/** Exact powers of two, for address arithmetic in doubles: addresses have at most 52 bits. */

/** log2 of a power of two. */
export function log2(size: bigint): number {
  return size.toString(2).length - 1;
}

/** 2^0 to 2^64, and their inverses: multiplying by a power of two is exact and much cheaper than dividing or `%`. */
export const POW2: Float64Array = Float64Array.from({ length: 65 }, (_, exponent) => 2 ** exponent);
const INVERSE_POW2: Float64Array = Float64Array.from({ length: 65 }, (_, exponent) => 2 ** -exponent);

/** `address` without its low `log2` bits, shifted down. */
export function shiftRight(address: number, log2: number): number {
  return Math.floor(address * INVERSE_POW2[log2]!);
}

/** `address` rounded down to a multiple of 2^`log2`. */
export function alignDown(address: number, log2: number): number {
  return shiftRight(address, log2) * POW2[log2]!;
}

/** The bits of `address` below 2^`log2`. */
export function lowBits(address: number, log2: number): number {
  return address - alignDown(address, log2);
}
