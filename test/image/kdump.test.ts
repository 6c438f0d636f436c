/** kdump-compressed dumps: written by hand, and by QEMU. (makedumpfile's diskdump_mod.h.) */
import { readFileSync } from 'node:fs';
import { deflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type ByteSource, bufferSource, gunzipSource, openImage } from '../../src/image/index.ts';
import { cpuMilliseconds } from '../support/cpu-time.ts';
import { imageError } from './thrown.ts';
import {
  contents,
  fields,
  flattened,
  type KdumpOptions,
  kdumpFile,
  pattern,
  SNAPPY_PAGE,
  sourceOf,
  ZSTD_PAGE,
} from './writers.ts';

const open = (file: Uint8Array, base?: bigint) => openImage(sourceOf(file), { base });
const page = (seed: number, bytes = 4096) => pattern(bytes, seed);
/** Pages 2, 3 and 9. */
const PAGES = [2, 3, 9].map((number) => ({ page: number, data: page(number) }));
const good = Uint8Array.from(kdumpFile(PAGES));

function words(bytes: number, word: (k: number) => bigint): Uint8Array {
  const view = new DataView(new ArrayBuffer(bytes));
  for (let k = 0; k < bytes / 8; k++) view.setBigUint64(k * 8, word(k), true);
  return new Uint8Array(view.buffer);
}

