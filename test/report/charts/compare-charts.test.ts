/** Charts of comparisons say what the results say, of all of them, some, or none. */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { parseWorkload } from '../../../src/cli/input/workload-file.ts';
import { comparisonCharts } from '../../../src/report/charts/compare-charts.ts';
import {
  type CombinationResult,
  type Compared,
  type CompareOptions,
  compareWorkload,
  type Workload,
  workloadNamed,
} from '../../../src/study/index.ts';
import { count, roughSize, sizeText } from '../../../src/text/numbers.ts';
import { barValues, chartOf, expectCharts, plainLines, tips } from './charts.ts';

async function compared(workload: Workload, options: CompareOptions = {}): Promise<Compared> {
  const results: CombinationResult[] = [];
  for await (const result of compareWorkload(workload, { advice: false, ...options })) results.push(result);
  return { workload, results };
}

const generated = (name: string, cpuPageSizes: readonly number[], options: CompareOptions = {}) =>
  Promise.all(
    cpuPageSizes.map((cpuPageSize) =>
      compared(workloadNamed(name, { bytes: 2 ** 22, cpuPageSize }), options),
    ),
  );
const size = (bytes: number) => sizeText(BigInt(bytes));
const ids = (lists: readonly Compared[]) => comparisonCharts(lists).map(({ id }) => id);
const STAGES = { s1: 'stage 1', s2: 'stage 2', nested: 'nested' } as const;

describe('fragmented lists, of two CPU page sizes', () => {
  let lists: Compared[];
  beforeAll(async () => {
    lists = await generated('fragmented', [0x1000, 0x1_0000]);
  });

  test('are drawn soundly', () => {
    const charts = comparisonCharts(lists);
    expectCharts(charts);
    expect(charts.map(({ id }) => id)).toEqual([
      'compare-maps',
      'compare-leaves',
      'compare-tables',
      'compare-misses',
      'compare-semantics',
      'compare-padding',
    ]);
  });

  test('leaves of what maps, and no bar for what does not', () => {
    const values = barValues(chartOf(comparisonCharts(lists), 'compare-leaves'));
    const wanted = new Map(
      lists.flatMap(({ results }) =>
        results
          .filter(({ maps }) => maps)
          .map(({ combination: { granule, sizes, cpuPageSize }, counts }) => [
            `${size(granule)} ${sizes} ${size(cpuPageSize)}`,
            count(counts.leaves),
          ]),
      ),
    );
    expect(wanted.size).toBeGreaterThan(11);
    expect(wanted.size).toBeLessThan(18);
    expect(new Map([...values].sort())).toEqual(new Map([...wanted].sort()));
  });

  test('why a combination is refused, and where', () => {
    const chart = chartOf(comparisonCharts(lists), 'compare-maps');
    const [{ message } = { message: '' }] = lists[0]!.results.find(
      ({ combination }) => combination.granule === 0x4000,
    )!.refusals;
    expect(message).toMatch(/^EINVAL: entry 0 /);
    expect(tips(chart)).toContain(`4K, 16K, any sizes: refused\nRequest 0: ${message}`);
    expect(plainLines(chart).join(' ').replace(/\s+/g, ' ')).toContain(`Request 0: ${message}`);
    expect(plainLines(chart)).toContain('16K, any sizes               ✗ refused (1)   ✓ 256 leaves');
  });

  test('what the meanings of map_sg refuse, and what the DMA layer maps too much', () => {
    const charts = comparisonCharts(lists);
    const said = tips(chartOf(charts, 'compare-semantics'));
    for (const { semantics, refusedPieces, maps } of lists[0]!.results.at(-1)!.ofGranule.semantics) {
      expect(maps).toBe(false);
      expect(said).toContain(`${semantics}, 64K, CPU 4K: ${count(refusedPieces)}`);
    }
    const { overMapped } = lists[0]!.results.at(-1)!.ofGranule.dma;
    expect(overMapped).toBeGreaterThan(0n);
    expect(said).toContain(`DMA layer, 64K, CPU 4K: ${roughSize(overMapped)}`);
    expect(tips(chartOf(charts, 'compare-padding'))).toContain(
      `64K, CPU pages of 4K: ${roughSize(overMapped)}`,
    );
    expect(tips(chartOf(charts, 'compare-padding'))).toContain('64K, CPU pages of 64K: 0 bytes');
  });

  test('cut short: what is not measured is said to be, and has no bars', async () => {
    const [first, second] = lists;
    const some = [first!, { ...second!, results: second!.results.slice(0, 4) }];
    const charts = comparisonCharts(some);
    expectCharts(charts);
    const said = tips(chartOf(charts, 'compare-maps'));
    expect(said).toContain('64K, stage 2 and nested, 4K, blocks: not measured');
    expect(said.some((tip) => /^64K, stage 1, 4K, blocks: [\d,]+ leaves$/.test(tip))).toBe(true);
    expect(tips(chartOf(charts, 'compare-tables')).filter((tip) => tip.includes('16K, '))).toEqual([]);
    for (let n = 0; n < first!.results.length; n += 5) {
      expectCharts(comparisonCharts([{ ...first!, results: first!.results.slice(0, n) }]));
    }
  });
});

