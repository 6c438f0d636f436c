/** The DMA mapper, case by case: where segments lie, and what is padded. Every byte's place is what the walker says. */
import { describe, expect, test } from 'vitest';
import { type DmaMapperOptions, IovaAllocator } from '../../src/dma/index.ts';
import { paOf, translations } from '../support/machine.ts';
import { device, rows, sgOf } from './device.ts';

describe('mapSg lays entries out', () => {
  interface Case {
    readonly granule: 4 | 16 | 64;
    readonly options?: DmaMapperOptions;
    readonly entries: [bigint, number][];
    readonly segments: [bigint, bigint, number, number][];
    readonly range: [bigint, bigint];
    readonly padding?: bigint;
    /** Bytes mapped beyond what was asked. */
    readonly over: bigint;
  }
  // The aperture ends at 2^36; ranges lie at its end, aligned to the power of two from their size on.
  const cases: [string, Case][] = [
    [
      'whole pages as one segment, wherever they are',
      {
        granule: 4,
        entries: [
          [0x8000_3000n, 0x1000],
          [0x8000_0000n, 0x2000],
          [0x9_0000_0000n, 0x1000],
        ],
        segments: [[0xf_ffff_c000n, 0x4000n, 0, 3]],
        range: [0xf_ffff_c000n, 0x4000n],
        over: 0n,
      },
    ],
    [
      'an entry within a page at its offset',
      {
        granule: 4,
        entries: [[0x8000_0234n, 0x100]],
        segments: [[0xf_ffff_f234n, 0x100n, 0, 1]],
        range: [0xf_ffff_f000n, 0x1000n],
        over: 0xf00n,
      },
    ],
    [
      'a first entry that begins, and a last that ends, inside a page, in one segment with those between',
      {
        granule: 4,
        entries: [
          [0x8000_0800n, 0x800],
          [0x8000_4000n, 0x1000],
          [0x8000_8000n, 0x201],
        ],
        segments: [[0xf_ffff_c800n, 0x1a01n, 0, 3]],
        range: [0xf_ffff_c000n, 0x3000n],
        over: 0x15ffn,
      },
    ],
    [
      'an entry that ends inside a page apart from the next',
      {
        granule: 4,
        entries: [
          [0x8000_0000n, 0xfff],
          [0x8000_4000n, 0x1000],
        ],
        segments: [
          [0xf_ffff_e000n, 0xfffn, 0, 1],
          [0xf_ffff_f000n, 0x1000n, 1, 1],
        ],
        range: [0xf_ffff_e000n, 0x2000n],
        over: 1n,
      },
    ],
    [
      'an entry that begins inside a page apart from the one before',
      {
        granule: 4,
        entries: [
          [0x8000_0000n, 0x1000],
          [0x8000_4001n, 0xfff],
        ],
        segments: [
          [0xf_ffff_e000n, 0x1000n, 0, 1],
          [0xf_ffff_f001n, 0xfffn, 1, 1],
        ],
        range: [0xf_ffff_e000n, 0x2000n],
        over: 1n,
      },
    ],
    [
      'two entries of one page twice, a page for each',
      {
        granule: 4,
        entries: [
          [0x8000_0000n, 0x800],
          [0x8000_0800n, 0x800],
        ],
        segments: [
          [0xf_ffff_e000n, 0x800n, 0, 1],
          [0xf_ffff_f800n, 0x800n, 1, 1],
        ],
        range: [0xf_ffff_e000n, 0x2000n],
        over: 0x1000n,
      },
    ],
    [
      'no segment longer than the device takes',
      {
        granule: 4,
        options: { maxSegmentSize: 0x2fffn },
        entries: [
          [0x8000_0000n, 0x1000],
          [0x8000_4000n, 0x1000],
          [0x8000_8000n, 0x1000],
          [0x8000_c000n, 0xfff],
        ],
        segments: [
          [0xf_ffff_c000n, 0x2000n, 0, 2],
          [0xf_ffff_e000n, 0x1fffn, 2, 2],
        ],
        range: [0xf_ffff_c000n, 0x4000n],
        over: 1n,
      },
    ],
    [
      'a segment exactly as long as the device takes',
      {
        granule: 4,
        options: { maxSegmentSize: 0x2000n },
        entries: [
          [0x8000_0000n, 0x1000],
          [0x8000_4000n, 0x1000],
          [0x8000_8000n, 0x1000],
        ],
        segments: [
          [0xf_ffff_c000n, 0x2000n, 0, 2],
          [0xf_ffff_e000n, 0x1000n, 2, 1],
        ],
        range: [0xf_ffff_c000n, 0x3000n],
        over: 0n,
      },
    ],
    [
      'a new segment on each boundary line, without padding where entries end on them',
      {
        granule: 4,
        options: { segmentBoundary: 0x1fffn },
        entries: [
          [0x8000_0000n, 0x1000],
          [0x8000_4000n, 0x1000],
          [0x8000_8000n, 0x2000],
          [0x8000_c000n, 0x800],
        ],
        segments: [
          [0xf_ffff_8000n, 0x2000n, 0, 2],
          [0xf_ffff_a000n, 0x2000n, 2, 1],
          [0xf_ffff_c000n, 0x800n, 3, 1],
        ],
        range: [0xf_ffff_8000n, 0x5000n],
        over: 0x800n,
      },
    ],
    [
      'an entry that would cross a line on it, after a gap',
      {
        granule: 4,
        options: { segmentBoundary: 0x3fffn },
        entries: [
          [0x8000_0000n, 0x1000],
          [0x8000_8000n, 0x1000],
          [0x8001_0000n, 0x3000],
          [0x8002_0000n, 0x1000],
        ],
        segments: [
          [0xf_ffff_8000n, 0x2000n, 0, 2],
          [0xf_ffff_c000n, 0x4000n, 2, 2],
        ],
        range: [0xf_ffff_8000n, 0x8000n],
        padding: 0x2000n,
        over: 0x2000n,
      },
    ],
    [
      'a range no longer than the distance of lines between two of them',
      {
        granule: 4,
        options: { segmentBoundary: 0x3fffn },
        entries: [
          [0x8000_0000n, 0x2000],
          [0x8000_8000n, 0x2000],
        ],
        segments: [[0xf_ffff_c000n, 0x4000n, 0, 2]],
        range: [0xf_ffff_c000n, 0x4000n],
        over: 0n,
      },
    ],
    [
      'entries of 0 bytes nowhere, whatever they are between',
      {
        granule: 4,
        entries: [
          [0x8000_0123n, 0],
          [0x8000_4000n, 0x1000],
          [0x9000_0001n, 0],
          [0x8000_8000n, 0x1000],
          [0x8000_c000n, 0],
        ],
        segments: [[0xf_ffff_e000n, 0x2000n, 1, 3]],
        range: [0xf_ffff_e000n, 0x2000n],
        over: 0n,
      },
    ],
    [
      'a page of the CPU that is a fourth of one of the IOMMU, and what surrounds it',
      {
        granule: 16,
        entries: [
          [0x8000_1000n, 0x1000],
          [0x8000_c000n, 0x1000],
        ],
        segments: [
          [0xf_ffff_9000n, 0x1000n, 0, 1],
          [0xf_ffff_c000n, 0x1000n, 1, 1],
        ],
        range: [0xf_ffff_8000n, 0x8000n],
        over: 0x6000n,
      },
    ],
    [
      'an entry over the border of two IOMMU pages in both',
      {
        granule: 64,
        entries: [[0x8000_f000n, 0x2000]],
        segments: [[0xf_fffe_f000n, 0x2000n, 0, 1]],
        range: [0xf_fffe_0000n, 0x2_0000n],
        over: 0x1_e000n,
      },
    ],
    [
      'within the reach of a 32-bit device',
      {
        granule: 64,
        options: { dmaMask: 0xffff_ffffn },
        entries: [[0x9_0000_0000n, 0x1_0000]],
        segments: [[0xffff_0000n, 0x1_0000n, 0, 1]],
        range: [0xffff_0000n, 0x1_0000n],
        over: 0n,
      },
    ],
  ];
  test.each(cases)('%s', (_, { granule, options, entries, segments, range, padding = 0n, over }) => {
    const { dma, domain, walker } = device(granule, options);
    const mapping = dma.mapSg(sgOf(...entries), { direction: 'bidirectional' });
    expect(rows(mapping)).toEqual(segments);
    expect([mapping.range.iova, mapping.range.size]).toEqual(range);
    expect([mapping.paddingBytes, mapping.overMappedBytes]).toEqual([padding, over]);
    expect(mapping.bytes + mapping.overMappedBytes).toBe(mapping.range.size);
    // The first and last byte of each entry, in the order that segments name.
    for (const { dmaAddress, firstEntry, entryCount } of mapping.segments) {
      let at = dmaAddress;
      for (const [phys, length] of entries.slice(firstEntry, firstEntry + entryCount)) {
        if (length === 0) continue;
        expect(paOf(walker, at)).toBe(phys);
        at += BigInt(length);
        expect(paOf(walker, at - 1n)).toBe(phys + BigInt(length) - 1n);
      }
    }
    expect(dma.unmapSg(mapping)).toBe(range[1]);
    expect(translations({ domain, walker } as Parameters<typeof translations>[0])).toEqual([]);
    expect(dma.allocator.allocated()).toEqual([]);
  });
});

test('an allocator of larger granules rounds a range up, over the boundary too: it then begins on a line', () => {
  // Ranges of 16K in a domain with pages of 4K; no segment lies across a multiple of 8K.
  const allocator = new IovaAllocator({ base: 0x10_0000n, limit: 0x1f_ffffn, granule: 0x4000n });
  const { dma, walker } = device(4, { allocator, segmentBoundary: 0x1fffn });
  const list = sgOf([0x8000_0000n, 0x1000], [0x9000_0000n, 0x1000]);
  const mapping = dma.mapSg(list, { direction: 'to-device' });
  expect(rows(mapping)).toEqual([[0x1f_c000n, 0x2000n, 0, 2]]);
  expect(mapping.range).toEqual({ iova: 0x1f_c000n, size: 0x2000n });
  expect(allocator.allocated()).toEqual([{ iova: 0x1f_c000n, size: 0x4000n }]);
  expect([0x1f_c000n, 0x1f_d000n, 0x1f_e000n].map((iova) => paOf(walker, iova))).toEqual([
    0x8000_0000n,
    0x9000_0000n,
    null,
  ]);
  expect(dma.unmapSg(mapping)).toBe(0x2000n);
  expect(allocator.allocated()).toEqual([]);
});
