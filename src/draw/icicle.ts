/** The radix tree of tables as an icicle: one row per level, each table above its entries. */
import { hex, sizeText } from '../text/numbers.ts';
import { type Cell, type IcicleScale, layoutIcicle, sharesWithin } from './icicle-layout.ts';
import type { IciclePanel } from './icicle-tree.ts';
import { cellSays, cellTip, indexText, landmarks, looksOf, panelSummary } from './icicle-words.ts';
import { lookBox, lookLegend, sharesBox } from './look.ts';
import { firstFitting, fitText, textWidth } from './measure.ts';
import { type Box, box, breakMark, filled, heading, type LegendItem, label, legend, told } from './parts.ts';
import { element, type SvgNode, svgDocument } from './svg.ts';

/** How an icicle of tables is drawn. */
export interface IcicleOptions {
  readonly title?: string;
  /** In pixels. Default: 1200. */
  readonly width?: number;
  /** The meaning of widths. Default: `entries`. */
  readonly scale?: IcicleScale;
}

const WIDTH = 1200;
const LEFT = 96;
const RIGHT = 16;
const ROW = 42;
/** Cells narrower than this are drawn together with their neighbours, which also keeps files small. */
const NARROWEST = 4;
const AXIS = 24;

/**
 * An SVG of the tables behind an address space.
 * @param panels - of `iciclePanels`: one for each root, drawn one below the other.
 */
export function icicle(panels: readonly IciclePanel[], options: IcicleOptions = {}): string {
  const { title = 'Tables', width = WIDTH, scale = 'entries' } = options;
  const says =
    scale === 'entries'
      ? 'Widths grow with the logarithm of the entries in use'
      : 'Widths are bytes of address space; holes and very small parts are not to scale';
  const head = heading(title, [`${says}. Every cell has a tooltip.`], width);
  const nodes: SvgNode[] = [...head.nodes];
  let y = head.height + 16;
  const all: Cell[] = [];
  for (const panel of panels) {
    const cells = layoutIcicle(panel, { width: width - LEFT - RIGHT, minWidth: NARROWEST, scale });
    all.push(...cells);
    const drawn = drawPanel(panel, cells, y, width);
    nodes.push(...drawn.nodes);
    y += drawn.height + 22;
  }
  if (panels.length === 0) {
    nodes.push(label(16, y + 12, 'The registers translate no address: there are no tables.'));
    y += 32;
  }
  const key = legend(legendItems(all), 16, y, width - 32);
  nodes.push(...key.nodes);
  const desc = panels.map((panel) => `${panel.title}: ${panelSummary(panel)}`).join('. ');
  return svgDocument(width, y + key.height + 8, nodes, { title, desc: desc || 'No tables.' });
}

function legendItems(cells: readonly Cell[]): LegendItem[] {
  const items: LegendItem[] = [];
  const has = (kind: Cell['item']['kind']) => cells.some(({ item }) => item.kind === kind);
  if (has('table')) items.push({ text: 'table', sample: filled('violet') });
  items.push(...lookLegend(looksOf(cells)));
  if (has('gap')) {
    items.push({ text: 'hole, not to scale', sample: (place) => gapBox(place) });
  }
  return items;
}

function drawPanel(
  panel: IciclePanel,
  cells: readonly Cell[],
  top: number,
  width: number,
): { nodes: SvgNode[]; height: number } {
  const nodes: SvgNode[] = [
    label(16, top + 12, fitText(`${panel.title}`, width * 0.55, 13, { bold: true }), {
      size: 13,
      bold: true,
    }),
    label(width - RIGHT, top + 12, fitText(panelSummary(panel), width * 0.42, 11), {
      size: 11,
      anchor: 'end',
      faint: true,
    }),
  ];
  const rows = top + 24;
  panel.entrySizes.forEach((size, i) => {
    const y = rows + i * ROW;
    nodes.push(
      label(16, y + 18, `level ${panel.startLevel + i}`, { size: 12, bold: true }),
      label(16, y + 33, `${sizeText(size)} an entry`, { size: 10, faint: true }),
    );
  });
  for (const cell of cells) {
    const y = rows + (cell.item.level - panel.startLevel) * ROW;
    const place = { x: LEFT + cell.x, y, width: cell.width, height: ROW - 2 };
    nodes.push(told(cellTip(cell.item), ...drawCell(cell, place)));
  }
  const bottom = rows + panel.entrySizes.length * ROW;
  nodes.push(...axis(panel, cells, rows, bottom, width - RIGHT));
  return { nodes, height: bottom + AXIS - top };
}

