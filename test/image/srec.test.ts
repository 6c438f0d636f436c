/** Motorola S-records. (M68000 Family Programmer's Reference Manual, appendix C.) */
import { describe, expect, test } from 'vitest';
import { openImage } from '../../src/image/index.ts';
import { imageError } from './thrown.ts';
import { contents, pattern, sourceOf, srecFile, srecLine } from './writers.ts';

const open = (text: string, base?: bigint) => openImage(sourceOf(text), { base });

describe('S-records', () => {
  test('of the manual', () => {
    const image = open(
      [
        'S00600004844521B',
        'S1130000285F245F2212226A000424290008237C2A',
        'S11300100002000800082629001853812341001813',
        'S9030000FC',
      ].join('\n'),
    );
    expect([image.format, image.notes]).toEqual(['srec', []]);
    const bytes = Buffer.from('285F245F2212226A000424290008237C00020008000826290018538123410018', 'hex');
    expect(contents(image)).toEqual([[0n, Uint8Array.from(bytes)]]);
  });

  test('of each address size, moved by a base', () => {
    const text = [
      srecLine(1, 0x1234, 2, [1]),
      srecLine(2, 0x56_7890, 3, [2]),
      srecLine(3, 0x8000_0000, 4, [3]),
      srecLine(8, 0, 3, []),
    ].join('');
    expect(contents(open(text, 0x1_0000_0000n))).toEqual([
      [0x1_0000_1234n, Uint8Array.of(1)],
      [0x1_0056_7890n, Uint8Array.of(2)],
      [0x1_8000_0000n, Uint8Array.of(3)],
    ]);
    expect(contents(open(srecFile(0x4000_0000, pattern(1000))))).toEqual([[0x4000_0000n, pattern(1000)]]);
  });

  test('tell where their end is missing', () => {
    expect(open(srecLine(1, 0, 2, [1])).notes).toEqual([
      'there is no end record (S7, S8 or S9): the file may be cut off',
    ]);
  });

  test.each([
    ['a wrong checksum', 'S9030000FD', 'the checksum is 0xfd; it would be 0xfc'],
    ['a wrong length', 'S9040000FB', 'the record says 4 bytes and has 3'],
    ['S4', 'S4030000FC', 'not a record: S0 to S3 or S5 to S9'],
    ['a letter', 'SX030000FC', 'not a record'],
    ['no digits', 'S1', 'not pairs of hex digits, or more than 256 of them'],
    ['no address', 'S100', 'a record S1 has at least 3 bytes, not 0'],
    ['an address cut off', srecLine(3, 0, 2, []).trim(), 'a record S3 has at least 5 bytes, not 3'],
    [
      'a count that is not met',
      srecLine(5, 2, 2, []).trim(),
      'counts 2 data records, but 1 came before it: lines are missing',
    ],
    ['anything else', 'hello', 'not a record'],
  ])('refuse %s, with the line', (_, line, message) => {
    const text = `${srecLine(1, 0x40, 2, [1, 2])}${line}\n`;
    const error = imageError(() => open(text));
    expect(error.message).toContain(`file at offset 0xf: line 2: ${message}`);
  });

  test('refuse data that overlaps, or is not there', () => {
    const text = srecLine(1, 0x40, 2, [1, 2]) + srecLine(1, 0x41, 2, [2]);
    expect(imageError(() => open(text)).message).toContain('overlaps that of the lines from 1 on at 0x41');
    expect(imageError(() => open('S9030000FC\n')).message).toBe('file: has no data records');
  });
});
