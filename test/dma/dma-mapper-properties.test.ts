/**
 * Random scatterlists through the DMA mapper, with each page size of the CPU on each of the IOMMU: every byte of every segment leads the walker
 * to its physical byte, segments keep to the device's limits, and nothing is left after the last unmap.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formats } from '../../formats/index.ts';
import { DmaMapper, type DmaMapping } from '../../src/dma/index.ts';
import { Scatterlist } from '../../src/index.ts';
import { type Machine, machine, translations, walk } from '../support/machine.ts';

const arm64 = formats.find(({ name }) => name === 'arm_64_lpae_s1')!;
const KIB = [4, 16, 64] as const;
const SIZES = { 4: 0x4020_1000n, 16: 0x0200_4000n, 64: 0x2001_0000n } as const;
const pairs = KIB.flatMap((cpu) => KIB.map((iommu) => [cpu, iommu] as const));

/** An entry in a CPU page, at an offset, of some bytes: mostly what disks and networks have. */
const entry = fc.record({
  page: fc.nat({ max: 63 }),
  offset: fc.oneof(fc.constant(0), fc.nat({ max: 0xfff }), fc.constantFrom(0x800, 0x1000, 0x3000)),
  length: fc.oneof(
    fc.constantFrom(0x1000, 0x1000, 0x2000, 0x4000, 0x1_0000),
    fc.integer({ min: 1, max: 0x3000 }),
    fc.constantFrom(0, 1, 0x1_8000, 0x800),
  ),
  /** Where the last entry ended, if that is possible. */
  follows: fc.boolean(),
});

const setup = fc.record({
  /** log2 of granules of the IOMMU; none is Linux's default. */
  boundaryLog2: fc.option(fc.integer({ min: 5, max: 6 }), { nil: undefined }),
  maxSegmentSize: fc.option(fc.constantFrom(0x1_8000n, 0x2_0000n, 0x10_0000n), { nil: undefined }),
  narrow: fc.boolean(),
  lists: fc.array(
    fc.record({
      /** As it is, with lengths that grow with the IOMMU's page, or in whole pages of the IOMMU. */
      kind: fc.constantFrom('plain' as const, 'scaled' as const, 'whole' as const),
      entries: fc.array(entry, { minLength: 1, maxLength: 12, size: 'max' }),
    }),
    { minLength: 2, maxLength: 5, size: 'max' },
  ),
});

type Entry = readonly [phys: bigint, length: bigint];

/** The physical byte of each byte of a mapping's segments, by the entries that they name: ends of pages and of entries, and between. */
function checkBytes(m: Machine, mapping: DmaMapping, entries: readonly Entry[], granule: bigint) {
  const covered: number[] = [];
  for (const { dmaAddress, length, firstEntry, entryCount } of mapping.segments) {
    let at = dmaAddress;
    for (let i = firstEntry; i < firstEntry + entryCount; i++) {
      const [phys, size] = entries[i]!;
      covered.push(i);
      for (let done = 0n; done < size; ) {
        // All bytes of a page lead to one page: its first byte here and its last are enough.
        const rest = granule - ((at + done) % granule);
        const last = done + rest < size ? done + rest - 1n : size - 1n;
        for (const byte of [done, last]) {
          expect(walk(m.walker, at + byte)?.pa).toBe(phys + byte);
        }
        const leaf = walk(m.walker, at + done)!;
        expect(leaf.size >= granule).toBe(true);
        done = last + 1n;
      }
      at += size;
    }
    expect(at).toBe(dmaAddress + length);
  }
  return covered;
}

