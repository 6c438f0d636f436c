/** A table of outcomes: a cell for each combination, with a colour and a sign for the outcome, and reasons below. */
import { textWidth, wrapText } from './measure.ts';
import type { HueName } from './palette.ts';
import { box, filled, heading, label, legend, told } from './parts.ts';
import { type SvgNode, svgDocument } from './svg.ts';

export type Outcome = 'yes' | 'partly' | 'no' | 'none';

export interface HeatCell {
  readonly outcome: Outcome;
  /** A few words. */
  readonly text: string;
  /** The reason: a sentence that is listed once below the table. */
  readonly reason?: string;
}

export interface HeatTable {
  readonly title: string;
  readonly subtitle?: string;
  /** What rows and columns stand for: `CPU page size`. */
  readonly rowTitle?: string;
  readonly columnTitle?: string;
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  /** By row, then by column. */
  readonly cells: readonly (readonly HeatCell[])[];
  /** The words for outcomes. Default: yes, partly, no, does not apply. */
  readonly words?: Readonly<Partial<Record<Outcome, string>>>;
}

export const OUTCOMES: Readonly<Record<Outcome, { hue: HueName; sign: string; word: string }>> = {
  yes: { hue: 'green', sign: '✓', word: 'yes' },
  partly: { hue: 'yellow', sign: '≈', word: 'partly' },
  no: { hue: 'red', sign: '✗', word: 'no' },
  none: { hue: 'grey', sign: '–', word: 'does not apply' },
};

/** Each reason once, in order of appearance. A cell shows its reason's place in this list, from 1. */
export function reasonsOf({ cells }: HeatTable): string[] {
  return [...new Set(cells.flat().flatMap(({ reason }) => (reason === undefined ? [] : [reason])))];
}

/** The outcomes that occur, with their words. */
export function outcomesOf({ cells, words }: HeatTable): { outcome: Outcome; text: string }[] {
  const all = Object.keys(OUTCOMES) as Outcome[];
  return all
    .filter((outcome) => cells.flat().some((cell) => cell.outcome === outcome))
    .map((outcome) => ({ outcome, text: words?.[outcome] ?? OUTCOMES[outcome].word }));
}

const LEFT = 16;
const LEAST_WIDTH = 880;
const LEAST_COLUMN = 84;
const MOST_COLUMN = 180;
const MOST_LABEL = 220;
const LINE = 15;
const PAD = 8;

/** The positions of columns. */
interface Grid {
  readonly left: number;
  readonly column: number;
}

/** An SVG of outcomes. */
export function heatTable(table: HeatTable): string {
  const { title, subtitle, rows, columns, rowTitle = '' } = table;
  const rowNames = rows.map((row) => wrapText(row, MOST_LABEL, 12));
  const labelWidth = Math.max(0, ...[...rowNames.flat(), rowTitle].map((line) => textWidth(line, 12))) + 14;
  const share = (LEAST_WIDTH - 2 * LEFT - labelWidth) / Math.max(1, columns.length);
  const grid = { left: LEFT + labelWidth, column: Math.min(MOST_COLUMN, Math.max(LEAST_COLUMN, share)) };
  const width = Math.max(LEAST_WIDTH, grid.left + grid.column * columns.length + LEFT);
  const head = heading(title, subtitle === undefined ? [] : wrapText(subtitle, width - 32, 12), width);
  const key = legend(
    outcomesOf(table).map(({ outcome, text }) => ({
      text: `${OUTCOMES[outcome].sign} ${text}`,
      sample: filled(OUTCOMES[outcome].hue),
    })),
    LEFT,
    head.height + 8,
    width - 2 * LEFT,
  );
  const reasons = reasonsOf(table);
  const nodes: SvgNode[] = [...head.nodes, ...key.nodes];
  let y = head.height + key.height + 26;
  const add = (part: Part) => {
    nodes.push(...part.nodes);
    y += part.height;
  };
  add(columnHeads(table, grid, y));
  rowNames.forEach((name, r) => {
    add(tableRow(table, r, name, reasons, grid, y));
  });
  y += 12;
  add(reasonList(reasons, width, y));
  return svgDocument(width, y + 16, nodes, { title, desc: describe(table) });
}

