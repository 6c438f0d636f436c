/** Addresses as people type them: `0x8000_0000`, `2M`, `4G`, decimal, sums of these, and ranges. */

import type { AddressRange } from '../../space/address-range.ts';
import { hex } from '../../text/numbers.ts';
import { usageError } from '../io.ts';

const SCALE: Readonly<Record<string, bigint>> = {
  '': 1n,
  k: 1n << 10n,
  m: 1n << 20n,
  g: 1n << 30n,
  t: 1n << 40n,
  p: 1n << 50n,
};

const TERM = /^(?:(0x[0-9a-f]+(?:_[0-9a-f]+)*)|(\d+(?:_\d+)*)([kmgtp]?))$/i;

/** The address, or undefined where `text` is not an address of at most 64 bits. */
export function readAddress(text: string): bigint | undefined {
  let sum = 0n;
  for (const term of text.trim().split('+')) {
    const [, hexDigits, decimal, suffix = ''] = TERM.exec(term.trim()) ?? [];
    const digits = hexDigits ?? decimal;
    if (digits === undefined || digits.length > 32) return undefined;
    sum += BigInt(digits.replaceAll('_', '')) * SCALE[suffix.toLowerCase()]!;
  }
  return sum >> 64n ? undefined : sum;
}

export const ADDRESS_HINT =
  'an address is 0x8000_0000, 2M, 4G, a decimal number, or a sum: 0x4000_0000+0x1234';

/** @throws CliError (usage) that names `what`. */
export function parseAddress(text: string, what: string): bigint {
  const address = readAddress(text);
  if (address === undefined) throw usageError(`${what}: '${text}' is not a 64-bit address`, ADDRESS_HINT);
  return address;
}

const RANGE_HINT =
  'a range is 0x1000..0x3000 (up to, not with, the second address) or 0x1000+0x2000 (a length)';

/** `a..b` (b outside) or `a+length`. @throws CliError (usage). */
export function parseRange(text: string, what: string): AddressRange {
  const [from, to, ...more] = text.split('..');
  if (to !== undefined && more.length === 0) {
    const first = parseAddress(from!, what);
    const end = parseAddress(to, what);
    if (end <= first) throw usageError(`${what}: ${hex(first)}..${hex(end)} is empty`, RANGE_HINT);
    return { first, last: end - 1n };
  }
  const plus = text.lastIndexOf('+');
  if (plus < 0 || to !== undefined) throw usageError(`${what}: '${text}' is not a range`, RANGE_HINT);
  const first = parseAddress(text.slice(0, plus), what);
  const length = parseAddress(text.slice(plus + 1), what);
  if (length === 0n || (first + length - 1n) >> 64n) {
    throw usageError(`${what}: ${hex(first)}+${hex(length)} is empty or leaves 64 bits`, RANGE_HINT);
  }
  return { first, last: first + length - 1n };
}
