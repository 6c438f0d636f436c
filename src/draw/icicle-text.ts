/** The radix tree of tables in a terminal of 80 columns: a row of blocks for each level, each table above its entries. */
import { wrap } from '../text/columns.ts';
import { hex } from '../text/numbers.ts';
import type { Style } from '../text/style.ts';
import { type Cell, type IcicleScale, layoutIcicle, sharesWithin } from './icicle-layout.ts';
import type { IciclePanel } from './icicle-tree.ts';
import { cellSays, indexText, landmarks, looksOf, panelSummary } from './icicle-words.ts';
import { glyphLegend, RIGHTS } from './look.ts';

const WIDTH = 80;
const LEFT = 4;
const TABLE = '─';
const HOLE = ' ';

/** How an icicle is drawn in a terminal. */
export interface IcicleTextOptions {
  readonly scale?: IcicleScale;
}

/**
 * The tables behind an address space, as lines of at most 80 columns. Glyphs carry the same meaning as colours.
 *
 * @param panels - of `iciclePanels`.
 * @param style - of {@link makeStyle}.
 */
export function icicleText(
  panels: readonly IciclePanel[],
  style: Style,
  { scale = 'entries' }: IcicleTextOptions = {},
): string[] {
  if (panels.length === 0) return ['The registers translate no address: there are no tables.'];
  const all: Cell[] = [];
  const lines = panels.flatMap((panel, i) => {
    const cells = layoutIcicle(panel, { width: WIDTH - LEFT, minWidth: 2, scale }).map(whole);
    all.push(...cells);
    return [...(i > 0 ? [''] : []), ...panelLines(panel, cells, style)];
  });
  return [...lines, '', ...glyphLegend(looksOf(all), style, WIDTH, [`│${TABLE}│ table`])];
}

/** Moves a cell to whole columns, at least one wide. */
function whole({ item, x, width }: Cell): Cell {
  const from = Math.min(Math.round(x), WIDTH - LEFT - 1);
  return { item, x: from, width: Math.max(1, Math.round(x + width) - from) };
}

function panelLines(panel: IciclePanel, cells: readonly Cell[], style: Style): string[] {
  const rows = panel.entrySizes.map((_, i) => {
    const level = panel.startLevel + i;
    const here = cells.filter(({ item }) => item.level === level);
    return `L${level}`.padEnd(LEFT) + rowText(here, style);
  });
  return [
    ...wrap(panel.title, WIDTH).map(style.title),
    ...wrap(panelSummary(panel), WIDTH).map(style.faint),
    ...rows,
    style.faint(addressLine(cells)),
  ];
}

/** Cells from left to right. Holes, and addresses without a table at this level, are spaces. */
function rowText(cells: readonly Cell[], style: Style): string {
  let [text, end] = ['', 0];
  for (const { item, x, width } of cells) {
    if (item.kind === 'gap') continue;
    // A cell too narrow for a column has taken one from its neighbour.
    const from = Math.max(x, end);
    const until = Math.min(x + width, WIDTH - LEFT);
    if (until <= from) continue;
    text += ' '.repeat(from - end) + cellText(item, until - from, style);
    end = until;
  }
  return text;
}

/** A bar at the left edge, then glyphs, with words over them if they fit. */
function cellText(item: Cell['item'], width: number, style: Style): string {
  const [glyph, paint] = glyphOf(item, style);
  if (width === 1) return paint(glyph);
  const index = indexText(item);
  const says = [...cellSays(item).map((text) => `${index} ${text}`), index];
  const words = says.find((text) => text.length <= width - 2) ?? '';
  return style.faint('│') + paint(words + glyph.repeat(width - 1 - words.length));
}

function glyphOf(item: Cell['item'], style: Style): [string, (text: string) => string] {
  if (item.kind === 'table') return [TABLE, style.table];
  // Of several rights in one cell, show the one with the most leaves.
  const [most] = sharesWithin(item).sort((a, b) => b.amount - a.amount);
  if (most === undefined) return [HOLE, style.faint];
  const { glyph, nth } = RIGHTS[most.rights];
  return [glyph, style.nth(nth)];
}

/** Input addresses, each below the cell that begins there. */
function addressLine(cells: readonly Cell[]): string {
  const columns: string[] = Array.from({ length: WIDTH - LEFT }, () => ' ');
  for (const { item, x } of landmarks(cells)) {
    const text = `│${hex(item.ia)}`;
    const taken = columns.slice(Math.max(0, x - 1), x + text.length + 1);
    if (x + text.length > columns.length || taken.some((c) => c !== ' ')) continue;
    columns.splice(x, text.length, ...text);
  }
  return `${' '.repeat(LEFT)}${columns.join('')}`.trimEnd();
}
