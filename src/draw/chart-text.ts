/** Charts in a terminal of 80 columns: bars with numbers, and tables of outcomes with signs. */
import { columns, padEnd, visibleWidth, wrap } from '../text/columns.ts';
import type { Style } from '../text/style.ts';
import type { BarChart } from './bar-chart.ts';
import { type HeatCell, type HeatTable, OUTCOMES, outcomesOf, reasonsOf } from './heat-table.ts';
import type { LineChart } from './line-chart.ts';
import { axisTitle, scaleOf, tickText } from './scale.ts';

const WIDTH = 80;
/** The most columns for the name of a bar or a row. */
const MOST_NAME = 40;
const MOST_ROW = 28;
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** One bar per line, grouped by category. */
export function barChartText(chart: BarChart, style: Style): string[] {
  const { value, categories, series } = chart;
  const values = series.flatMap((one) => one.values.filter((v) => v !== undefined));
  const numbers = Math.max(0, ...values.map((v) => tickText(value, v).length));
  const names = series.map(({ name }) => short(name, MOST_NAME));
  // A single series needs no name: its bars are labelled by category.
  const alone = series.length === 1;
  const labels = alone ? categories.map((category) => short(category, MOST_NAME)) : names;
  const left = Math.max(0, ...labels.map(visibleWidth)) + 4;
  const scale = scaleOf(value, values, 0, WIDTH - left - numbers - 1);
  const line = (text: string, v: number | undefined, index: number) => {
    const head = padEnd(`  ${text}`, left);
    if (v === undefined) return `${head}${style.faint('-')}`;
    return `${head}${style.nth(index)(barOf(scale.at(v)))} ${tickText(value, v)}`;
  };
  const lines = categories.flatMap((category, c) => {
    if (alone) return [line(labels[c]!, series[0]!.values[c], 0)];
    return [...wrap(category, WIDTH), ...series.map((one, i) => line(names[i]!, one.values[c], i))];
  });
  return [...titleLines(chart, style), ...wrap(axisTitle(value), WIDTH).map(style.faint), ...lines];
}

/** The values of each line as bars, grouped by x. */
export function lineChartText(chart: LineChart, style: Style): string[] {
  const { title, subtitle, x, y, series } = chart;
  const xs = [...new Set(series.flatMap(({ points }) => points.map(([px]) => px)))].sort((a, b) => a - b);
  return barChartText(
    {
      title,
      ...(subtitle !== undefined && { subtitle }),
      value: y,
      categories: xs.map((px) => `${x.label} ${tickText(x, px)}${x.unit === undefined ? '' : ` ${x.unit}`}`),
      series: series.map(({ name, points }) => ({
        name,
        values: xs.map((px) => points.find((point) => point[0] === px)?.[1]),
      })),
    },
    style,
  );
}

/** The least width of a column in a table of outcomes, with the gap before it. */
const LEAST_COLUMN = 8;

/** One line per row, with numbers for column names that are too long, and reasons below. Many columns make several tables. */
export function heatTableText(table: HeatTable, style: Style): string[] {
  const { rows, columns: names, columnTitle = '' } = table;
  const reasons = reasonsOf(table);
  const labels = [table.rowTitle ?? '', ...rows].map((row) => short(row, MOST_ROW));
  const room = WIDTH - Math.max(...labels.map(visibleWidth));
  const most = Math.floor(room / LEAST_COLUMN);
  const width = Math.floor(room / Math.max(1, Math.min(most, names.length))) - GAP;
  const keyed = names.some((name) => name.length > width);
  const lines: string[] = [];
  for (let from = 0; from === 0 || from < names.length; from += most) {
    const here = names.slice(from, from + most);
    const heads = here.map((name, i) => (keyed ? `[${from + i + 1}]` : name));
    const body = rows.map((_, r) =>
      here.map((__, i) => outcomeText(table.cells[r]?.[from + i], reasons, width, style)),
    );
    lines.push(...columns([heads.map(style.title), ...body].map((row, i) => [labels[i]!, ...row])));
  }
  const key = keyed ? names.flatMap((name, i) => wrap(`[${i + 1}] ${name}`, WIDTH)) : [];
  const words = outcomesOf(table).map(({ outcome, text }) => `${OUTCOMES[outcome].sign} ${text}`);
  const why = reasons.flatMap((reason, i) =>
    wrap(reason, WIDTH - 6).map((line, n) => `${(n === 0 ? `(${i + 1})` : '').padEnd(5)} ${line}`),
  );
  return [
    ...titleLines(table, style),
    ...(columnTitle === '' ? [] : wrap(columnTitle, WIDTH).map(style.faint)),
    ...key,
    ...lines,
    ...wrap(words.join('   '), WIDTH).map(style.faint),
    ...why,
  ];
}

/** The gap that `columns` puts between two cells. */
const GAP = 2;

/** Sign, words and the number of the reason. If there is no room, the sign and the number, or just the sign. */
function outcomeText(
  cell: HeatCell | undefined,
  reasons: readonly string[],
  width: number,
  style: Style,
): string {
  if (cell === undefined) return '';
  const { sign } = OUTCOMES[cell.outcome];
  const number = cell.reason === undefined ? '' : ` (${reasons.indexOf(cell.reason) + 1})`;
  const says = [`${sign} ${cell.text}${number}`, `${sign}${number}`];
  return PAINTS[cell.outcome](style)((says.find((text) => text.length <= width) ?? sign).trim());
}

const PAINTS = {
  yes: (style: Style) => style.good,
  partly: (style: Style) => style.warn,
  no: (style: Style) => style.bad,
  none: (style: Style) => style.faint,
} as const;

function titleLines({ title, subtitle }: Pick<BarChart, 'title' | 'subtitle'>, style: Style): string[] {
  return [
    ...wrap(title, WIDTH).map(style.title),
    ...(subtitle === undefined ? [] : wrap(subtitle, WIDTH).map(style.faint)),
  ];
}

/** A bar of `length` columns, in eighths. */
function barOf(length: number): string {
  if (!Number.isFinite(length) || length <= 0) return '';
  const eighths = Math.max(1, Math.round(length * 8));
  return '█'.repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8]!;
}

function short(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}
