/** Grouped bars: one group per category, one bar per series, each with its number. */
import { textWidth, wrapText } from './measure.ts';
import type { HueName } from './palette.ts';
import { box, heading, label, legend, told } from './parts.ts';
import { type Axis, axisTitle, type Scale, scaleOf, tickText } from './scale.ts';
import { element, type SvgNode, svgDocument } from './svg.ts';

export interface BarChart {
  readonly title: string;
  /** A sentence below the title. */
  readonly subtitle?: string;
  /** The axis of the values. */
  readonly value: Axis;
  readonly categories: readonly string[];
  readonly series: readonly BarSeries[];
}

export interface BarSeries {
  readonly name: string;
  /** One value for each category, undefined if there is none. */
  readonly values: readonly (number | undefined)[];
}

/** Colours of series in order. After the last they repeat. */
export const SERIES_HUES: readonly HueName[] = [
  'blue',
  'orange',
  'green',
  'pink',
  'violet',
  'grey',
  'red',
  'yellow',
];

export function seriesHue(index: number): HueName {
  return SERIES_HUES[index % SERIES_HUES.length]!;
}

const WIDTH = 880;
const LEFT = 16;
const BAR = 16;
const GROUP_GAP = 14;
const LINE = 15;
const MOST_LABEL = 240;

/** An SVG of horizontal grouped bars, so that category names can be long. */
export function barChart(chart: BarChart): string {
  const { title, subtitle, value, categories, series } = chart;
  const head = heading(title, subtitle === undefined ? [] : wrapText(subtitle, WIDTH - 32, 12), WIDTH);
  const nodes: SvgNode[] = [...head.nodes];
  const names = categories.map((category) => wrapText(category, MOST_LABEL, 12));
  const labelWidth = Math.max(0, ...names.flat().map((line) => textWidth(line, 12)));
  const values = series.flatMap((one) => one.values.filter((v) => v !== undefined));
  const room = Math.max(0, ...values.map((v) => textWidth(tickText(value, v), 11))) + 10;
  const [from, to] = [LEFT + labelWidth + 12, WIDTH - LEFT - room];
  const scale = scaleOf(value, values, from, to);

  const key = legend(
    series.length < 2
      ? []
      : series.map(({ name }, i) => ({
          text: name,
          sample: (place) => [box(place, `lpae-i-${seriesHue(i)}`)],
        })),
    LEFT,
    head.height + 8,
    WIDTH - 32,
  );
  const top = head.height + key.height + 42;
  nodes.push(...key.nodes, label(from, top - 20, axisTitle(value), { size: 11, faint: true }));
  const groups: SvgNode[] = [];
  let y = top + 8;
  names.forEach((lines, c) => {
    const bars = series.length * BAR;
    const height = Math.max(bars, lines.length * LINE);
    lines.forEach((line, i) => {
      const at = y + height / 2 + (i - (lines.length - 1) / 2) * LINE + 4;
      groups.push(label(from - 12, at, line, { anchor: 'end' }));
    });
    series.forEach((_, i) => {
      groups.push(...bar(chart, c, i, scale, from, y + (height - bars) / 2 + i * BAR));
    });
    y += height + GROUP_GAP;
  });
  const ticks = scale.ticks.map((tick) => scale.at(tick));
  nodes.push(
    ...gridLines(ticks, top, y - GROUP_GAP + 6),
    ...tickLabels(value, scale.ticks, ticks, top - 4),
    ...groups,
  );
  return svgDocument(WIDTH, y + 8, nodes, { title, desc: describe(chart) });
}

/** A bar and its number. Only the number if a logarithmic axis can't show the value. */
function bar(
  chart: BarChart,
  category: number,
  index: number,
  scale: Scale,
  from: number,
  y: number,
): SvgNode[] {
  const { value, categories, series } = chart;
  const { name, values } = series[index]!;
  const v = values[category];
  if (v === undefined) return [];
  const reached = scale.at(v);
  const end = Number.isFinite(reached) ? Math.max(reached, from + 1) : from;
  const text = tickText(value, v);
  const shape =
    end > from
      ? [box({ x: from, y: y + 1, width: end - from, height: BAR - 2 }, `lpae-i-${seriesHue(index)}`)]
      : [];
  return [
    told(
      `${categories[category]}, ${name}: ${text}`,
      ...shape,
      box({ x: end + 2, y: y + 1, width: textWidth(text, 11) + 4, height: BAR - 2 }, 'lpae-page'),
      label(end + 5, y + BAR - 4, text, { size: 11 }),
    ),
  ];
}

function gridLines(xs: readonly number[], top: number, bottom: number): SvgNode[] {
  return xs.map((x) =>
    element('path', { d: `M${x} ${top}V${bottom}`, class: 'lpae-line', 'stroke-width': 1 }),
  );
}

/** The tick labels that do not overlap the one before. */
function tickLabels(axis: Axis, ticks: readonly number[], xs: readonly number[], y: number): SvgNode[] {
  let free = 0;
  return ticks.flatMap((tick, i) => {
    const text = tickText(axis, tick);
    const half = textWidth(text, 10) / 2;
    const x = xs[i]!;
    if (x - half < free || x + half > WIDTH) return [];
    free = x + half + 8;
    return [label(x, y, text, { size: 10, anchor: 'middle', faint: true })];
  });
}

function describe({ value, categories, series }: BarChart): string {
  const rows = categories.map((category, c) => {
    const said = series.map(
      ({ name, values }) => `${name} ${values[c] === undefined ? '-' : tickText(value, values[c])}`,
    );
    return `${category}: ${said.join(', ')}`;
  });
  return `${axisTitle(value)}. ${rows.join('. ')}`;
}
