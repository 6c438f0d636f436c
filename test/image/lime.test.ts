/** LiME dumps. (LiME's lime.h, version 1.) */
import { describe, expect, test } from 'vitest';
import { openImage } from '../../src/image/index.ts';
import { imageError } from './thrown.ts';
import { contents, fields, limeFile, pattern, sourceOf } from './writers.ts';

const open = (file: Uint8Array, base?: bigint) => openImage(sourceOf(file), { base });
const good = limeFile([
  { first: 0x8000_0000n, data: pattern(40) },
  { first: 0x4000_0000n, data: pattern(24, 2) },
]);

describe('a LiME dump', () => {
  test('is records of a first and a last address', () => {
    const image = open(good);
    expect([image.format, image.notes]).toEqual(['lime', []]);
    expect(contents(image)).toEqual([
      [0x4000_0000n, pattern(24, 2)],
      [0x8000_0000n, pattern(40)],
    ]);
    expect(open(good, 0x10n).segments.map(({ base }) => base)).toEqual([0x4000_0010n, 0x8000_0010n]);
  });

  const header = (values: Parameters<typeof fields>[1]) =>
    Buffer.concat([good, fields(40, { 0: 0x4c69_4d45, 4: 1, 8: 0x1000n, 16: 0x1007n, ...values })]);
  test.each([
    [
      'cut off in its data',
      good.subarray(0, 120),
      'file at offset 0x48: the record has 0x18 bytes, of which 0x10 are there',
    ],
    ['cut off in a header', good.subarray(0, 80), 'file at offset 0x48: 32 bytes are needed'],
    [
      'with something else behind a record',
      header({ 0: 0x1234 }),
      "file at offset 0x80: a record begins with 0x1234, where LiME's",
    ],
    ['of version 2', header({ 4: 2 }), 'file at offset 0x80: LiME version 2'],
    [
      'that ends before it begins',
      header({ 16: 0xfffn }),
      "the record's last byte, 0xfff, lies before its first, 0x1000",
    ],
    [
      'of all addresses',
      header({ 8: 0n, 16: (1n << 64n) - 1n }),
      'the record has 0x10000000000000000 bytes, of which 0x8',
    ],
    [
      'that overlaps',
      header({ 8: 0x8000_0020n, 16: 0x8000_0027n }),
      'the memory of the record at offset 0x80 overlaps that of the record at offset 0x0 at 0x80000020',
    ],
    ['beyond 2^52', header({ 8: 1n << 52n, 16: (1n << 52n) + 7n }), 'beyond the 52 bits'],
  ])('%s is refused', (_, file, message) => {
    expect(imageError(() => open(file)).message).toContain(message);
  });

  test('of AVML, which compresses, is refused with what would work', () => {
    const error = imageError(() => open(header({ 0: 0x4c4d_5641 })));
    expect(error.message).toContain('compressed record of AVML');
    expect(error.hint).toContain('avml-convert');
    expect(imageError(() => open(fields(64, { 0: 0x4c4d_5641, 4: 2 }))).message).toContain('AVML');
  });
});
