/** Draws a descriptor: hex digits, bits, a ruler of fields below, and a table of the fields in the same colours. */
import { fieldTitle } from '../../descriptor/field.ts';
import { bitRange, type DecodedField, type DescriptorLayout, type Field } from '../../descriptor/index.ts';
import { columns, visibleWidth, wrap } from '../../text/columns.ts';
import { reservedType, saysValid } from '../../text/fault.ts';
import { hex, hexWord, sizeText } from '../../text/numbers.ts';
import { listed } from '../../text/sentence.ts';
import type { Style } from '../../text/style.ts';
import type { Verdict } from './plausibility.ts';
import { fieldsOf, leafShift, type Place, type Reading } from './readings.ts';

/** A field, and its letter in the ruler. Bits without a meaning have no letter. */
interface Lettered extends DecodedField {
  readonly letter: string;
  readonly paint: (text: string) => string;
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const BYTE = 8;
const NIBBLE = 4;

/** The widest a line gets. */
const LINE = 80;
/** The most objections to list. */
const MOST = 3;

/** How a reading is shown. */
export interface ReadingOptions {
  /** MAIR_ELx, to show the memory type of AttrIndx. */
  readonly mair?: bigint | undefined;
  /** Whether there are other readings, so that objections to this one are shown. */
  readonly ranked?: boolean;
}

export function readingLines(
  reading: Reading,
  word: bigint,
  style: Style,
  options: ReadingOptions = {},
): string[] {
  const { layout, verdict, places } = reading;
  const fields = letterFields(fieldsOf(reading, word, options.mair), style);
  const references = [...new Set(fields.map(({ field }) => field.reference))];
  const indent = ' '.repeat(4 + layout.width / 4);
  const room = LINE - indent.length;
  const faint = [references.join(', '), ...(options.ranked ? [againstText(verdict)] : [])];
  const [title = '', ...more] = wrap(`${places[0].format.name}: ${titleOf(reading)}`, room);
  return [
    `${style.title(hexWord(word, layout.width))}  ${title}`,
    ...more.map((line) => indent + line),
    ...faint.flatMap((text) => wrap(text, room)).map((line) => style.faint(indent + line)),
    '',
    ...rulerLines(word, layout.width, fields),
    '',
    ...columns(fieldRows(fields, references.length > 1, style), { indent: '  ' }),
    ...addressLines(reading, word),
  ];
}

/** An unlikely reading, in a line or two. */
export function unlikelyLines(reading: Reading): string[] {
  const { places, verdict, address } = reading;
  const at = address === undefined ? '' : ` at ${hex(address)}`;
  const text = `${places[0].format.name}: ${titleOf(reading)}${at}; ${againstText(verdict)}`;
  return wrap(text, LINE - 6).map((line, i) => `${i === 0 ? '    ' : '      '}${line}`);
}

function againstText({ against }: Verdict): string {
  if (against.length === 0) return 'nothing speaks against it';
  const more = against.length > MOST ? `, and ${against.length - MOST} more` : '';
  return `against it: ${against.slice(0, MOST).join(', ')}${more}`;
}

/** `stage 1 levels 0 to 2 table, 4K or 16K granule`. */
function titleOf({ places, layout }: Reading): string {
  const levels = levelsOf(places);
  const [first, last] = [levels[0]!, levels.at(-1)!];
  const where = first === last ? `level ${first}` : `levels ${first} to ${last}`;
  return `stage ${places[0].format.stage} ${where} ${layout.kind}${detailOf(layout)}, ${listed(granulesOf(places), 'or')} granule`;
}

function levelsOf(places: readonly Place[]): number[] {
  return [...new Set(places.map(({ level }) => level))].sort((a, b) => a - b);
}

function granulesOf(places: readonly Place[]): string[] {
  return [...new Set(places.map(({ format }) => sizeText(1n << BigInt(format.granuleLog2))))];
}

/** The detail that a layout's title adds to its kind: ` (supersection)`. */
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
    const nibble = BigInt.asUintN(NIBBLE, word >> BigInt(bit - (bit % NIBBLE)));
    lines.position += gap + (place % BYTE === 0 ? String(bit).padEnd(BYTE) : '');
    lines.digit += gap + (place % NIBBLE === 0 ? nibble.toString(16).padEnd(NIBBLE) : '');
    lines.bit += gap + paint(BigInt.asUintN(1, word >> BigInt(bit)).toString());
    lines.letter += gap + paint(letter);
  }
  return Object.values(lines).map((line) => `  ${line}`.trimEnd());
}

function fieldRows(fields: readonly Lettered[], withReference: boolean, style: Style): string[][] {
  const heads = fields.map(({ field, value, letter, paint }) => [
    paint(letter),
    paint(bitRange(field)),
    paint(fieldTitle(field)),
    hex(value),
  ]);
  const taken = heads[0]!.map((_, i) => Math.max(...heads.map((head) => visibleWidth(head[i]!))) + 2);
  const room = LINE - 2 - taken.reduce((sum, width) => sum + width, 0);
  return fields.flatMap(({ field, text, problem }, i) => {
    const meant = field.kind === 'field' || field.kind === 'software' || problem !== undefined;
    const words = wrap(fieldText(field, text, withReference), room);
    const lines = meant ? words : words.map(style.faint);
    if (problem !== undefined) lines.push(...wrap(problem, room).map(style.bad));
    return lines.map((line, n) => [...(n === 0 ? heads[i]! : ['', '', '', '']), line]);
  });
}

function fieldText(field: Field, text: string | undefined, withReference: boolean): string {
  const { kind, meaning, reference } = field;
  const said = text === undefined || text === meaning ? meaning : `${meaning}: ${text}`;
  return `${said}${kind === 'software' ? ' (software)' : ''}${withReference ? ` (${reference})` : ''}`;
}

/** The address in the descriptor, or why a word with bit 0 set is invalid all the same. */
function addressLines({ places, layout, run, address }: Reading, word: bigint): string[] {
  if (address !== undefined) {
    if (layout.kind === 'table') return ['', `  next table: ${hex(address)}`];
    const sizes = [...new Set(places.map((place) => 1n << BigInt(leafShift(place, run))))];
    if (sizes.length > 1)
      return ['', `  output address: ${hex(address)} (${listed(sizes.map(sizeText), 'or')}, by the granule)`];
    return [
      '',
      `  output address: ${hex(address)}-${hex(address + sizes[0]! - 1n)} (${sizeText(sizes[0]!)})`,
    ];
  }
  if (!saysValid(word)) return [];
  return ['', `  ${reservedType(word)} at this level: the entry is invalid`];
}

export function readingJson(reading: Reading, word: bigint, mair?: bigint): object {
  const { places, layout, run, address, verdict } = reading;
  const leaf = layout.kind === 'block' || layout.kind === 'page';
  const { format } = places[0];
  const granules = granulesOf(places);
  return {
    format: format.name,
    stage: format.stage,
    granule: granules[0],
    granules,
    levels: levelsOf(places),
    kind: layout.kind,
    address: address ?? null,
    ...(leaf && {
      sizes: [...new Set(places.map((place) => sizeText(1n << BigInt(leafShift(place, run)))))],
    }),
    score: verdict.score,
    against: verdict.against,
    fields: fieldsOf(reading, word, mair).map(({ field, value, text, problem }) => ({
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
