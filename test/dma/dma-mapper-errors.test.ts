/** What the DMA mapper refuses, and that a refusal leaves no mapping and takes no IOVA, half way through a list too. */
import { describe, expect, test } from 'vitest';
import { DmaMapper, type DmaMapperOptions, type DmaRequest, IovaAllocator } from '../../src/dma/index.ts';
import { paOf, tableWords, translations } from '../support/machine.ts';
import { refused } from '../support/refused.ts';
import { device, sgOf } from './device.ts';

const PAGE = sgOf([0x8000_0000n, 0x1000]);
const BOTH: DmaRequest = { direction: 'bidirectional' };

describe('a refused mapping changes nothing', () => {
  interface Case {
    readonly options?: DmaMapperOptions;
    readonly granule?: 'large';
    readonly act: (dma: DmaMapper) => unknown;
    readonly code: string;
    readonly message: RegExp;
    readonly operands?: object;
  }
  const cases: [string, Case][] = [
    [
      'no direction',
      { act: (dma) => dma.mapSg(PAGE, {} as never), code: 'EINVAL', message: /to-device, from-device, bidi/ },
    ],
    [
      'no request',
      { act: (dma) => dma.mapSg(PAGE, undefined as never), code: 'EINVAL', message: /not undefined/ },
    ],
    [
      'rights among the attributes',
      {
        act: (dma) => dma.mapSg(PAGE, { direction: 'to-device', attributes: { write: true } as never }),
        code: 'EINVAL',
        message: /read and write follow from the direction/,
      },
    ],
    [
      'not an attribute',
      {
        act: (dma) => dma.mapSg(PAGE, { direction: 'to-device', attributes: { fast: true } as never }),
        code: 'EINVAL',
        message: /prot has no flag fast/,
      },
    ],
    ['no list', { act: (dma) => dma.mapSg([] as never, BOTH), code: 'EINVAL', message: /Scatterlist/ }],
    [
      'a list without a byte',
      {
        act: (dma) => dma.mapSg(sgOf([0x8000_0000n, 0], [0x9000_0000n, 0]), BOTH),
        code: 'EINVAL',
        message: /the 2 entries have no bytes to map/,
      },
    ],
    [
      'a buffer of 0 bytes',
      {
        act: (dma) => dma.mapSingle(0x8000_0000n, 0n, BOTH),
        code: 'EINVAL',
        message: /entries have no bytes to map/,
      },
    ],
    [
      'an entry longer than a segment',
      {
        options: { maxSegmentSize: 0x1000n },
        act: (dma) => dma.mapSg(sgOf([0x8000_0000n, 0x1000], [0x9000_0000n, 0x1001]), BOTH),
        code: 'EINVAL',
        message: /entry 1, \[0x90000000, \+0x1001\), is longer than the device's maxSegmentSize of 0x1000/,
        operands: { entry: 1, pa: 0x9000_0000n, size: 0x1001n },
      },
    ],
    [
      'an entry that crosses a line wherever it lies',
      {
        options: { segmentBoundary: 0x1fffn },
        act: (dma) => dma.mapSg(sgOf([0x8000_0800n, 0x1800], [0x9000_0801n, 0x1800]), BOTH),
        code: 'EINVAL',
        message:
          /entry 1, .* always crosses a segment boundary: .* 0x801 bytes .* more than the 0x2000 between/,
        operands: { entry: 1, pa: 0x9000_0801n, size: 0x1800n },
      },
    ],
    [
      'a start inside a page, with exact',
      {
        granule: 'large',
        options: { exact: true },
        act: (dma) => dma.mapSg(sgOf([0x8000_0000n, 0x1_0000], [0x9000_4000n, 0x1_c000]), BOTH),
        code: 'EINVAL',
        message: /entry 1, \[0x90004000, \+0x1c000\), begins 0x4000 bytes into a page of the IOMMU/,
        operands: { entry: 1, pa: 0x9000_4000n, size: 0x1_c000n, alignment: 0x1_0000n },
      },
    ],
    [
      'an end inside a page, with exact in the request',
      {
        granule: 'large',
        act: (dma) => dma.mapSg(sgOf([0x8000_0000n, 0x1_1000]), { ...BOTH, exact: true }),
        code: 'EINVAL',
        message: /entry 0, \[0x80000000, \+0x11000\), ends 0x1000 bytes into a page of the IOMMU/,
        operands: { entry: 0, pa: 0x8000_0000n, size: 0x1_1000n, alignment: 0x1_0000n },
      },
    ],
    [
      'a single buffer inside a page, with exact',
      {
        options: { exact: true },
        act: (dma) => dma.mapSingle(0x8000_0200n, 0x200n, BOTH),
        code: 'EINVAL',
        message: /begins 0x200 bytes into a page/,
      },
    ],
    [
      'a gap before a boundary line, with exact',
      {
        options: { exact: true, segmentBoundary: 0x1fffn },
        act: (dma) => dma.mapSg(sgOf([0x8000_0000n, 0x1000], [0x9000_0000n, 0x2000]), BOTH),
        code: 'EINVAL',
        message: /entry 1, .* would cross a segment boundary \(every 0x2000 bytes\), and the 0x1000 bytes/,
        operands: { entry: 1, pa: 0x9000_0000n, size: 0x2000n, alignment: 0x2000n },
      },
    ],
    [
      'more than the device can reach',
      {
        options: { dmaMask: 0xffffn },
        act: (dma) => dma.mapSg(sgOf([0x8000_0000n, 0x1_0000]), BOTH),
        code: 'ENOMEM',
        message: /0x10000 bytes, .* in \[0x1000, 0xffff\].* a limit of 0x1ffff or more would work/,
        operands: { size: 0x1_0000n, alignment: 0x1_0000n },
      },
    ],
    [
      'a second entry beyond the output size',
      {
        act: (dma) => dma.mapSg(sgOf([0x8000_0000n, 0x1000], [1n << 40n, 0x1000]), BOTH),
        code: 'ERANGE',
        message: /entry 1/,
      },
    ],
  ];
  test.each(cases)('%s', (_, { options, granule, act, code, message, operands }) => {
    const m = device(granule === 'large' ? 64 : 4, options);
    const before = [translations(m), m.dma.allocator.available(), m.dma.mappings()];
    const error = refused(() => act(m.dma));
    expect([error.code, error.message]).toEqual([code, expect.stringMatching(message)]);
    if (operands) expect(error.operands).toEqual(operands);
    expect([translations(m), m.dma.allocator.available(), m.dma.mappings()]).toEqual(before);
    expect(m.dma.allocator.bytesAllocated).toBe(0n);
  });

  test('exact takes numbers that a double holds exactly', () => {
    const { dma } = device(4, { exact: true, segmentBoundary: 0x3fffn });
    const { overMappedBytes } = dma.mapSg(
      sgOf([0x8000_0000n, 0x2000], [0x9000_0000n, 0x2000], [0xa000_0000n, 0x1000]),
      BOTH,
    );
    expect(overMappedBytes).toBe(0n);
  });

  test.each([1, 2, 3])('no memory for table %i of a list', (nth) => {
    const m = device(4);
    const other = m.dma.mapSg(PAGE, BOTH);
    const before = [translations(m), m.dma.allocator.allocated()];
    // 2 MiB and a page reach into tables that are not there yet; the last is made when half of the entries are mapped.
    const list = sgOf([0x8000_0000n, 0x1000], [0x9000_1000n, 0x20_0000], [0x9800_0000n, 0x20_0000]);
    m.allocator.failAt(nth);
    const error = refused(() => m.dma.mapSg(list, BOTH));
    m.allocator.failAt(0);
    expect(error.code).toBe('ENOMEM');
    expect([translations(m), m.dma.allocator.allocated()]).toEqual(before);
    expect(m.dma.mappings()).toEqual([other]);
    // Nothing stands in the way of the same request.
    expect(m.dma.mapSg(list, BOTH).bytes).toBe(0x40_1000n);
  });

  test('something mapped in the range by others', () => {
    const m = device(4);
    m.domain.map(0xf_ffff_f000n, 0x7000_0000n, 0x1000n, { read: true });
    const before = translations(m);
    const error = refused(() => m.dma.mapSg(sgOf([0x8000_0000n, 0x1000], [0x9000_0000n, 0x1000]), BOTH));
    expect(error.code).toBe('EEXIST');
    expect(translations(m)).toEqual(before);
    expect(m.dma.allocator.bytesAllocated).toBe(0n);
  });
});

