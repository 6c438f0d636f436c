/** Verdicts on a trace as lines, with equal steps folded, and as JSON. */

import type { TableSpace } from '../../bbm/context.ts';
import { bbmFields } from '../../bbm/fields.ts';
import {
  type AccessVerdict,
  type BbmLevel,
  isLegal,
  type Judgement,
  type MissingBarrier,
  type NeededInvalidation,
  type OtherVerdict,
  type RegisterVerdict,
  type StepVerdict,
  type WriteVerdict,
} from '../../bbm/index.ts';
import { MACHINES } from '../../bbm/judge.ts';
import { joinNeeded } from '../../bbm/needed.ts';
import { concerns } from '../../bbm/ordering.ts';
import { commandText as smmuCommandText } from '../../smmu/commands.ts';
import { wrap } from '../../text/columns.ts';
import { count, counted, hex, hexWord, sizeText } from '../../text/numbers.ts';
import type { Style } from '../../text/style.ts';
import type { Machine } from '../../tlb/index.ts';
import { operandText } from './tlbi-operand.ts';

/** The machines and the level for which the trace has to be legal. */
export interface Chosen {
  readonly machines: readonly Machine[];
  readonly bbml: BbmLevel;
}

const LINE = 110;
/** The most invalidations to show for one step. */
const SHORT_LIST = 4;

export const MACHINE_NAMES = { pe: 'PE', smmu: 'SMMU' } as const;

/** One line for each step, or for several in sequence that differ only in their place; below it, what it needs. */
export function verdictLines(
  verdicts: readonly StepVerdict[],
  space: TableSpace,
  chosen: Chosen,
  style: Style,
): string[] {
  const groups: StepVerdict[][] = [];
  for (const verdict of verdicts) {
    const last = groups.at(-1);
    if (last?.[0] && likeness(last[0], space) === likeness(verdict, space)) last.push(verdict);
    else groups.push([verdict]);
  }
  return groups.flatMap((group) => groupLines(group, space, chosen, style));
}

/** Consecutive steps with the same key share a line. */
function likeness(verdict: StepVerdict, space: TableSpace): string {
  if (verdict.kind !== 'write') return `step ${verdict.index}`;
  const { index, places, changes, judgements, before, after, breakFirst, needsBefore, needsAfter, missing } =
    verdict;
  const level = places[0]?.level;
  const kinds = [before, after].map((word) => (level === undefined ? '' : kindOf(word, level, space)));
  const needs = [needsBefore, needsAfter].map((list) => list.map(({ leaf, global }) => [leaf, global]));
  const live = places.map((place) => [place.level, place.live]);
  return JSON.stringify([
    live,
    kinds,
    changes,
    judgements,
    breakFirst,
    needs,
    missing.length > 0 ? index : -1,
  ]);
}

function groupLines(
  group: readonly StepVerdict[],
  space: TableSpace,
  chosen: Chosen,
  style: Style,
): string[] {
  const [first] = group;
  if (first === undefined) return [];
  const range = group.length === 1 ? `${first.index}` : `${first.index}-${group.at(-1)!.index}`;
  const head = `[${range}]`.padEnd(10);
  if (first.kind === 'access') return accessLines(head, first, chosen, style);
  if (first.kind === 'register') return registerLines(head, first, chosen, style);
  if (first.kind !== 'write') {
    const line = `${head} ${style.table(otherText(first.step))}`;
    return [line, ...missLines(first), ...missingLines(first.missing, chosen, style)];
  }
  const writes = group.filter((verdict) => verdict.kind === 'write');
  const times = writes.length > 1 ? ` ×${count(writes.length)}` : '';
  const line = `${head} ${placeText(first)}  ${changeText(first, space)}${times}  ${verdictText(first, chosen, style)}`;
  const join = (pick: (verdict: WriteVerdict) => readonly NeededInvalidation[]) =>
    joinNeeded(writes.flatMap(pick), space);
  return [
    line,
    ...missingLines(first.missing, chosen, style),
    ...ruleLines(first.judgements.filter(({ machine }) => chosen.machines.includes(machine))),
    ...neededLines(
      first.breakFirst ? 'before: write 0;' : 'before:',
      join((one) => one.needsBefore),
      chosen,
    ),
    ...neededLines(
      'after:',
      join((one) => one.needsAfter),
      chosen,
    ),
  ];
}

