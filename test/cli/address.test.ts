import { expect, test } from 'vitest';
import { parseRange, readAddress } from '../../src/cli/input/address.ts';

test.each<[string, bigint | undefined]>([
  ['0x8000_0000', 0x8000_0000n],
  ['0XABC', 0xabcn],
  ['2M', 0x20_0000n],
  ['4g', 1n << 32n],
  ['1T', 1n << 40n],
  ['4096', 4096n],
  ['1_000', 1000n],
  ['0x4000_0000+0x1234', 0x4000_1234n],
  ['1G + 2M + 1', 0x4020_0001n],
  ['0xffff_ffff_ffff_ffff', (1n << 64n) - 1n],
  ['0xffff_ffff_ffff_ffff+1', undefined],
  ['0x1_0000_0000_0000_0000', undefined],
  ['0x', undefined],
  ['', undefined],
  ['+1', undefined],
  ['-1', undefined],
  ['0x10M', undefined],
  ['1.5M', undefined],
  ['0b11', undefined],
  ['1__0', undefined],
  ['9'.repeat(1000), undefined],
])('%s', (text, value) => {
  expect(readAddress(text)).toBe(value);
});

test.each<[string, bigint, bigint]>([
  ['0x1000..0x3000', 0x1000n, 0x2fffn],
  ['0x1000+0x2000', 0x1000n, 0x2fffn],
  ['1G+2M+4K', 0x4020_0000n, 0x4020_0fffn],
  ['0xffff_ffff_ffff_0000+64K', 0xffff_ffff_ffff_0000n, (1n << 64n) - 1n],
])('the range %s', (text, first, last) => {
  expect(parseRange(text, '--range')).toEqual({ first, last });
});
