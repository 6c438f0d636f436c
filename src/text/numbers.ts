/** Numbers and words as people read them. */
import { hex } from '../memory/hex.ts';

export { hex };

/** A descriptor or register with all its digits: 16, or 8 if it has 32 bits. */
export function hexWord(value: bigint, bits: 32 | 64 = 64): string {
  return hex(value, bits / 4);
}

const UNITS = ['', 'K', 'M', 'G', 'T', 'P'] as const;

/** Exact, in the largest unit that divides it: `4K`, `2368K`, `1G`; `1234` for bytes. */
export function sizeText(bytes: bigint | number): string {
  let unit = 0;
  let count = BigInt(bytes);
  while (count !== 0n && count % 1024n === 0n && unit < UNITS.length - 1) {
    count /= 1024n;
    unit++;
  }
  return `${count}${UNITS[unit]}`;
}

/** Rounded: `2.26 GiB`. */
export function roughSize(bytes: bigint | number): string {
  let unit = 0;
  let value = Number(bytes);
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return unit === 0 ? `${bytes} bytes` : `${value.toFixed(value < 10 ? 2 : 1)} ${UNITS[unit]}iB`;
}

/** Exact if that takes at most `most` characters, else rounded. */
export function shortSize(bytes: bigint | number, most = 6): string {
  const exact = sizeText(bytes);
  return exact.length <= most ? exact : roughSize(bytes);
}

/** A share from 0 to 1 as `93.7%`, rounded down, so that only the whole is 100%. */
export function percent(share: number, digits: number): string {
  const scale = 10 ** digits;
  return `${(Math.floor(share * 100 * scale) / scale).toFixed(digits)}%`;
}

/** `1 page`, `1,024 pages`. */
export function counted(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

export function count(n: number): string {
  return n.toLocaleString('en-US');
}

/** Page sizes of a bitmap: `4K 2M 1G`. */
export function pageSizes(bitmap: bigint): string {
  const sizes: string[] = [];
  for (let size = 1n; size <= bitmap; size <<= 1n) if (bitmap & size) sizes.push(sizeText(size));
  return sizes.join(' ');
}
