/** Addresses and sizes as callers give them: bigints, or whole numbers that a double holds exactly. (DDI 0487 D8.1: physical addresses have at most 56 bits.) */
import { MemoryError } from './errors.ts';

/** An address or a number of bytes: a bigint of at most 64 bits, or a whole number below 2^53. */
export type Address = bigint | number;

/** As a bigint. @throws MemoryError for a value of another type, or a number that is no whole one below 2^53. `name` says what it is. */
export function bigintFrom(value: Address, name: string): bigint {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  if (typeof value !== 'bigint') {
    throw new MemoryError(`${name} must be a bigint, or a whole number below 2^53, not ${String(value)}`);
  }
  return value;
}
