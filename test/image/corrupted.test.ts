/** Damaged files of every format: an ImageError or an answer, soon, and nothing else ever. */
import { describe, expect, test } from 'vitest';
import { ImageError, type ImageFormat, imageMemory, openImage } from '../../src/image/index.ts';
import { cpuMilliseconds } from '../support/cpu-time.ts';
import { Random } from '../support/random.ts';
import {
  elfFile,
  flattened,
  ihexFile,
  ihexLine,
  kdumpFile,
  limeFile,
  pattern,
  SNAPPY_PAGE,
  sourceOf,
  srecFile,
  srecLine,
  wordLines,
  ZSTD_PAGE,
} from './writers.ts';

const ROUNDS = 1500;
const MAX_MILLISECONDS = 2000;

const pages = [1, 2, 7].map((page) => ({ page, data: pattern(4096, page) }));
const packed = [
  ...pages,
  { page: 8, data: pages[0]!.data, packed: SNAPPY_PAGE, flags: 4 },
  { page: 9, data: pages[0]!.data, packed: ZSTD_PAGE, flags: 0x20 },
];
const segments = [
  { paddr: 0x1000n, data: pattern(64) },
  { paddr: 0x8000n, data: pattern(64, 2), memsz: 128 },
];
const dump = `=> md\n[    0.1] ${wordLines(0x1000n, pattern(64))}1060: 4865 6c6c  Hell\n0001070 01 02  |..|\n*\n0002000\n`;

const FILES: [ImageFormat | 'flattened', Uint8Array][] = [
  ['elf', elfFile(segments)],
  ['elf', elfFile(segments, { bits: 32, little: false, xnum: true })],
  [
    'lime',
    limeFile([
      { first: 0x1000n, data: pattern(40) },
      { first: 0x4000n, data: pattern(40) },
    ]),
  ],
  ['kdump', kdumpFile(packed)],
  ['kdump', kdumpFile(pages, { bits: 32, machine: 'armv7l', physBase: 0x8000_0000 })],
  ['flattened', flattened(kdumpFile(pages), [464, 4096], [{ offset: 0, data: pattern(0) }])],
  ['ihex', Buffer.from(ihexFile(0x1000, pattern(100)))],
  ['srec', Buffer.from(srecFile(0x1000, pattern(100)))],
  ['hex-text', Buffer.from(dump)],
  ['raw', pattern(100)],
];

/** Where headers are, which matter most: the first bytes of each block of the file. */
function spot(random: Random, length: number): number {
  const at = random.chance(0.5)
    ? random.between(0, 600)
    : random.pick([0, 4096, 8192, 12288, 16384]) + random.between(0, 150);
  return Math.min(random.chance(0.2) ? random.between(0, length - 1) : at % length, length - 1);
}

const ABSURD = [
  0n,
  1n,
  0xffffn,
  0x7fff_ffffn,
  0xffff_ffffn,
  1n << 32n,
  (1n << 52n) - 1n,
  1n << 53n,
  (1n << 63n) - 1n,
  1n << 63n,
  (1n << 64n) - 1n,
];

function corrupted(file: Uint8Array, random: Random): Uint8Array {
  const bytes = Uint8Array.from(file);
  const view = new DataView(bytes.buffer);
  for (let changes = random.between(1, 3); changes > 0; changes--) {
    const at = spot(random, bytes.length);
    const field = Math.min(at & ~3, bytes.length - 8);
    const value = random.pick(ABSURD);
    switch (random.between(0, 4)) {
      case 0:
        bytes[at]! ^= 1 << random.between(0, 7);
        break;
      case 1:
        bytes[at] = random.between(0, 255);
        break;
      case 2:
        view.setUint32(field, Number(value & 0xffff_ffffn), random.chance(0.8));
        break;
      case 3:
        view.setBigUint64(field, value, random.chance(0.8));
        break;
      default:
        return bytes.subarray(0, random.between(0, bytes.length));
    }
  }
  return bytes;
}