describe('a kdump-compressed file', () => {
  test.each([
    ['of 64 bits', {}],
    ['of 32 bits', { bits: 32 }],
    ['of 16K pages', { blockSize: 0x4000 }],
    ['of header version 5', { version: 5 }],
    ['named DISKDUMP', { signature: 'DISKDUMP', version: 0 }],
    ['of 32 bits, with 2^16 pages', { bits: 32, maxPages: 0x1_0000 }],
  ] satisfies [string, KdumpOptions][])('%s shows runs of pages', (_, options: KdumpOptions) => {
    const bytes = options.blockSize ?? 4096;
    const image = open(
      kdumpFile(
        PAGES.map(({ page: number }) => ({ page: number, data: page(number, bytes) })),
        options,
      ),
    );
    expect([image.format, image.notes]).toEqual(['kdump', []]);
    expect(contents(image)).toEqual([
      [BigInt(2 * bytes), new Uint8Array(Buffer.concat([page(2, bytes), page(3, bytes)]))],
      [BigInt(9 * bytes), page(9, bytes)],
    ]);
  });

  test('unpacks what is raw, zlib, snappy and zstd', () => {
    const file = kdumpFile([
      { page: 0, data: page(0), packed: page(5), flags: 0 },
      { page: 1, data: page(1) },
      { page: 2, data: page(2), packed: SNAPPY_PAGE, flags: 4 },
      { page: 3, data: page(3), packed: ZSTD_PAGE, flags: 0x20 },
    ]);
    const [[, bytes]] = contents(open(file)) as [[bigint, Uint8Array]];
    expect(bytes.subarray(0, 0x1000)).toEqual(page(5));
    expect(bytes.subarray(0x1000, 0x2000)).toEqual(page(1));
    expect(bytes.subarray(0x2000, 0x3000)).toEqual(Uint8Array.from({ length: 4096 }, (_, i) => (i & 3) + 1));
    expect(bytes.subarray(0x3000)).toEqual(
      words(4096, (k) => 0x0060_0000_4000_0f47n + 0x1000n * BigInt(k % 37)),
    );
  });

  test('unpacks windows across pages, and each page once', () => {
    const [run] = open(good).segments;
    const into = new Uint8Array(20);
    run!.read(4090, into);
    expect([...into]).toEqual([...page(2).subarray(4090), ...page(3).subarray(0, 14)]);
    let reads = 0;
    const source = sourceOf(good);
    const counting: ByteSource = {
      name: source.name,
      size: source.size,
      read: (offset, bytes) => {
        reads++;
        source.read(offset, bytes);
      },
    };
    const [counted] = openImage(counting).segments;
    reads = 0;
    for (let i = 0; i < 100; i++) counted!.read(i * 8, new Uint8Array(8));
    // The descriptor each time, and its page once.
    expect(reads).toBe(101);
  });

  test('counts pages from phys_base where makedumpfile wrote it on 32-bit Arm', () => {
    const image = open(kdumpFile(PAGES, { bits: 32, machine: 'armv7l', physBase: 0x6000_0000 }));
    expect(image.segments.map(({ base }) => base)).toEqual([0x6000_2000n, 0x6000_9000n]);
    expect(image.notes).toEqual([
      'pages are counted from phys_base 0x60000000, as makedumpfile does on 32-bit Arm',
    ]);
  });

  test('of 64 GiB is opened at once', () => {
    const count = 2 ** 24;
    const bitmap = count / 8;
    const start = kdumpFile([{ page: 0, data: page(0) }], { maxPages: count });
    const source: ByteSource = {
      name: 'huge',
      size: 2 ** 36,
      read(offset, into) {
        into.fill(0);
        if (offset < 8192) into.set(start.subarray(offset, offset + into.length));
        // Every page of the second bitmap but one of 2^16.
        else if (offset >= 8192 + bitmap && offset < 8192 + 2 * bitmap) {
          for (let i = 0; i < into.length; i++)
            into[i] = (offset - 8192 - bitmap + i) % 8192 === 8191 ? 0x7f : 0xff;
        }
      },
    };
    let segments: ReturnType<typeof openImage>['segments'] = [];
    // Bit by bit it would be minutes.
    const took = cpuMilliseconds(() => {
      segments = openImage(source).segments;
    });
    expect(took).toBeLessThan(5000);
    expect(segments).toHaveLength(256);
    expect(segments.map(({ base, size }) => [base, size]).at(-1)).toEqual([255n << 28n, 0xffff000n]);
  });

  test('that is not finished says so, and which page is missing', () => {
    const file = Uint8Array.from(kdumpFile(PAGES, { status: 9 }));
    file.fill(0, 4 * 4096 + 24, 4 * 4096 + 32);
    const image = open(file);
    expect(image.notes).toEqual(['makedumpfile did not finish this dump: pages are missing']);
    const error = imageError(() => contents(image));
    expect(error.message).toBe("file at offset 0x4018: a page can't be read: makedumpfile did not write it");
  });

  test.each([
    ['one part of a split dump', kdumpFile(PAGES, { split: 1 }), 'one part of a dump', '--reassemble'],
    [
      'a big-endian one',
      fields(8192, { 0: 'KDUMP   ', 428: 4096, 432: 1, 436: 2, 440: 10 }, false),
      'a big-endian machine',
      'makedumpfile -E',
    ],
    [
      'a damaged header',
      Buffer.concat([good.subarray(0, 428), new Uint8Array(4), good.subarray(432)]),
      'the header is damaged: block_size 0x0',
      undefined,
    ],
    ['a header cut off', good.subarray(0, 300), '464 bytes are needed', undefined],
    [
      'a bitmap cut off',
      good.subarray(0, 3 * 4096),
      'bitmaps of 0x2000 bytes for 10 pages, in a file of 0x3000: it is truncated',
      undefined,
    ],
    [
      'descriptors cut off',
      good.subarray(0, 4 * 4096 + 50),
      'descriptors of 3 pages end at 0x4048, and the file at 0x4032',
      undefined,
    ],
    ['no page', kdumpFile([], { maxPages: 100 }), 'the dump holds no page', undefined],
    [
      'too many pages',
      Buffer.concat([good.subarray(0, 4192), fields(8, { 0: (1n << 63n) - 1n }), good.subarray(4200)]),
      'it is truncated or damaged',
      undefined,
    ],
  ])('is refused: %s', (_, file, message, hint) => {
    const error = imageError(() => open(file));
    expect(error.message).toContain(message);
    if (hint !== undefined) expect(error.hint).toContain(hint);
  });

  test.each([
    ['LZO', { flags: 2 }, 'compressed with LZO, which is not read'],
    ['what is not zlib', { packed: page(1) }, 'is not a page in zlib'],
    ['too little in zlib', { packed: deflateSync(page(1).subarray(1)) }, 'is not a page in zlib'],
    ['too much in zlib', { packed: deflateSync(page(1, 5000)) }, 'is not a page in zlib'],
    ['what is not snappy', { packed: page(1), flags: 4 }, 'is not a page in snappy'],
    [
      'a copy from before its first byte in snappy',
      // Behind 4 bytes a copy from 5 back; and a copy with nothing before it.
      { packed: SNAPPY_PAGE.with(8, 5), flags: 4 },
      'is not a page in snappy',
    ],
    [
      'a copy as its first byte in snappy',
      {
        packed: Uint8Array.from([0x80, 0x20, ...Array.from({ length: 64 }, () => [0xfe, 1, 0]).flat()]),
        flags: 4,
      },
      'is not a page in snappy',
    ],
    ['what is not zstd', { packed: page(1), flags: 0x20 }, 'is not a page in zstd'],
    ['two compressions', { flags: 5 }, 'is not a page in compression 0x5'],
    [
      'a raw page of another size',
      { packed: page(1, 100), flags: 0 },
      'it is not compressed, but its length is not that of a page',
    ],
    ['more than a page can have', { packed: page(1, 9000) }, 'its 0x2328 bytes at 0x4018 are not possible'],
  ])('has a page that is refused when it is read: %s', (_, one, message) => {
    const image = open(kdumpFile([{ page: 1, data: page(1), ...one }]));
    expect(imageError(() => contents(image)).message).toContain(message);
  });
});

