/** A decoded fault as lines and as JSON: what happened, the registers it was read from, usual causes, and what to run next. */
import { bitRange } from '../../descriptor/index.ts';
import type { DecodedFault, RegisterValue } from '../../glossary/faults/decoded-fault.ts';
import type { CountedFault } from '../../glossary/faults/parse.ts';
import { lastEntry, type PrintedWalk } from '../../glossary/faults/printed-walk.ts';
import { type ReadEntry, readWalk } from '../../glossary/faults/printed-words.ts';
import {
  causesOf,
  checksOf,
  faultParagraph,
  faultSentence,
  kindTitle,
  nextSteps,
} from '../../glossary/faults/words.ts';
import { readRegister } from '../../glossary/register.ts';
import { wrap } from '../../text/columns.ts';
import { counted, hex, hexWord } from '../../text/numbers.ts';
import type { Style } from '../../text/style.ts';
import { bulleted, fieldLines, numbered, section } from './explain-text.ts';

/** The widest a line gets. */
const LINE = 98;

export function faultLines({ fault, count }: CountedFault, style: Style): string[] {
  const title = kindTitle(fault);
  const often = count > 1 ? style.faint(`  reported ${counted(count, 'time')}`) : '';
  const paint = fault.kind === 'none' ? style.good : style.bad;
  const blocks = [
    ...fault.registers.map((register) => registerLines(register, style)),
    fault.printed === undefined ? [] : printedLines(fault.printed, style),
    section('or, in another reading', bulleted((fault.otherwise ?? []).map(faultSentence))),
    section('usual causes', numbered(causesOf(fault))),
    section('check', bulleted(checksOf(fault))),
    section(
      'next',
      nextSteps(fault).map((step) => `$ ${step}`),
    ),
  ].filter((block) => block.length > 0);
  return [
    `${paint(title)}${often}`,
    ...wrap(faultParagraph(fault), LINE - 2).map((line) => `  ${line}`),
    ...blocks.flatMap((block) => ['', ...block]),
  ];
}

function registerLines({ layout, value }: RegisterValue, style: Style): string[] {
  const words = layout.width > 64 ? recordText(value) : hex(value, layout.width / 4);
  const fields = readRegister(layout, value).map(({ field, value: part, text }) => ({
    bits: bitRange(field),
    name: field.name,
    meaning: field.meaning,
    value: part,
    ...(text !== undefined && { text }),
  }));
  return [
    `  ${style.title(layout.name)} ${words}  ${style.faint(layout.reference)}`,
    ...fieldLines(fields, style),
  ];
}

/** A walk in a text without a fault. */
export function walkOnlyLines(walk: PrintedWalk, style: Style): string[] {
  const { address, stage } = walk;
  const where = address === undefined ? '' : ` of ${stage === 2 ? 'IPA ' : ''}${hex(address)}`;
  const last = lastEntry(walk);
  const granule = walk.granule === undefined ? '' : ` --granule ${walk.granule}`;
  const step =
    walk.format !== 'long' || last?.level === undefined
      ? []
      : [`$ lpae decode ${hexWord(last.value)} --stage ${stage} --level ${last.level}${granule}`];
  return [
    style.title(`no fault, but a walk${where}`),
    ...printedLines(walk, style),
    ...(step.length > 0 ? ['', ...section('next', step)] : []),
  ];
}

/** The walk that the log prints, entry by entry. */
function printedLines(walk: PrintedWalk, style: Style): string[] {
  const { stage, format, granule, vaBits, root } = walk;
  const parts = [
    format === 'own' ? '' : `stage ${stage}`,
    format === 'short' ? 'short descriptors' : granule === undefined ? '' : `${granule} granule`,
    vaBits === undefined ? '' : `${vaBits}-bit VAs`,
    root === undefined ? '' : `root ${hex(root)}`,
  ].filter(Boolean);
  const width = format === 'long' ? 16 : 8;
  return [
    `  ${style.title('printed walk')}  ${style.faint(parts.join(', '))}`,
    ...readWalk(walk).flatMap(({ name, level, value, text }) => {
      const at = level === undefined ? '' : `level ${level}  `;
      const head = `${at}${name.padEnd(4)}  ${hex(value, width)}  `;
      return wrap(text, LINE - 2 - head.length).map(
        (line, i) => `  ${i === 0 ? head : ' '.repeat(head.length)}${line}`,
      );
    }),
  ];
}

/** The 64-bit words of a record, the lowest first. */
function recordText(value: bigint): string {
  return [0n, 64n, 128n, 192n].map((shift) => hex((value >> shift) & 0xffff_ffff_ffff_ffffn)).join(' ');
}

export function printedJson(walk: PrintedWalk): object {
  return { ...walk, entries: readWalk(walk).map(entryJson) };
}

function entryJson({ name, level, value, at, kind, target, text }: ReadEntry): object {
  return { name, level, value, at, kind, target, text };
}

export function faultJson({ fault, count }: CountedFault): object {
  const { registers, notes, printed, otherwise, hints: _, ...rest } = fault satisfies DecodedFault;
  return {
    count,
    ...rest,
    ...(printed !== undefined && { printed: printedJson(printed) }),
    ...(otherwise?.length && {
      otherwise: otherwise.map((one) => ({ source: one.source, kind: one.kind, text: faultSentence(one) })),
    }),
    text: faultSentence(fault),
    notes,
    registers: registers.map(({ layout, value }) => ({
      name: layout.name,
      value,
      reference: layout.reference,
      fields: readRegister(layout, value).map(({ field, value: part, text }) => ({
        name: field.name,
        bits: bitRange(field).slice(1, -1),
        value: part,
        meaning: field.meaning,
        ...(text !== undefined && { text }),
      })),
    })),
    causes: causesOf(fault),
    checks: checksOf(fault),
    next: nextSteps(fault),
  };
}