/** Opens it, and looks here and there. Everything but an ImageError is thrown on. */
function outcome(file: Uint8Array, format: ImageFormat | undefined, random: Random): 'read' | 'refused' {
  try {
    const image = openImage(sourceOf(file), { format, base: format === 'raw' ? 0x1000n : undefined });
    const memory = imageMemory([image]);
    for (const { base, size } of image.segments.slice(0, 20)) {
      for (const offset of [0n, size / 2n, size - 1n, random.word64() % size]) memory.read64(base + offset);
    }
    for (const pa of [0n, 0x1000n, 0x2000n, 0x7000n, random.bits(52)]) memory.read64(pa);
    return 'read';
  } catch (error) {
    if (error instanceof ImageError) return 'refused';
    throw error;
  }
}

describe('damaged files', () => {
  test.each(FILES.map(([name, file], i) => ({ name, file, seed: 0x5eed + i })))(
    '$name ($seed)',
    ({ name, file, seed }) => {
      const format = name === 'flattened' ? undefined : name;
      expect(outcome(file, format, new Random(seed))).toBe('read');
      const counts = { read: 0, refused: 0 };
      let slowest = 0;
      for (let round = 0; round < ROUNDS; round++) {
        const random = new Random(seed * ROUNDS + round);
        const damaged = corrupted(file, random);
        const took = cpuMilliseconds(() => {
          // A third of them must also be told apart from other formats.
          counts[outcome(damaged, round % 3 === 0 ? undefined : format, random)]++;
        });
        slowest = Math.max(slowest, took);
      }
      expect(slowest).toBeLessThan(MAX_MILLISECONDS);
      expect(counts.refused).toBeGreaterThan(ROUNDS / 20);
      expect(counts.read).toBeGreaterThan(0);
    },
  );

  test('that are well-formed line by line, and make no sense', () => {
    const counts = { read: 0, refused: 0 };
    for (let round = 0; round < 3000; round++) {
      const random = new Random(round);
      const line = random.pick([anyIhexLine, anySrecLine, anyDumpLine]);
      const text = Array.from({ length: random.between(1, 8) }, () => line(random)).join('');
      counts[outcome(Buffer.from(text), undefined, random)]++;
    }
    expect(Math.min(counts.read, counts.refused)).toBeGreaterThan(500);
  });
});

function anyIhexLine(random: Random): string {
  const type = random.pick([0, 0, 0, 0, 1, 2, 3, 4, 5]);
  const length = type === 0 ? random.between(0, 20) : [0, 0, 2, 4, 2, 4][type]!;
  return ihexLine(random.pick([0, 0x10, 0x18, 0xfff8, 0xffff]), type, pattern(length, random.between(0, 99)));
}

function anySrecLine(random: Random): string {
  const [type, width] = random.pick([
    [0, 2],
    [1, 2],
    [2, 3],
    [3, 4],
    [3, 4],
    [5, 2],
    [7, 4],
  ] as const);
  const address = random.pick([0, 1, 0x10, 0xffff, 0xffff_ffff]) % 2 ** (8 * width);
  return srecLine(type, address, width, pattern(random.between(0, 20), random.between(0, 99)));
}

function anyDumpLine(random: Random): string {
  const address = random.pick([
    '1000',
    '0x1008',
    '00001010',
    '000ffffffffffff8',
    'ffffffffffffffff',
    '0000000',
    '0000020',
  ]);
  const words = random.pick([
    '01 02',
    '0102 0304',
    '00000001',
    '0x0000000000000001',
    '4142  AB',
    '4142  BA',
    '',
  ]);
  return random.pick([
    `${address}: ${words}\n`,
    `${address} ${words}\n`,
    `${address}\n`,
    '*\n',
    `> ${address}:\t${words}\n`,
    '\n',
  ]);
}
