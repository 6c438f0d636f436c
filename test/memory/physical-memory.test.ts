/** RAM regions: where they may lie, what they answer inside and outside, and what they cost the host. */
import { describe, expect, test } from 'vitest';
import {
  EXTERNAL_ABORT,
  FrameAllocator,
  MemoryError,
  PhysicalMemory,
  type RegionOptions,
} from '../../src/memory/index.ts';

const KIB = 1n << 10n;
const GIB = 1n << 30n;

describe('a region', () => {
  test.each([
    ['at 0', 0n, 4n * KIB],
    ['at 2 GiB', 0x8000_0000n, GIB],
    ['across 4 GiB', 0xffff_f000n, 8n * KIB],
    ['above 4 GiB', 0x12_3456_7000n, 64n * KIB],
    ['across 48 bits', (1n << 48n) - 4n * KIB, 8n * KIB],
    ['up to the last byte of 52 bits', (1n << 52n) - GIB, GIB],
    ['of all 52 bits', 0n, 1n << 52n],
    ['that starts and ends in the middle of a page', 0x8000_0ff8n, 16n],
  ])('%s reads zero, keeps what is written, and ends where it says', (_, base, size) => {
    const memory = new PhysicalMemory({ base, size });
    const last = base + size - 8n;
    expect(memory.read64(base)).toBe(0n);
    memory.write64(base, 0x8877_6655_4433_2211n);
    memory.write64(last, 0xffff_0000_0123_4567n);
    expect(memory.read64(base)).toBe(0x8877_6655_4433_2211n);
    expect(memory.read64(last)).toBe(0xffff_0000_0123_4567n);
    expect(memory.read32(last + 4n)).toBe(0xffff_0000);
    expect(memory.read64(base + size)).toBe(EXTERNAL_ABORT);
    expect(memory.read32(base + size)).toBe(EXTERNAL_ABORT);
    if (base > 0n) expect(memory.read32(base - 4n)).toBe(EXTERNAL_ABORT);
  });

  test('is little-endian, by words of 64 and of 32 bits', () => {
    const buffer = new ArrayBuffer(16);
    const memory = new PhysicalMemory({ base: 0x1000n, buffer });
    memory.write64(0x1000n, 0x8877_6655_4433_2211n);
    memory.write32(0x1008n, 0xddcc_bbaa);
    expect([...new Uint8Array(buffer)]).toEqual([
      0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0xaa, 0xbb, 0xcc, 0xdd, 0, 0, 0, 0,
    ]);
    expect(memory.read32(0x1004n)).toBe(0x8877_6655);
    expect(memory.read64(0x1008n)).toBe(0xddcc_bbaan);
  });

  test('rounds the address of a read down to the word', () => {
    const memory = new PhysicalMemory({ base: 0n, size: 16n });
    memory.write64(8n, 0x1111_1111_2222_2222n);
    expect(memory.read64(15n)).toBe(0x1111_1111_2222_2222n);
    expect(memory.read32(15n)).toBe(0x1111_1111);
    expect(memory.read32(11n)).toBe(0x2222_2222);
  });

  test("over the caller's own buffer shows its bytes and changes them", () => {
    const buffer = new ArrayBuffer(4096);
    new DataView(buffer).setBigUint64(0x800, 0x4020_1003n, true);
    const memory = new PhysicalMemory({ base: 0xf_0000_0000_0000n, buffer });
    expect(memory.read64(0xf_0000_0000_0800n)).toBe(0x4020_1003n);
    memory.write64(0xf_0000_0000_0ff8n, 7n);
    expect(new DataView(buffer).getBigUint64(0xff8, true)).toBe(7n);
    expect(memory.read64(0xf_0000_0000_1000n)).toBe(EXTERNAL_ABORT);
    expect(memory.hostBytes).toBe(4096);
  });

  test('costs the host what is written, not its size', () => {
    const memory = new PhysicalMemory({ base: 0n, size: 1n << 40n });
    expect(memory.hostBytes).toBe(0);
    for (let pa = 0n; pa < 1n << 40n; pa += 1n << 36n) expect(memory.read64(pa)).toBe(0n);
    expect(memory.hostBytes).toBe(0);
    memory.write64(0n, 1n);
    const one = memory.hostBytes;
    expect(one).toBeGreaterThan(0);
    expect(one).toBeLessThanOrEqual(1 << 20);
    memory.write64(8n, 1n);
    expect(memory.hostBytes).toBe(one);
    memory.write64(1n << 39n, 1n);
    expect(memory.hostBytes).toBe(2 * one);
  });

  test('of the largest base is addressed exactly, word by word', () => {
    const base = (1n << 52n) - 0x2_0000n;
    const memory = new PhysicalMemory({ base, size: 0x2_0000n });
    for (let at = 0n; at < 0x2_0000n; at += 0x7ff8n) memory.write64(base + at, base + at);
    for (let at = 0n; at < 0x2_0000n; at += 0x7ff8n) expect(memory.read64(base + at)).toBe(base + at);
    expect(memory.read64(base + 8n)).toBe(0n);
  });
});

