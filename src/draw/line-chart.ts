/** Lines over a common axis: each has its own colour and marker, and its name at its end. */
import { SERIES_HUES, seriesHue } from './bar-chart.ts';
import { fitText, textWidth, wrapText } from './measure.ts';
import { heading, label, told } from './parts.ts';
import { type Axis, axisTitle, type Scale, scaleOf, tickText } from './scale.ts';
import { element, rounded, type SvgNode, svgDocument } from './svg.ts';

export interface LineChart {
  readonly title: string;
  readonly subtitle?: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly LineSeries[];
}

export interface LineSeries {
  readonly name: string;
  /** Sorted by x. */
  readonly points: readonly (readonly [x: number, y: number])[];
}

const WIDTH = 880;
const HEIGHT = 320;
const LEFT = 16;
const MOST_NAME = 300;
const NAME_LINE = 16;
/** Dashes, so that a line shows through the gaps of another that covers it. */
const DASHES = [undefined, '9 4', '3 3', '9 3 3 3', '14 5', '1 4'];

/** An SVG of lines. */
export function lineChart(chart: LineChart): string {
  const { title, subtitle, x, y, series } = chart;
  const head = heading(title, subtitle === undefined ? [] : wrapText(subtitle, WIDTH - 32, 12), WIDTH);
  const points = series.flatMap((one) => one.points);
  const top = head.height + 36;
  // Leave room for all names, one below the other at the right.
  const bottom = top + Math.max(HEIGHT, series.length * NAME_LINE);
  const up = scaleOf(
    y,
    points.map((point) => point[1]),
    bottom,
    top,
  );
  const tickWidth = Math.max(0, ...up.ticks.map((tick) => textWidth(tickText(y, tick), 10)));
  const names = series.map(({ name }) => fitText(name, MOST_NAME, 11, { bold: true }));
  const nameWidth = Math.max(0, ...names.map((name) => textWidth(name, 11, { bold: true })));
  const [from, to] = [LEFT + tickWidth + 10, WIDTH - LEFT - nameWidth - 26];
  const across = scaleOf(
    x,
    points.map((point) => point[0]),
    from,
    to,
  );
  const nodes: SvgNode[] = [
    ...head.nodes,
    label(LEFT, top - 16, axisTitle(y), { size: 11, faint: true }),
    label((from + to) / 2, bottom + 38, axisTitle(x), { size: 11, faint: true, anchor: 'middle' }),
    ...grid(chart, across, up, { from, to, top, bottom }),
    ...series.flatMap((one, i) => line(chart, one, i, across, up)),
    ...endNames(series, names, across, up, { to, top, bottom }),
  ];
  return svgDocument(WIDTH, bottom + 52, nodes, { title, desc: describe(chart) });
}

interface Frame {
  readonly from: number;
  readonly to: number;
  readonly top: number;
  readonly bottom: number;
}

function grid({ x, y }: LineChart, across: Scale, up: Scale, { from, to, top, bottom }: Frame): SvgNode[] {
  const nodes: SvgNode[] = up.ticks.flatMap((tick) => [
    element('path', { d: `M${rounded(from)} ${rounded(up.at(tick))}H${rounded(to)}`, class: 'lpae-line' }),
    label(from - 8, up.at(tick) + 4, tickText(y, tick), { size: 10, anchor: 'end', faint: true }),
  ]);
  let free = 0;
  for (const tick of across.ticks) {
    const at = across.at(tick);
    const text = tickText(x, tick);
    const half = textWidth(text, 10) / 2;
    nodes.push(
      element('path', { d: `M${rounded(at)} ${rounded(bottom)}v5`, class: 'lpae-line', 'stroke-width': 1 }),
    );
    if (at - half < free) continue;
    free = at + half + 8;
    nodes.push(label(at, bottom + 18, text, { size: 10, anchor: 'middle', faint: true }));
  }
  nodes.push(
    element('path', { d: `M${rounded(from)} ${rounded(top)}V${rounded(bottom)}`, class: 'lpae-line' }),
  );
  return nodes;
}

