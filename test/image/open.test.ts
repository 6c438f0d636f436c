/** `openImage`: which format a file is of, and raw memory. */
import { describe, expect, test } from 'vitest';
import { type ByteSource, type ImageFormat, imageMemory, openImage } from '../../src/image/index.ts';
import { imageError } from './thrown.ts';
import {
  contents,
  elfFile,
  flattened,
  ihexFile,
  kdumpFile,
  limeFile,
  pattern,
  sourceOf,
  srecFile,
  wordLines,
} from './writers.ts';

const DATA = pattern(4096);

describe('a file without a format', () => {
  test.each<[ImageFormat, string | Uint8Array]>([
    ['elf', elfFile([{ paddr: 0x1000n, data: DATA }])],
    ['lime', limeFile([{ first: 0x1000n, data: DATA }])],
    ['kdump', kdumpFile([{ page: 1, data: DATA }])],
    ['kdump', flattened(kdumpFile([{ page: 1, data: DATA }]), [5000])],
    ['elf', flattened(elfFile([{ paddr: 0x1000n, data: DATA }]), [64])],
    ['ihex', ihexFile(0x1000, DATA)],
    ['ihex', `\r\n  ${ihexFile(0x1000, DATA)}`],
    ['srec', srecFile(0x1000, DATA)],
    ['hex-text', wordLines(0x1000n, DATA)],
    ['hex-text', `U-Boot 2024.01\n\n=> md.q 1000 200\n${wordLines(0x1000n, DATA)}`],
  ])('is known to be %s', (format, file) => {
    const image = openImage(sourceOf(file));
    expect(image.format).toBe(format);
    const [[base, bytes]] = contents(image) as [[bigint, Uint8Array]];
    expect([base, Buffer.compare(bytes, DATA)]).toEqual([0x1000n, 0]);
    expect(image.notes.includes('taken as a hex dump: its lines look like one')).toBe(format === 'hex-text');
  });

  test.each([
    ['an S-record with a wrong checksum', srecFile(0, DATA).replace('1B', '1C')],
    ['an Intel HEX record with a wrong checksum', ihexFile(0, DATA).replace(':02', ':03')],
    ['text without a dump', 'The quick brown fox\n'],
    ['bytes', DATA],
    ['zeros', new Uint8Array(100)],
    ['a few bytes', Uint8Array.of(0x7f)],
  ])('that is %s could only be raw memory, and needs a base', (_, file) => {
    const error = imageError(() => openImage(sourceOf(file)));
    expect(error.message).toBe('file: raw memory does not say where it belongs');
    expect(error.hint).toContain('FILE@0x4000_0000');
  });

  test('that is text, and taken as raw memory, is noted', () => {
    const image = openImage(sourceOf('The quick brown fox\n'), { base: 0n });
    expect([image.format, image.notes]).toEqual(['raw', ['taken as raw memory, though it is text']]);
    expect(openImage(sourceOf(DATA), { base: 0n }).notes).toEqual([]);
  });
});

describe('a format that is given', () => {
  test('overrides what the file looks like', () => {
    const file = elfFile([{ paddr: 0x1000n, data: DATA }]);
    const raw = openImage(sourceOf(file), { format: 'raw', base: 0x4000_0000n });
    expect(raw.segments.map(({ base, size }) => [base, size])).toEqual([[0x4000_0000n, BigInt(file.length)]]);
    expect(imageMemory([raw]).read32(0x4000_0000n)).toBe(0x464c_457f);
    const packed = flattened(file, []);
    expect(openImage(sourceOf(packed), { format: 'raw', base: 0n }).segments[0]?.size).toBe(
      BigInt(packed.length),
    );
    expect(
      openImage(sourceOf(Uint8Array.of(0x1f, 0x8b)), { format: 'raw', base: 0n }).segments[0]?.size,
    ).toBe(2n);
  });

  test.each<[ImageFormat, string]>([
    ['elf', 'no ELF file'],
    ['lime', 'a record begins with 0x2065685'],
    ['kdump', '464 bytes are needed'],
    ['ihex', 'line 1: not a record'],
    ['srec', 'line 1: not a record'],
    ['hex-text', "no line is a hex dump; line 1 is 'The quick brown fox jumps over the lazy dog'"],
  ])('%s is kept to', (format, message) => {
    expect(
      imageError(() => openImage(sourceOf('The quick brown fox jumps over the lazy dog'), { format }))
        .message,
    ).toContain(message);
    expect(() => openImage(sourceOf(''), { format })).toThrow('file');
  });
});

describe('raw memory', () => {
  test('begins at its base, wherever that is', () => {
    const image = openImage(sourceOf(Uint8Array.of(0x11, 0x22)), { base: 0x4000_0007n });
    expect(contents(image)).toEqual([[0x4000_0007n, Uint8Array.of(0x11, 0x22)]]);
    expect(imageMemory([image]).read64(0x4000_0000n)).toBe(0x11n << 56n);
  });

  test('of 4 GiB only costs the parts that are read', () => {
    let read = 0;
    const source: ByteSource = {
      name: 'huge',
      size: 2 ** 32,
      read(offset, into) {
        read += into.length;
        into.fill(offset / 2 ** 24);
      },
    };
    const image = openImage(source, { base: 0x1_0000_0000n });
    expect(read).toBeLessThan(0x2_0000);
    const memory = imageMemory([image]);
    expect(memory.read64(0x1_ff00_0000n)).toBe(0xffff_ffff_ffff_ffffn);
    expect(read).toBeLessThan(0x3_0000);
    expect(memory.hostBytes).toBe(0x1_0000);
  });

  test('that is empty, or leaves 52 bits, is refused', () => {
    expect(imageError(() => openImage(sourceOf(''), { base: 0n })).message).toBe('file: is empty');
    expect(imageError(() => openImage(sourceOf(DATA), { base: (1n << 52n) - 4095n })).message).toContain(
      'beyond the 52 bits',
    );
    expect(openImage(sourceOf(DATA), { base: (1n << 52n) - 4096n }).segments).toHaveLength(1);
  });
});

test('text above 64 MiB is refused, with what would work', () => {
  const source: ByteSource = {
    name: 'huge',
    size: 2 ** 27,
    read: (_, into) => into.set(Buffer.alloc(into.length, '1000: 01\n')),
  };
  for (const format of ['ihex', 'srec', 'hex-text', undefined] as const) {
    const error = imageError(() => openImage(source, { format }));
    expect(error.message).toBe('huge: has 0x8000000 bytes; of text, at most 64 MiB are read');
    expect(error.hint).toContain('xxd -r');
  }
});