describe('outside RAM', () => {
  const memory = new PhysicalMemory({ base: 0x8000_0000n, size: GIB });

  test.each([
    0n,
    0x7fff_fff8n,
    0xc000_0000n,
    1n << 51n,
    1n << 52n,
    1n << 63n,
    (1n << 64n) - 8n,
    1n << 80n,
    -8n,
  ])('a read of %# gets an external abort', (pa) => {
    expect(memory.read64(pa)).toBe(EXTERNAL_ABORT);
    expect(memory.read32(pa)).toBe(EXTERNAL_ABORT);
  });

  test.each([0n, 0x7fff_fff8n, 0xc000_0000n, 1n << 52n, 1n << 64n, -8n])(
    'a write to %# is an error that names the address and the RAM there is',
    (pa) => {
      const write = () => memory.write64(pa, 1n);
      expect(write).toThrow(MemoryError);
      expect(write).toThrow(`no RAM at 0x${pa.toString(16)}`);
      expect(write).toThrow('[0x80000000, 0xc0000000)');
    },
  );

  test('an unaligned write is an error that names the alignment, and changes nothing', () => {
    expect(() => memory.write64(0x8000_0004n, 1n)).toThrow(/0x80000004 must be aligned to 8 bytes/);
    expect(() => memory.write32(0x8000_0002n, 1)).toThrow(/0x80000002 must be aligned to 4 bytes/);
    expect(memory.read64(0x8000_0000n)).toBe(0n);
  });

  test('a value keeps its low 64 bits', () => {
    memory.write64(0x8000_0010n, (1n << 64n) | 5n);
    expect(memory.read64(0x8000_0010n)).toBe(5n);
    memory.write64(0x8000_0010n, -1n);
    expect(memory.read64(0x8000_0010n)).toBe(0xffff_ffff_ffff_ffffn);
  });
});

describe('several regions', () => {
  test('are found by address, whatever their order, with holes between them', () => {
    const memory = new PhysicalMemory([
      { base: 0x8_0000_0000n, size: GIB },
      { base: 0x4000_0000n, buffer: new ArrayBuffer(0x1000) },
      { base: 0x4000_1000n, size: 0x1000n },
    ]);
    expect(memory.regions.map((region) => region.base)).toEqual([0x4000_0000n, 0x4000_1000n, 0x8_0000_0000n]);
    for (const pa of [0x4000_0ff8n, 0x4000_1000n, 0x8_3fff_fff8n]) {
      memory.write64(pa, pa);
      expect(memory.read64(pa)).toBe(pa);
    }
    expect(memory.read64(0x4000_2000n)).toBe(EXTERNAL_ABORT);
    expect(memory.regionAt(0x4000_0ff8, 8)?.base).toBe(0x4000_0000n);
    expect(memory.regionAt(0x4000_0ff8, 16)).toBeUndefined();
  });

  test.each<[string, RegionOptions[], RegExp]>([
    [
      'overlap by one word',
      [
        { base: 0x1000n, size: 0x1008n },
        { base: 0x2000n, size: 0x1000n },
      ],
      /RAM at 0x2000 overlaps the region at 0x1000, which ends at 0x2008/,
    ],
    [
      'lie inside another',
      [
        { base: 0x1800n, size: 8n },
        { base: 0x1000n, size: 0x1000n },
      ],
      /0x1800 overlaps/,
    ],
    [
      'are the same',
      [
        { base: 0n, size: 8n },
        { base: 0n, size: 8n },
      ],
      /overlaps/,
    ],
  ])('that %s are refused', (_, regions, message) => {
    expect(() => new PhysicalMemory(regions)).toThrow(message);
  });
});

