/** What a combination comes to: counts held to the hardware's reading of the tables, costs of a miss, semantics, and the DMA layer. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arm64LpaeS1 } from '../../formats/index.ts';
import { DmaMapper } from '../../src/dma/index.ts';
import { countTree, IommuDomain, mapSgAs, PhysicalMemory, planSg, Scatterlist } from '../../src/index.ts';
import { combinationsOf, formatRequest } from '../../src/study/combinations.ts';
import { throughDmaLayer } from '../../src/study/dma.ts';
import { estimate } from '../../src/study/estimate.ts';
import {
  type Combination,
  type CombinationResult,
  compareWorkload,
  StudyError,
  WORKLOADS,
  type Workload,
  workloadNamed,
} from '../../src/study/index.ts';
import { measure } from '../../src/study/measure.ts';
import { judgeSemantics } from '../../src/study/semantics.ts';
import { said, seen, treesOf } from './machines.ts';

const K = 1024;
const M = 1024 * K;

/** A workload of one list. */
function workloadOf(
  iova: number | bigint,
  entries: [phys: number, length: number][],
  cpuPageSize = 4096,
): Workload {
  const ranges = entries.map(([phys, length]) => ({ phys: BigInt(phys), length }));
  const sg = Scatterlist.from(ranges, { cpuPageSize });
  return { name: 'test', question: '?', cpuPageSize, requests: [{ iova: BigInt(iova), sg }] };
}

const combination = (
  granule: Combination['granule'],
  sizes: Combination['sizes'],
  stage: Combination['stage'] = 's1',
): Combination => ({ cpuPageSize: 4096, granule, sizes, stage });

test('combinations come by granule, then sizes, then stage', () => {
  const all = combinationsOf(4096);
  expect(all.length).toBe(27);
  expect(all.map(({ granule, sizes, stage }) => `${granule} ${sizes} ${stage}`).slice(0, 10)).toEqual([
    '4096 pages s1',
    '4096 pages s2',
    '4096 pages nested',
    '4096 blocks s1',
    '4096 blocks s2',
    '4096 blocks nested',
    '4096 contiguous s1',
    '4096 contiguous s2',
    '4096 contiguous nested',
    '16384 pages s1',
  ]);
  expect(() => combinationsOf(4096, { granules: [8192 as never] })).toThrow(StudyError);
  expect(() => combinationsOf(4096, { stages: ['s3' as never] })).toThrow(
    /stage must be one of s1, s2, nested/,
  );
});

/** 4 MiB at PA 4 GiB, at an IOVA that is a multiple of 1 GiB: tables and leaves by hand. */
test.each<[number, Combination['sizes'], string[], string[]]>([
  [4096, 'pages', ['1.3x1: 1024'], ['1.0: 1/4096', '1.1: 1/4096', '1.2: 1/4096', '1.3: 2/8192']],
  [4096, 'blocks', ['1.2x1: 2'], ['1.0: 1/4096', '1.1: 1/4096', '1.2: 1/4096']],
  [4096, 'contiguous', ['1.2x1: 2'], ['1.0: 1/4096', '1.1: 1/4096', '1.2: 1/4096']],
  [16384, 'pages', ['1.3x1: 256'], ['1.0: 1/16', '1.1: 1/16384', '1.2: 1/16384', '1.3: 1/16384']],
  [16384, 'contiguous', ['1.3x128: 256'], ['1.0: 1/16', '1.1: 1/16384', '1.2: 1/16384', '1.3: 1/16384']],
  [65536, 'blocks', ['1.3x1: 64'], ['1.1: 1/512', '1.2: 1/65536', '1.3: 1/65536']],
  [65536, 'contiguous', ['1.3x32: 64'], ['1.1: 1/512', '1.2: 1/65536', '1.3: 1/65536']],
])('4 MiB with a granule of %i and %s', (granule, sizes, leaves, tables) => {
  const workload = workloadOf(2 ** 30, [[2 ** 32, 4 * M]]);
  const { counts } = measure(workload, combination(granule as Combination['granule'], sizes));
  expect(said(counts, 1)).toEqual({ leaves, tables });
});

