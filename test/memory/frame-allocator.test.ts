/** The frame allocator: alignment, zeroed frames, limits, ordered failures, and what it says of itself. */
import { describe, expect, test } from 'vitest';
import { FrameAllocator, MemoryError, PhysicalMemory } from '../../src/memory/index.ts';

const BASE = 0x8000_0000n;
const make = (options: ConstructorParameters<typeof FrameAllocator>[1] = {}, size = 1n << 20n) => {
  const memory = new PhysicalMemory({ base: BASE, size });
  return { memory, allocator: new FrameAllocator(memory, options) };
};

describe('frames', () => {
  test.each([64, 128, 4096, 0x4000, 0x1_0000])('of %i bytes are aligned to their size', (bytes) => {
    const { allocator } = make();
    allocator.allocate(64);
    for (let i = 0; i < 4; i++) {
      const pa = allocator.allocate(bytes)!;
      expect(pa % bytes).toBe(0);
      expect(pa).toBeGreaterThanOrEqual(Number(BASE));
    }
  });

  test('take the next power of two, and 64 bytes at least', () => {
    const { allocator } = make();
    for (const bytes of [1, 16, 64, 65, 4097]) allocator.allocate(bytes);
    expect(
      allocator
        .allocated()
        .map(({ bytes }) => bytes)
        .sort((a, b) => a - b),
    ).toEqual([64, 64, 64, 128, 8192]);
    expect(allocator.bytesAllocated).toBe(3 * 64 + 128 + 8192);
  });

  test('are aligned by address, not by their place in an odd region', () => {
    const memory = new PhysicalMemory({ base: 0x8000_0008n, size: 0x4_0000n });
    const allocator = new FrameAllocator(memory);
    expect([4096, 64, 0x1_0000, 64].map((bytes) => allocator.allocate(bytes))).toEqual([
      0x8000_1000, 0x8000_0040, 0x8001_0000, 0x8000_0080,
    ]);
  });

  test('come at the same addresses in every run', () => {
    const addresses = () => {
      const { allocator } = make();
      const first = [4096, 64, 0x4000, 4096, 256].map((bytes) => allocator.allocate(bytes)!);
      for (const at of [3, 0, 2]) allocator.free(first[at]!);
      return [...first, ...[4096, 4096, 64, 0x2000].map((bytes) => allocator.allocate(bytes))];
    };
    expect(addresses()).toEqual(addresses());
  });

  test('are zeroed, whatever was in them before', () => {
    const { memory, allocator } = make();
    const pa = allocator.allocate(4096)!;
    for (let at = 0; at < 4096; at += 8) memory.write64(BigInt(pa + at), ~0n);
    allocator.free(pa);
    expect(allocator.allocate(4096)).toBe(pa);
    for (let at = 0; at < 4096; at += 8) expect(memory.read64(BigInt(pa + at))).toBe(0n);
  });

  test('of a fresh region are zeroed too, and what lies beside them is left alone', () => {
    const buffer = new ArrayBuffer(0x4000);
    new Uint8Array(buffer).fill(0xff);
    const memory = new PhysicalMemory({ base: 0n, buffer });
    const pa = new FrameAllocator(memory, { base: 0x1000n }).allocate(0x1000)!;
    expect(pa).toBe(0x1000);
    expect([0xff8n, 0x1000n, 0x1ff8n, 0x2000n].map((at) => memory.read64(at))).toEqual([
      0xffff_ffff_ffff_ffffn,
      0n,
      0n,
      0xffff_ffff_ffff_ffffn,
    ]);
  });

  test('do not make the host pay before something is written to them', () => {
    const { memory, allocator } = make({}, 1n << 40n);
    for (let i = 0; i < 1000; i++) allocator.allocate(0x1_0000);
    expect(memory.hostBytes).toBe(0);
  });

  test('end where the range ends', () => {
    const { allocator } = make({ base: BASE + 0x1000n, size: 0x3000n });
    const frames = Array.from({ length: 4 }, () => allocator.allocate(4096));
    expect(frames).toEqual([0x8000_1000, 0x8000_2000, 0x8000_3000, undefined]);
    allocator.free(0x8000_2000);
    expect(allocator.allocate(8192)).toBeUndefined();
    expect(allocator.allocate(4096)).toBe(0x8000_2000);
  });
});

describe('a limit', () => {
  test('bounds the bytes in use at one time', () => {
    const { allocator } = make({ limit: 0x3000n });
    const first = allocator.allocate(4096)!;
    allocator.allocate(4096);
    expect(allocator.allocate(8192)).toBeUndefined();
    expect(allocator.allocate(4096)).toBeTypeOf('number');
    expect(allocator.allocate(64)).toBeUndefined();
    expect(allocator.bytesAllocated).toBe(0x3000);
    allocator.free(first);
    expect(allocator.allocate(4096)).toBeTypeOf('number');
  });

  test('of 0 leaves nothing', () => {
    expect(make({ limit: 0n }).allocator.allocate(64)).toBeUndefined();
  });
});

