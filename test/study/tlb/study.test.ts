/** What is known of TLBs, in literal numbers; and the laws that every study keeps. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { setsOf, type TlbShape } from '../../../src/study/tlb/model.ts';
import {
  sizeOfStudy,
  studyTlb,
  type TlbMeasured,
  type TlbResult,
  type TlbStudy,
} from '../../../src/study/tlb/study.ts';
import { deviceTrace, type Trace } from '../../../src/study/tlb/trace.ts';

const K = 1024;
const M = 1024 * K;

async function resultsOf(study: TlbStudy): Promise<TlbResult[]> {
  const results: TlbResult[] = [];
  for await (const result of studyTlb(study)) results.push(result);
  return results;
}

async function measured(study: TlbStudy): Promise<TlbMeasured[]> {
  return (await resultsOf(study)).map((result) => {
    if (!result.maps) throw new Error(result.reason);
    return result;
  });
}

async function one(study: TlbStudy): Promise<TlbMeasured> {
  const [result, ...more] = await measured(study);
  expect(more).toEqual([]);
  return result!;
}

const full = (entries: number, walkCache = 0): TlbShape => ({ entries, ways: 'full', walkCache });
const pages4K = { granules: [0x1000], sizes: ['pages'], stages: ['s1'] } as const;
/** 64 pages, each touched once in a pass; four passes. */
const passes = { name: 'strided', stride: 4 * K, accesses: 256 } as const;

describe('hits', () => {
  test.each<[string, TlbShape, number]>([
    ['as many entries as pages: the first pass misses', full(64), 64],
    ['more entries than pages', full(512), 64],
    ['one entry less, fully associative: every page was evicted just before it is asked for', full(63), 256],
    ['one set less of many', { entries: 32, ways: 4, walkCache: 0 }, 256],
    ['four ways and enough sets', { entries: 64, ways: 4, walkCache: 0 }, 64],
    ['direct mapped', { entries: 64, ways: 1, walkCache: 0 }, 64],
  ])('over and over 64 pages, %s', async (_, shape, misses) => {
    const study = { footprint: { bytes: 256 * K }, choice: pages4K, trace: passes, shapes: [shape] };
    expect(await one(study)).toMatchObject({
      accesses: 256,
      misses,
      hits: 256 - misses,
      hitRate: (256 - misses) / 256,
      faults: 0,
      workingSet: { entries: 64, bytes: 256 * K },
    });
  });

  test('lines of 64 bytes in order: one miss a page', async () => {
    const trace = { name: 'sequential', accesses: 64 * 64 };
    const study = { footprint: { bytes: 256 * K }, choice: pages4K, trace, shapes: [full(2)] };
    expect(await one(study)).toMatchObject({ misses: 64, hitRate: 0.984375, evictions: 62 });
  });

  test('a stride of one page per set always hits the same set', async () => {
    // 16 sets of 4: pages 0, 16, 32 … 112 are all of set 0.
    const trace = { name: 'strided', stride: 64 * K, accesses: 80 } as const;
    const shapes = [
      { entries: 64, ways: 4, walkCache: 0 },
      full(64),
      { entries: 64, ways: 8, walkCache: 0 },
    ] as const;
    const study = { footprint: { bytes: 512 * K }, choice: pages4K, trace, shapes };
    expect((await measured(study)).map(({ misses }) => misses)).toEqual([80, 8, 8]);
  });

  // The hole is in the first 1G, and the footprint elsewhere in the first 512G: two descriptors say so.
  test('an access that faults is a miss every time, and leaves no entry', async () => {
    const trace: Trace = { name: 'hole', addresses: new Float64Array(10).fill(2 ** 20) };
    const study = { footprint: { bytes: 64 * K }, choice: pages4K, trace, shapes: [full(8)] };
    expect(await one(study)).toMatchObject({ misses: 10, faults: 10, fetches: 20, reach: 0 });
  });
});

