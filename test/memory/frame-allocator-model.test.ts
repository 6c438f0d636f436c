/** The frame allocator against a list of intervals: random sequences never overlap, are always aligned, and lose nothing. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FrameAllocator, PhysicalMemory } from '../../src/memory/index.ts';

interface Frame {
  readonly pa: number;
  readonly bytes: number;
}

/** Allocate so many bytes, or free the frame at this place in the list. */
const operation = fc.oneof(
  fc.record({ allocate: fc.constantFrom(64, 128, 256, 1024, 4096, 4096, 4096, 8192, 0x4000, 0x1_0000) }),
  fc.record({ free: fc.nat() }),
);

/** A range of up to 128 KiB anywhere in a region, aligned to 8 bytes and no better. */
const range = fc.record({
  base: fc.nat({ max: 0x3fff }).map((n) => n * 8),
  size: fc.integer({ min: 8, max: 0x4000 }).map((n) => n * 8),
});

/** The stupid reference: is there any naturally aligned place of that size that no frame touches? */
function placeExists(frames: readonly Frame[], base: number, end: number, bytes: number): boolean {
  for (let pa = Math.ceil(base / bytes) * bytes; pa + bytes <= end; pa += bytes) {
    if (frames.every((frame) => pa + bytes <= frame.pa || frame.pa + frame.bytes <= pa)) return true;
  }
  return false;
}

const by = (a: Frame, b: Frame) => a.pa - b.pa;

describe('random allocations and frees', () => {
  test('never overlap, are always aligned and in range, and fail only where no place is left', () => {
    fc.assert(
      fc.property(range, fc.array(operation, { maxLength: 80 }), ({ base, size }, operations) => {
        const memory = new PhysicalMemory({ base: 0n, size: 1n << 20n });
        const allocator = new FrameAllocator(memory, { base: BigInt(base), size: BigInt(size) });
        const frames: Frame[] = [];
        for (const op of operations) {
          if ('free' in op) {
            const [frame] = frames.splice(op.free % Math.max(1, frames.length), 1);
            if (frame) allocator.free(frame.pa);
          } else {
            const bytes = op.allocate;
            const possible = placeExists(frames, base, base + size, bytes);
            const pa = allocator.allocate(bytes);
            expect(pa !== undefined).toBe(possible);
            if (pa === undefined) continue;
            expect(pa % bytes).toBe(0);
            expect(pa >= base && pa + bytes <= base + size).toBe(true);
            expect(frames.filter((f) => pa < f.pa + f.bytes && f.pa < pa + bytes)).toEqual([]);
            frames.push({ pa, bytes });
          }
          expect(allocator.allocated().map((f) => ({ pa: Number(f.pa), bytes: f.bytes }))).toEqual(
            [...frames].sort(by),
          );
          expect(allocator.bytesAllocated).toBe(frames.reduce((sum, f) => sum + f.bytes, 0));
        }
      }),
      { numRuns: 300 },
    );
  });

  test('leave an allocator as good as new when everything comes back', () => {
    fc.assert(
      fc.property(range, fc.array(operation, { maxLength: 40 }), ({ base, size }, operations) => {
        const memory = new PhysicalMemory({ base: 0n, size: 1n << 20n });
        const options = { base: BigInt(base), size: BigInt(size) };
        const used = new FrameAllocator(memory, options);
        for (const op of operations) if ('allocate' in op) used.allocate(op.allocate);
        for (const { pa } of used.allocated()) used.free(Number(pa));
        expect(used.frameCount).toBe(0);
        for (let bytes = 0x2_0000; bytes >= 64; bytes /= 2) {
          const fresh = new FrameAllocator(memory, options);
          const count = (allocator: FrameAllocator) => {
            const got: number[] = [];
            for (let pa = allocator.allocate(bytes); pa !== undefined; pa = allocator.allocate(bytes))
              got.push(pa);
            for (const pa of got) allocator.free(pa);
            return got.length;
          };
          expect(count(used)).toBe(count(fresh));
        }
      }),
      { numRuns: 40 },
    );
  });
});
