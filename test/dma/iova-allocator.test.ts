/** The IOVA allocator, case by case: places, rounding, reserved ranges, accounting, and what a refusal says. */
import { describe, expect, test } from 'vitest';
import { IovaAllocator, type IovaAllocatorOptions, type IovaRequest } from '../../src/dma/index.ts';
import { refused } from '../support/refused.ts';

const FIRST_4G: IovaAllocatorOptions = { granule: 0x1000n, base: 0x1000n, limit: 0xffff_ffffn };
const SMALL: IovaAllocatorOptions = { granule: 0x1000n, base: 0x1_0000n, limit: 0x1_ffffn };

function state(iovas: IovaAllocator) {
  return {
    allocated: iovas.allocated(),
    available: iovas.available(),
    bytes: [iovas.bytesAllocated, iovas.bytesReserved, iovas.bytesFree],
  };
}

describe('places', () => {
  const cases: [string, IovaAllocatorOptions, [bigint, bigint, IovaRequest?][]][] = [
    [
      'are the highest that are aligned to the power of two from the size on',
      FIRST_4G,
      [
        [0x1000n, 0xffff_f000n],
        [0x3000n, 0xffff_c000n],
        [0x1n, 0xffff_b000n],
        [0x1001n, 0xffff_8000n],
        [0x1_0000n, 0xfffe_0000n],
        [0x1000n, 0xffff_a000n],
      ],
    ],
    [
      'are aligned to no more than the cap',
      { ...FIRST_4G, maxAlignment: 0x2000n },
      [
        [0x1000n, 0xffff_f000n],
        [0x5000n, 0xffff_a000n],
        [0x1000n, 0xffff_9000n],
        [0x3000n, 0xffff_6000n],
      ],
    ],
    [
      'are never finer than the granule, whatever the cap',
      { ...FIRST_4G, granule: 0x1_0000n, base: 0x1_0000n, maxAlignment: 0x1000n },
      [
        [0x1n, 0xffff_0000n],
        [0x2_0000n, 0xfffd_0000n],
      ],
    ],
    [
      'keep to the limit of a request, and fill what it left',
      { ...FIRST_4G, limit: 0xff_ffff_ffffn },
      [
        [0x1000n, 0xffff_f000n, { limit: 0xffff_ffffn }],
        [0x1000n, 0xff_ffff_f000n],
        [0x2000n, 0xffff_c000n, { limit: 0xffff_ffffn }],
        [0x1000n, 0x7fff_e000n, { limit: 0x7fff_fffen }],
        [0x1000n, 0xff_ffff_e000n, { limit: 0xffff_ffff_ffff_ffffn }],
      ],
    ],
    [
      'are the lowest with bottom-up',
      { ...FIRST_4G, order: 'bottom-up' },
      [
        [0x1000n, 0x1000n],
        [0x3000n, 0x4000n],
        [0x2000n, 0x2000n],
        [0x1000n, 0x7000n],
      ],
    ],
    [
      'are aligned further on request',
      FIRST_4G,
      [
        [0x1000n, 0xffff_0000n, { alignment: 0x1_0000n }],
        [0x1000n, 0xffff_f000n, { alignment: 0x10n }],
      ],
    ],
    [
      'cross no line of a boundary, where alignment alone would',
      { ...SMALL, base: 0x1000n, maxAlignment: 0x1000n },
      [
        [0x1000n, 0x1_f000n],
        [0x3000n, 0x1_c000n, { boundary: 0x4000n }],
        [0x3000n, 0x1_9000n, { boundary: 0x4000n }],
        [0x2000n, 0x1_6000n, { boundary: 0x4000n }],
      ],
    ],
    [
      'cross no line of a boundary bottom-up either',
      { ...SMALL, base: 0x1000n, maxAlignment: 0x1000n, order: 'bottom-up' },
      [
        [0x2000n, 0x1000n, { boundary: 0x4000n }],
        [0x2000n, 0x4000n, { boundary: 0x4000n }],
        [0x1000n, 0x3000n, { boundary: 0x4000n }],
      ],
    ],
    [
      'reach the last address of 64 bits',
      { granule: 0x1000n, base: 0xffff_0000_0000_0000n, limit: 0xffff_ffff_ffff_ffffn },
      [
        [0x1000n, 0xffff_ffff_ffff_f000n],
        [0x1000n, 0xffff_ffff_ffff_e000n],
      ],
    ],
  ];
  test.each(cases)('%s', (_, options, requests) => {
    const iovas = new IovaAllocator(options);
    const got = requests.map(([size, , request]) => iovas.allocate(size, request));
    expect(got).toEqual(requests.map(([, iova]) => iova));
  });
});

