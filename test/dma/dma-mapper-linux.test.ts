/** The DMA mapper as Linux's: its IOVAs, a device's limits, and lists that no driver should make. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DmaMapper, type DmaMapperOptions, IovaAllocator } from '../../src/dma/index.ts';
import { IommuError } from '../../src/index.ts';
import { walk } from '../support/machine.ts';
import { device, rows, sgOf } from './device.ts';

const BOTH = { direction: 'bidirectional' } as const;
const A = 0x8_8000_0000n;
const B = 0x9_0000_0000n;
const C = 0xa_0000_0000n;
const NONE = 0xffff_ffff_ffff_ffffn;
const linux = (options: DmaMapperOptions = {}) => device(4, { iova: 'linux', odd: 'linux', ...options });

function refused(run: () => unknown): IommuError {
  try {
    run();
  } catch (error) {
    if (error instanceof IommuError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe("a device's IOVAs", () => {
  test('lie below 4 GiB until that fails once, then anywhere', () => {
    const m = linux({ low32First: true });
    expect(m.dma.mapSingle(A, 0x1000n, BOTH).range.iova).toBe(0xffff_f000n);
    m.dma.allocator.reserve({ iova: 0n, size: 0xffff_f000n });
    expect(m.dma.mapSingle(A, 0x1000n, BOTH).range.iova).toBe(0xf_ffff_f000n);
    const low = m.dma.mappings()[0]!;
    m.dma.unmapSg(low);
    // The cached range is taken, wherever it is; the next one is high.
    expect(m.dma.mapSingle(A, 0x1000n, BOTH).range.iova).toBe(0xffff_f000n);
    expect(m.dma.mapSingle(A, 0x1000n, BOTH).range.iova).toBe(0xf_ffff_e000n);
  });

  test('below 4 GiB are given up by one device, not by its neighbour', () => {
    const m = linux({ low32First: true });
    const neighbour = new DmaMapper(m.domain, { low32First: true });
    m.dma.mapSingle(A, 0x8000_0000n, BOTH);
    expect(m.dma.mapSingle(A, 0x8000_0000n, BOTH).range.iova).toBe(0xf_8000_0000n);
    expect(m.dma.mapSingle(A, 0x1000n, BOTH).range.iova).toBe(0xf_7fff_f000n);
    expect(neighbour.mapSingle(A, 0x1000n, BOTH).range.iova).toBe(0x7fff_f000n);
  });

  test('stay below the limit of the bus, any address, and below the mask', () => {
    expect(linux({ limit: 0xbfff_ffffn }).dma.mapSingle(A, 0x1000n, BOTH).range.iova).toBe(0xbfff_f000n);
    expect(linux({ limit: 0xbfff_f123n }).dma.mapSingle(A, 0x1000n, BOTH).range.iova).toBe(0xbfff_f000n);
    expect(device(4, { limit: 0xbfff_f123n }).dma.mapSingle(A, 0x1000n, BOTH).range.iova).toBe(0xbfff_e000n);
    expect(device(4, { dmaMask: 0xbfff_ffffn }).dma.mapSingle(A, 0x1000n, BOTH).range.iova).toBe(
      0xbfff_f000n,
    );
    const both = device(4, { limit: 0xbfff_ffffn, dmaMask: 0xff_ffffn });
    expect(both.dma.mapSingle(A, 0x1000n, BOTH).range.iova).toBe(0xff_f000n);
  });

  test('are those of each device where several share a domain', () => {
    const m = linux({ dmaMask: 0xff_ffffn });
    const wide = new DmaMapper(m.domain, { limit: 0xbfff_ffffn });
    expect(m.dma.mapSingle(A, 0x1000n, BOTH).range.iova).toBe(0xff_f000n);
    expect(wide.mapSingle(A, 0x1000n, BOTH).range.iova).toBe(0xff_e000n);
    expect(wide.allocator).toBe(m.dma.allocator);
  });

  test('follow one policy in a domain', () => {
    const m = linux();
    expect(m.dma.allocator.policy).toBe('linux');
    expect(refused(() => new DmaMapper(m.domain, { iova: 'highest' })).message).toMatch(
      /handed out by the policy linux, which all its devices share; highest needs a domain of its own/,
    );
    expect(refused(() => device(4, { iova: 'best' as never })).message).toMatch(
      /iova must be one of highest, lowest/,
    );
    expect(device(4, { iova: 'lowest' }).dma.mapSingle(A, 0x1000n, BOTH).range.iova).toBe(0x1000n);
  });
});

describe('a preset', () => {
  test('is what Linux gives a device at first', () => {
    const list = sgOf([A, 0x8000], [A + 0x8000n, 0x8000], [A + 0x1_0000n, 0x1000]);
    const lengths = (options: DmaMapperOptions) =>
      rows(device(4, options).dma.mapSg(list, BOTH)).map(([, length]) => length);
    expect(lengths({ preset: 'pci' })).toEqual([0x1_0000n, 0x1000n]);
    expect(lengths({ preset: 'platform' })).toEqual([0x1_0000n, 0x1000n]);
    expect(lengths({ preset: 'platform', maxSegmentSize: 0x8000n })).toEqual([0x8000n, 0x8000n, 0x1000n]);
    expect(lengths({})).toEqual([0x1_1000n]);
    expect(device(4, { preset: 'pci' }).dma.mapSg(list, BOTH).range.iova).toBe(0xfffe_0000n);
  });

  test('of PCI devices keeps segments off lines of 4 GiB, of others it does not', () => {
    const big = sgOf([A, 0xc000_0000], [B, 0x8000_0000]);
    const wide = { dmaMask: NONE, maxSegmentSize: 0xffff_ffffn };
    const pci = device(4, { preset: 'pci', ...wide, low32First: false }).dma.mapSg(big, BOTH);
    expect([pci.paddingBytes, pci.segments.length]).toEqual([0x4000_0000n, 2]);
    const platform = device(4, { preset: 'platform', ...wide }).dma.mapSg(big, BOTH);
    expect([platform.paddingBytes, platform.range.size]).toEqual([0n, 0x1_4000_0000n]);
  });

  test('that nobody knows is refused', () => {
    expect(refused(() => device(4, { preset: 'usb' as never })).message).toMatch(
      /preset must be one of platform, pci/,
    );
  });
});

describe('odd lists', () => {
  test('of empty entries map nothing, unless one starts inside a page', () => {
    const m = linux({ segmentBoundary: 0xffffn });
    const nothing = m.dma.mapSg(sgOf([A, 0]), BOTH);
    expect([rows(nothing), nothing.range]).toEqual([[[0n, 0n, 0, 1]], { iova: 0n, size: 0n }]);
    expect(m.dma.unmapSg(nothing)).toBe(0n);
    const page = m.dma.mapSg(sgOf([A + 0x10n, 0]), BOTH);
    expect([rows(page), page.range.size]).toEqual([[[0xf_ffff_f010n, 0n, 0, 1]], 0x1000n]);
    expect(walk(m.walker, 0xf_ffff_f000n)?.pa).toBe(A);
  });

  test('with an empty entry pad up to the next line, and what lies behind it is not unmapped', () => {
    const m = device(4, { odd: 'linux', segmentBoundary: 0xffffn });
    const mapping = m.dma.mapSg(sgOf([A, 0x1000], [B, 0], [C, 0x1000]), BOTH);
    expect(rows(mapping)).toEqual([
      [0xf_fffe_0000n, 0x1000n, 0, 1],
      [0xf_ffff_0000n, 0n, 1, 1],
      [0xf_ffff_0000n, 0x1000n, 2, 1],
    ]);
    expect(mapping.paddingBytes).toBe(0xf000n);
    expect(m.dma.unmapSg(mapping)).toBe(0x1000n);
    expect(walk(m.walker, 0xf_ffff_0000n)?.pa).toBe(C);
    // The IOVAs are free again although a part is mapped: the next list that gets them fails.
    expect(refused(() => m.dma.mapSg(sgOf([A, 0x1000], [B, 0x1_0000]), BOTH)).code).toBe('EINVAL');
  });

  test('that begin with an empty entry are never unmapped', () => {
    const m = linux();
    const mapping = m.dma.mapSg(sgOf([A, 0], [B, 0x1000]), BOTH);
    expect(m.dma.unmapSg(mapping)).toBe(0n);
    expect(walk(m.walker, mapping.range.iova)?.pa).toBe(B);
    expect(m.dma.allocator.bytesAllocated).toBe(0x1000n);
    expect(m.dma.mappings()).toEqual([]);
  });

  test('with an empty last entry that touches the run before it fail', () => {
    const m = linux({ segmentBoundary: NONE });
    expect(refused(() => m.dma.mapSg(sgOf([A, 0x1000], [A + 0x1000n, 0]), BOTH)).code).toBe('EINVAL');
    expect(m.dma.allocator.bytesAllocated).toBe(0n);
  });

  test('with entries longer than a segment keep them whole, and join without limit behind one', () => {
    const m = linux({ maxSegmentSize: 0x2000n });
    expect(rows(m.dma.mapSg(sgOf([A, 0x3000], [B, 0x2000], [C, 0x4000]), BOTH)).map(([, l]) => l)).toEqual([
      0x9000n,
    ]);
    expect(rows(m.dma.mapSg(sgOf([A, 0x2000], [B, 0x2000]), BOTH)).map(([, l]) => l)).toEqual([
      0x2000n,
      0x2000n,
    ]);
  });

  test('with entries longer than a boundary begin them on a line', () => {
    const m = linux({ segmentBoundary: 0x1fffn });
    const mapping = m.dma.mapSg(sgOf([A, 0x1000], [B, 0x3000]), BOTH);
    expect(rows(mapping).map(([at, length]) => [(at! as bigint) - mapping.range.iova, length])).toEqual([
      [0n, 0x1000n],
      [0x2000n, 0x3000n],
    ]);
  });

  test('take a boundary below the granule', () => {
    const m = device(64, { iova: 'linux', odd: 'linux', segmentBoundary: 0xfffn });
    expect(m.dma.mapSg(sgOf([A, 0x1_0000], [B, 0x1_0000]), BOTH).segments.length).toBe(2);
  });

  test('of 4 GiB fail before any IOVA is taken', () => {
    const m = linux({ segmentBoundary: NONE, maxSegmentSize: 0xffff_ffffn });
    const error = refused(() => m.dma.mapSg(sgOf([A, 0x1000], [B, 0xffff_f001]), BOTH));
    expect([error.code, error.operands.entry]).toEqual(['EINVAL', 1]);
    expect(m.dma.mapSg(sgOf([A, 0xffff_f000]), BOTH).segments.length).toBe(1);
    const padded = linux();
    expect(
      refused(() => padded.dma.mapSg(sgOf([A, 0x8000_0000], [B, 0xc000_0000]), BOTH)).operands.entry,
    ).toBe(0);
    expect(padded.dma.allocator.bytesAllocated).toBe(0n);
  });

  test('have the error codes of dma_map_sg', () => {
    const m = linux({ limit: 0xff_ffffn });
    expect(refused(() => m.dma.mapSg(sgOf([0xff_ffff_f000n, 0x2000]), BOTH)).code).toBe('EINVAL');
    expect(refused(() => m.dma.mapSg(sgOf([A, 0x100_0000]), BOTH)).code).toBe('ENOMEM');
    expect(refused(() => device(4).dma.mapSg(sgOf([0xff_ffff_f000n, 0x2000]), BOTH)).code).toBe('ERANGE');
  });

  const cases: [string, DmaMapperOptions, RegExp][] = [
    ['a choice that is none', { odd: 'lax' as never }, /odd must be one of strict, linux, not lax/],
    [
      'segments beyond 32 bits',
      { odd: 'linux', maxSegmentSize: 0x1_0000_0000n },
      /maxSegmentSize must be at most 0xffffffff/,
    ],
    ['a limit that is no address', { limit: -1n }, /limit must be/],
    ['a choice that is no choice', { low32First: 1 as never }, /low32First must be true or false/],
  ];
  test.each(cases)('and %s is refused', (_, options, message) => {
    expect(refused(() => device(4, options)).message).toMatch(message);
  });
});

const entry = fc.record({
  page: fc.nat({ max: 7 }),
  offset: fc.oneof(fc.constant(0), fc.nat({ max: 0xfff })),
  length: fc.oneof(fc.constantFrom(0x1000, 0x2000, 0x4000), fc.integer({ min: 1, max: 0x3000 })),
});

test('lists without oddity have the same segments, padding and tables under strict and linux', () => {
  let [joined, padded] = [0, 0];
  fc.assert(
    fc.property(
      fc.array(fc.array(entry, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 4 }),
      fc.constantFrom(0x7fffn, 0xffffn, 0xffff_ffffn, NONE),
      fc.constantFrom(0x4000n, 0x8000n, 0xffff_ffffn),
      (lists, segmentBoundary, maxSegmentSize) => {
        const limits = { segmentBoundary, maxSegmentSize };
        const [strict, odd] = [device(4, limits), device(4, { ...limits, odd: 'linux' })];
        for (const list of lists) {
          const sg = sgOf(
            ...list.map(
              ({ page, offset, length }) => [A + BigInt(page * 0x4000 + offset), length] as [bigint, number],
            ),
          );
          const [want, got] = [strict.dma.mapSg(sg, BOTH), odd.dma.mapSg(sg, BOTH)];
          expect([rows(got), got.range, got.paddingBytes, got.overMappedBytes]).toEqual([
            rows(want),
            want.range,
            want.paddingBytes,
            want.overMappedBytes,
          ]);
          if (want.segments.length < list.length) joined++;
          if (want.paddingBytes > 0n) padded++;
          expect(odd.domain.tables()).toEqual(strict.domain.tables());
        }
        for (const mapping of odd.dma.mappings()) expect(odd.dma.unmapSg(mapping)).toBe(mapping.range.size);
        expect(odd.dma.allocator.bytesAllocated).toBe(0n);
      },
    ),
    { numRuns: 60 },
  );
  expect(Math.min(joined, padded)).toBeGreaterThan(10);
}, 60_000);

test('an own allocator goes with every choice', () => {
  const allocator = new IovaAllocator({ granule: 0x1000n, base: 0x1000n, limit: 0xf_ffffn });
  const m = device(4, { allocator, odd: 'linux' });
  expect(m.dma.mapSg(sgOf([A, 0x1000]), BOTH).range.iova).toBe(0xf_f000n);
});
