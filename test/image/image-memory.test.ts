/** `imageMemory`: segments of several files as one memory, read when it is looked at. */
import { describe, expect, test } from 'vitest';
import { type ImageSegment, imageMemory, type MemoryImage, openImage } from '../../src/image/index.ts';
import { EXTERNAL_ABORT } from '../../src/memory/index.ts';
import { imageError } from './thrown.ts';
import { limeFile, pattern, sourceOf } from './writers.ts';

interface Counted extends ImageSegment {
  reads: [number, number][];
}

function segment(base: bigint, data: Uint8Array): Counted {
  const reads: [number, number][] = [];
  return {
    base,
    size: BigInt(data.length),
    reads,
    read(offset, into) {
      reads.push([offset, into.length]);
      into.set(data.subarray(offset, offset + into.length));
    },
  };
}

function image(segments: readonly ImageSegment[], source = 'ram'): MemoryImage {
  return { source, format: 'raw', segments, notes: [] };
}

const word = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

describe('imageMemory', () => {
  test('shows what segments hold, and nothing elsewhere', () => {
    const memory = imageMemory([
      image([segment(0x1000n, word('8877665544332211')), segment(0x4000n, word('01000000 02000000'))]),
    ]);
    expect(memory.read64(0x1000n)).toBe(0x1122334455667788n);
    expect(memory.read64(0x4000n)).toBe(0x2_0000_0001n);
    expect([0xff8n, 0x1008n, 0x3ff8n, 0x4008n].map((pa) => memory.read64(pa))).toEqual(
      Array(4).fill(EXTERNAL_ABORT),
    );
    expect(memory.regions.map(({ base, size }) => [base, size])).toEqual([
      [0x1000n, 8n],
      [0x4000n, 8n],
    ]);
  });

  test('joins segments that touch, of several images in any order', () => {
    const memory = imageMemory([
      image([segment(0x1008n, word('02000000 00000000'))], 'b'),
      image([segment(0x1000n, word('01000000 00000000'))], 'a'),
    ]);
    expect(memory.regions.map(({ base, size }) => [base, size])).toEqual([[0x1000n, 0x10n]]);
    expect([memory.read64(0x1000n), memory.read64(0x1008n)]).toEqual([1n, 2n]);
  });

  test('fills up words of 8 bytes with zeros where segments start or end within them', () => {
    const memory = imageMemory([
      image([segment(0x1003n, word('aabb')), segment(0x1007n, word('cc')), segment(0x1009n, word('dd'))]),
    ]);
    expect(memory.regions.map(({ base, end }) => [base, end])).toEqual([
      [0x1000n, 0x1008],
      [0x1008n, 0x1010],
    ]);
    expect(memory.read64(0x1000n)).toBe(0xcc0000bb_aa000000n);
    expect(memory.read64(0x1008n)).toBe(0xdd00n);
  });

  test.each([
    ['beginning inside', 0x1008n],
    ['the same', 0x1000n],
    ['its last byte', 0x100fn],
  ])('refuses an overlap: %s', (_, base) => {
    const error = imageError(() =>
      imageMemory([image([segment(0x1000n, pattern(16))], 'a'), image([segment(base, pattern(16))], 'b')]),
    );
    expect(error.message).toBe(`b: memory from 0x${base.toString(16)} on overlaps [0x1000, 0x1010) of a`);
    expect(error.hint).toContain('FILE@BASE');
  });

  test.each([
    ['nothing', 0x1000n, 0n],
    ['beyond 2^52', (1n << 52n) - 8n, 16n],
    ['below 0', -8n, 8n],
  ])('refuses %s', (_, base, size) => {
    const one = { base, size, read: () => {} };
    expect(imageError(() => imageMemory([image([one])])).message).toContain(
      'is empty, or beyond the 52 bits',
    );
  });

  test('refuses images without segments', () => {
    expect(imageError(() => imageMemory([image([])])).message).toBe('ram: holds no memory at all');
    expect(imageError(() => imageMemory([])).message).toBe('image: holds no memory at all');
  });

  test('takes what reaches up to 2^52', () => {
    const memory = imageMemory([image([segment((1n << 52n) - 8n, word('0100000000000000'))])]);
    expect(memory.read64((1n << 52n) - 8n)).toBe(1n);
  });

  test('reads nothing before it is looked at, then 64 KiB once, and never beyond a segment', () => {
    const big = segment(0x1_8000n, pattern(0x4_0000));
    const memory = imageMemory([image([big])]);
    expect(big.reads).toEqual([]);
    memory.read64(0x1_8000n);
    memory.read64(0x1_fff8n);
    expect(big.reads).toEqual([[0, 0x8000]]);
    memory.read64(0x2_0000n);
    memory.read64(0x5_7ff8n);
    expect(big.reads).toEqual([
      [0, 0x8000],
      [0x8000, 0x1_0000],
      [0x3_8000, 0x8000],
    ]);
  });

  test('drops chunks that were only read, and keeps what was written', () => {
    const size = 0x1_0000 * 600;
    const reads: number[] = [];
    const zeros: ImageSegment = { base: 0n, size: BigInt(size), read: (offset) => reads.push(offset) };
    const memory = imageMemory([image([zeros])]);
    memory.write64(0x1_0000n, 0x1234n);
    for (let chunk = 0; chunk < 600; chunk++) memory.read64(BigInt(chunk * 0x1_0000));
    expect(reads).toHaveLength(600);
    expect(memory.hostBytes).toBe(0x1_0000 * 513);
    expect(memory.read64(0x1_0000n)).toBe(0x1234n);
    memory.read64(0n);
    expect(reads).toHaveLength(601);
    expect(reads.filter((offset) => offset === 0x1_0000)).toHaveLength(1);
  });

  test('takes thousands of segments, in regions and within one', () => {
    const apart = Array.from({ length: 5000 }, (_, i) =>
      segment(BigInt(i) * 0x3000n, word(`${(i & 0xff).toString(16).padStart(2, '0')}00000000000000`)),
    );
    const touching = Array.from({ length: 5000 }, (_, i) =>
      segment(0x1_0000_0000n + BigInt(i) * 0x10n, pattern(16, i)),
    );
    const memory = imageMemory([image([...apart, ...touching])]);
    expect(memory.regions).toHaveLength(5001);
    for (const i of [0, 1, 77, 4998, 4999]) expect(memory.read64(BigInt(i) * 0x3000n)).toBe(BigInt(i & 0xff));
    const expected = pattern(16, 4321).reduce(
      (sum, byte, i) => (i < 8 ? sum | (BigInt(byte) << BigInt(8 * i)) : sum),
      0n,
    );
    expect(memory.read64(0x1_0000_0000n + 4321n * 0x10n)).toBe(expected);
  });

  test('holds the bytes that the file and its reader give', () => {
    const file = limeFile([{ first: 0x8000_0000n, data: word('efcdab8967452301') }]);
    expect(imageMemory([openImage(sourceOf(file))]).read64(0x8000_0000n)).toBe(0x0123456789abcdefn);
  });
});