describe('an aperture', () => {
  test('is rounded inwards to granules', () => {
    const iovas = new IovaAllocator({ granule: 0x4000n, base: 0x1000n, limit: 0x1_1000n });
    expect(state(iovas)).toEqual({
      allocated: [],
      available: [{ iova: 0x4000n, size: 0xc000n }],
      bytes: [0n, 0n, 0xc000n],
    });
    expect([iovas.base, iovas.limit]).toEqual([0x4000n, 0xffffn]);
  });

  test('leaves out what is reserved, rounded outwards, overlapping or outside', () => {
    const reserved = [
      { iova: 0x1_2800n, size: 0x1000n },
      { iova: 0x1_3fffn, size: 0x2n },
      { iova: 0x1_8000n, size: 0x1000n },
      { iova: 0x1_f800n, size: 0x10_0000n },
      { iova: 0x0n, size: 0x800n },
    ];
    const iovas = new IovaAllocator({ ...SMALL, reserved });
    expect(state(iovas)).toEqual({
      allocated: [],
      available: [
        { iova: 0x1_0000n, size: 0x2000n },
        { iova: 0x1_5000n, size: 0x3000n },
        { iova: 0x1_9000n, size: 0x6000n },
      ],
      bytes: [0n, 0x5000n, 0xb000n],
    });
    iovas.reserve({ iova: 0x1_0000n, size: 0x1_0000n });
    expect(state(iovas)).toEqual({ allocated: [], available: [], bytes: [0n, 0x1_0000n, 0n] });
  });
});

describe('a range that comes back', () => {
  test('is joined with what is free before it, behind it, and on both sides', () => {
    const iovas = new IovaAllocator(SMALL);
    const [a, b, c, d] = [1, 2, 3, 4].map(() => iovas.allocate(0x1000n)) as [bigint, bigint, bigint, bigint];
    expect([a, b, c, d]).toEqual([0x1_f000n, 0x1_e000n, 0x1_d000n, 0x1_c000n]);
    const after = [d, a, c, b].map((iova) => {
      expect(iovas.free(iova)).toBe(0x1000n);
      return iovas.available();
    });
    expect(after).toEqual([
      [{ iova: 0x1_0000n, size: 0xd000n }],
      [
        { iova: 0x1_0000n, size: 0xd000n },
        { iova: 0x1_f000n, size: 0x1000n },
      ],
      [
        { iova: 0x1_0000n, size: 0xe000n },
        { iova: 0x1_f000n, size: 0x1000n },
      ],
      [{ iova: 0x1_0000n, size: 0x1_0000n }],
    ]);
    expect(state(iovas).bytes).toEqual([0n, 0n, 0x1_0000n]);
  });

  test('is handed out again', () => {
    const iovas = new IovaAllocator(SMALL);
    const first = iovas.allocate(0x1_0000n);
    refused(() => iovas.allocate(1n));
    iovas.free(first);
    expect(iovas.allocate(0x1_0000n)).toBe(0x1_0000n);
  });
});

