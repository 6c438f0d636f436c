/** Lists mapped chunk by chunk, as before iommu_map_sg: the chunks, their IOVAs from the bottom, the calls, and how it differs from one range a list. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ChunkMapper, type ChunkMapping, chunksOf, IovaAllocator } from '../../src/dma/index.ts';
import { IommuError, Scatterlist } from '../../src/index.ts';
import { tableWords, walk } from '../support/machine.ts';
import { device, sgOf } from './device.ts';

const READ = { direction: 'to-device' } as const;
const A = 0x8_8000_0000n;
const B = 0x9_0000_0000n;
const C = 0xa_0000_0000n;

function refused(run: () => unknown): IommuError {
  try {
    run();
  } catch (error) {
    if (error instanceof IommuError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

const rows = ({ segments }: ChunkMapping) =>
  segments.map((one) => [one.dmaAddress, one.length, one.firstEntry, one.entryCount]);

describe('a list chunk by chunk', () => {
  test('has one range where every entry but the last fills its pages', () => {
    const m = device(4);
    const chunks = new ChunkMapper(m.domain);
    const mapping = chunks.mapSg(sgOf([A, 0x1000], [B, 0x2000], [C, 0x800]), READ);
    expect(rows(mapping)).toEqual([[0x1000n, 0x3800n, 0, 3]]);
    expect([mapping.ranges, mapping.mapCalls, mapping.overMappedBytes]).toEqual([
      [{ iova: 0x1000n, size: 0x4000n }],
      3,
      0x800n,
    ]);
    expect([0x1000n, 0x2000n, 0x4000n].map((at) => walk(m.walker, at)?.pa)).toEqual([A, B, C]);
  });

  test('has a new one behind an entry that ends inside a page, and for one that begins inside', () => {
    const m = device(4);
    const mapping = new ChunkMapper(m.domain).mapSg(
      sgOf([A, 0x800], [B, 0x1000], [C + 0x400n, 0x1000], [A, 0x1000]),
      READ,
    );
    // Counted from the base 0x1000, a range of two pages may begin at every second page: 0x1000, 0x3000.
    expect(rows(mapping)).toEqual([
      [0x1000n, 0x800n, 0, 1],
      [0x2000n, 0x1000n, 1, 1],
      [0x3400n, 0x1000n, 2, 1],
      [0x5000n, 0x1000n, 3, 1],
    ]);
    expect(mapping.ranges.map(({ size }) => size)).toEqual([0x1000n, 0x1000n, 0x2000n, 0x1000n]);
    expect(mapping.mapCalls).toBe(4);
  });

  test('has no chunk longer than a segment may be', () => {
    const m = device(4);
    const chunks = new ChunkMapper(m.domain, { maxSegmentSize: 0x2000n });
    const list = sgOf([A, 0x1000], [A + 0x1000n, 0x1000], [A + 0x2000n, 0x1000]);
    expect(rows(chunks.mapSg(list, READ)).map(([, length]) => length)).toEqual([0x2000n, 0x1000n]);
  });

  test('is not cacheable, and takes the privilege that is asked for', () => {
    const m = device(4);
    const { prot } = new ChunkMapper(m.domain).mapSg(sgOf([A, 0x1000]), {
      ...READ,
      attributes: { priv: true },
    });
    expect(prot).toEqual({ read: true, priv: true });
  });

  test('is rounded to pages of the CPU, however small those of the IOMMU are', () => {
    const m = device(4);
    const list = Scatterlist.from([{ phys: A + 0x1000n, length: 0x1000 }], { cpuPageSize: 0x1_0000 });
    const mapping = new ChunkMapper(m.domain, { cpuPageSize: 0x1_0000 }).mapSg(list, READ);
    expect([mapping.overMappedBytes, mapping.segments[0]!.dmaAddress]).toEqual([0xf000n, 0x1_1000n]);
    expect(walk(m.walker, 0x1_0000n)?.pa).toBe(A);
  });

  test('leaves nothing behind when a chunk fails, or when it is unmapped', () => {
    const m = device(4);
    const chunks = new ChunkMapper(m.domain);
    const beyond = sgOf([A, 0x800], [B, 0x1000], [0xff_ffff_f000n, 0x2000]);
    expect(refused(() => chunks.mapSg(beyond, READ)).code).toBe('ERANGE');
    const mapping = chunks.mapSg(sgOf([A, 0x800], [B, 0x1000]), READ);
    expect(chunks.unmapSg(mapping)).toBe(0x2000n);
    expect(refused(() => chunks.unmapSg(mapping)).code).toBe('EINVAL');
    expect(chunks.allocator.bytesAllocated).toBe(0n);
    m.domain.reclaim();
    expect(tableWords(m)).toEqual([]);
  });

  test.each<[string, () => unknown, RegExp]>([
    [
      'pages of the CPU below the IOMMU',
      () => new ChunkMapper(device(64).domain),
      /at least the IOMMU's smallest page of 0x10000, not 4096/,
    ],
    [
      'a page size that is none',
      () => new ChunkMapper(device(4).domain, { cpuPageSize: 5000 }),
      /must be a power of two/,
    ],
    [
      'a list of other pages',
      () => new ChunkMapper(device(4).domain, { cpuPageSize: 0x1_0000 }).mapSg(sgOf([A, 1]), READ),
      /made of CPU pages of 0x1000/,
    ],
    [
      'a list without bytes',
      () => new ChunkMapper(device(4).domain).mapSg(sgOf([A, 0]), READ),
      /has no bytes to map/,
    ],
  ])('is refused with %s', (_, run, message) => {
    expect(refused(run).message).toMatch(message);
  });
});

test('every byte of random lists is where its chunk says, in as many ranges as there are chunks', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(
          fc.nat({ max: 5 }),
          fc.constantFrom(0, 0, 0x800, 0x123),
          fc.constantFrom(0x1000, 0x2000, 0x800, 7),
        ),
        {
          minLength: 1,
          maxLength: 10,
        },
      ),
      (entries) => {
        const m = device(4);
        const list = entries.map(
          ([page, offset, length]) => [A + BigInt(page * 0x4000 + offset), length] as [bigint, number],
        );
        const chunks = new ChunkMapper(m.domain);
        const mapping = chunks.mapSg(sgOf(...list), READ);
        expect(mapping.ranges.length).toBe(chunksOf(sgOf(...list)).length);
        expect(mapping.mapCalls).toBe(list.length);
        for (const { dmaAddress, firstEntry, entryCount, length } of mapping.segments) {
          let at = dmaAddress;
          for (const [phys, size] of list.slice(firstEntry, firstEntry + entryCount)) {
            expect(walk(m.walker, at)?.pa).toBe(phys);
            expect(walk(m.walker, at + BigInt(size - 1))?.pa).toBe(phys + BigInt(size - 1));
            at += BigInt(size);
          }
          expect(at - dmaAddress).toBe(length);
        }
      },
    ),
    { numRuns: 60 },
  );
});

describe('a bitmap from the bottom', () => {
  const bitmap = (options = {}) =>
    new IovaAllocator({
      granule: 0x1000n,
      base: 0x3000n,
      limit: 0xf_ffffn,
      order: 'bottom-up',
      alignFrom: 'base',
      ...options,
    });

  test('aligns from its base', () => {
    const iovas = bitmap();
    expect([iovas.allocate(0x1000n), iovas.allocate(0x2000n), iovas.allocate(0x3000n)]).toEqual([
      0x3000n,
      0x5000n,
      0x7000n,
    ]);
    expect(iovas.allocate(0x1000n)).toBe(0x4000n);
    expect(bitmap({ maxAlignment: 0x2000n }).allocate(0x8000n)).toBe(0x3000n);
  });

  test('does so from the top too', () => {
    expect(bitmap({ order: 'top-down' }).allocate(0x4000n)).toBe(0xf_b000n);
  });

  test('knows no boundary', () => {
    expect(refused(() => bitmap().allocate(0x1000n, { boundary: 0x1_0000n })).message).toMatch(
      /knows no boundary/,
    );
    expect(refused(() => bitmap({ alignFrom: 'top' })).message).toMatch(/alignFrom must be zero or base/);
  });
});
