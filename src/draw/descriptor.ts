/** Draws a descriptor: its bits in rows, each field in a colour with its name and value, and a list of their meanings below. */

import { fieldTitle } from '../descriptor/field.ts';
import {
  bitRange,
  type DecodedField,
  type DescriptorLayout,
  decode,
  decodeAddress,
} from '../descriptor/index.ts';
import { hex, hexWord } from '../text/numbers.ts';
import { firstFitting, fitText, wrapText } from './measure.ts';
import type { HueName } from './palette.ts';
import { type Box, box, hatch, heading, label, told } from './parts.ts';
import { type SvgNode, svgDocument } from './svg.ts';

/** How a descriptor is drawn. */
export interface DescriptorOptions {
  /** Default: the word in hex. */
  readonly title?: string;
  /** Lines below the title. Default: the layout's title, and the address in the descriptor. */
  readonly under?: readonly string[];
  /** Fields decoded by the caller, with meanings that the layout does not know, such as a memory type from MAIR. */
  readonly fields?: readonly DecodedField[];
  /** Bits per row. Default: 32. */
  readonly rowBits?: 16 | 32;
}

/** A field with its mark: a letter if the field means something, as in the terminal's drawing. */
interface Marked extends DecodedField {
  readonly letter: string;
  readonly hue: HueName | undefined;
}

const LEFT = 16;
const ROW_WIDTH = 960;
const WIDTH = ROW_WIDTH + 2 * LEFT;
const BIT_HEIGHT = 30;
const NAME_HEIGHT = 20;
const ROW_HEIGHT = 14 + BIT_HEIGHT + NAME_HEIGHT + 16;
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const FIELD_HUES: readonly HueName[] = ['blue', 'orange', 'green', 'pink', 'yellow', 'violet', 'red'];

/**
 * An SVG of one descriptor.
 * @param layout - the fields of a descriptor format.
 * @param word - the descriptor. Bits above `layout.width` are not drawn.
 */
export function descriptor(layout: DescriptorLayout, word: bigint, options: DescriptorOptions = {}): string {
  const { rowBits = 32, title = hexWord(word, layout.width) } = options;
  const fields = mark(options.fields ?? decode(layout, word));
  const under = options.under ?? [layout.title, ...leadText(layout, word)];
  const head = heading(title, under, WIDTH);
  const nodes: SvgNode[] = [...head.nodes];
  let y = head.height + 18;
  for (let high = layout.width - 1; high >= 0; high -= rowBits) {
    nodes.push(...bitRow(fields, word, high, rowBits, y));
    y += ROW_HEIGHT;
  }
  y += 8;
  for (const field of fields) {
    const drawn = listRow(field, y);
    nodes.push(...drawn.nodes);
    y += drawn.height;
  }
  const named = fields.filter(({ letter }) => letter !== '');
  const desc = named.map(({ field, value }) => `${field.name} ${hex(value)}`).join(', ');
  return svgDocument(WIDTH, y + 12, nodes, { title, desc: `${layout.title}: ${desc || 'no fields'}` });
}

/** A line with the address in a descriptor, or nothing. */
function leadText(layout: DescriptorLayout, word: bigint): string[] {
  if (layout.kind === 'invalid') return [];
  const what = layout.kind === 'table' ? 'next table' : 'output address';
  return [`${what}: ${hex(decodeAddress(layout, word))}`];
}

function mark(fields: readonly DecodedField[]): Marked[] {
  let next = 0;
  return fields.map((decoded) => {
    const { kind } = decoded.field;
    if (kind !== 'field' && kind !== 'software') return { ...decoded, letter: '', hue: undefined };
    const index = next++;
    return {
      ...decoded,
      letter: LETTERS[index % LETTERS.length]!,
      hue: FIELD_HUES[index % FIELD_HUES.length]!,
    };
  });
}

/** One row of `rowBits` bits from `high` down: bit numbers, bits, names. */
function bitRow(
  fields: readonly Marked[],
  word: bigint,
  high: number,
  rowBits: number,
  top: number,
): SvgNode[] {
  const bitWidth = ROW_WIDTH / rowBits;
  const low = high - rowBits + 1;
  const xOf = (bit: number) => LEFT + (high - bit) * bitWidth;
  return fields
    .filter(({ field }) => field.high >= low && field.low <= high)
    .map((marked) => {
      const { field } = marked;
      const [from, to] = [Math.min(field.high, high), Math.max(field.low, low)];
      const place = { x: xOf(from), y: top + 14, width: (from - to + 1) * bitWidth, height: BIT_HEIGHT };
      const bits = Array.from({ length: from - to + 1 }, (_, i) => {
        const bit = ((word >> BigInt(from - i)) & 1n).toString();
        const x = place.x + (i + 0.5) * bitWidth;
        return label(x, place.y + 20, bit, {
          size: 14,
          mono: true,
          anchor: 'middle',
          faint: marked.letter === '',
        });
      });
      return told(
        fieldTip(marked),
        ...numbers(from, to, place, top + 10),
        ...fieldBox(marked, place),
        ...bits,
        ...nameBelow(marked, place),
      );
    });
}

