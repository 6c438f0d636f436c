/** Conclusions of studies: the sentences, and that each number in them was measured. */
import { describe, expect, test } from 'vitest';
import { Scatterlist } from '../../src/index.ts';
import { bestCombination } from '../../src/study/conclusions.ts';
import {
  conclusionsOf,
  gathered,
  type StudyOptions,
  type StudyPart,
  studyWorkloads,
  type Workload,
  workloadNamed,
} from '../../src/study/index.ts';
import { partsOf } from '../../src/study/workload-study.ts';

async function studied(workloads: readonly Workload[], options: StudyOptions = {}) {
  const parts: StudyPart[] = [];
  for await (const part of studyWorkloads(workloads, options)) parts.push(part);
  expect(parts).toHaveLength(partsOf(workloads, options));
  return gathered(parts);
}

function sgOf(ranges: readonly (readonly [phys: number, length: number])[]): Scatterlist {
  return Scatterlist.from(ranges.map(([phys, length]) => ({ phys: BigInt(phys), length })));
}

/** Two huge pages of 2M, behind each other in IOVA and not in memory, at addresses that are multiples of 2M. */
const HUGE: Workload = {
  name: 'two',
  question: '?',
  cpuPageSize: 0x1000,
  requests: [
    {
      iova: 0x4000_0000n,
      sg: sgOf([
        [0x8000_0000, 0x20_0000],
        [0x8060_0000, 0x20_0000],
      ]),
    },
  ],
};

const SMALL = {
  stages: ['s1', 'nested'],
  sizes: ['pages', 'blocks'],
  granules: [0x1000, 0x1_0000],
  shapes: [{ entries: 64, ways: 4, walkCache: 16 }],
  accesses: 16_384,
} as const satisfies StudyOptions;

test('of two huge pages, word for word', async () => {
  const conclusions = conclusionsOf(await studied([HUGE], SMALL));
  expect(conclusions.map(({ kind, text }) => `${kind}: ${text}`)).toEqual([
    'maps: The request maps on a granule of 4K and 64K.',
    // 4M are 1024 pages of 4K or 64 of 64K; a block of 64K tables is 512M.
    'leaves: On a granule of 4K what takes 1,024 TLB entries with pages only takes 2 with blocks.',
    'leaves: On a granule of 64K larger sizes change nothing: 64 TLB entries with pages only and blocks.',
    // Levels 0, 1, 2 and two tables of level 3, or none of these; of 64K pages level 1 (64 entries of 8 bytes), 2 and 3.
    'tables: Tables for 4.00 MiB take from 12.0 KiB (4K granule, blocks, stage 1) to 128.5 KiB (64K granule, pages, stage 1).',
    'miss: With nothing cached, the costliest TLB miss reads 3 to 4 descriptors at stage 1, and 11 to 24 when nested, because every read of stage 1 goes through stage 2 first.',
    // 16,384 bursts of 256 bytes: a miss for each page of 4K, that is 15 of 16; or for each of two blocks.
    'tlb: A TLB of 64 entries answers a device that goes over each request once: from 93.7% over 4K granule, pages to 99.9% over 4K granule, blocks.',
    expect.stringMatching(
      /^tlb: A TLB of 64 entries answers random accesses to all mapped memory: from \d\.\d% over 4K granule, pages to 99\.9% over 4K granule, blocks\.$/,
    ),
    'advice: 4K granule, pages, stage 1: Offer blocks of 2M 1G beside 4K. The gain: 1,024 leaves become 2, 5 tables become 3.',
  ]);
});

test('of a request that one granule refuses, and of no results', async () => {
  const odd: Workload = {
    ...HUGE,
    requests: [0, 1].map((i) => ({
      iova: BigInt(0x4000_0000 + i * 0x1_0000),
      sg: sgOf([[0x8000_0000 + i * 0x1_0000, i === 0 ? 0x1000 : 0x1_0000]]),
    })),
  };
  const texts = conclusionsOf(await studied([odd], SMALL)).map(({ text }) => text);
  expect(texts[0]).toBe(
    'Each of 2 requests maps on a granule of 4K. A granule of 64K refuses 1: an IOMMU can only map whole pages of its own, and map_sg maps exactly what was asked for.',
  );
  expect(texts).toContain(
    'The DMA layer maps all of it, in whole pages around each buffer, so that a device may reach memory that no request covers: 60.0 KiB on a granule of 64K.',
  );
  expect(conclusionsOf([])).toEqual([]);
  expect(conclusionsOf([{ workload: odd, results: [], tlb: [] }])).toEqual([]);
});

