/** Addresses and ranges as people write them: `0x8000_0000`, `2M`, `4G`, decimal, sums of these; `a..b`, `a+length` and `a-b`. */
import { hex } from './numbers.ts';

const SCALE: Readonly<Record<string, bigint>> = {
  '': 1n,
  k: 1024n,
  m: 1024n ** 2n,
  g: 1024n ** 3n,
  t: 1024n ** 4n,
  p: 1024n ** 5n,
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

/** Addresses from `first` to `last`, both inside; or why a text is no such range. */
export type ReadRange =
  | { readonly ok: true; readonly first: bigint; readonly last: bigint }
  | { readonly ok: false; readonly problem: string };

/** `a..b`: up to, not with, the second address; `a+length`; and as a dump prints them `a-b`, both inside. */
export function readRange(text: string): ReadRange {
  const wrong = (problem: string): ReadRange => ({ ok: false, problem });
  const [from = '', to, ...more] = text.split(/\.\.|-/);
  if (to !== undefined) {
    const [first, second] = [readAddress(from), readAddress(to)];
    if (more.length > 0 || first === undefined || second === undefined)
      return wrong(`'${text}' is not a range of addresses`);
    const last = text.includes('..') ? second - 1n : second;
    return last < first ? wrong(`'${text}' is empty`) : { ok: true, first, last };
  }
  const plus = text.lastIndexOf('+');
  const first = plus < 0 ? undefined : readAddress(text.slice(0, plus));
  const length = plus < 0 ? undefined : readAddress(text.slice(plus + 1));
  if (first === undefined || length === undefined) return wrong(`'${text}' is not a range of addresses`);
  return rangeOf(first, length);
}

/** The range of a length. */
export function rangeOf(first: bigint, length: bigint): ReadRange {
  const last = first + length - 1n;
  if (length === 0n || last >> 64n)
    return { ok: false, problem: `${hex(first)}+${hex(length)} is empty or leaves 64 bits` };
  return { ok: true, first, last };
}

/** What a range looks like. */
export const RANGE_FORMS =
  'a range is 0x1000+0x2000 (a length), 0x1000..0x3000 (up to, not with, the second address) or 0x1000-0x2fff (both inside)';