describe('reach', () => {
  const trace = { name: 'strided', stride: 4 * K, accesses: 65536 } as const;
  const study = { footprint: { bytes: 256 * M }, trace, shapes: [full(64)] } as const;

  test.each([
    ['pages', 0x1000, 256 * K],
    ['blocks', 0x1000, 128 * M], // 512 times
    ['contiguous', 0x1000, 256 * M], // runs of 32M: 8 entries hold all
    ['pages', 0x4000, M],
    ['blocks', 0x4000, 256 * M],
    ['pages', 0x1_0000, 4 * M],
    ['blocks', 0x1_0000, 4 * M], // blocks are 512M
    ['contiguous', 0x1_0000, 128 * M], // runs of 2M
  ] as const)('of 64 entries with %s of granule %i', async (sizes, granule, bytes) => {
    const choice = { granules: [granule], sizes: [sizes], stages: ['s1'] } as const;
    const { reach, bestReach } = await one({ ...study, choice });
    expect({ reach, bestReach }).toEqual({ reach: bytes, bestReach: bytes });
  });

  test('of runs that the TLB does not know is that of blocks', async () => {
    const choice = { granules: [0x1000], sizes: ['contiguous'], stages: ['s1'] } as const;
    const shapes = [{ ...full(64), runs: false }];
    expect(await one({ ...study, choice, shapes })).toMatchObject({
      reach: 128 * M,
      workingSet: { entries: 128, bytes: 256 * M },
    });
  });

  test('at its best is not that of the end, where something is unmapped', async () => {
    const requests = [0n, 0x4000n].map((first) => ({ first, size: 0x4000n }));
    const device = deviceTrace('two buffers', requests, { burst: 4096 });
    const footprint = { stretches: requests };
    const result = await one({ footprint, choice: pages4K, trace: device, shapes: [full(64)] });
    expect(result).toMatchObject({ misses: 8, reach: 16 * K, bestReach: 16 * K });
    const lazy = deviceTrace('two buffers', requests, { burst: 4096, unmaps: false });
    const kept = await one({ footprint, choice: pages4K, trace: lazy, shapes: [full(64)] });
    expect(kept).toMatchObject({ misses: 8, reach: 32 * K });
  });
});

describe('what a walk reads', () => {
  const cold = { name: 'sequential', accesses: 1 } as const;

  test.each([
    [0x1000, 'pages', 's1', 4, 0],
    [0x1000, 'blocks', 's1', 3, 0],
    [0x1000, 'pages', 's2', 0, 4],
    // Four levels, each found through four of stage 2, and four for the page.
    [0x1000, 'pages', 'nested', 4, 20],
    // Tables and pages lie in 1G blocks of stage 2.
    [0x1000, 'blocks', 'nested', 3, 8],
    [0x1_0000, 'pages', 's1', 3, 0],
    [0x1_0000, 'pages', 'nested', 3, 12],
  ] as const)(
    'from the first table on: granule %i, %s, %s',
    async (granule, sizes, stage, stage1, stage2) => {
      const choice = { granules: [granule], sizes: [sizes], stages: [stage] };
      const study = { footprint: { bytes: 2 * M }, choice, trace: cold, shapes: [full(64)] };
      expect(await one(study)).toMatchObject({
        fetches: stage1 + stage2,
        stage1Fetches: stage1,
        stage2Fetches: stage2,
        fetchesPerWalk: stage1 + stage2,
        costliestWalk: stage1 + stage2,
        fetchesSaved: 0,
      });
    },
  );

  test('with a walk cache is the last level, but where a table begins', async () => {
    // 1024 pages: two tables of the last level.
    const trace = { name: 'strided', stride: 4 * K, accesses: 1024 } as const;
    const study = {
      footprint: { bytes: 4 * M },
      choice: pages4K,
      trace,
      shapes: [full(16, 16), full(16, 1)],
    };
    const [cached, single] = await measured(study);
    expect(cached).toMatchObject({ fetches: 4 + 511 + 2 + 511, walkCacheHits: 1023, costliestWalk: 4 });
    // Of one table, that of the last level stays.
    expect(single).toMatchObject({ fetches: 4 + 511 + 4 + 511, walkCacheHits: 1022 });
  });

  test('nested, with a walk cache: the last descriptor, and stage 2 for the page', async () => {
    const choice = { ...pages4K, stages: ['nested'] } as const;
    const trace = { name: 'strided', stride: 4 * K, accesses: 512 } as const;
    const study = { footprint: { bytes: 2 * M }, choice, trace, shapes: [full(16, 16)] };
    expect(await one(study)).toMatchObject({
      fetches: 24 + 511 * 5,
      stage1Fetches: 4 + 511,
      stage2Fetches: 20 + 511 * 4,
    });
  });
});

