/** Intel HEX. (Intel, Hexadecimal Object File Format Specification, rev. A.) */
import { describe, expect, test } from 'vitest';
import { openImage } from '../../src/image/index.ts';
import { imageError } from './thrown.ts';
import { contents, ihexFile, ihexLine, pattern, sourceOf } from './writers.ts';

const open = (text: string, base?: bigint) => openImage(sourceOf(text), { base });
const END = ':00000001FF\n';

describe('Intel HEX', () => {
  test('of the specification', () => {
    const image = open(
      ':10010000214601360121470136007EFE09D2190140\n:100110002146017E17C20001FF5F16002148011928\n:00000001FF\n',
    );
    expect([image.format, image.notes]).toEqual(['ihex', []]);
    const bytes = Buffer.from('214601360121470136007EFE09D219012146017E17C20001FF5F160021480119', 'hex');
    expect(contents(image)).toEqual([[0x100n, Uint8Array.from(bytes)]]);
  });

  test('with linear addresses, moved above 4 GiB by a base', () => {
    const text = ihexFile(0x8000_0000, pattern(100));
    expect(contents(open(text))).toEqual([[0x8000_0000n, pattern(100)]]);
    expect(open(text, 0x10_0000_0000n).segments[0]?.base).toBe(0x10_8000_0000n);
  });

  test('with segments, start addresses, blank lines, CRs and small letters', () => {
    const text = [
      ihexLine(0, 2, [0x12, 0x34]),
      ihexLine(0x10, 0, [1, 2]).toLowerCase().replace('\n', '\r\n'),
      '\n',
      ihexLine(0, 3, [0, 0, 0, 0]),
      ihexLine(0, 4, [0x00, 0x02]),
      ihexLine(0xfffe, 0, [3, 4, 5, 6]),
      ihexLine(0, 5, [0, 0, 0, 0]),
    ].join('');
    expect(contents(open(text + END))).toEqual([
      [0x12350n, Uint8Array.of(1, 2)],
      [0x2_fffen, Uint8Array.of(3, 4, 5, 6)],
    ]);
  });

  test('joins lines that are in order, and sorts those that are not', () => {
    const text = [
      ihexLine(0x20, 0, [5]),
      ihexLine(0x10, 0, [1]),
      ihexLine(0x11, 0, [2]),
      ihexLine(0x12, 0, [3]),
    ].join('');
    expect(contents(open(text + END))).toEqual([
      [0x10n, Uint8Array.of(1, 2, 3)],
      [0x20n, Uint8Array.of(5)],
    ]);
  });

  test('tells where the end record is missing, or is not the end', () => {
    expect(open(ihexLine(0, 0, [1])).notes).toEqual([
      'there is no end record (:00000001FF): the file may be cut off',
    ]);
    expect(open(`${ihexLine(0, 0, [1])}${END}${ihexLine(0, 0, [2])}`).notes).toEqual([
      'line 3 and everything after it come after the end record, and were not read',
    ]);
  });

  test.each([
    ['a wrong checksum', ':0100000001FF', 'the checksum is 0xff; it would be 0xfe'],
    ['a wrong length', ':0200000001FD', 'the record says 2 bytes of data and has 1'],
    ['other letters', ':01000000G1FE', 'not a record: `:` and pairs of hex digits'],
    ['no colon', '0100000001FE', 'not a record'],
    ['too few digits', ':00', 'not a record'],
    ['half a byte', ':0100000001FE0', 'not a record'],
    ['type 6', ihexLine(0, 6, []).trim(), 'record type 6; 00 to 05 are known'],
    ['a short address', ihexLine(0, 4, [1]).trim(), 'a record of type 4 has 2 bytes of data, not 1'],
    ['more than 255 bytes', `:${'0'.repeat(600)}`, 'not a record'],
  ])('refuses %s, with the line', (_, line, message) => {
    const error = imageError(() => open(`${ihexLine(0x40, 0, [1, 2])}\n${line}\n${END}`));
    expect(error.message).toContain(`file at offset 0x11: line 3: ${message}`);
  });

  test('refuses data that overlaps, wraps around, or is not there', () => {
    const twice = ihexLine(0x10, 0, [1, 2]) + ihexLine(0x11, 0, [2]) + END;
    expect(imageError(() => open(twice)).message).toBe(
      'file: the memory of the lines from 2 on overlaps that of the lines from 1 on at 0x11',
    );
    const around = ihexLine(0, 2, [0, 0]) + ihexLine(0xffff, 0, [1, 2]) + END;
    expect(imageError(() => open(around)).message).toContain(
      'line 2: the data wraps around within its 64 KiB segment',
    );
    expect(imageError(() => open(END)).message).toBe('file: has no data records');
  });
});