describe('refusals change nothing and say what would work', () => {
  const used = () => {
    const iovas = new IovaAllocator({ ...SMALL, reserved: [{ iova: 0x1_8000n, size: 0x1000n }] });
    iovas.allocate(0x1000n);
    iovas.allocate(0x4000n);
    return iovas;
  };
  const cases: [string, (iovas: IovaAllocator) => unknown, string, RegExp][] = [
    ['a size of 0', (iovas) => iovas.allocate(0n), 'EINVAL', /size must be at least one byte/],
    ['a negative size', (iovas) => iovas.allocate(-1n), 'EINVAL', /0 to 64 bits, not -1/],
    ['a size that is a number', (iovas) => iovas.allocate(4096 as never), 'EINVAL', /size must be a bigint/],
    [
      'an alignment of 3 pages',
      (iovas) => iovas.allocate(1n, { alignment: 0x3000n }),
      'EINVAL',
      /alignment must be a power of two, as a bigint, not 0x3000/,
    ],
    [
      'a boundary below the size',
      (iovas) => iovas.allocate(0x1001n, { boundary: 0x1000n }),
      'EINVAL',
      /0x2000 bytes always cross a multiple of 0x1000/,
    ],
    [
      'more than is free in one piece',
      (iovas) => iovas.allocate(0x8001n),
      'ENOMEM',
      /0x9000 bytes, aligned to 0x10000, in \[0x10000, 0x1ffff\]: the largest free piece there has 0x6000 bytes; .* at most 0x6000 bytes, .* 0x5000 bytes handed out/,
    ],
    [
      'an alignment that no free piece has',
      (iovas) => iovas.allocate(0x2000n, { alignment: 0x2_0000n }),
      'ENOMEM',
      /0x6000 bytes are free there in one piece, but no such place is in it; a smaller alignment/,
    ],
    [
      'a limit that is too low',
      (iovas) => iovas.allocate(0x4000n, { limit: 0x1_2fffn }),
      'ENOMEM',
      /in \[0x10000, 0x12fff\]: the largest free piece there has 0x3000 bytes; a limit of 0x13fff or more would work/,
    ],
    [
      'a limit below the aperture',
      (iovas) => iovas.allocate(0x2000n, { limit: 0xfffn }),
      'ENOMEM',
      /the aperture begins at 0x10000/,
    ],
    [
      'a range that is in use, by another address',
      (iovas) => iovas.free(0x1_5000n),
      'EINVAL',
      /0x15000 is inside the range \[0x14000, \+0x4000\)/,
    ],
    ['a range that is free', (iovas) => iovas.free(0x1_0000n), 'EINVAL', /0x10000 is not in any range/],
    ['what is reserved', (iovas) => iovas.free(0x1_8000n), 'EINVAL', /0x18000 is not in any range/],
    [
      'reserving what is handed out',
      (iovas) => iovas.reserve({ iova: 0x1_0000n, size: 0xa001n }),
      'EEXIST',
      /\[0x10000, 0x1b000\) can't be reserved: \[0x14000, \+0x4000\) is handed out/,
    ],
    [
      'reserving nothing',
      (iovas) => iovas.reserve({ iova: 0x1_0000n, size: 0n }),
      'EINVAL',
      /reserved at 0x10000 is empty/,
    ],
  ];
  test.each(cases)('%s', (_, act, code, message) => {
    const iovas = used();
    const before = state(iovas);
    const error = refused(() => act(iovas));
    expect([error.code, error.message]).toEqual([code, expect.stringMatching(message)]);
    expect(state(iovas)).toEqual(before);
  });

  test('and a limit that is named as enough is enough, and no lower one is', () => {
    const iovas = used();
    refused(() => iovas.allocate(0x4000n, { limit: 0x1_3ffen }));
    expect(iovas.allocate(0x4000n, { limit: 0x1_3fffn })).toBe(0x1_0000n);
  });

  const constructions: [string, Partial<IovaAllocatorOptions>, RegExp][] = [
    ['a granule that is no power of two', { granule: 0x3000n }, /granule must be a power of two.*0x3000/],
    ['a granule of 0', { granule: 0n }, /granule must be a power of two.*0x0/],
    ['a base that is no address', { base: -1n }, /base must be a bigint of 0 to 64 bits, not -1/],
    ['a limit of 65 bits', { limit: 1n << 64n }, /limit must be a bigint of 0 to 64 bits/],
    ['a limit below the base', { limit: 0x800n }, /holds no whole granule of 0x1000/],
    ['less than a granule', { base: 0x1_0001n, limit: 0x1_1ffen }, /holds no whole granule/],
    ['a cap that is no power of two', { maxAlignment: 0x3000n }, /maxAlignment must be a power of two/],
    ['not an order', { order: 'up' as never }, /order must be top-down or bottom-up, not up/],
  ];
  test.each(constructions)('an allocator with %s', (_, options, message) => {
    const error = refused(() => new IovaAllocator({ ...SMALL, ...options }));
    expect([error.code, error.message]).toEqual(['EINVAL', expect.stringMatching(message)]);
  });
});