describe('unmapSg', () => {
  test('refuses what is not mapped here, and another mapper keeps it', () => {
    const m = device(4);
    const other = new DmaMapper(m.domain);
    const mapping = m.dma.mapSg(PAGE, BOTH);
    for (const act of [
      () => other.unmapSg(mapping),
      () => m.dma.unmapSg({ ...mapping }),
      () => m.dma.unmapSg(undefined as never),
    ]) {
      const error = refused(act);
      expect([error.code, error.message]).toEqual(['EINVAL', expect.stringMatching(/no such mapping/)]);
      expect(paOf(m.walker, mapping.range.iova)).toBe(0x8000_0000n);
    }
    expect(m.dma.unmapSg(mapping)).toBe(0x1000n);
    expect(refused(() => m.dma.unmapSg(mapping)).operands).toEqual({ iova: mapping.range.iova });
    expect(m.dma.allocator.bytesAllocated).toBe(0n);
  });

  test('leaves nothing of a mapping that others had made holes in, and says how much there was', () => {
    const m = device(4);
    const mapping = m.dma.mapSg(sgOf([0x8000_0000n, 0x5000]), BOTH);
    const { iova } = mapping.range;
    for (const page of [0n, 2n, 3n]) m.domain.unmap(iova + page * 0x1000n, 0x1000n);
    expect(m.dma.unmapSg(mapping)).toBe(0x2000n);
    expect(translations(m)).toEqual([]);
    expect(m.dma.allocator.bytesAllocated).toBe(0n);
  });

  test('leaves tables that reclaim takes', () => {
    const m = device(4);
    const frames = m.allocator.frameCount;
    const mapping = m.dma.mapSg(sgOf([0x8000_0000n, 0x5000], [0x9000_1000n, 0x40_0000]), BOTH);
    m.dma.unmapSg(mapping);
    m.domain.reclaim();
    expect(m.allocator.frameCount).toBe(frames);
    expect(tableWords(m)).toEqual([]);
  });
});

