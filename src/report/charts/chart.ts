/** Charts of studies: each answers one question, as an SVG and in a terminal. */
import { type BarChart, barChart } from '../../draw/bar-chart.ts';
import { barChartText, heatTableText, lineChartText } from '../../draw/chart-text.ts';
import { type HeatTable, heatTable } from '../../draw/heat-table.ts';
import { type LineChart, lineChart } from '../../draw/line-chart.ts';
import type { Axis } from '../../draw/scale.ts';
import type { Style } from '../../text/style.ts';

/** One chart of a study, for a page and for a terminal. */
export interface Chart {
  /** A name without spaces, unique in a study. */
  readonly id: string;
  /** A standalone SVG with its title. */
  readonly svg: string;
  /** The same for a terminal of 80 columns. */
  lines(style: Style): string[];
}

export function ofBars(id: string, chart: BarChart): Chart {
  return { id, svg: barChart(chart), lines: (style) => barChartText(chart, style) };
}

export function ofLines(id: string, chart: LineChart): Chart {
  return { id, svg: lineChart(chart), lines: (style) => lineChartText(chart, style) };
}

/** In a terminal, rows and columns are swapped, because long names have more room in front of a line than above a column. */
export function ofOutcomes(id: string, table: HeatTable): Chart {
  return { id, svg: heatTable(table), lines: (style) => heatTableText(transposed(table), style) };
}

function transposed({
  rows,
  columns,
  rowTitle = '',
  columnTitle = '',
  cells,
  ...rest
}: HeatTable): HeatTable {
  return {
    ...rest,
    rows: columns,
    columns: rows,
    rowTitle: columnTitle,
    columnTitle: rowTitle,
    cells: columns.map((_, c) => cells.map((row) => row[c]!)),
  };
}

/** If the largest value is this many times the least, a linear axis would not show the least. */
const WIDE = 32;

/** An axis for values: logarithmic if they are far apart, unless its ends are fixed. */
export function axisFor(axis: Axis, values: readonly number[], log: 2 | 10 = 10): Axis {
  const least = Math.min(...values.filter((value) => value > 0));
  const most = Math.max(...values);
  // Start below the least value, so that its bar has some length.
  return axis.max !== undefined || !(most / least >= WIDE) ? axis : { ...axis, log, min: least / 2 };
}
