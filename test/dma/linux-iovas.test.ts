/** Linux's IOVA allocator by example: hints, caches, magazines, limits, and what it refuses. */
import { describe, expect, test } from 'vitest';
import { LinuxIovaAllocator, type LinuxIovaAllocatorOptions } from '../../src/dma/index.ts';
import { IommuError } from '../../src/index.ts';

const K4 = 0x1000n;
const iovas = (options: Partial<LinuxIovaAllocatorOptions> = {}) =>
  new LinuxIovaAllocator({ granule: K4, base: 0n, limit: 0xf_ffff_ffffn, ...options });

function refused(run: () => unknown): IommuError {
  try {
    run();
  } catch (error) {
    if (error instanceof IommuError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('the tree', () => {
  test('goes on below what it handed out last, and not back to a gap above it', () => {
    const tree = iovas({ policy: 'tree' });
    const limit = 0xffff_ffffn;
    expect(tree.allocate(K4, { limit })).toBe(0xffff_f000n);
    expect(tree.allocate(0x1_0000n, { limit })).toBe(0xfffe_0000n);
    // 0xffff_0000 to 0xffff_efff is free, but lies above.
    expect(tree.allocate(K4, { limit })).toBe(0xfffd_f000n);
  });

  test('turns to what lies above when nothing is left below', () => {
    const tree = iovas({ policy: 'tree', base: 0xfffe_0000n, limit: 0xffff_ffffn });
    expect(tree.allocate(K4)).toBe(0xffff_f000n);
    expect(tree.allocate(0x1_0000n)).toBe(0xfffe_0000n);
    expect(tree.allocate(K4)).toBe(0xffff_e000n);
  });

  test('goes on from a range that is freed above', () => {
    const tree = iovas({ policy: 'tree' });
    const limit = 0xffff_ffffn;
    const first = tree.allocate(K4, { limit });
    tree.allocate(0x1_0000n, { limit });
    tree.free(first);
    expect(tree.allocate(K4, { limit })).toBe(0xffff_f000n);
  });

  test('remembers a failure below 4 GiB for every request of that size, until something there is freed', () => {
    const tree = iovas({ policy: 'tree', base: 0xff00_0000n });
    const first = tree.allocate(0x80_0000n, { limit: 0xffff_ffffn });
    expect(refused(() => tree.allocate(0x80_0000n, { limit: 0xff7f_efffn })).code).toBe('ENOMEM');
    // There is room, but Linux does not look.
    expect(refused(() => tree.allocate(0x80_0000n, { limit: 0xffff_ffffn })).code).toBe('ENOMEM');
    expect(tree.allocate(0x80_0000n)).toBe(0xf_ff80_0000n);
    tree.free(first);
    expect(tree.allocate(0x80_0000n, { limit: 0xffff_ffffn })).toBe(0xff80_0000n);
  });

  test('hands out exact sizes', () => {
    const tree = iovas({ policy: 'tree' });
    tree.allocate(0x3000n);
    expect(tree.bytesAllocated).toBe(0x3000n);
  });
});

describe('the caches', () => {
  test('give back what was freed last, and only for the same power of two', () => {
    const cached = iovas();
    const [a, b] = [cached.allocate(0x3000n), cached.allocate(0x4000n)];
    expect(cached.bytesAllocated).toBe(0x8000n);
    cached.free(a);
    cached.free(b);
    expect(cached.cached()).toEqual([
      { iova: b, size: 0x4000n },
      { iova: a, size: 0x4000n },
    ]);
    expect(cached.allocate(K4)).not.toBe(b);
    expect([cached.allocate(0x4000n), cached.allocate(0x3000n)]).toEqual([b, a]);
  });

  test('pass over what lies above the limit', () => {
    const cached = iovas();
    const low = cached.allocate(K4, { limit: 0xffff_ffffn });
    const high = cached.allocate(K4);
    cached.free(low);
    cached.free(high);
    expect(cached.allocate(K4, { limit: 0xffff_ffffn })).toBe(low);
    expect(cached.allocate(K4)).toBe(high);
  });

  test('hold up to 32 granules', () => {
    const cached = iovas();
    cached.free(cached.allocate(0x2_0000n));
    cached.free(cached.allocate(0x2_1000n));
    expect(cached.cached().map(({ size }) => size)).toEqual([0x2_0000n]);
  });

  test('are given up when nothing else is left, unless they are to be kept', () => {
    const cached = iovas({ base: K4, limit: 0x1_ffffn });
    const pages = Array.from({ length: 31 }, () => cached.allocate(K4));
    for (const page of pages) cached.free(page);
    expect(refused(() => cached.allocate(0x1_0000n, { keepCaches: true })).code).toBe('ENOMEM');
    expect(cached.cached().length).toBe(31);
    expect(cached.allocate(0x1_0000n)).toBe(0x1_0000n);
    expect(cached.cached()).toEqual([]);
  });

  test('are magazines of 127: two at hand, full ones put aside', () => {
    const cached = iovas();
    const pages = Array.from({ length: 300 }, () => cached.allocate(K4));
    for (const page of pages) cached.free(page);
    const order = Array.from({ length: 300 }, () => pages.indexOf(cached.allocate(K4)));
    const down = (from: number, to: number) => Array.from({ length: from - to + 1 }, (_, i) => from - i);
    expect(order).toEqual([...down(299, 254), ...down(126, 0), ...down(253, 127)]);
  });

  test('go by the size that is said when freeing', () => {
    const cached = iovas();
    const range = cached.allocate(0x4000n);
    cached.free(range, K4);
    expect(cached.allocate(K4)).toBe(range);
    expect(cached.allocated()).toEqual([{ iova: range, size: 0x4000n }]);
  });
});

describe('an allocator', () => {
  test('never hands out the granule at 0, and counts a limit as its whole granule', () => {
    const tree = iovas({ policy: 'tree', limit: 0x2fffn });
    expect([tree.base, tree.limit]).toEqual([K4, 0x2fffn]);
    expect(tree.allocate(K4, { limit: 0x1234n })).toBe(0x1000n);
    expect(refused(() => tree.allocate(K4, { limit: 0xfffn })).code).toBe('ENOMEM');
  });

  test('reserves in whole granules, what overlaps once', () => {
    const tree = iovas({
      limit: 0xffffn,
      reserved: [
        { iova: 0xf800n, size: 1n },
        { iova: 0xefffn, size: 0x900n },
        { iova: 0x1_0000n, size: 0x1000n },
        { iova: 0n, size: 0x1800n },
      ],
    });
    expect(tree.available()).toEqual([{ iova: 0x2000n, size: 0xc000n }]);
    expect(tree.bytesReserved).toBe(0x3000n);
    expect(tree.allocate(K4)).toBe(0xd000n);
  });

  const cases: [string, () => unknown, string, RegExp][] = [
    ['a granule below 4 KiB', () => iovas({ granule: 0x800n }), 'EINVAL', /granule must be at least 0x1000/],
    [
      'a policy that is none',
      () => iovas({ policy: 'highest' as never }),
      'EINVAL',
      /policy must be linux or tree/,
    ],
    [
      'no granule above 0',
      () => iovas({ limit: 0xfffn }),
      'EINVAL',
      /holds no whole granule of 0x1000 bytes above 0/,
    ],
    ['a size of 0', () => iovas().allocate(0n), 'EINVAL', /size must be at least one byte/],
    [
      'more alignment',
      () => iovas().allocate(K4, { alignment: 0x2000n }),
      'EINVAL',
      /knows no other alignment; policy highest does/,
    ],
    [
      'a boundary below the size',
      () => iovas().allocate(0x2000n, { boundary: K4 }),
      'EINVAL',
      /knows no other boundary/,
    ],
    [
      'no room',
      () => iovas({ limit: 0xffffn }).allocate(0x1_0000n),
      'ENOMEM',
      /no IOVA range of 0x10000 bytes, aligned to 0x10000, was found in \[0x1000, 0xffff\]/,
    ],
    [
      'an address that is not in use',
      () => iovas().free(0x5000n),
      'EINVAL',
      /0x5000 is not the first address of a range in use/,
    ],
    ['an empty reservation', () => iovas().reserve({ iova: 0x5000n, size: 0n }), 'EINVAL', /is empty/],
  ];
  test.each(cases)('refuses %s', (_, run, code, message) => {
    const error = refused(run);
    expect([error.code, error.message]).toEqual([code, expect.stringMatching(message)]);
  });

  test('refuses to free twice, and to reserve what is handed out or cached', () => {
    const cached = iovas();
    const page = cached.allocate(K4);
    expect(refused(() => cached.reserve({ iova: page + 5n, size: 1n })).code).toBe('EEXIST');
    cached.free(page);
    expect(refused(() => cached.free(page)).code).toBe('EINVAL');
    expect(refused(() => cached.reserve({ iova: page, size: K4 })).code).toBe('EEXIST');
    cached.flush();
    cached.reserve({ iova: page, size: K4 });
    expect(cached.allocate(K4)).toBe(page - K4);
  });
});