/** `0x1000: 0x80000000 by the tables, or 0x90000000 by a stale entry of step 0`. */
function accessLines(head: string, verdict: AccessVerdict, chosen: Chosen, style: Style): string[] {
  const { step, outcomes, missing } = verdict;
  const texts = outcomes.map(({ from, oa, step: writer }) => {
    const what = oa === undefined ? 'fault' : hex(oa);
    if (from === 'memory') return what;
    return `${what} by a stale entry${writer < 0 ? '' : ` that step ${writer} wrote`}`;
  });
  const line = `${head} ${step.fetch ? 'fetch' : 'access'} ${hex(step.access)}: ${texts.join(', or ')}`;
  return [outcomes.length > 1 ? style.bad(line) : line, ...missingLines(missing, chosen, style)];
}

/** `PIR = 0x8: fields 3, 5 change; a TLB may hold … (section)`. */
function registerLines(head: string, verdict: RegisterVerdict, chosen: Chosen, style: Style): string[] {
  const { step, indexes, rule, section, needsAfter } = verdict;
  const changed =
    indexes.length === 0
      ? 'no field changes'
      : `${counted(indexes.length, 'field')} (${indexes.join(', ')}) changed: ${rule} (${section})`;
  return [
    `${head} ${style.table(`${step.register} = ${hex(step.value)}`)}`,
    ...indented(changed),
    ...neededLines('after:', needsAfter, chosen),
  ];
}

/** What an operand means that removes nothing, and why it misses what it comes closest to. */
function missLines({ step, miss, nothing }: OtherVerdict): string[] {
  if (nothing !== undefined) return indented(`need not remove anything: ${nothing}`);
  if (miss === undefined) return [];
  const meaning = operandText(step);
  const kind = miss.kind === 'table' ? 'table descriptor' : 'entry';
  const why = miss.why.map(
    ({ property, operation, entry }) => `${property} ${operation}, the ${kind} has ${entry}`,
  );
  const nearest = `removes nothing: the stale ${kind} of level ${miss.level} at IA ${hex(miss.ia)} is not in scope: ${why.join('; ')}`;
  return [...(meaning === undefined ? [] : indented(meaning)), ...indented(nearest)];
}

function missingLines(missing: readonly MissingBarrier[], { machines }: Chosen, style: Style): string[] {
  return missing
    .filter((one) => machines.some((machine) => concerns(one, machine)))
    .flatMap((one) => indented(`missing: ${missingText(one)}`))
    .map((line) => style.bad(line));
}

/** `DSB ISH: TLBI VAE1IS of step 1 is not complete at the end (DDI 0487 D8.17.8 RPSMWS)`. */
export function missingText({ barrier, why, section }: MissingBarrier): string {
  return `${barrier}: ${why} (${section})`;
}

function placeText({ pa, places: [place, ...more] }: WriteVerdict): string {
  if (place === undefined) return hex(pa);
  const others = more.length > 0 ? ` and ${counted(more.length, 'more place')}` : '';
  return `${hex(pa)}  L${place.level} IA ${hex(place.ia)}${others}`;
}

function changeText({ before, after, places: [place] }: WriteVerdict, space: TableSpace): string {
  if (place === undefined) return hexWord(after);
  return `${entryText(before, place.level, space)} -> ${entryText(after, place.level, space)}`;
}

/** `page 0x80000000 contiguous`. */
export function entryText(word: bigint, level: number, space: TableSpace): string {
  const kind = kindOf(word, level, space);
  const { oa, contiguous, nT } = bbmFields(word, { ...space, level, bbml: 1 });
  if (kind === 'invalid') return kind;
  return `${kind} ${hex(oa)}${contiguous ? ' contiguous' : ''}${nT ? ' nT' : ''}`;
}

function kindOf(word: bigint, level: number, space: TableSpace): string {
  const { kind } = bbmFields(word, { ...space, level, bbml: 0 });
  if (kind !== 'leaf') return kind;
  return level === 3 ? 'page' : 'block';
}

