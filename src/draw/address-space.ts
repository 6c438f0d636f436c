/** An address space as a map: low addresses at the top, ranges coloured by their rights, holes shortened with a break mark. */
import type { MachineRegime } from '../arch/regimes.ts';
import { counted, hex, shortSize, sizeText } from '../text/numbers.ts';
import { lookBox, lookLegend, lookOf, RIGHTS, sharesBox, shorterSays } from './look.ts';
import { firstFitting, fitText, textWidth } from './measure.ts';
import { type Box, breakMark, heading, label, legend, told } from './parts.ts';
import {
  type DrawnSpace,
  type HoleRow,
  type MappedRow,
  rowOutput,
  rowSize,
  type SpacePanel,
  type SpaceRow,
  spacePanels,
} from './space-rows.ts';
import { element, type SvgNode, svgDocument } from './svg.ts';

/** How an address space is drawn. */
export interface SpaceOptions {
  readonly title?: string;
  /** The most mapped rows in each window. Default: 24. */
  readonly maxRows?: number;
}

const WIDTH = 880;
const LEFT = 16;
const STRIP = { x: 160, width: 300 };
const RIGHT_TEXT = STRIP.x + STRIP.width + 14;
const MAX_ROWS = 24;
const HOLE = 26;

/**
 * An SVG of what an address space maps.
 * @param space - the result of `listSpace(walker)`.
 * @param regime - the walker's.
 */
export function addressSpace(space: DrawnSpace, regime: MachineRegime, options: SpaceOptions = {}): string {
  const { title = 'Address space', maxRows = MAX_ROWS } = options;
  const panels = spacePanels(space, regime, maxRows);
  const under = 'Low addresses at the top. Heights grow with the logarithm of sizes; holes are shortened.';
  const head = heading(title, [`${under} Every row has a tooltip.`], WIDTH);
  const nodes: SvgNode[] = [...head.nodes];
  let y = head.height + 18;
  for (const panel of panels) {
    const drawn = drawPanel(panel, regime, y);
    nodes.push(...drawn.nodes);
    y += drawn.height + 26;
  }
  if (panels.length === 0) {
    nodes.push(label(LEFT, y + 12, 'The registers translate no address.'));
    y += 32;
  }
  const key = legend(
    lookLegend(space.ranges.map(({ result }) => lookOf(result, regime))),
    LEFT,
    y,
    WIDTH - 32,
  );
  nodes.push(...key.nodes);
  const desc = panels.map((panel) => `${panel.title}: ${panel.summary}`).join('. ');
  return svgDocument(WIDTH, y + key.height + 8, nodes, { title, desc: desc || 'Nothing is translated.' });
}

function drawPanel(
  panel: SpacePanel,
  regime: MachineRegime,
  top: number,
): { nodes: SvgNode[]; height: number } {
  const digits = panel.last.toString(16).length;
  const nodes: SvgNode[] = [
    label(LEFT, top + 12, `${panel.title}  ${regime}`, { size: 13, bold: true }),
    label(WIDTH - 16, top + 12, panel.summary, { size: 11, anchor: 'end', faint: true }),
  ];
  let y = top + 26;
  for (const row of panel.rows) {
    const height = rowHeight(row);
    const place = { x: STRIP.x, y, width: STRIP.width, height: height - 1 };
    const drawn = row.kind === 'hole' ? drawHole(row, place, digits) : drawMapped(row, place, digits);
    nodes.push(told(rowTip(row), ...drawn));
    y += height;
  }
  nodes.push(addressLabel(panel.last, y + 11, digits, true));
  return { nodes, height: y + 14 - top };
}

/** A 4K page is as high as its text, and 64 times as many bytes are a little higher. */
function rowHeight(row: SpaceRow): number {
  if (row.kind === 'hole') return HOLE;
  const pages = Number(row.last - row.first + 1n) / 4096;
  return 20 + 1.4 * Math.max(0, Math.log2(Math.max(1, pages)));
}

function addressLabel(address: bigint, y: number, digits: number, faint: boolean): SvgNode {
  return label(STRIP.x - 10, y, hex(address, digits), { size: 11, mono: true, anchor: 'end', faint });
}

function drawHole(
  { first, last, text: says }: HoleRow,
  { x, y, width, height }: Box,
  digits: number,
): SvgNode[] {
  const middle = y + height / 2;
  const text = `${shortSize(last - first + 1n)} ${says}`;
  const shown = textWidth(text, 11);
  const side = (width - shown - 16) / 2;
  return [
    element('path', {
      d: `M${x + 0.5} ${y}V${y + height}M${x + width - 0.5} ${y}V${y + height}`,
      class: 'lpae-line',
      'stroke-dasharray': '2 3',
    }),
    breakMark(x + 2, middle, side - 2),
    label(x + width / 2, middle + 4, text, { size: 11, anchor: 'middle', faint: true }),
    breakMark(x + width - side, middle, side - 2),
    addressLabel(first, y + 12, digits, true),
  ];
}

function drawMapped(row: MappedRow, place: Box, digits: number): SvgNode[] {
  const { x, y, width } = place;
  const nodes: SvgNode[] = [addressLabel(row.first, y + 13, digits, false)];
  if (row.look !== undefined) {
    const says = firstFitting(shorterSays(row.look.text), width - 16, 11, { mono: true });
    nodes.push(...lookBox(row.look, place), label(x + 8, y + 13, says, { size: 11, mono: true }));
  } else nodes.push(...sharesBox(row.shares, place, 'across'), ...shareLabels(row, place));
  const size = rowSize(row);
  const leaves = row.ranges.length === 1 ? leavesText(row.ranges[0]!) : counted(row.ranges.length, 'range');
  const room = WIDTH - 16 - RIGHT_TEXT;
  nodes.push(
    label(RIGHT_TEXT, y + 13, fitText(rowOutput(row), 170, 11, { mono: true }), { size: 11, mono: true }),
    label(RIGHT_TEXT + 180, y + 13, fitText(`${size} · ${leaves}`, room - 180, 11), {
      size: 11,
      faint: true,
    }),
  );
  return nodes;
}

function leavesText({ leaves, leafSize }: MappedRow['ranges'][number]): string {
  return leaves > 1 ? `${sizeText(leafSize)} ×${leaves}` : 'one leaf';
}

/** A label for each part of a mixed row, if there is room. */
function shareLabels({ shares }: MappedRow, { x, y, width }: Box): SvgNode[] {
  const whole = shares.reduce((sum, { amount }) => sum + amount, 0);
  let from = x;
  return shares.flatMap(({ rights, amount }) => {
    const part = (amount / whole) * width;
    const text = fitText(RIGHTS[rights].text, part - 12, 11);
    const node = label(from + 6, y + 13, text, { size: 11 });
    from += part;
    return text === '' ? [] : [node];
  });
}

function rowTip(row: SpaceRow): string {
  const span = `IA ${hex(row.first)}-${hex(row.last)}, ${shortSize(row.last - row.first + 1n)}`;
  if (row.kind === 'hole') return `${span}\n${row.text}`;
  const says = row.ranges.map(
    (range) => `${range.pa === undefined ? '' : `-> ${hex(range.pa)}, `}${leavesText(range)}`,
  );
  const shown = says.slice(0, 6);
  const more = says.length > shown.length ? [`… and ${says.length - shown.length} more`] : [];
  return [span, row.look?.text ?? `${counted(row.ranges.length, 'range')}`, ...shown, ...more].join('\n');
}