/** Descriptors that a miss reads. Of two stages: every stage-1 descriptor by its own stage-2 walk, and the page's; stage 2 leaves are as large as offered. */
test.each<[number, Combination['sizes'], Combination['stage'], number, number, number]>([
  [4096, 'pages', 's1', 4, 4, 0],
  [4096, 'pages', 's2', 4, 0, 4],
  [4096, 'pages', 'nested', 24, 4, 20],
  [4096, 'blocks', 's1', 3, 3, 0],
  [4096, 'blocks', 'nested', 11, 3, 8],
  [16384, 'pages', 's1', 4, 4, 0],
  [16384, 'pages', 's2', 3, 0, 3],
  [16384, 'pages', 'nested', 19, 4, 15],
  [16384, 'blocks', 'nested', 14, 4, 10],
  [65536, 'pages', 's1', 3, 3, 0],
  [65536, 'pages', 'nested', 15, 3, 12],
  [65536, 'blocks', 'nested', 11, 3, 8],
])(
  'a miss with a granule of %i, %s, %s reads %i descriptors',
  (granule, sizes, stage, accesses, stage1, stage2) => {
    const workload = workloadOf(2 ** 30, [[2 ** 32, 2 * M]]);
    const { misses } = measure(workload, combination(granule as Combination['granule'], sizes, stage));
    expect(misses.map((one) => [one.accesses, one.stage1, one.stage2])).toEqual([[accesses, stage1, stage2]]);
  },
);

describe('counts are what the hardware side finds', () => {
  const workloads = WORKLOADS.flatMap((name) =>
    [4096, 16384, 65536].map((cpuPageSize) => workloadNamed(name, { cpuPageSize, bytes: 3 * M, seed: 9 })),
  ).filter(({ requests }) => requests.every(({ sg }) => sg.byteLength <= 64n * 0x10_0000n));

  test.each(workloads)('$name, CPU pages of $cpuPageSize', (workload) => {
    for (const one of combinationsOf(workload.cpuPageSize)) {
      const { counts, stage2, refusedRequests } = measure(workload, one);
      const trees = treesOf(workload, one);
      const stage = one.stage === 's2' ? 2 : 1;
      const found = seen(trees.filter(({ root }) => root.stage === stage && root.register !== 'ttbr1'));
      expect(found, JSON.stringify(one)).toEqual(said(counts, stage));
      if (stage2) expect(seen(trees.filter(({ root }) => root.stage === 2))).toEqual(said(stage2, 2));
      expect(stage2 !== undefined).toBe(one.stage === 'nested' && refusedRequests < workload.requests.length);
      expect(estimate(workload, one)).toEqual({ refused: refusedRequests, counts });
      expect(counts.descriptors).toBe(counts.byLeaf.reduce((sum, { leaves, run }) => sum + leaves * run, 0));
    }
  });

  test('and what the driver counts, entry by entry', () => {
    const workload = workloadNamed('gpu', { bytes: 9 * M });
    const domain = new IommuDomain(
      new PhysicalMemory({ base: 0n, size: 1n << 30n }),
      arm64LpaeS1,
      formatRequest(combination(4096, 'contiguous')),
    );
    for (const { iova, sg } of workload.requests) domain.mapSg(iova, sg, { read: true });
    const { tables, tableBytes, leaves } = countTree(domain.tables());
    const { counts } = measure(workload, combination(4096, 'contiguous'));
    expect(counts).toMatchObject({ tables, tableBytes, descriptors: leaves });
  });
});