describe('failAt', () => {
  test('makes one allocation fail, the nth from now', () => {
    const { allocator } = make();
    allocator.failAt(3);
    const results = Array.from({ length: 5 }, () => allocator.allocate(4096) !== undefined);
    expect(results).toEqual([true, true, false, true, true]);
    expect(allocator.frameCount).toBe(4);
    allocator.failAt(1);
    expect(allocator.allocate(4096)).toBeUndefined();
    expect(allocator.allocate(4096)).toBeTypeOf('number');
  });

  test('0 takes the order back', () => {
    const { allocator } = make();
    allocator.failAt(1);
    allocator.failAt(0);
    expect(allocator.allocate(4096)).toBeTypeOf('number');
  });
});

describe('allocated()', () => {
  test('lists every frame in use by address, and nothing that was freed', () => {
    const { allocator } = make();
    const [a, b, c] = [64, 0x4000, 4096].map((bytes) => allocator.allocate(bytes)!);
    const frames = () => allocator.allocated();
    expect(frames()).toEqual([
      { pa: BigInt(a!), bytes: 64 },
      { pa: BigInt(c!), bytes: 4096 },
      { pa: BigInt(b!), bytes: 0x4000 },
    ]);
    allocator.free(b!);
    expect(frames().map(({ pa }) => Number(pa))).toEqual([a, c]);
    expect(allocator.frameCount).toBe(2);
    expect(allocator.bytesAllocated).toBe(64 + 4096);
  });
});

describe('an error', () => {
  test('answers a frame that is freed twice', () => {
    const { allocator } = make();
    const pa = allocator.allocate(4096)!;
    allocator.free(pa);
    expect(() => allocator.free(pa)).toThrow(MemoryError);
    expect(() => allocator.free(pa)).toThrow(`0x${pa.toString(16)} is not an allocated frame`);
    expect(allocator.bytesAllocated).toBe(0);
  });

  test('answers an address inside a frame, or one that was never handed out', () => {
    const { allocator } = make();
    const pa = allocator.allocate(4096)!;
    for (const wrong of [pa + 64, pa + 4096, 0]) expect(() => allocator.free(wrong)).toThrow(MemoryError);
    expect(allocator.frameCount).toBe(1);
  });

  test.each([
    ['before the region', { base: BASE - 0x1000n }],
    ['beyond the region', { base: BASE, size: (1n << 20n) + 8n }],
    ['beyond 52 bits', { base: 1n << 52n }],
    ['below 0', { base: -4096n }],
    ['empty', { base: BASE, size: 0n }],
    ['of negative size', { base: BASE, size: -4096n }],
  ])('answers a range %s', (_, options) => {
    expect(() => make(options)).toThrow(MemoryError);
    expect(() => make(options)).toThrow(/must lie inside one RAM region/);
  });
});

describe('allocators of one memory', () => {
  const memory = () => new PhysicalMemory({ base: 0x8000_0000n, size: 1n << 20n });

  test('of() is the same at every call, and another for another memory', () => {
    const ram = memory();
    expect(FrameAllocator.of(ram)).toBe(FrameAllocator.of(ram));
    expect(FrameAllocator.of(memory())).not.toBe(FrameAllocator.of(ram));
  });

  test('that overlap refuse to hand out what the other has in use', () => {
    const ram = memory();
    const [one, other] = [new FrameAllocator(ram), new FrameAllocator(ram)];
    const frame = one.allocate(4096)!;
    expect(() => other.allocate(4096)).toThrow(/another allocator has frames in use/);
    one.free(frame);
    expect(other.allocate(4096)).toBe(frame);
  });

  test('with ranges of their own do not disturb each other', () => {
    const ram = memory();
    const low = new FrameAllocator(ram, { size: 0x8_0000n });
    const high = new FrameAllocator(ram, { base: 0x8008_0000n });
    expect([low.allocate(4096), high.allocate(4096)]).toEqual([0x8000_0000, 0x8008_0000]);
  });

  test('a frame within reach is found behind smaller ones that are not', () => {
    const ram = new PhysicalMemory({ base: 2n ** 48n - 2n ** 20n, size: 2n ** 20n + 0x1000n });
    const allocator = new FrameAllocator(ram);
    expect(allocator.allocate(4096, 2 ** 48)).toBe(2 ** 48 - 2 ** 20);
    expect(allocator.allocate(4096)).toBe(2 ** 48);
    expect(allocator.allocate(0x10_0000, 2 ** 48)).toBeUndefined();
  });

  test.each([0, -5, Number.NaN, 2 ** 53])('a frame of %d bytes is refused', (bytes) => {
    expect(() => new FrameAllocator(memory()).allocate(bytes)).toThrow(/a frame must have 1 to 2\^52 bytes/);
  });
});