describe('a region is refused', () => {
  test.each<[string, RegionOptions, RegExp]>([
    ['empty', { base: 0n, size: 0n }, /non-empty/],
    ['with a negative size', { base: 0n, size: -8n }, /non-empty/],
    ['below 0', { base: -8n, size: 16n }, /below 2\^52/],
    ['beyond 52 bits by one word', { base: (1n << 52n) - 8n, size: 16n }, /below 2\^52/],
    ['with an unaligned base', { base: 0x1004n, size: 8n }, /start and end on multiples of 8 bytes/],
    ['with an unaligned size', { base: 0x1000n, size: 12n }, /start and end on multiples of 8 bytes/],
    ['over an empty buffer', { base: 0n, buffer: new ArrayBuffer(0) }, /non-empty/],
    [
      'over a buffer of 12 bytes',
      { base: 0n, buffer: new ArrayBuffer(12) },
      /start and end on multiples of 8 bytes/,
    ],
  ])('%s', (_, options, message) => {
    expect(() => new PhysicalMemory(options)).toThrow(MemoryError);
    expect(() => new PhysicalMemory(options)).toThrow(message);
  });

  test('and so is a memory without regions', () => {
    expect(() => new PhysicalMemory([])).toThrow(/at least one RAM region/);
  });
});

describe('addresses and sizes as numbers', () => {
  const memory = new PhysicalMemory({ base: 0x8_0000_0000, size: 0x1000 });

  test('are the same addresses', () => {
    memory.write64(0x8_0000_0008, 0x1122_3344_5566_7788n);
    memory.write32(0x8_0000_0010, 0xdead_beef);
    expect(memory.read64(0x8_0000_0008n)).toBe(0x1122_3344_5566_7788n);
    expect(memory.read64(0x8_0000_000f)).toBe(0x1122_3344_5566_7788n);
    expect(memory.read32(0x8_0000_000e)).toBe(0x1122_3344);
    expect(memory.read32(0x8_0000_0010n)).toBe(0xdead_beef);
    const [{ base, size } = { base: 0n, size: 0n }] = memory.regions;
    expect([base, size]).toEqual([0x8_0000_0000n, 0x1000n]);
  });

  test('outside RAM, an access aborts or is refused', () => {
    for (const pa of [-1, 0, 0x8_0000_1000, 2 ** 52, Number.MAX_SAFE_INTEGER]) {
      expect([memory.read32(pa), memory.read64(pa)]).toEqual([EXTERNAL_ABORT, EXTERNAL_ABORT]);
    }
    expect(() => memory.write64(0x8_0000_1000, 0n)).toThrow(/no RAM at 0x800001000/);
    expect(() => memory.write64(0x8_0000_0004, 0n)).toThrow(/must be aligned to 8 bytes/);
    expect(() => memory.write32(0x8_0000_0002, 0)).toThrow(/must be aligned to 4 bytes/);
  });

  test.each([0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY])('%d is not exact', (pa) => {
    const wrong = /must be a bigint, or a whole number below 2\^53/;
    expect(() => memory.read32(pa)).toThrow(wrong);
    expect(() => memory.read64(pa)).toThrow(wrong);
    expect(() => memory.write32(pa, 0)).toThrow(wrong);
    expect(() => new PhysicalMemory({ base: pa, size: 8 })).toThrow(wrong);
    expect(() => new PhysicalMemory({ base: 0, size: pa })).toThrow(wrong);
    expect(() => new FrameAllocator(memory, { base: pa })).toThrow(wrong);
    expect(() => new FrameAllocator(memory, { size: pa })).toThrow(wrong);
    expect(() => new FrameAllocator(memory, { limit: pa })).toThrow(wrong);
  });

  test('say which frames to hand out', () => {
    const frames = new FrameAllocator(memory, { base: 0x8_0000_0400, size: 0x800, limit: 0x400 });
    expect([frames.allocate(0x400), frames.allocate(64)]).toEqual([0x8_0000_0400, undefined]);
  });
});