/** `illegal: PE 0 1`, for which machines and levels of FEAT_BBM a write is not legal; or why it needs nothing. */
export function verdictText(verdict: WriteVerdict, { machines, bbml }: Chosen, style: Style): string {
  if (verdict.changes.includes('unreachable')) return style.faint('not reachable');
  if (verdict.changes.length === 0) return style.faint('no change');
  const illegal = illegalText(verdict.judgements);
  if (illegal === '') return style.good('legal');
  const paint = isLegal(verdict, machines, bbml) ? style.warn : style.bad;
  return paint(`illegal: ${illegal}`);
}

/** `PE 0 1, SMMU 0 1`: the levels at which it is not legal. */
function illegalText(judgements: readonly Judgement[]): string {
  const parts = MACHINES.map((machine) => {
    const levels = judgements.filter((one) => one.machine === machine && !one.legal).map(({ bbml }) => bbml);
    return levels.length > 0 ? `${MACHINE_NAMES[machine]} ${levels.join(' ')}` : '';
  });
  return parts.filter(Boolean).join(', ');
}

/** Each rule once, with its levels and section. */
function ruleLines(judgements: readonly Judgement[]): string[] {
  const byRule = new Map<string, Judgement[]>();
  for (const one of judgements) {
    if (one.legal) continue;
    const name = `${one.rule} (${one.section})`;
    byRule.set(name, [...(byRule.get(name) ?? []), one]);
  }
  return [...byRule].flatMap(([rule, all]) => indented(`${illegalText(all)}: ${rule}`));
}

function neededLines(when: string, needed: readonly NeededInvalidation[], { machines }: Chosen): string[] {
  const lines = needed.slice(0, SHORT_LIST).flatMap((one) => {
    const repeat = one.operations > 1 ? ` (or ${counted(one.operations, 'operation')} of one address)` : '';
    return machines.flatMap((machine) =>
      indented(`${when} ${machine === 'pe' ? `${tlbiText(one)}${repeat}` : commandText(one)}`),
    );
  });
  const more = needed.length - SHORT_LIST;
  if (more > 0) lines.push(...indented(`${when} … ${counted(more, 'more range')} (--json lists them)`));
  return lines;
}

function indented(text: string): string[] {
  return wrap(text, LINE).map((line) => `             ${line}`);
}

/** `TLBI VALE1IS, Xt=0x1; DSB ISH`. */
export function tlbiText({ tlbi }: NeededInvalidation): string {
  const texts = tlbi.map(({ operation, operand }) => {
    if (operation === 'DSB ISH') return operation;
    return `TLBI ${operation}${operand === undefined ? '' : `, Xt=${hex(operand)}`}`;
  });
  return texts.join('; ');
}

/** `CMD_TLBI_NH_VA VMID=0 ASID=1 Addr=0x1000 Leaf=1; CMD_SYNC`. */
export function commandText({ commands }: NeededInvalidation): string {
  const texts = commands.map(({ command, fields }) => {
    const words = Object.entries(fields).map(([name, n]) => `${name}=${typeof n === 'bigint' ? hex(n) : n}`);
    return [command, ...words].join(' ');
  });
  return texts.join('; ');
}

/** A step that writes nothing, as it stands in a trace. */
export function otherText(step: OtherVerdict['step']): string {
  if ('tlbi' in step) {
    return `TLBI ${step.tlbi}${step.operand === undefined ? '' : `, Xt=${hex(step.operand)}`}`;
  }
  if ('barrier' in step) return step.barrier;
  if ('command' in step) return smmuCommandText(step.command);
  if ('write' in step || 'access' in step || 'register' in step) return '';
  if (step.invalidate === 'all') return 'invalidate all';
  const { leaf, asid, vmid } = step;
  const of = [asid === undefined ? '' : `ASID ${asid}`, vmid === undefined ? '' : `VMID ${vmid}`].filter(
    Boolean,
  );
  const parts = [
    `${hex(step.invalidate)} +${sizeText(step.size)}`,
    leaf ? 'leaves' : 'leaves and tables',
    ...of,
  ];
  return `invalidate ${parts.join(', ')}`;
}
