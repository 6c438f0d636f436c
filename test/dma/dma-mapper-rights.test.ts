/** What a mapping of the DMA mapper reaches and allows, single buffers, and mappers that share a domain: by what the walker says. */
import { describe, expect, test } from 'vitest';
import { armV7s, formats } from '../../formats/index.ts';
import { DmaMapper, type DmaMapperOptions } from '../../src/dma/index.ts';
import type { Prot as FormatProt } from '../../src/pagetable/format.ts';
import { machine, paOf, translations, walk } from '../support/machine.ts';
import { arm64, device, rows, SIZES, sgOf } from './device.ts';

describe('mapSg maps', () => {
  test('the gap before a line as what lies behind the entry before it', () => {
    const { dma, walker } = device(4, { segmentBoundary: 0x3fffn });
    const { range } = dma.mapSg(sgOf([0x8000_0000n, 0x1000], [0x9000_0000n, 0x4000]), {
      direction: 'to-device',
    });
    expect(range).toEqual({ iova: 0xf_ffff_8000n, size: 0x8000n });
    const pages = Array.from({ length: 8 }, (_, i) => paOf(walker, range.iova + BigInt(i) * 0x1000n));
    expect(pages).toEqual([
      0x8000_0000n,
      0x8000_1000n,
      0x8000_2000n,
      0x8000_3000n,
      0x9000_0000n,
      0x9000_1000n,
      0x9000_2000n,
      0x9000_3000n,
    ]);
  });

  test('blocks where a large entry allows', () => {
    const m = device(4);
    m.dma.mapSg(sgOf([0x8020_0000n, 0x20_0000]), { direction: 'from-device' });
    expect(translations(m).map((row) => row.split(' ').slice(0, 3))).toEqual([
      ['fffe00000', '80200000', '200000'],
    ]);
  });
});

describe('rights follow the direction', () => {
  type Row = [string, Parameters<DmaMapper['mapSg']>[1], DmaMapperOptions, FormatProt, string];
  const cases: Row[] = [
    ['to-device', { direction: 'to-device' }, {}, { read: true, cache: true }, 'read ff'],
    ['from-device', { direction: 'from-device' }, {}, { write: true, cache: true }, 'read write ff'],
    [
      'bidirectional',
      { direction: 'bidirectional' },
      {},
      { read: true, write: true, cache: true },
      'read write ff',
    ],
    [
      'a device that is not coherent',
      { direction: 'to-device' },
      { coherent: false },
      { read: true },
      'read 44',
    ],
    [
      'one mapping that is, all the same',
      { direction: 'to-device', attributes: { cache: true } },
      { coherent: false },
      { read: true, cache: true },
      'read ff',
    ],
    [
      'registers of another device',
      { direction: 'bidirectional', attributes: { mmio: true } },
      {},
      { read: true, write: true, mmio: true },
      'read write 4',
    ],
    [
      'a device type',
      { direction: 'bidirectional', attributes: { device: 'nGnRE' } },
      {},
      { read: true, write: true, device: 'nGnRE' },
      'read write 4',
    ],
  ];
  test.each(cases)('%s', (_, request, options, prot, seen) => {
    const { dma, walker } = device(4, options);
    const mapping = dma.mapSg(sgOf([0x8000_0000n, 0x1000]), request);
    expect(mapping.prot).toEqual(prot);
    const found = walk(walker, mapping.range.iova)!;
    // At stage 1 what can be written can be read.
    const { read, write } = found.permissions.unprivileged;
    const rights = [read && 'read', write && 'write'].filter(Boolean).join(' ');
    expect(`${rights} ${found.attributes.byte.toString(16)}`).toBe(seen);
  });

  test('and stage 2 tells all three apart', () => {
    const stage2 = formats.find(({ name }) => name === 'arm_64_lpae_s2')!;
    const m = machine(stage2, { pgsizeBitmap: SIZES[4], ias: 36, oas: 40 });
    const dma = new DmaMapper(m.domain);
    const rights = (['to-device', 'from-device', 'bidirectional'] as const).map((direction) => {
      const { iova } = dma.mapSg(sgOf([0x8000_0000n, 0x1000]), { direction }).range;
      return (['read', 'write'] as const).map((access) => m.walker.walk(iova, { access }).ok);
    });
    expect(rights).toEqual([
      [true, false],
      [false, true],
      [true, true],
    ]);
  });
});

