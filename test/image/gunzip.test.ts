/** Gzip files as sources. (RFC 1952.) */
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { gunzipWith } from '../../src/image/gunzip.ts';
import { type ByteSource, gunzipSource, ImageError, isGzip, openImage } from '../../src/image/index.ts';
import { inflateByWeb } from '../../src/image/inflated.ts';
import { imageError } from './thrown.ts';
import { elfFile, pattern, sourceOf } from './writers.ts';

function bytesOf(source: ByteSource, offset = 0, length = source.size - offset): Uint8Array {
  const bytes = new Uint8Array(length).fill(0xee);
  source.read(offset, bytes);
  return bytes;
}

async function refused(source: ByteSource): Promise<ImageError> {
  const error = await gunzipSource(source).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ImageError);
  return error as ImageError;
}

describe('gunzipSource, where there is no Node', () => {
  test.each([0, 1, 0x1_0001, 700_000])('gives back %i bytes', async (count) => {
    const source = await gunzipWith(sourceOf(gzipSync(pattern(count)), 'a.gz'), inflateByWeb);
    expect([source.name, source.size]).toEqual(['a.gz', count]);
    expect(Buffer.compare(bytesOf(source), pattern(count))).toBe(0);
  });

  test('refuses what is cut off or damaged, and what is too much', async () => {
    const file = gzipSync(pattern(100_000));
    const damaged = Uint8Array.from(file);
    damaged[file.length - 6]! ^= 1;
    for (const bytes of [file.subarray(0, file.length - 4), file.subarray(0, 300), damaged]) {
      const read = gunzipWith(sourceOf(bytes), inflateByWeb);
      await expect(read).rejects.toThrow('file: incomplete or damaged gzip data: ');
    }
    const much = gunzipWith(sourceOf(gzipSync(new Uint8Array(129 << 20).fill(1))), inflateByWeb);
    await expect(much).rejects.toThrow('more than 128 MiB that is not zero');
  });

  test('is what hosts without zlib get', async () => {
    const host = process.getBuiltinModule;
    const asked: string[] = [];
    try {
      process.getBuiltinModule = ((name: string) => void asked.push(name)) as typeof host;
      const source = await gunzipSource(sourceOf(gzipSync(pattern(100))));
      expect(bytesOf(source)).toEqual(pattern(100));
    } finally {
      process.getBuiltinModule = host;
    }
    expect(asked).toContain('zlib');
  });
});

describe('gunzipSource', () => {
  test.each([0, 1, 0xffff, 0x1_0000, 0x1_0001, 200_000])('gives back %i bytes', async (count) => {
    const source = await gunzipSource(sourceOf(gzipSync(pattern(count)), 'a.gz'));
    expect([source.name, source.size]).toEqual(['a.gz', count]);
    expect(Buffer.compare(bytesOf(source), pattern(count))).toBe(0);
  });

  test('reads across blocks that are zero and blocks that are not, and not beyond the end', async () => {
    const whole = new Uint8Array(0x8_0000);
    whole.set(pattern(0x100), 0x2_ff80);
    const source = await gunzipSource(sourceOf(gzipSync(whole)));
    expect(bytesOf(source, 0x2_ff00, 0x200)).toEqual(whole.subarray(0x2_ff00, 0x3_0100));
    expect(imageError(() => source.read(0x7_fff9, new Uint8Array(8))).message).toContain('it is truncated');
  });

  test('keeps nothing of zeros: of 512 MiB', async () => {
    const member = gzipSync(new Uint8Array(64 << 20));
    const start = process.memoryUsage();
    const source = await gunzipSource(sourceOf(Buffer.concat(Array(8).fill(member))));
    expect(source.size).toBe(2 ** 29);
    expect(process.memoryUsage().arrayBuffers - start.arrayBuffers).toBeLessThan(32 << 20);
    expect(bytesOf(source, 2 ** 29 - 8)).toEqual(new Uint8Array(8));
  });

  test('refuses more than 128 MiB that is not zero', async () => {
    const member = gzipSync(new Uint8Array(44 << 20).fill(1));
    const error = await refused(sourceOf(Buffer.concat([member, member, member])));
    expect(error.message).toBe(
      'file: contains more than 128 MiB that is not zero, which is too much to keep in memory',
    );
    expect(error.hint).toContain('gunzip the file first');
  });

  test('refuses what is cut off or damaged', async () => {
    const file = gzipSync(pattern(100_000));
    const damaged = Uint8Array.from(file);
    damaged[file.length - 6]! ^= 1;
    for (const bytes of [
      file.subarray(0, file.length - 4),
      file.subarray(0, 300),
      damaged,
      file.subarray(0, 2),
    ]) {
      const error = await refused(sourceOf(bytes));
      expect(error.message).toContain('file: incomplete or damaged gzip data: ');
      expect(error.hint).toContain('gzip -t');
    }
  });

  test('hands on what the source below it says', async () => {
    const source: ByteSource = {
      name: 'bad',
      size: 100,
      read() {
        throw new ImageError('bad', 'input/output error');
      },
    };
    expect((await refused(source)).message).toBe('bad: input/output error');
  });

  test('makes an image of an image', async () => {
    const zipped = sourceOf(gzipSync(elfFile([{ paddr: 0x1000n, data: pattern(8) }])), 'vmcore.gz');
    expect(isGzip(zipped)).toBe(true);
    expect(isGzip(sourceOf('\x1f'))).toBe(false);
    expect(imageError(() => openImage(zipped)).hint).toContain('gunzip');
    const image = openImage(await gunzipSource(zipped));
    expect([image.source, image.format]).toEqual(['vmcore.gz', 'elf']);
  });
});
