/** 64-bit words between bigint and number at the edge of the IOMMU API. Going through a typed-array view takes a third of the time of a conversion. */

import type { Address } from '../memory/address.ts';

export type { Address };

const WORD = new BigUint64Array(1);
const HALVES = new Uint32Array(WORD.buffer);
const HIGH = 2 ** 32;
const PER_HIGH = 2 ** -32;
const SMALL = 2 ** 52;

/** A bigint of at most 52 bits as a number; -1 for any other value. */
export function smallNumber(value: unknown): number {
  if (typeof value !== 'bigint') return -1;
  WORD[0] = value;
  const number = HALVES[1]! * HIGH + HALVES[0]!;
  return number < SMALL && BigInt.asUintN(64, value) === value ? number : -1;
}

/** The same of a value that may be a number, too. */
export function plainNumber(value: unknown): number {
  if (typeof value !== 'number') return smallNumber(value);
  return value >= 0 && value < SMALL && Math.floor(value) === value ? value : -1;
}

/** An exact number as `like` is given: as a number or as a bigint. */
export function sameKind(like: Address, number: number): Address {
  return typeof like === 'number' ? number : bigintOf(number);
}

/** The bigint of an exact number from 0 to 2^53. */
export function bigintOf(number: number): bigint {
  HALVES[0] = number;
  HALVES[1] = number * PER_HIGH;
  return WORD[0]!;
}