function numbers(from: number, to: number, { x, width }: Box, y: number): SvgNode[] {
  const look = { size: 9, faint: true } as const;
  if (from === to) return [label(x + width / 2, y, String(from), { ...look, anchor: 'middle' })];
  return [
    label(x + 3, y, String(from), look),
    label(x + width - 3, y, String(to), { ...look, anchor: 'end' }),
  ];
}

/** Bits without a meaning are hatched; a field with a problem has a red frame. */
function fieldBox({ hue, problem }: Marked, place: Box): SvgNode[] {
  const nodes: SvgNode[] =
    hue === undefined
      ? [box(place, 'lpae-f-grey lpae-cell'), hatch(place)]
      : [box(place, `lpae-f-${hue} lpae-cell`)];
  if (problem !== undefined) {
    const { x, y, width, height } = place;
    nodes.push(
      box({ x: x + 2, y: y + 2, width: width - 4, height: height - 4 }, 'lpae-s-red', { 'stroke-width': 2 }),
    );
  }
  return nodes;
}

function nameBelow({ field, value, letter, hue }: Marked, { x, y, width, height }: Box): SvgNode[] {
  if (letter === '') return [];
  const { name } = field;
  const says = [`${letter}  ${name} = ${hex(value)}`, `${letter}  ${name}`, `${letter} ${name}`, letter];
  const text = firstFitting(says, width - 4, 10);
  const under = { x: x + 1, y: y + height + 2, width: width - 2, height: 3 };
  return [
    box(under, `lpae-i-${hue}`),
    label(x + width / 2, y + height + 17, text, { size: 10, anchor: 'middle' }),
  ];
}

const COLUMNS = { letter: LEFT, bits: 56, name: 118, value: 262, meaning: 392, reference: 806 } as const;
const LINE = 17;

/** A field in the list: letter, bits, name, value, meaning, section. */
function listRow(marked: Marked, y: number): { nodes: SvgNode[]; height: number } {
  const { field, value, text, problem, letter, hue } = marked;
  const faint = letter === '' && problem === undefined;
  const name = fieldTitle(field);
  const said = text === undefined || text === field.meaning ? field.meaning : `${field.meaning}: ${text}`;
  const meaning = wrapText(
    `${said}${field.kind === 'software' ? ' (software)' : ''}`,
    COLUMNS.reference - COLUMNS.meaning - 12,
    12,
  );
  const reference = wrapText(field.reference, WIDTH - LEFT - COLUMNS.reference, 11);
  const swatch = { x: COLUMNS.letter, y: y - 12, width: 26, height: 16 };
  const nodes: SvgNode[] = [
    ...fieldBox({ ...marked, problem: undefined }, swatch),
    ...(hue === undefined
      ? []
      : [label(swatch.x + 13, y, letter, { size: 11, anchor: 'middle', bold: true })]),
    label(COLUMNS.bits, y, bitRange(field), { size: 11, mono: true, faint }),
    label(COLUMNS.name, y, fitText(name, COLUMNS.value - COLUMNS.name - 8, 12), { faint, bold: !faint }),
    label(COLUMNS.value, y, hex(value), { size: 11, mono: true, faint }),
    ...meaning.map((line, i) => label(COLUMNS.meaning, y + i * LINE, line, { faint })),
    ...reference.map((line, i) => label(COLUMNS.reference, y + i * LINE, line, { size: 11, faint: true })),
  ];
  let lines = Math.max(meaning.length, reference.length);
  if (problem !== undefined) {
    const at = y + meaning.length * LINE;
    nodes.push(label(COLUMNS.meaning, at, problem, { bold: true }));
    nodes.push(box({ x: COLUMNS.meaning - 8, y: at - 11, width: 4, height: 14 }, 'lpae-i-red'));
    lines = Math.max(lines, meaning.length + 1);
  }
  return { nodes, height: lines * LINE + 5 };
}

function fieldTip({ field, value, text, problem }: Marked): string {
  const name = fieldTitle(field);
  const lines = [`${name} ${bitRange(field)} = ${hex(value)}`, field.meaning, text, problem, field.reference];
  return lines.filter((line) => line !== undefined && line !== '').join('\n');
}
