/** A descriptor drawn: its hex digits, its bits, a ruler of its fields beneath, and the fields in a table of the same colours. */
import {
  bitRange,
  type DecodedField,
  type DescriptorLayout,
  decode,
  type Field,
} from '../descriptor/index.ts';
import { columns, visibleWidth, wrap } from './columns.ts';
import type { Reading } from './readings.ts';
import type { Style } from './style.ts';
import { hex, hexWord, sizeText } from './text.ts';

/** A field and the letter that stands for it in the ruler; none for bits that mean nothing. */
interface Lettered extends DecodedField {
  readonly letter: string;
  readonly paint: (text: string) => string;
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const BYTE = 8;
const NIBBLE = 4;

/** The widest a line gets. */
const LINE = 98;

export function readingLines(reading: Reading, word: bigint, style: Style): string[] {
  const { format, layout } = reading;
  const fields = letterFields(decode(layout, word), style);
  const references = [...new Set(fields.map(({ field }) => field.reference))];
  return [
    `${style.title(hexWord(word, layout.width))}  ${format.name}: ${titleOf(reading)}`,
    style.faint(`${' '.repeat(4 + layout.width / 4)}${references.join(', ')}`),
    '',
    ...rulerLines(word, layout.width, fields),
    '',
    ...columns(fieldRows(fields, references.length > 1, style), { indent: '  ' }),
    ...addressLines(reading, word),
  ];
}

/** `stage 1, levels 0 to 2: table, 4K granule`. */
function titleOf({ format, levels, layout }: Reading): string {
  const [first, last] = [levels[0]!, levels.at(-1)!];
  const where = first === last ? `level ${first}` : `levels ${first} to ${last}`;
  return `stage ${format.stage} ${where} ${layout.kind}${detailOf(layout)}, ${sizeText(1n << BigInt(format.granuleLog2))} granule`;
}

/** What a layout's title says of its kind beyond the word itself: ` (supersection)`. */
function detailOf({ title }: DescriptorLayout): string {
  return / \([a-z ]+\)$/.exec(title)?.[0] ?? '';
}

function letterFields(fields: readonly DecodedField[], style: Style): Lettered[] {
  let next = 0;
  return fields.map((decoded) => {
    const { kind } = decoded.field;
    if (kind !== 'field' && kind !== 'software') {
      return { ...decoded, letter: '-', paint: decoded.problem ? style.bad : style.faint };
    }
    const index = next++;
    return { ...decoded, letter: LETTERS[index % LETTERS.length]!, paint: style.nth(index) };
  });
}

/** Bits from the highest down, in groups of eight, under their hex digits. */
function rulerLines(word: bigint, width: number, fields: readonly Lettered[]): string[] {
  const lines = { position: '', digit: '', bit: '', letter: '' };
  for (let bit = width - 1; bit >= 0; bit--) {
    const { letter, paint } = fields.find(({ field }) => bit <= field.high && bit >= field.low)!;
    const place = width - 1 - bit;
    const gap = place > 0 && place % BYTE === 0 ? ' ' : '';
    const nibble = (word >> BigInt(bit - (bit % NIBBLE))) & 0xfn;
    lines.position += gap + (place % BYTE === 0 ? String(bit).padEnd(BYTE) : '');
    lines.digit += gap + (place % NIBBLE === 0 ? nibble.toString(16).padEnd(NIBBLE) : '');
    lines.bit += gap + paint(((word >> BigInt(bit)) & 1n).toString());
    lines.letter += gap + paint(letter);
  }
  return Object.values(lines).map((line) => `  ${line}`.trimEnd());
}

function fieldRows(fields: readonly Lettered[], withReference: boolean, style: Style): string[][] {
  const heads = fields.map(({ field, value, letter, paint }) => [
    paint(letter),
    paint(bitRange(field)),
    paint(field.name === '-' ? field.kind.toUpperCase() : field.name),
    hex(value),
  ]);
  const taken = heads[0]!.map((_, i) => Math.max(...heads.map((head) => visibleWidth(head[i]!))) + 2);
  const room = LINE - 2 - taken.reduce((sum, width) => sum + width, 0);
  return fields.flatMap(({ field, text, problem }, i) => {
    const meant = field.kind === 'field' || field.kind === 'software' || problem !== undefined;
    const words = wrap(fieldText(field, text, withReference), room);
    const lines = meant ? words : words.map(style.faint);
    if (problem !== undefined) lines.push(style.bad(problem));
    return lines.map((line, n) => [...(n === 0 ? heads[i]! : ['', '', '', '']), line]);
  });
}

function fieldText(field: Field, text: string | undefined, withReference: boolean): string {
  const { kind, meaning, reference } = field;
  const said = text === undefined || text === meaning ? meaning : `${meaning}: ${text}`;
  return `${said}${kind === 'software' ? ' (software)' : ''}${withReference ? ` (${reference})` : ''}`;
}

/** Where the descriptor leads; or why a word with bit 0 set is invalid all the same. */
function addressLines({ format, levels, layout, run, address }: Reading, word: bigint): string[] {
  if (address !== undefined) {
    if (layout.kind === 'table') return ['', `  next table: ${hex(address)}`];
    const { shift, runLog2 = 0 } = format.levels.find((l) => l.level === levels[0])!;
    const size = 1n << BigInt(shift + (run ? runLog2 : 0));
    return ['', `  output address: ${hex(address)}-${hex(address + size - 1n)} (${sizeText(size)})`];
  }
  if ((word & 1n) === 0n) return [];
  const bits = (word & 3n).toString(2).padStart(2, '0');
  return ['', `  bits [1:0] = 0b${bits} are reserved at this level: the entry is invalid`];
}

export function readingJson({ format, levels, layout, address }: Reading, word: bigint): object {
  return {
    format: format.name,
    stage: format.stage,
    granule: sizeText(1n << BigInt(format.granuleLog2)),
    levels,
    kind: layout.kind,
    address: address ?? null,
    fields: decode(layout, word).map(({ field, value, text, problem }) => ({
      name: field.name,
      bits: bitRange(field).slice(1, -1),
      kind: field.kind,
      value,
      meaning: field.meaning,
      ...(text !== undefined && { text }),
      reference: field.reference,
      ...(problem !== undefined && { problem }),
    })),
  };
}
