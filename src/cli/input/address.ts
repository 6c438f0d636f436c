/** Addresses as people type them: `0x8000_0000`, `2M`, `4G`, decimal, sums of these, and ranges. */

import type { AddressRange } from '../../space/address-range.ts';
import { readAddress } from '../../text/addresses.ts';
import { hex } from '../../text/numbers.ts';
import { usageError } from '../io.ts';

export { readAddress };

export const ADDRESS_HINT =
  'an address is 0x8000_0000, 2M, 4G, a decimal number, or a sum: 0x4000_0000+0x1234';

/** @throws CliError (usage) that names `what`. */
export function parseAddress(text: string, what: string): bigint {
  const address = readAddress(text);
  if (address === undefined) throw usageError(`${what}: '${text}' is not a 64-bit address`, ADDRESS_HINT);
  return address;
}

const RANGE_HINT = 'a range is 0x1000..0x3000 (without the second address) or 0x1000+0x2000 (a length)';

/** `a..b` (without b) or `a+length`. @throws CliError (usage). */
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
