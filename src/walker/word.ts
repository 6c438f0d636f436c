/** 64-bit words between bigint and number: a view on both costs a fraction of a conversion. */

const WORD = new BigUint64Array(1);
const HALVES = new Uint32Array(WORD.buffer);
const PER_HIGH = 2 ** -32;

/** The two halves of a bigint, unsigned; of more than 64 bits the low ones count. */
export function halvesOf(value: bigint): { readonly lo: number; readonly hi: number } {
  WORD[0] = value;
  return { lo: HALVES[0]!, hi: HALVES[1]! };
}

/** The bigint of an exact number from 0 to 2^53. */
export function bigintOf(number: number): bigint {
  HALVES[0] = number;
  HALVES[1] = number * PER_HIGH;
  return WORD[0]!;
}