describe('the flattened form', () => {
  test('is put together, later records over earlier ones', () => {
    const whole = Uint8Array.from(good);
    // block_size: without the last record the header makes no sense.
    whole.set(fields(4, { 0: 99 }), 428);
    const file = flattened(whole, [464, 4096, 8192, 20000], [{ offset: 428, data: fields(4, { 0: 4096 }) }]);
    const image = open(file);
    expect(image.notes).toEqual(['put together from the records of a flattened file']);
    expect(contents(image)).toEqual(contents(open(good)));
  });

  test('of two records for the same place the later counts, of two that overlap its part', () => {
    const whole = Uint8Array.from(good);
    // Where page 9's descriptor says how many bytes it has: it stands in a record of its own, twice.
    const at = 4 * 4096 + 2 * 24 + 8;
    const right = Uint8Array.from(good.subarray(at, at + 4));
    whole.fill(0, at, at + 4);
    const file = flattened(
      whole,
      [at, at + 4],
      [
        { offset: at, data: fields(4, { 0: 0xdead }) },
        { offset: at - 2, data: new Uint8Array(4) },
        { offset: at - 4, data: good.subarray(at - 4, at) },
        { offset: at, data: right },
      ],
    );
    expect(contents(open(file))).toEqual(contents(open(good)));
  });

  test.each([
    [
      'cut off between records',
      (file: Uint8Array) => file.subarray(0, file.length - 16),
      '16 bytes are needed',
    ],
    [
      'cut off in a record',
      (file: Uint8Array) => file.subarray(0, 5000),
      'a record of 0x1000 bytes goes beyond',
    ],
    [
      'of version 2',
      (file: Uint8Array) =>
        Buffer.concat([file.subarray(0, 24), fields(8, { 0: 2n }, false), file.subarray(32)]),
      'flattened format of type 1, version 2',
    ],
    [
      'with an absurd offset',
      (file: Uint8Array) =>
        Buffer.concat([file.subarray(0, 4096), fields(8, { 0: 1n << 62n }, false), file.subarray(4104)]),
      'a record of offset 4611686018427387904',
    ],
  ])('%s is refused', (_, change, message) => {
    expect(imageError(() => open(change(flattened(good, [4096])))).message).toContain(message);
  });

  test('of a flattened file is not taken apart again', () => {
    expect(() => open(flattened(flattened(good, []), []))).toThrow(
      'raw memory does not say where it belongs',
    );
  });
});

describe("QEMU's dump-guest-memory", () => {
  const blocks = [
    words(0x1_0000, (k) => 0x0060_0000_4000_0f47n + 0x1000n * BigInt(k % 512)),
    new Uint8Array(0x1_0000),
    new Uint8Array(0x1_0000).fill(0x5a),
    words(0x1_0000, (k) => 0x0040_0000_8000_0711n + 0x20_0000n * BigInt(k % 64)),
  ];

  test.each([
    ['qemu72-aarch64.kdump.gz', 'kdump', 0x4000_0000n],
    ['qemu72-arm.kdump.gz', 'kdump', 0x4000_0000n],
    ['qemu72-aarch64.elf.gz', 'elf', 0x4010_0000n],
    ['qemu72-arm.elf.gz', 'elf', 0x4010_0000n],
  ])('%s', async (file, format, base) => {
    const gzip = readFileSync(new URL(`../../fixtures/images/${file}`, import.meta.url));
    const image = openImage(await gunzipSource(bufferSource(file, gzip)));
    expect([image.format, image.segments.map((segment) => segment.base)]).toEqual([format, [base]]);
    const bytes = new Uint8Array(0x4_0000);
    image.segments[0]!.read(Number(0x4010_0000n - base), bytes);
    expect(Buffer.from(bytes).equals(Buffer.concat(blocks))).toBe(true);
  });
});
