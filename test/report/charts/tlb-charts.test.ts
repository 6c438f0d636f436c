/** Charts of TLB studies say what the results say. */
import { beforeAll, describe, expect, test } from 'vitest';
import { tlbCharts } from '../../../src/report/charts/tlb-charts.ts';
import { studyTlb, type TlbMeasured, type TlbResult, type TlbStudy } from '../../../src/study/index.ts';
import { count, sizeText } from '../../../src/text/numbers.ts';
import { barValues, chartOf, expectCharts, plainLines, tips } from './charts.ts';

async function studied(study: Partial<Extract<TlbStudy, { footprint: unknown }>> = {}): Promise<TlbResult[]> {
  const results: TlbResult[] = [];
  const asked = {
    footprint: { bytes: 2 ** 24 },
    trace: { name: 'random', accesses: 20_000 },
    shapes: shapes([8, 64, 512]),
    ...study,
  };
  for await (const result of studyTlb(asked)) results.push(result);
  return results;
}

const shapes = (entries: readonly number[], ways: readonly (number | 'full')[] = [4], walkCache = [16]) =>
  entries.flatMap((n) =>
    ways.flatMap((way) => walkCache.map((cache) => ({ entries: n, ways: way, walkCache: cache }))),
  );
const ids = (results: readonly TlbResult[]) => tlbCharts(results).map(({ id }) => id);
const perThousand = ({ misses, accesses }: TlbMeasured) =>
  ((misses / accesses) * 1000).toLocaleString('en-US', { maximumSignificantDigits: 4 });

/** The lines that a point is told of, by entries and value. */
function linesAt(charts: ReturnType<typeof tlbCharts>, id: string, entries: number, value: string): string[] {
  return tips(chartOf(charts, id)).flatMap((tip) => {
    const [name = '', point] = tip.split('\n');
    return point === `${count(entries)}: ${value}` ? [name] : [];
  });
}

/** Whether a line's name takes in a combination. */
function isOf(name: string, { combination }: TlbMeasured): boolean {
  const { granule, sizes } = combination.tables!;
  const kinds = name.endsWith('any sizes') ? sizes : name;
  return name.startsWith(`${sizeText(BigInt(granule))}, `) && kinds.includes(sizes);
}

describe('several numbers of entries', () => {
  let results: TlbResult[];
  beforeAll(async () => {
    results = await studied();
  });

  test('are lines, a chart for each stage that differs', () => {
    const charts = tlbCharts(results);
    expectCharts(charts);
    expect(charts.map(({ id }) => id)).toEqual([
      'tlb-misses-stage-1-and-stage-2',
      'tlb-misses-nested',
      'tlb-reads-stage-1',
      'tlb-reads-stage-2',
      'tlb-reads-nested',
      'tlb-needs',
    ]);
  });

  test('every miss rate is a point of its line', () => {
    const charts = tlbCharts(results);
    for (const result of results) {
      if (!result.maps) throw new Error(result.reason);
      const { stage } = result.combination.tables!;
      const id = stage === 'nested' ? 'tlb-misses-nested' : 'tlb-misses-stage-1-and-stage-2';
      const lines = linesAt(charts, id, result.combination.entries, perThousand(result));
      expect(lines.some((name) => isOf(name, result))).toBe(true);
    }
  });

  test('what the trace needs is bars', () => {
    const values = barValues(chartOf(tlbCharts(results), 'tlb-needs'));
    const nested = results.filter((result) => result.maps && result.combination.tables!.stage === 'nested');
    for (const result of nested) {
      if (!result.maps) continue;
      const { granule, sizes } = result.combination.tables!;
      expect(values.get(`${sizeText(BigInt(granule))} ${sizes} nested`)).toBe(
        count(result.workingSet.entries),
      );
    }
  });

  test('cut short: a line ends where measuring did', () => {
    for (const n of [1, 2, 4, 11, 40]) expectCharts(tlbCharts(results.slice(0, n)));
    const [point] = tips(chartOf(tlbCharts(results.slice(0, 2)), 'tlb-misses-stage-1-4K-granule'));
    expect(point).toMatch(/^pages\n8: /);
  });
});

test('one number of entries is bars by stage', async () => {
  const results = await studied({ shapes: shapes([64]), choice: { stages: ['s1', 'nested'] } });
  const charts = tlbCharts(results);
  expectCharts(charts);
  expect(charts.map(({ id }) => id)).toEqual(['tlb-misses', 'tlb-reads', 'tlb-needs']);
  const misses = barValues(chartOf(charts, 'tlb-misses'));
  for (const result of results) {
    if (!result.maps) continue;
    const { granule, sizes, stage } = result.combination.tables!;
    const name = stage === 'nested' ? 'nested' : 'stage 1';
    expect(misses.get(`${sizeText(BigInt(granule))} ${sizes} ${name}`)).toBe(perThousand(result));
  }
});

test('kinds of TLBs are told apart in the lines of a granule, and the walk cache only where it counts', async () => {
  const results = await studied({
    shapes: shapes([8, 64], [2, 'full'], [16, 0]),
    choice: { granules: [0x1000, 0x4000], stages: ['s1'] },
  });
  const charts = tlbCharts(results);
  expectCharts(charts);
  const names = (id: string) => new Set(tips(chartOf(charts, id)).map((tip) => tip.split('\n')[0]));
  expect(names('tlb-misses-stage-1-4K-granule')).toContain('pages, 2-way');
  expect(names('tlb-reads-stage-1-4K-granule')).toContain('pages, full, no cache');
  expect(names('tlb-reads-stage-1-4K-granule')).toContain('pages, full, cache 16');
});

test('what can not be mapped is left out, and named', async () => {
  const results = await studied({ choice: { granules: [0x1000, 0x4000], sizes: ['pages'], stages: ['s1'] } });
  const some = results.map((result): TlbResult => {
    const { combination } = result;
    return combination.tables!.granule === 0x4000 ? { maps: false, combination, reason: 'EINVAL' } : result;
  });
  const charts = tlbCharts(some);
  expectCharts(charts);
  expect(plainLines(charts[0]!).join(' ')).toContain('Not mapped: 16K, pages.');
  expect(ids(some.filter(({ maps }) => !maps))).toEqual([]);
  expect(ids([])).toEqual([]);
});

test('tables that were given have a line each for kinds of TLBs', async () => {
  const results = (
    await studied({
      choice: { granules: [0x1000], sizes: ['pages'], stages: ['s1'] },
      shapes: shapes([8, 64], [4], [16, 0]),
    })
  ).map((result): TlbResult => {
    const { tables: _, ...shape } = result.combination;
    return { ...result, combination: shape };
  });
  const charts = tlbCharts(results);
  expectCharts(charts);
  expect(charts.map(({ id }) => id)).toEqual(['tlb-misses', 'tlb-reads']);
  expect(tips(charts[0]!)[0]).toMatch(/^these tables\n8: /);
  expect(new Set(tips(charts[1]!).map((tip) => tip.split('\n')[0]))).toEqual(
    new Set(['cache 16', 'no cache']),
  );
});