describe('mapSingle', () => {
  test('keeps the offset, and knows neither boundary nor maximal size', () => {
    const { dma, walker } = device(16, { segmentBoundary: 0x3fffn, maxSegmentSize: 0x1000n });
    const mapping = dma.mapSingle(0x8000_5001n, 0x9000n, { direction: 'to-device' });
    expect(rows(mapping)).toEqual([[0xf_ffff_1001n, 0x9000n, 0, 1]]);
    expect(mapping.range).toEqual({ iova: 0xf_ffff_0000n, size: 0xc000n });
    expect([mapping.bytes, mapping.overMappedBytes, mapping.paddingBytes]).toEqual([0x9000n, 0x3000n, 0n]);
    expect(paOf(walker, 0xf_ffff_1001n)).toBe(0x8000_5001n);
    expect(paOf(walker, 0xf_ffff_a000n)).toBe(0x8000_e000n);
    expect(dma.unmapSingle(mapping)).toBe(0xc000n);
    expect(paOf(walker, 0xf_ffff_1001n)).toBeNull();
  });
});

describe('mappers of one domain', () => {
  test('share its input addresses, and leave out the page at 0', () => {
    const m = machine(arm64, { pgsizeBitmap: SIZES[4], ias: 21, oas: 32 });
    const [one, other] = [new DmaMapper(m.domain), new DmaMapper(m.domain)];
    const [a, b] = [one, other].map((dma) => dma.mapSingle(0x8000_0000n, 1n, { direction: 'to-device' }));
    expect([a!.range.iova, b!.range.iova]).toEqual([0x1f_f000n, 0x1f_e000n]);
    expect(one.allocator.available()).toEqual([{ iova: 0x1000n, size: 0x1f_d000n }]);
    expect([one.mappings(), other.mappings()]).toEqual([[a], [b]]);
  });

  test('use the upper half of the address space where the table translates that', () => {
    const m = machine(arm64, { pgsizeBitmap: SIZES[4], ias: 39, oas: 40, quirks: ['arm_ttbr1'] });
    const dma = new DmaMapper(m.domain);
    const mapping = dma.mapSg(sgOf([0x8000_0800n, 0x1000]), { direction: 'to-device' });
    expect(rows(mapping)).toEqual([[0xffff_ffff_ffff_e800n, 0x1000n, 0, 1]]);
    expect(paOf(m.walker, 0xffff_ffff_ffff_f7ffn)).toBe(0x8000_17ffn);
    expect(dma.allocator.base).toBe(0xffff_ff80_0000_0000n);
  });
});

test('unmapSg leaves nothing, even of a large page of which another took a part', () => {
  const m = machine(armV7s, { pgsizeBitmap: 0x111_1000n, ias: 32, oas: 32 });
  const dma = new DmaMapper(m.domain);
  // 64K as 16 small pages, since the PA is not aligned; of short descriptors an unmap of all 16 does nothing once one is gone.
  const mapping = dma.mapSg(sgOf([0x8000_1000n, 0x1_0000]), { direction: 'bidirectional' });
  expect(mapping.range.iova % 0x1_0000n).toBe(0n);
  expect(m.domain.unmap(mapping.range.iova + 0x5000n, 0x1000n)).toBe(0x1000n);
  expect(dma.unmapSg(mapping)).toBe(0xf000n);
  expect(translations(m)).toEqual([]);
  expect(dma.allocator.bytesAllocated).toBe(0n);
});
