/** A device behind an IOMMU, for tests of the DMA mapper: its domain, its lists, and its segments as rows. */
import { formats } from '../../formats/index.ts';
import { DmaMapper, type DmaMapperOptions, type DmaMapping } from '../../src/dma/index.ts';
import { Scatterlist } from '../../src/index.ts';
import { machine } from '../support/machine.ts';

export const arm64 = formats.find(({ name }) => name === 'arm_64_lpae_s1')!;
export const SIZES = { 4: 0x4020_1000n, 16: 0x0200_4000n, 64: 0x2001_0000n } as const;

/** 36 bits of input, 40 of output, with pages of so many KiB. */
export function device(granuleKiB: keyof typeof SIZES, options: DmaMapperOptions = {}) {
  const m = machine(arm64, { pgsizeBitmap: SIZES[granuleKiB], ias: 36, oas: 40 });
  return { ...m, dma: new DmaMapper(m.domain, options) };
}

export const sgOf = (...entries: [bigint, number][]) =>
  Scatterlist.from(entries.map(([phys, length]) => ({ phys, length })));

/** Segments as address, length, first entry and count. */
export const rows = ({ segments }: DmaMapping) =>
  segments.map((one) => [one.dmaAddress, one.length, one.firstEntry, one.entryCount]);
