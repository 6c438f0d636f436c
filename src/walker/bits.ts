/** Bit fields of registers (bigint) and exact powers of two for address arithmetic in doubles (addresses have at most 52 bits). */

/** Register bits `[high:low]` as a number. At most 32 bits wide. */
export function field(value: bigint, high: number, low: number): number {
  return Number(BigInt.asUintN(high - low + 1, value >> BigInt(low)));
}

/** Register bit `position`. */
export function flag(value: bigint, position: number): boolean {
  return ((value >> BigInt(position)) & 1n) === 1n;
}

/** 2^0 to 2^64, looked up: the walk's loop needs them several times a level. */
export const POW2: Float64Array = Float64Array.from({ length: 65 }, (_, exponent) => 2 ** exponent);

/** `address` rounded down to a multiple of 2^`log2`. */
export function alignDown(address: number, log2: number): number {
  const size = POW2[log2]!;
  return Math.floor(address / size) * size;
}