describe('a study', () => {
  test('goes through tables, then TLBs', async () => {
    const study = {
      footprint: { bytes: M },
      choice: { granules: [0x1000, 0x4000], sizes: ['pages'], stages: ['s1', 'nested'] },
      trace: { name: 'random', accesses: 100 },
      shapes: [full(8), full(16)],
    } as const;
    const combinations = (await resultsOf(study)).map(({ combination }) => {
      const { entries, tables } = combination;
      return `${tables?.granule} ${tables?.stage} ${entries}`;
    });
    expect(combinations).toEqual([
      '4096 s1 8',
      '4096 s1 16',
      '4096 nested 8',
      '4096 nested 16',
      '16384 s1 8',
      '16384 s1 16',
      '16384 nested 8',
      '16384 nested 16',
    ]);
    expect(sizeOfStudy(study)).toBe(8);
  });

  test('says what it can not map', async () => {
    const footprint = { workload: 'odd-start', bytes: M };
    const [result] = await resultsOf({
      footprint,
      choice: pages4K,
      trace: { name: 'random' },
      shapes: [full(8)],
    });
    expect(result).toMatchObject({ maps: false, combination: { entries: 8, tables: { stage: 's1' } } });
    expect(result).toMatchObject({ reason: expect.stringContaining('entry 0') });
  });

  test.each<[string, Partial<TlbShape>, RegExp]>([
    ['no entries', { entries: 0 }, /1 to 2\^20 entries, not 0/],
    [
      'three sets',
      { entries: 12, ways: 4 },
      /12 entries of 4 ways make 3 sets, which must be a power of two/,
    ],
    ['ways that do not divide', { entries: 10, ways: 4 }, /2\.5 sets/],
    ['half a table', { walkCache: 0.5 }, /0 to 2\^20 tables, not 0.5/],
  ])('refuses a TLB with %s', async (_, shape, message) => {
    expect(() => setsOf({ ...full(64), ...shape })).toThrow(message);
    const study = { footprint: {}, trace: { name: 'random' }, shapes: [{ ...full(64), ...shape }] };
    await expect(studyTlb(study).next()).rejects.toThrow(message);
  });
});

describe('more of the same never hits less', () => {
  const traces = fc.record({
    name: fc.constantFrom('random', 'strided', 'sequential', 'dma-ring'),
    stride: fc.constantFrom(64, 4096, 12288, 65536),
    seed: fc.nat(1000),
    accesses: fc.constant(2000),
  });
  const choices = fc.record({
    granules: fc.constantFrom([0x1000] as const, [0x4000] as const, [0x1_0000] as const),
    sizes: fc.constantFrom(['pages'] as const, ['blocks'] as const, ['contiguous'] as const),
    stages: fc.constantFrom(['s1'] as const, ['nested'] as const),
  });

  test('entries of a fully associative TLB; and ways, where sets stay as many', async () => {
    await fc.assert(
      fc.asyncProperty(traces, choices, fc.constantFrom(0, 0.2, 1), async (trace, choice, fragmentation) => {
        const grown = [1, 2, 3, 5, 8, 16, 64, 300].map((entries) => full(entries, 4));
        const wider = [1, 2, 3, 4, 8].map((ways) => ({ entries: 8 * ways, ways, walkCache: 4 }));
        const footprint = { bytes: 2 * M, fragmentation, seed: trace.seed };
        const results = await measured({ footprint, choice, trace, shapes: [...grown, ...wider] });
        for (const { accesses, hits, misses, workingSet, fetches, stage1Fetches, stage2Fetches } of results) {
          expect(hits + misses).toBe(accesses);
          expect(stage1Fetches + stage2Fetches).toBe(fetches);
          expect(misses).toBeGreaterThanOrEqual(workingSet.entries);
        }
        for (const family of [results.slice(0, grown.length), results.slice(grown.length)]) {
          const hits = family.map((result) => result.hits);
          expect(hits).toEqual([...hits].sort((a, b) => a - b));
        }
        // Enough for all: nothing is missed twice.
        const most = results[grown.length - 1]!;
        if (most.workingSet.entries <= 300) expect(most.misses).toBe(most.workingSet.entries);
      }),
      { numRuns: 60 },
    );
  });
});
