import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LineRegion } from '../../src/gdb/line-region.ts';
import { EXTERNAL_ABORT, PhysicalMemory } from '../../src/memory/index.ts';

describe('memory that is read in lines', () => {
  test('asks for a line once, and for nothing beyond the region', () => {
    const asked: [number, number][] = [];
    const region = new LineRegion({
      base: 0x1200n,
      size: 0x700n,
      read: (pa, length) => {
        asked.push([pa, length]);
        return new Uint8Array(length).fill(pa >>> 8);
      },
    });
    const memory = new PhysicalMemory([region]);
    expect(memory.isSteady).toBe(false);
    expect(memory.read32(0x1208n)).toBe(0x1212_1212);
    expect(memory.read64(0x13f8n)).toBe(0x1212_1212_1212_1212n);
    expect(memory.read32(0x18fcn)).toBe(0x1818_1818);
    expect(memory.read32(0x11f8n)).toBe(EXTERNAL_ABORT);
    expect(memory.read32(0x1900n)).toBe(EXTERNAL_ABORT);
    expect(asked).toEqual([
      [0x1200, 0x200],
      [0x1800, 0x100],
    ]);
    expect(memory.hostBytes).toBe(0x800);
  });

  test('has holes where less comes than was asked for: an external abort', () => {
    const region = new LineRegion({
      base: 0n,
      size: 1n << 52n,
      read: (pa, length) => (pa === 0x1000 ? new Uint8Array(0x14) : new Uint8Array(pa === 0 ? length : 0)),
    });
    const memory = new PhysicalMemory([region]);
    expect(memory.read64(0x3f8n)).toBe(0n);
    expect(memory.read64(0x400n)).toBe(EXTERNAL_ABORT);
    expect(memory.read64(0x1008n)).toBe(0n);
    // Half of a descriptor is none.
    expect(memory.read64(0x1010n)).toBe(EXTERNAL_ABORT);
    expect(memory.read64((1n << 52n) - 8n)).toBe(EXTERNAL_ABORT);
    expect(region.contains(0x3f0, 0x20)).toBe(false);
    expect(region.contains(0x3e0, 0x20)).toBe(true);
  });

  test('keeps what is written, and never gives it to the machine', () => {
    const machine = new Uint8Array(0x1000).fill(7);
    const region = new LineRegion({ base: 0n, size: 0x1000n, read: (pa, n) => machine.subarray(pa, pa + n) });
    const memory = new PhysicalMemory([region]);
    memory.write64(0x10n, 0x1234n);
    region.clear(0x3f8, 16);
    expect(memory.read64(0x10n)).toBe(0x1234n);
    expect(memory.read64(0x8n)).toBe(0x0707_0707_0707_0707n);
    expect([0x3f0n, 0x3f8n, 0x400n, 0x408n].map((pa) => memory.read64(pa))).toEqual([
      0x0707_0707_0707_0707n,
      0n,
      0n,
      0x0707_0707_0707_0707n,
    ]);
    expect(machine.every((byte) => byte === 7)).toBe(true);
  });

  test('is what the machine has, wherever its holes and its edges are', () => {
    const page = fc.integer({ min: 0, max: 40 }).map((n) => n * 0x100);
    fc.assert(
      fc.property(page, page, fc.uniqueArray(page, { maxLength: 6 }), page, (start, size, holes, shift) => {
        // What can be read: all but the holes, each 0x100 bytes long.
        const readable = (pa: number) => !holes.includes(pa - (pa % 0x100));
        const read = (pa: number, length: number) => {
          let n = 0;
          while (n < length && readable(pa + n)) n++;
          return Uint8Array.from({ length: n }, (_, i) => (pa + i) * 31 + shift);
        };
        const region = new LineRegion({ base: BigInt(start), size: BigInt(size + 0x100), read });
        const memory = new PhysicalMemory([region]);
        for (let pa = 0; pa < 0x5200; pa += 0x58) {
          const at = pa - (pa % 8);
          const line = at - (at % 0x400);
          const inside = at >= start && at + 8 <= start + size + 0x100;
          // A line is read up to its first hole.
          const reached = read(Math.max(line, start), at + 8 - Math.max(line, start));
          const whole = inside && reached.length === at + 8 - Math.max(line, start);
          expect(memory.read64(BigInt(at))).toBe(
            whole ? new DataView(reached.slice(-8).buffer).getBigUint64(0, true) : EXTERNAL_ABORT,
          );
        }
      }),
      { numRuns: 50 },
    );
  });
});