test.each<[string, number, number]>([
  ['input addresses', 2 ** 48 - 2 * M, 2 ** 32],
  ['memory', 2 ** 30, 2 ** 48 - 2 * M],
])('a list may end where %s end, and not a page further', (_, iova, phys) => {
  for (const one of combinationsOf(4096, { granules: [4096], stages: ['s1', 's2'] })) {
    const fits = workloadOf(iova, [[phys, 2 * M]]);
    const { counts } = measure(fits, one);
    expect(estimate(fits, one)).toEqual({ refused: 0, counts });
    expect(counts.leaves).toBe(one.sizes === 'pages' ? 512 : 1);
    const beyond = workloadOf(iova, [[phys, 2 * M + 4096]]);
    expect([estimate(beyond, one).refused, measure(beyond, one).refusedRequests]).toEqual([1, 1]);
  }
});

test('address spaces have tables of their own, and are counted together', () => {
  const one = workloadOf(2 ** 30, [[2 ** 32, 4096]]);
  const [request] = one.requests;
  const two = { ...one, requests: [request!, { ...request!, space: 1 }] };
  const [a, b] = [one, two].map((workload) => measure(workload, combination(4096, 'pages')).counts);
  expect([a!.tables, b!.tables, a!.descriptors, b!.descriptors]).toEqual([4, 8, 1, 2]);
  const again = { ...one, requests: [request!, request!] };
  const { refusals, maps, counts } = measure(again, combination(4096, 'pages'));
  expect([maps, counts.descriptors, refusals]).toMatchObject([
    false,
    1,
    [{ request: 1, entry: 0, code: 'EEXIST', message: expect.stringMatching(/is mapped already/) }],
  ]);
});

test('a refusal is the library’s own, with request and entry, and leaves no tables', () => {
  const workload = workloadOf(0x4000_0000, [
    [0x9000_0000, 64 * K],
    [0xa000_1000, 4 * K],
  ]);
  const { maps, refusedRequests, refusals, counts } = measure(workload, combination(65536, 'blocks'));
  expect([maps, refusedRequests, counts.descriptors, counts.tables]).toEqual([false, 1, 0, 1]);
  expect(refusals).toEqual([
    {
      request: 0,
      entry: 1,
      code: 'EINVAL',
      message: expect.stringContaining(
        "PA 0xa0001000 and length 0x1000 must be a multiple of the IOMMU's smallest page 0x10000",
      ),
    },
  ]);
});

test('a guest in strewn RAM, and one at the end of all addresses, have a stage 2 too', () => {
  const strewn = Array.from({ length: 70 }, (_, i): [number, number] => [(i + 1) * 2 ** 35, 4096]);
  const far = measure(workloadOf(2 ** 30, strewn), combination(4096, 'pages', 'nested'));
  expect([far.maps, far.misses[0]?.accesses, far.stage2?.leaves]).toEqual([true, 24, 70 + 2 ** 18]);
  const high = measure(workloadOf(2 ** 30, [[2 ** 48 - 4096, 4096]]), combination(4096, 'blocks', 'nested'));
  expect([high.maps, high.misses[0]?.accesses]).toEqual([true, 14]);
});