describe('a mapper can not be made', () => {
  const other = (base: bigint, limit: bigint, granule = 0x1000n) =>
    new IovaAllocator({ base, limit, granule });
  const cases: [string, DmaMapperOptions, RegExp][] = [
    ['with a mask that is not one', { dmaMask: 0xffff_fffen }, /dmaMask must be a power of two minus one/],
    ['with a mask below a page', { dmaMask: 0x7ffn }, /dmaMask .* at least 0xfff .*, not 0x7ff/],
    ['with a boundary that is no mask', { segmentBoundary: 0x1_0000n }, /segmentBoundary must be a power/],
    ['with a boundary below a page', { segmentBoundary: 0x7ffn }, /segmentBoundary .* at least 0xfff/],
    ['with segments of 0 bytes', { maxSegmentSize: 0n }, /maxSegmentSize must be at least one byte/],
    ['with a size that is a number', { maxSegmentSize: 4096 as never }, /maxSegmentSize must be a bigint/],
    ['with no allocator', { allocator: {} as never }, /must be an IovaAllocator/],
    [
      'with too fine an allocator',
      { allocator: other(0x1000n, 0xffffn, 0x800n) },
      /granules of 0x800 bytes can't serve a domain whose smallest page has 0x1000/,
    ],
    [
      'with an allocator that reaches beyond the domain',
      { allocator: other(0x1000n, 0x10_0000_0fffn) },
      /\[0x1000, 0x1000000fff\] must lie inside the domain's \[0x0, 0xfffffffff\]/,
    ],
  ];
  test.each(cases)('%s', (_, options, message) => {
    const error = refused(() => device(4, options));
    expect([error.code, error.message]).toEqual(['EINVAL', expect.stringMatching(message)]);
  });

  test('without a domain', () => {
    expect(refused(() => new DmaMapper({} as never)).message).toMatch(/must be an IommuDomain/);
  });

  test('but with a coarser allocator, or one of a part of the space', () => {
    const coarse = device(4, { allocator: other(0x10_0000n, 0x1f_ffffn, 0x1_0000n) });
    const mapping = coarse.dma.mapSg(PAGE, BOTH);
    expect(mapping.range).toEqual({ iova: 0x1f_0000n, size: 0x1000n });
    coarse.dma.unmapSg(mapping);
    expect(coarse.dma.allocator.bytesAllocated).toBe(0n);
  });
});
