/** Charts: lengths and places as the values are, no label over another, whatever the values and names. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BarChart, barChart } from '../../src/draw/bar-chart.ts';
import { barChartText, heatTableText, lineChartText } from '../../src/draw/chart-text.ts';
import { type HeatTable, heatTable } from '../../src/draw/heat-table.ts';
import { type LineChart, lineChart } from '../../src/draw/line-chart.ts';

import { scaleOf } from '../../src/draw/scale.ts';
import { makeStyle } from '../../src/text/style.ts';
import { all, boxesOf, expectSound, expectTerminal, HOSTILE } from './check.ts';

const plain = makeStyle(false);
const coloured = makeStyle(true);

const BARS: BarChart = {
  title: 'Descriptors by combination',
  subtitle: 'One map_sg of 256 MiB',
  value: { label: 'Descriptors' },
  categories: ['4K IOMMU, 4K CPU', '4K IOMMU, 64K CPU', '16K IOMMU, 4K CPU'],
  series: [
    { name: 'as Linux', values: [65536, 32768, 16384] },
    { name: 'contiguous hint', values: [4096, 2048, undefined] },
  ],
};

describe('bars', () => {
  test('are as long as their values', () => {
    const root = expectSound(barChart(BARS));
    // The first is the legend's sample.
    const [, ...first] = boxesOf(root, 'lpae-i-blue').map(({ width }) => width);
    const [, ...second] = boxesOf(root, 'lpae-i-orange').map(({ width }) => width);
    expect(first[1]! / first[0]!).toBeCloseTo(0.5, 3);
    expect(first[2]! / first[0]!).toBeCloseTo(0.25, 3);
    expect(second[0]! / first[0]!).toBeCloseTo(1 / 16, 3);
    expect(second).toHaveLength(2);
    expect(all(root, 'text').map(({ text }) => text)).toEqual(
      expect.arrayContaining(['65,536', '4K IOMMU, 64K CPU']),
    );
  });

  test('grow by the same for every factor on a logarithmic axis', () => {
    const root = expectSound(barChart({ ...BARS, value: { label: 'Descriptors', log: 2 } }));
    const [, a, b, c] = boxesOf(root, 'lpae-i-blue').map(({ width }) => width);
    expect(a! - b!).toBeCloseTo(b! - c!, 1);
    expect(a! - b!).toBeGreaterThan(10);
  });

  test('in a terminal', () => {
    const small: BarChart = {
      title: 'Tables',
      value: { label: 'Tables' },
      categories: ['4K', '64K'],
      series: [{ name: 'n', values: [20, 5] }],
    };
    expect(barChartText(small, plain)).toEqual([
      'Tables',
      'Tables',
      `  4K   ${'█'.repeat(70)} 20`,
      `  64K  ${'█'.repeat(17)}▌ 5`,
    ]);
    expectTerminal(barChartText(BARS, plain), barChartText(BARS, coloured));
  });
});

const name = fc
  .string({ unit: 'grapheme', maxLength: 60 })
  .filter((text) => !/http|href|url\(|NaN|Infinity/i.test(text));
const value = fc.oneof(fc.double({ min: 0, max: 1e12, noNaN: true }), fc.integer({ min: 0, max: 100 }));

test('any bars', () => {
  fc.assert(
    fc.property(
      fc.array(name, { minLength: 1, maxLength: 6 }),
      fc.array(name, { minLength: 1, maxLength: 5 }),
      fc.array(value, { minLength: 30, maxLength: 30 }),
      fc.constantFrom(undefined, 2, 10),
      (categories, names, values, log) => {
        const series = names.map((text, i) => ({
          name: text,
          values: values.slice(i * 6, i * 6 + categories.length),
        }));
        const axis = { label: 'Value', ...(log !== undefined && { log: log as 2 | 10 }) };
        const chart = { title: 'Any', value: axis, categories, series };
        expectSound(barChart(chart));
        for (const line of barChartText(chart, plain)) expect(line.length).toBeLessThanOrEqual(80);
      },
    ),
    { numRuns: 200 },
  );
});

const SIZES = [16, 64, 256, 1024];
const LINES: LineChart = {
  title: 'Hit rate by TLB size',
  x: { label: 'TLB entries', log: 2 },
  y: { label: 'Hit rate', unit: '%', min: 0, max: 100 },
  series: ['4K pages', '64K pages', '2M blocks'].map((text, i) => ({
    name: text,
    points: SIZES.map((size) => [size, Math.min(100, (size * 16 ** i) / 64)] as const),
  })),
};

describe('lines', () => {
  test('go through their points, on a logarithmic axis evenly', () => {
    const root = expectSound(lineChart(LINES));
    const paths = all(root, 'path').filter(({ attributes }) => attributes['stroke-width'] === '2');
    expect(paths).toHaveLength(3);
    const points = paths.map(({ attributes }) =>
      [...attributes.d!.matchAll(/[ML]([\d.]+) ([\d.]+)/g)].map((m) => [Number(m[1]), Number(m[2])]),
    );
    const xs = points[0]!.map(([x]) => x!);
    expect(xs[1]! - xs[0]!).toBeCloseTo(xs[2]! - xs[1]!, 1);
    // 4K pages: 0.25, 1, 4, 16 percent: higher and higher, by a factor of 4 each.
    const ys = points[0]!.map(([, y]) => y!);
    expect((ys[0]! - ys[2]!) / (ys[0]! - ys[1]!)).toBeCloseTo(3.75 / 0.75, 1);
    expect(new Set(paths.map(({ attributes }) => attributes['stroke-dasharray'])).size).toBe(3);
  });

  test('names stand apart, though lines end in one point', () => {
    const series = Array.from({ length: 12 }, (_, i) => ({
      name: `series ${i}`,
      points: [
        [1, 5],
        [2, 5],
      ] as const,
    }));
    expectSound(lineChart({ ...LINES, series }));
  });

  test('in a terminal', () => {
    const lines = lineChartText(LINES, plain);
    expect(lines).toContain('TLB entries 64');
    expect(lines.filter((line) => /^ {2}4K pages .* 16$/.test(line))).toHaveLength(1);
    expectTerminal(lines, lineChartText(LINES, coloured));
  });
});

test('any lines', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(name, fc.array(fc.tuple(value, value), { maxLength: 6 })), { maxLength: 9 }),
      fc.constantFrom(undefined, 2, 10),
      fc.constantFrom(undefined, 2, 10),
      (all, logX, logY) => {
        const series = all.map(([text, points]) => ({ name: text, points }));
        const x = { label: 'X', ...(logX !== undefined && { log: logX as 2 | 10 }) };
        const y = { label: 'Y', ...(logY !== undefined && { log: logY as 2 | 10 }) };
        expectSound(lineChart({ title: 'Any', x, y, series }));
      },
    ),
    { numRuns: 200 },
  );
});

test.each([
  [
    [0, 100],
    [0, 20, 40, 60, 80, 100],
  ],
  [
    [3, 7],
    [0, 2, 4, 6, 8],
  ],
  [[0], [0, 0.2, 0.4, 0.6, 0.8, 1]],
  [[], [0, 0.2, 0.4, 0.6, 0.8, 1]],
  [
    [0, 0.003],
    [0, 0.001, 0.002, 0.003],
  ],
])('linear ticks of %j are %j', (values, ticks) => {
  const scale = scaleOf({ label: '' }, values, 0, 1);
  expect(scale.ticks).toEqual(ticks);
  expect(scale.at(ticks[0]!)).toBe(0);
  expect(scale.at(ticks.at(-1)!)).toBe(1);
});

test.each([
  [10, [1, 1000], [1, 10, 100, 1000]],
  [2, [3, 20], [2, 4, 8, 16, 32]],
  [10, [50, 50], [10, 100]],
  [10, [0], [1, 10]],
] as const)('logarithmic ticks to base %i of %j are %j', (log, values, ticks) => {
  expect(scaleOf({ label: '', log }, values, 0, 1).ticks).toEqual(ticks);
});

const HEAT: HeatTable = {
  title: 'What maps',
  rowTitle: 'CPU pages',
  columnTitle: 'granule',
  rows: ['4K', '64K'],
  columns: ['4K', '64K'],
  words: { no: 'fails' },
  cells: [
    [
      { outcome: 'yes', text: 'maps' },
      { outcome: 'no', text: 'EINVAL', reason: 'entry 0 is not aligned' },
    ],
    [
      { outcome: 'no', text: 'EINVAL', reason: 'entry 0 is not aligned' },
      { outcome: 'partly', text: 'some', reason: 'another reason' },
    ],
  ],
};

describe('tables of outcomes', () => {
  test('a cell for each combination, its sign and colour, each reason once', () => {
    const root = expectSound(heatTable(HEAT));
    // Cells are wider than the samples of the legend.
    const cells = (hue: string) => boxesOf(root, `lpae-f-${hue}`).filter(({ width }) => width > 22);
    expect(['green', 'red', 'yellow', 'grey'].map((hue) => cells(hue).length)).toEqual([1, 2, 1, 0]);
    const said = all(root, 'text').map(({ text }) => text);
    expect(said.filter((text) => text === '✗ EINVAL (1)')).toHaveLength(2);
    expect(said.filter((text) => text === 'entry 0 is not aligned')).toHaveLength(1);
    expect(said).toContain('≈ some (2)');
    expect(said).toContain('✗ fails');
  });

  test('many columns, long words, hostile names, missing cells', () => {
    const columns = Array.from({ length: 14 }, (_, i) => `column number ${i} with a long name`);
    const row = columns.map(() => ({ outcome: 'no' as const, text: 'fails in a long way', reason: HOSTILE }));
    const wide = { ...HEAT, rows: [HOSTILE, 'b'], columns, cells: [row, row.slice(3)] };
    expect(all(expectSound(heatTable(wide)), 'script')).toEqual([]);
    expectTerminal(
      heatTableText({ ...wide, rows: ['a', 'b'] }, plain),
      heatTableText({ ...wide, rows: ['a', 'b'] }, coloured),
    );
  });

  test('in a terminal', () => {
    expect(heatTableText(HEAT, plain)).toEqual([
      'What maps',
      'granule',
      'CPU pages  4K            64K',
      '4K         ✓ maps        ✗ EINVAL (1)',
      '64K        ✗ EINVAL (1)  ≈ some (2)',
      '✓ yes   ≈ partly   ✗ fails',
      '(1)   entry 0 is not aligned',
      '(2)   another reason',
    ]);
    expectTerminal(heatTableText(HEAT, plain), heatTableText(HEAT, coloured));
  });
});

test.each([
  [[300 * 2 ** 20], [0, 64, 128, 192, 256, 320].map((mib) => mib * 2 ** 20)],
  [[0], [0, 0.25, 0.5, 0.75, 1]],
  [
    [512, 1024],
    [0, 256, 512, 768, 1024],
  ],
])('ticks for bytes up to %j', (values, ticks) => {
  expect(scaleOf({ label: '', binary: true }, values, 0, 1).ticks).toEqual(ticks);
});