describe('random scatterlists', () => {
  test.each(pairs)('with %iK pages of the CPU, %iK pages of the IOMMU', (cpuKiB, iommuKiB) => {
    const seen = { merged: 0, apart: 0, padded: 0, over: 0, exact: 0 };
    fc.assert(
      fc.property(setup, ({ boundaryLog2, maxSegmentSize, narrow, lists }) => {
        const m = machine(arm64, { pgsizeBitmap: SIZES[iommuKiB], ias: 36, oas: 40 });
        const granule = BigInt(iommuKiB) * 1024n;
        const scale = iommuKiB / 4;
        const limit = maxSegmentSize && maxSegmentSize * BigInt(scale);
        const boundary = boundaryLog2 === undefined ? 1n << 32n : granule << BigInt(boundaryLog2);
        const dma = new DmaMapper(m.domain, {
          ...(boundaryLog2 !== undefined && { segmentBoundary: boundary - 1n }),
          ...(limit !== undefined && { maxSegmentSize: limit }),
          ...(narrow && { dmaMask: 0xffff_ffffn }),
        });
        const fresh = m.allocator.allocated();
        const live: DmaMapping[] = [];
        for (const list of lists) {
          const page = cpuKiB * 1024;
          const entries: Entry[] = [];
          for (const { page: number, offset, length, follows } of list.entries) {
            const before = entries.at(-1);
            const whole = list.kind === 'whole';
            const start = number * page * scale + (whole ? 0 : offset % page);
            const phys =
              follows && before !== undefined ? before[0] + before[1] : 0x8000_0000n + BigInt(start);
            const scaled = whole
              ? Math.ceil(length / 4096) * 4096 * scale
              : length * (list.kind === 'plain' ? 1 : scale);
            entries.push([phys, BigInt(scaled)]);
          }
          const asked = entries.reduce((sum, [, length]) => sum + length, 0n);
          if (asked === 0n) continue;
          const sg = new Scatterlist({ cpuPageSize: page });
          for (const [phys, length] of entries) sg.addRange(phys, length);
          const mapping = dma.mapSg(sg, { direction: 'bidirectional' });
          live.push(mapping);

          const covered = checkBytes(m, mapping, entries, granule);
          const named = entries.flatMap(([, length], i) => (length > 0n ? [i] : []));
          expect(covered.filter((i) => entries[i]![1] > 0n)).toEqual(named);

          let end = mapping.range.iova;
          for (const [i, { dmaAddress, length, firstEntry }] of mapping.segments.entries()) {
            expect(length > 0n && length <= (limit ?? length)).toBe(true);
            expect(dmaAddress / boundary).toBe((dmaAddress + length - 1n) / boundary);
            expect(dmaAddress >= end).toBe(true);
            if (narrow) expect(dmaAddress + length <= 1n << 32n).toBe(true);
            // Two that touch are two for a reason.
            const tooLong =
              limit !== undefined &&
              mapping.segments[i - 1] !== undefined &&
              mapping.segments[i - 1]!.length + entries[firstEntry]![1] > limit;
            if (i > 0 && dmaAddress === end) expect(tooLong || dmaAddress % boundary === 0n).toBe(true);
            end = dmaAddress + length;
          }
          expect(end <= mapping.range.iova + mapping.range.size).toBe(true);

          // Granule by granule: what is asked needs so much, the rest is padding.
          const needed = entries.reduce((sum, [phys, length]) => {
            if (length === 0n) return sum;
            return sum + ((phys + length - 1n) / granule - phys / granule + 1n) * granule;
          }, 0n);
          expect(mapping.range.size).toBe(needed + mapping.paddingBytes);
          expect(mapping.overMappedBytes).toBe(mapping.range.size - asked);
          if (mapping.range.size <= boundary) expect(mapping.paddingBytes).toBe(0n);

          if (mapping.segments.length < named.length) seen.merged++;
          if (mapping.segments.length > 1) seen.apart++;
          if (mapping.paddingBytes > 0n) seen.padded++;
          if (mapping.overMappedBytes > 0n) seen.over++;
          else seen.exact++;
        }
        const ranges = live.map(({ range }) => range).sort((a, b) => (a.iova < b.iova ? -1 : 1));
        expect(dma.allocator.allocated()).toEqual(ranges);
        expect(m.domain.reclaim()).toBe(0);
        for (const mapping of live) {
          expect(dma.unmapSg(mapping)).toBe(mapping.range.size);
          expect(walk(m.walker, mapping.segments[0]!.dmaAddress)).toBeNull();
        }
        expect(translations(m)).toEqual([]);
        expect(dma.allocator.bytesAllocated).toBe(0n);
        expect(dma.mappings()).toEqual([]);
        m.domain.reclaim();
        expect(m.allocator.allocated()).toEqual(fresh);
      }),
      { numRuns: 30 },
    );
    // Every kind of result came up.
    for (const [what, times] of Object.entries(seen)) expect([what, times > 0]).toEqual([what, true]);
  });
});
