/** A topic of the glossary as lines, with the parts that it has: places, fields, codes, causes and checks. */
import type { FieldPlace } from '../../glossary/descriptor-fields.ts';
import type { Topic, TopicField } from '../../glossary/topic.ts';
import { columns, visibleWidth, wrap } from '../../text/columns.ts';
import { hex } from '../../text/numbers.ts';
import type { Style } from '../../text/style.ts';

/** The widest a line gets. */
const LINE = 98;

export function topicLines(topic: Topic, style: Style): string[] {
  const { name, group, summary, reference, places, fields, codes, causes, checks, see } = topic;
  const known = [group, reference].filter((part) => part !== undefined).join(', ');
  const bodies = [
    wrap(summary, LINE - 2).map((line) => `  ${line}`),
    placeLines(places ?? [], style),
    fieldLines(fields ?? [], style),
    section('reported as', columns((codes ?? []).map(({ where, code }) => [where, code]))),
    section('usual causes', numbered(causes ?? [])),
    section('check', bulleted(checks ?? [])),
    see === undefined ? [] : [style.faint(`  see also: ${see.join(', ')}`)],
  ];
  return [`${style.title(name)}  ${style.faint(known)}`, ...joined(bodies)];
}

/** Blocks of lines with an empty line between them. */
function joined(blocks: readonly (readonly string[])[]): string[] {
  return blocks.filter((block) => block.length > 0).flatMap((block, i) => (i > 0 ? ['', ...block] : block));
}

/** A heading and the lines below it. Nothing if there are no lines. */
export function section(title: string, lines: readonly string[]): string[] {
  return lines.length ? [`  ${title}:`, ...lines.map((line) => `    ${line}`)] : [];
}

/** `1. …`, `2. …`. */
export function numbered(texts: readonly string[]): string[] {
  return texts.flatMap((text, i) => hanging(`${i + 1}. `, text));
}

export function bulleted(texts: readonly string[]): string[] {
  return texts.flatMap((text) => hanging('- ', text));
}

function hanging(mark: string, text: string): string[] {
  const lines = wrap(text, LINE - 4 - mark.length);
  return lines.map((line, i) => (i === 0 ? mark : ' '.repeat(mark.length)) + line);
}

function placeLines(places: readonly FieldPlace[], style: Style): string[] {
  return places.flatMap(({ bits, where, meaning, values, reference }) => [
    ...wrap(`${where} (${reference})`, LINE - 10).map(
      (line, i) => `  ${(i === 0 ? bits : '').padEnd(8)}${i === 0 ? line : style.faint(line)}`,
    ),
    ...wrap(meaning, LINE - 10).map((line) => `${' '.repeat(10)}${line}`),
    ...valueLines(values).map((line) => `${' '.repeat(12)}${line}`),
  ]);
}

function valueLines(values: Readonly<Record<number, string>> | undefined): string[] {
  return columns(
    Object.entries(values ?? {}).map(([value, text]) => [hex(BigInt(value)), text]),
    { right: [0] },
  );
}

/** One row per field: with its value and its meaning, or with the names of all values below. */
export function fieldLines(fields: readonly TopicField[], style: Style): string[] {
  const heads = fields.map(({ bits, name, value }, i) => [
    style.nth(i)(bits),
    style.nth(i)(name),
    ...(value === undefined ? [] : [hex(value)]),
  ]);
  const widths = (heads[0] ?? []).map((_, i) => Math.max(...heads.map((head) => visibleWidth(head[i]!))) + 2);
  const room = LINE - 2 - widths.reduce((sum, width) => sum + width, 0);
  const rows = fields.flatMap(({ meaning, text, values }, i) => {
    const said = text === undefined ? meaning : `${meaning}: ${text}`;
    const names = values === undefined ? [] : wrap(valuesText(values), room - 2).map((line) => `  ${line}`);
    return [...wrap(said, room), ...names.map(style.faint)].map((line, n) => [
      ...(n === 0 ? heads[i]! : heads[i]!.map(() => '')),
      line,
    ]);
  });
  return columns(rows, { indent: '  ' });
}

/** `0 no, 1 yes`. Many names are left to the register's own topic. */
function valuesText(values: Readonly<Record<number, string>>): string {
  return Object.entries(values)
    .map(([value, text]) => `${Number(value) > 9 ? hex(BigInt(value)) : value} ${text}`)
    .join('; ');
}
