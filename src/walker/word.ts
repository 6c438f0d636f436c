/** 64-bit words between bigint and number: a view on both costs a fraction of a conversion. */

const WORD = new BigUint64Array(1);
const HALVES = new Uint32Array(WORD.buffer);
const HIGH = 2 ** 32;
const SMALL = 2 ** 52;
const PER_HIGH = 2 ** -32;

/** The two halves of a bigint, unsigned; of more than 64 bits the low ones count. */
export function halvesOf(value: bigint): { readonly lo: number; readonly hi: number } {
  WORD[0] = value;
  return { lo: HALVES[0]!, hi: HALVES[1]! };
}

/** A bigint of at most 52 bits as a number; -1 for any other value. */
export function smallNumber(value: unknown): number {
  if (typeof value !== 'bigint') return -1;
  WORD[0] = value;
  const number = HALVES[1]! * HIGH + HALVES[0]!;
  return number < SMALL && BigInt.asUintN(64, value) === value ? number : -1;
}

/** The bigint of an exact number from 0 to 2^53. */
export function bigintOf(number: number): bigint {
  HALVES[0] = number;
  HALVES[1] = number * PER_HIGH;
  return WORD[0]!;
}

/** The 64-bit word of two halves, of which the low 32 bits count. */
export function word64(lo: number, hi: number): bigint {
  HALVES[0] = lo;
  HALVES[1] = hi;
  return WORD[0]!;
}