describe('any list', () => {
  const entry = fc.tuple(
    fc.nat({ max: 40 }),
    fc.constantFrom(0, 0, 0, 0x800, 0x1000, 0x5000),
    fc.constantFrom(0x1000, 0x4000, 0x1_0000, 0x800, 0x3000, 0),
    fc.boolean(),
  );
  const lists = fc.array(entry, { minLength: 1, maxLength: 10 });
  const pages = fc.constantFrom<Combination['granule']>(0x1000, 0x4000, 0x1_0000);

  /** Entries anywhere, or where the one before ended. */
  function make(entries: readonly [number, number, number, boolean][], cpu: number, iova: bigint): Workload {
    let end = 0;
    const ranges = entries.map(([at, offset, length, joins]): [number, number] => {
      const phys = joins && end > 0 ? end : 0x8000_0000 + at * 0x1_0000 + offset;
      end = phys + length;
      return [phys, length];
    });
    return workloadOf(iova, ranges, cpu);
  }

  test('semantics are as planSg and mapSgAs have them', () => {
    const iovas = fc.constantFrom(0x4000_0000n, 0x4000_1000n, 0x4000_0800n);
    const semantics = fc.constantFrom('exact', 'per-entry', 'page-align');
    fc.assert(
      fc.property(lists, pages, pages, iovas, semantics, (entries, cpu, page, iova, how) => {
        const workload = make(entries, cpu, iova);
        const { sg } = workload.requests[0]!;
        const plan = planSg(sg, how, BigInt(page), iova);
        const found = judgeSemantics(workload, how, page);
        const [refusal] = plan.refusals;
        expect(found).toMatchObject({
          maps: refusal === undefined,
          refusedPieces: plan.refusals.length,
          overMapped: plan.overMapped,
        });
        expect(found.first?.entry).toBe(refusal?.entry);
        if (refusal === undefined || how === 'exact') return;
        const domain = new IommuDomain(
          new PhysicalMemory({ base: 0n, size: 1n << 30n }),
          arm64LpaeS1,
          formatRequest(combination(page, 'blocks')),
        );
        let message = '';
        try {
          mapSgAs(domain, iova, sg, { read: true }, how);
        } catch (error) {
          message = (error as Error).message;
        }
        expect(found.first?.message).toBe(message);
      }),
      { numRuns: 400 },
    );
  });

  test('the DMA layer takes what a DmaMapper takes', () => {
    const large = fc.tuple(lists, fc.constantFrom(0, 0, 2 ** 32 - 0x1000, 2 ** 31, 2 ** 32 + 1));
    fc.assert(
      fc.property(large, pages, ([entries, more], granule) => {
        const list = make(entries, 4096, 0n).requests[0]!.sg;
        const sg = Scatterlist.from([...list, ...(more ? [{ phys: 2n ** 34n, length: more }] : []), ...list]);
        const workload = { ...make(entries, 4096, 0n), requests: [{ iova: 0n, sg }] };
        const domain = new IommuDomain(
          new PhysicalMemory({ base: 0n, size: 1n << 30n }),
          arm64LpaeS1,
          formatRequest(combination(granule, 'contiguous')),
        );
        const found = throughDmaLayer(workload, granule);
        if (sg.byteLength === 0n) return void expect(found.iovaBytes).toBe(0n);
        try {
          const mapping = new DmaMapper(domain).mapSg(sg, { direction: 'bidirectional' });
          expect(found).toEqual({
            refusedRequests: 0,
            iovaBytes: mapping.range.size,
            overMapped: mapping.overMappedBytes,
            padding: mapping.paddingBytes,
          });
        } catch (error) {
          if ((error as Error).name !== 'IommuError') throw error;
          expect(found).toMatchObject({ refusedRequests: 1, first: { message: (error as Error).message } });
        }
      }),
      { numRuns: 60 },
    );
  });
});

test('a comparison can be left between two combinations', async () => {
  const workload = workloadNamed('page-cache', { bytes: M });
  const results: CombinationResult[] = [];
  let turns = 0;
  const timer = setInterval(() => turns++, 0);
  for await (const result of compareWorkload(workload, { stages: ['s1'] })) {
    results.push(result);
    await new Promise((resolve) => setTimeout(resolve, 2));
    if (results.length === 3) break;
  }
  clearInterval(timer);
  expect(results.map(({ combination: { sizes } }) => sizes)).toEqual(['pages', 'blocks', 'contiguous']);
  expect(turns).toBeGreaterThan(0);
  expect(results[0]!.ofGranule).toBe(results[2]!.ofGranule);
});

test('options: some semantics, no advice', async () => {
  const workload = workloadNamed('odd-start', { bytes: M });
  const options = { granules: [4096], sizes: ['pages'], stages: ['s1'], advice: false } as const;
  for await (const { advice, ofGranule } of compareWorkload(workload, {
    ...options,
    semantics: ['per-entry'],
  })) {
    expect(advice).toEqual([]);
    expect(ofGranule.semantics.map(({ semantics }) => semantics)).toEqual(['per-entry']);
  }
});