function drawCell({ item }: Cell, place: Box): SvgNode[] {
  switch (item.kind) {
    case 'gap':
      return gapBox(place, cellSays(item));
    case 'leaf':
      return [...lookBox(item.look, place), ...cellText(item, place)];
    case 'table': {
      const dashed = item.missing === '' ? {} : { 'stroke-dasharray': '3 3', class: 'lpae-s-violet' };
      const frame = item.missing === '' ? [] : [box(place, 'lpae-s-violet', dashed)];
      return [box(place, 'lpae-f-violet lpae-cell'), ...frame, ...cellText(item, place)];
    }
    case 'mixed': {
      const shares = sharesWithin(item);
      if (shares.length === 0) return gapBox(place);
      return sharesBox(shares, { ...place, width: place.width - 0.6 }, 'down');
    }
  }
}

/** A hole: a thin outline, a break mark, and its size. */
function gapBox(place: Box, says: readonly string[] = []): SvgNode[] {
  const { x, y, width, height } = place;
  const middle = y + height / 2;
  const nodes: SvgNode[] = [
    box({ x: x + 0.5, y: y + 0.5, width: Math.max(0.5, width - 1), height: height - 1 }, 'lpae-line', {
      'stroke-dasharray': '2 3',
    }),
  ];
  if (width < 10) return nodes;
  const shown = height > 30 ? firstFitting(says, width - 4, 10) : '';
  const mark = Math.min(24, width - 6);
  nodes.push(breakMark(x + (width - mark) / 2, shown ? middle - 5 : middle, mark));
  if (shown)
    nodes.push(label(x + width / 2, middle + 12, shown, { size: 10, anchor: 'middle', faint: true }));
  return nodes;
}

/** The index, and below it as many words as there is room for. */
function cellText(item: Cell['item'], place: Box): SvgNode[] {
  const { x, y, width, height } = place;
  const room = width - 6;
  const middle = x + width / 2;
  const index = indexText(item);
  if (textWidth(index, 11, { bold: true }) > room) return [];
  const under = firstFitting(cellSays(item), room, 10, { mono: true });
  const at = under === '' ? y + height / 2 + 4 : y + 17;
  const nodes = [label(middle, at, index, { size: 11, bold: true, anchor: 'middle' })];
  if (under) nodes.push(label(middle, y + 31, under, { size: 10, mono: true, anchor: 'middle' }));
  return nodes;
}

/** Input addresses below the rows. Important ones go first, and none overlaps another. */
function axis(
  panel: IciclePanel,
  cells: readonly Cell[],
  rows: number,
  bottom: number,
  right: number,
): SvgNode[] {
  const taken: { from: number; to: number }[] = [];
  const nodes: SvgNode[] = [];
  for (const { item, x: cellX } of landmarks(cells)) {
    const x = LEFT + cellX;
    const text = hex(item.ia);
    const width = textWidth(text, 10, { mono: true });
    const [from, to] = [x - 2, x + width + 10];
    if (to > right || taken.some((other) => from < other.to && to > other.from)) continue;
    taken.push({ from, to });
    const cellBottom = rows + (item.level - panel.startLevel + 1) * ROW - 2;
    nodes.push(
      element('path', { d: `M${x} ${cellBottom}V${bottom + 16}`, class: 'lpae-line', 'stroke-width': 1 }),
      label(x + 3, bottom + 14, text, { size: 10, mono: true, faint: true }),
    );
  }
  return nodes;
}