interface Part {
  readonly nodes: SvgNode[];
  readonly height: number;
}

/** The titles of rows and columns, and the column names, aligned at the bottom. */
function columnHeads({ columns, rowTitle = '', columnTitle = '' }: HeatTable, grid: Grid, top: number): Part {
  const { left, column } = grid;
  const nodes: SvgNode[] = [];
  const above = columnTitle === '' ? 0 : 18;
  if (above > 0) nodes.push(label(left, top, columnTitle, { size: 11, faint: true }));
  const names = columns.map((name) => wrapText(name, column - 10, 12, { bold: true }));
  const bottom = top + above + (Math.max(1, ...names.map((lines) => lines.length)) - 1) * LINE;
  if (rowTitle !== '') nodes.push(label(LEFT, bottom, rowTitle, { size: 11, faint: true }));
  names.forEach((lines, c) => {
    lines.forEach((line, i) => {
      const y = bottom - (lines.length - 1 - i) * LINE;
      nodes.push(label(left + (c + 0.5) * column, y, line, { anchor: 'middle', bold: true }));
    });
  });
  return { nodes, height: bottom - top + 9 };
}

/** A row's name and its cells, as high as the cell with the most lines. */
function tableRow(
  { rows, columns, cells }: HeatTable,
  r: number,
  name: readonly string[],
  reasons: readonly string[],
  { left, column }: Grid,
  y: number,
): Part {
  const texts = columns.map((_, c) => cellLines(cells[r]?.[c], reasons, column - 2 * PAD));
  const height = Math.max(name.length, ...texts.map((text) => text.length)) * LINE + 2 * PAD;
  const nodes: SvgNode[] = name.map((line, i) => label(LEFT, y + centred(height, name.length, i), line));
  texts.forEach((text, c) => {
    const cell = cells[r]?.[c];
    if (cell === undefined) return;
    const place = { x: left + c * column, y, width: column, height };
    const says = [`${rows[r]}, ${columns[c]}: ${cell.text}`, cell.reason].filter(Boolean).join('\n');
    const drawn = text.map((line, i) => {
      const at = y + centred(height, text.length, i);
      return label(place.x + column / 2, at, line, { size: 11, anchor: 'middle' });
    });
    nodes.push(told(says, box(place, `lpae-f-${OUTCOMES[cell.outcome].hue} lpae-cell`), ...drawn));
  });
  return { nodes, height };
}

function reasonList(reasons: readonly string[], width: number, top: number): Part {
  const nodes: SvgNode[] = [];
  let y = top;
  reasons.forEach((reason, i) => {
    wrapText(reason, width - 2 * LEFT - 30, 12).forEach((line, n) => {
      y += LINE + 1;
      if (n === 0) nodes.push(label(LEFT + 20, y, String(i + 1), { anchor: 'end', faint: true }));
      nodes.push(label(LEFT + 30, y, line));
    });
  });
  return { nodes, height: y - top };
}

/** The baseline of one of several lines that are centred in a height. */
function centred(height: number, lines: number, index: number): number {
  return height / 2 + (index - (lines - 1) / 2) * LINE + 4;
}

/** Sign, words, and the number of the reason. */
function cellLines(cell: HeatCell | undefined, reasons: readonly string[], width: number): string[] {
  if (cell === undefined) return [];
  const number = cell.reason === undefined ? '' : ` (${reasons.indexOf(cell.reason) + 1})`;
  return wrapText(`${OUTCOMES[cell.outcome].sign} ${cell.text}${number}`.trim(), width, 11);
}

function describe({ rows, columns, cells }: HeatTable): string {
  return rows
    .map(
      (row, r) => `${row}: ${columns.map((name, c) => `${name} ${cells[r]?.[c]?.text ?? '-'}`).join(', ')}`,
    )
    .join('. ');
}
