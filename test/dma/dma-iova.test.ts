/** IOVAs first, memory later: ranges that pieces of memory are linked into, as dma_iova_link does. */
import { describe, expect, test } from 'vitest';
import { IommuError } from '../../src/index.ts';
import { walk } from '../support/machine.ts';
import { device } from './device.ts';

const READ = { direction: 'to-device' } as const;
const A = 0x8_8000_0000n;
const B = 0x9_0000_0000n;

function refused(run: () => unknown): IommuError {
  try {
    run();
  } catch (error) {
    if (error instanceof IommuError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('a range of IOVAs', () => {
  test('has memory linked into it piece by piece, in any order', () => {
    const m = device(4, { iova: 'linux' });
    const range = m.dma.allocateIova(0n, 0x3000n);
    expect([range.address, range.size]).toEqual([0xf_ffff_c000n, 0x3000n]);
    range.link(B, 0x2000n, 0x800n, READ);
    range.link(A, 0n, 0x2000n, READ);
    const at = (offset: bigint) => walk(m.walker, range.address + offset)?.pa;
    expect([at(0n), at(0x1fffn), at(0x2000n)]).toEqual([A, A + 0x1fffn, B]);
    expect(range.linkedBytes).toBe(0x3000n);
    expect(range.unlink(0x1000n, 0x1000n)).toBe(0x1000n);
    expect([at(0n), at(0x1000n), at(0x2000n)]).toEqual([A, undefined, B]);
    expect(range.destroy()).toBe(0x2000n);
    expect([at(0n), at(0x2000n), m.dma.allocator.bytesAllocated]).toEqual([undefined, undefined, 0n]);
  });

  test('begins as deep in its page as the memory that is named', () => {
    const m = device(4);
    const range = m.dma.allocateIova(A + 0x234n, 0x1000n);
    expect(range.address).toBe(0xf_ffff_e234n);
    range.link(A + 0x234n, 0n, 0x1000n, READ);
    expect(range.linkedBytes).toBe(0x2000n);
    expect(walk(m.walker, range.address)?.pa).toBe(A + 0x234n);
    expect(range.unlink(0n, 0x1000n)).toBe(0x2000n);
    range.free();
    expect(m.dma.allocator.bytesAllocated).toBe(0n);
  });

  test('keeps to the limits of its device, and is not among its mappings', () => {
    const m = device(4, { limit: 0xbfff_ffffn });
    expect(m.dma.allocateIova(0n, 0x1000n).address).toBe(0xbfff_f000n);
    expect(m.dma.mappings()).toEqual([]);
  });

  test.each<[string, (m: ReturnType<typeof device>) => unknown, string, RegExp]>([
    ['no bytes', (m) => m.dma.allocateIova(0n, 0n), 'EINVAL', /size must be at least one byte/],
    ['no room', (m) => m.dma.allocateIova(0n, 1n << 36n), 'ENOMEM', /no free IOVA range/],
    [
      'a piece beyond its end',
      (m) => m.dma.allocateIova(0n, 0x1000n).link(A, 0x800n, 0x801n, READ),
      'EINVAL',
      /inside the range/,
    ],
    [
      'a piece that begins inside a page',
      (m) => m.dma.allocateIova(0n, 0x2000n).link(A + 8n, 0x1000n, 8n, READ),
      'EINVAL',
      /begins 0x8 bytes into a page/,
    ],
    [
      'memory beyond the output size',
      (m) => m.dma.allocateIova(0n, 0x1000n).link(0x100_0000_0000n, 0n, 0x1000n, READ),
      'ERANGE',
      /./,
    ],
  ])('is refused %s', (_, run, code, message) => {
    const error = refused(() => run(device(4)));
    expect([error.code, error.message]).toEqual([code, expect.stringMatching(message)]);
  });

  test('is not linked twice, not freed while linked, and given back once', () => {
    const m = device(4);
    const range = m.dma.allocateIova(0n, 0x2000n);
    range.link(A, 0n, 0x1000n, READ);
    expect(refused(() => range.link(B, 0n, 0x1000n, READ)).code).toBe('EEXIST');
    expect(walk(m.walker, range.address)?.pa).toBe(A);
    expect(refused(() => range.free()).message).toMatch(/0x1000 bytes are linked .* unlink them first/);
    range.destroy();
    for (const again of [() => range.free(), () => range.destroy(), () => range.link(A, 0n, 1n, READ)]) {
      expect(refused(again).message).toMatch(/was given back/);
    }
  });
});