/** The points that the axes can show: a logarithmic axis has no 0. */
function shown({ points }: LineSeries, across: Scale, up: Scale): { x: number; y: number; at: number }[] {
  return points
    .map(([px, py], at) => ({ x: across.at(px), y: up.at(py), at }))
    .filter((point) => Number.isFinite(point.x) && Number.isFinite(point.y));
}

function line(chart: LineChart, series: LineSeries, index: number, across: Scale, up: Scale): SvgNode[] {
  const hue = seriesHue(index);
  const places = shown(series, across, up);
  const path = places.map(({ x, y }, i) => `${i === 0 ? 'M' : 'L'}${rounded(x)} ${rounded(y)}`).join('');
  if (path === '') return [];
  return [
    element('path', {
      d: path,
      class: `lpae-s-${hue}`,
      'stroke-width': 2,
      'stroke-linejoin': 'round',
      'stroke-dasharray': DASHES[index % DASHES.length],
    }),
    ...places.map(({ x, y, at }) => {
      const [px, py] = series.points[at]!;
      const says = `${series.name}\n${tickText(chart.x, px)}: ${tickText(chart.y, py)}`;
      return told(says, marker(index, x, y));
    }),
  ];
}

/** A marker. Shapes repeat at a different rate from colours, so that lines of equal colour differ in shape. */
function marker(index: number, x: number, y: number): SvgNode {
  const names = `lpae-i-${seriesHue(index)}`;
  const at = (dx: number, dy: number) => `${rounded(x + dx)} ${rounded(y + dy)}`;
  const shapes = [
    () => `M${at(-4, 0)}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0`,
    () => `M${at(-3.6, -3.6)}h7.2v7.2h-7.2z`,
    () => `M${at(0, -5)}l5 8.6h-10z`,
    () => `M${at(0, -5)}l5 5l-5 5l-5 -5z`,
    () => `M${at(0, 5)}l5 -8.6h-10z`,
  ];
  const shape = shapes[(index + Math.floor(index / SERIES_HUES.length)) % shapes.length]!;
  return element('path', { d: shape(), class: names });
}

/** Puts each name as near to the end of its line as the others allow. */
function endNames(
  series: readonly LineSeries[],
  names: readonly string[],
  across: Scale,
  up: Scale,
  { to, top, bottom }: Pick<Frame, 'to' | 'top' | 'bottom'>,
): SvgNode[] {
  const ends = series.map((one, index) => ({ index, end: shown(one, across, up).at(-1) }));
  ends.sort((a, b) => (a.end?.y ?? bottom) - (b.end?.y ?? bottom));
  // Place names from the top down, and leave room for those still to come.
  let free = top;
  return ends.flatMap(({ index, end }, i) => {
    const lowest = bottom - (ends.length - 1 - i) * NAME_LINE;
    const y = Math.min(Math.max(free, end?.y ?? bottom), lowest);
    free = y + NAME_LINE;
    const lead =
      end === undefined
        ? []
        : [
            element('path', {
              d: `M${rounded(end.x + 6)} ${rounded(end.y)}L${rounded(to + 6)} ${rounded(y)}`,
              class: 'lpae-line',
              'stroke-dasharray': '2 2',
            }),
          ];
    return [
      ...lead,
      marker(index, to + 12, y),
      label(to + 22, y + 4, names[index]!, { size: 11, bold: true }),
    ];
  });
}

function describe({ x, y, series }: LineChart): string {
  const said = series.map(
    ({ name, points }) =>
      `${name}: ${points.map(([px, py]) => `${tickText(x, px)} ${tickText(y, py)}`).join(', ')}`,
  );
  return `${axisTitle(y)} by ${axisTitle(x)}. ${said.join('. ')}`;
}