test('tables and misses by stage', async () => {
  const lists = await generated('gpu', [0x1000]);
  const charts = comparisonCharts(lists);
  const tables = barValues(chartOf(charts, 'compare-tables'));
  const misses = barValues(chartOf(charts, 'compare-misses'));
  const { results } = lists[0]!;
  for (const { combination, counts, stage2, misses: met } of results) {
    const { granule, sizes, stage } = combination;
    const bytes = counts.tableBytes + (stage2?.tableBytes ?? 0);
    const dearest = Math.max(...met.map(({ accesses }) => accesses));
    const where = `${size(granule)} ${sizes}`;
    expect([where, tables.get(`${where} ${STAGES[stage]}`)]).toEqual([where, roughSize(BigInt(bytes))]);
    expect([where, misses.get(`${where} ${STAGES[stage]}`)]).toEqual([where, `${dearest}`]);
  }
  expect(misses.get('4K pages nested')).toBe('24');
  expect(tips(chartOf(charts, 'compare-misses'))).toContain('4K, pages, nested, stage 2 only: 20');
});

test('what is the same for all CPU page sizes is drawn once', async () => {
  const lists = await generated('gpu', [0x1000, 0x4000, 0x1_0000], { stages: ['s1'] });
  const charts = comparisonCharts(lists);
  const leaves = plainLines(chartOf(charts, 'compare-leaves')).join(' ');
  expect(leaves).toContain('The same for CPU pages of 4K, 16K and 64K.');
  const rows = tips(chartOf(charts, 'compare-maps')).filter((tip) => tip.includes(', 4K, pages: '));
  const { leaves: pages } = lists[0]!.results[0]!.counts;
  expect(rows).toEqual([`4K, 16K and 64K, 4K, pages: ${count(pages)} leaves`]);
});

test('charts that would say the same everywhere are left out', async () => {
  const one = { granules: [0x1000], sizes: ['pages'], stages: ['s1'] } as const;
  expect(ids(await generated('gpu', [0x1000], one))).toEqual(['compare-maps']);
  expect(ids(await generated('odd-start', [0x1000]))).toEqual([
    'compare-maps',
    'compare-semantics',
    'compare-padding',
  ]);
  expect(ids([])).toEqual([]);
  expect(ids([{ workload: workloadNamed('gpu'), results: [] }])).toEqual([]);
});

test.each(['linux61-smmuv3-4k', 'linux612-smmuv3-16k'])('lists of real drivers: %s', async (name) => {
  const text = readFileSync(new URL(`../../../fixtures/real/${name}.sg.json`, import.meta.url), 'utf8');
  const list = await compared(parseWorkload(JSON.parse(text), name), { stages: ['s1'] });
  const charts = comparisonCharts([list]);
  expectCharts(charts);
  const { refusedRequests } = list.results.at(-1)!;
  const requests = list.workload.requests.length;
  const said = tips(chartOf(charts, 'compare-maps')).find((tip) => tip.includes(', 64K, any sizes: '));
  expect(said).toContain(`: ${count(refusedRequests)} of ${count(requests)} refused\nRequest `);
});