test('where addresses are in the way, that is said, and no more room around buffers is advised', async () => {
  const high: Workload = {
    ...HUGE,
    requests: [{ iova: 0x4000_0000n, sg: sgOf([[0xf_0000_0000_0000, 0x1000]]) }],
  };
  const texts = conclusionsOf(await studied([high], SMALL)).map(({ text }) => text);
  expect(texts[0]).toMatch(/^A granule of 4K refuses it and 64K it: request 0, ERANGE: /);
  expect(texts.join()).not.toContain('DMA layer');
});

test('of a single combination nothing is said of others', async () => {
  const one = { ...SMALL, granules: [0x1000], sizes: ['pages'], traces: ['device'] } as const;
  const of = async (stages: readonly ('s1' | 'nested')[]) =>
    conclusionsOf(await studied([HUGE], { ...one, stages })).map(({ text }) => text);
  const [maps, tables, tlb] = await of(['s1']);
  expect([maps, tables, tlb]).toEqual([
    'The request maps on a granule of 4K.',
    'Tables take 20.0 KiB for 4.00 MiB.',
    'A TLB of 64 entries answers a device that goes over each request once: 93.7% over 4K granule, pages.',
  ]);
  expect(await of(['nested'])).toContain(tlb);
});

describe('CPU page sizes', () => {
  test('what holds for several is said once, with the sizes that it holds for', async () => {
    const workloads = [0x1000, 0x4000].map((cpuPageSize) =>
      workloadNamed('gpu', { bytes: 2 ** 22, cpuPageSize }),
    );
    const studies = await studied(workloads, SMALL);
    const conclusions = conclusionsOf(studies);
    expect(conclusions.every(({ cpuPageSizes }) => cpuPageSizes.join() === '4096,16384')).toBe(true);
    // Their lists are the same: TLBs were asked once.
    expect(studies[1]!.tlb).toBe(studies[0]!.tlb);
  });

  test('lists that differ go through TLBs by themselves', async () => {
    const workloads = [0x1000, 0x4000].map((cpuPageSize) =>
      workloadNamed('page-cache', { bytes: 2 ** 20, cpuPageSize }),
    );
    const studies = await studied(workloads, SMALL);
    expect(studies[1]!.tlb).not.toBe(studies[0]!.tlb);
    expect(studies.map(({ tlb }) => tlb.length)).toEqual([16, 16]);
  });
});

test('the best combination maps everything with the fewest leaves', async () => {
  const [study] = await studied([HUGE], SMALL);
  expect(bestCombination(study!)?.combination).toMatchObject({
    granule: 0x1000,
    sizes: 'blocks',
    stage: 's1',
  });
  expect(bestCombination({ ...study!, results: [] })).toBeUndefined();
});

test.each([
  [['blocks', 'contiguous'], 'blocks'],
  [['contiguous', 'blocks'], 'contiguous'],
] as const)('of equals the first is named: %j', async (sizes, first) => {
  // Two blocks of 2M: runs of more find nothing to do.
  const one = { ...SMALL, granules: [0x1000], stages: ['s1'], traces: ['device'] } as const;
  const [study] = await studied([HUGE], { ...one, sizes: ['pages', ...sizes] });
  expect(bestCombination(study!)?.combination.sizes).toBe(first);
  const texts = conclusionsOf([study!]).map(({ text }) => text);
  expect(texts).toContain(
    `Tables for 4.00 MiB take from 12.0 KiB (4K granule, ${first}, stage 1) to 20.0 KiB (4K granule, pages, stage 1).`,
  );
  expect(texts).toContain(
    `A TLB of 64 entries answers a device that goes over each request once: from 93.7% over 4K granule, pages to 99.9% over 4K granule, ${first}.`,
  );
});
