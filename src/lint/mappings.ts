/** The rules that look at what is mapped, whatever tables say it: rights, memory types, aliases, tables within reach. (DDI 0487 D8.4, D8.6.) */

import { isNested, isStage2Alone, isStream, type MachineRegime } from '../arch/regimes.ts';
import type { Answer } from '../machine/machine.ts';
import { hex } from '../text/numbers.ts';
import type { Translation } from '../walker/index.ts';
import type { Findings } from './findings.ts';
import type { MetTable } from './met-table.ts';

/** A range of alike leaves, as a dump lists it. */
export interface Mapped {
  readonly first: bigint;
  readonly last: bigint;
  readonly pa: bigint | undefined;
  readonly result: Answer;
}

interface Placed {
  readonly range: Mapped;
  readonly result: Translation;
  readonly first: bigint;
  readonly last: bigint;
  /** The highest last byte up to here. */
  readonly reach: bigint;
}

export function checkMappings(
  ranges: readonly Mapped[],
  tables: readonly MetTable[],
  regime: MachineRegime,
  findings: Findings,
): void {
  const smmu = isStream(regime);
  // Stage 2 leaves it to stage 1 who may execute what.
  const fetches = { device: !smmu, written: !smmu && !isStage2Alone(regime) };
  for (const range of ranges) checkRange(range, fetches, findings);
  const placed = byOutput(ranges);
  if (findings.wants('alias-attributes')) checkAliases(placed, findings);
  // Of stage 1 under stage 2 table addresses are IPAs, and what is mapped are PAs.
  if (!isNested(regime)) checkTablesInReach(placed, tables, findings);
}

function checkRange(
  { first, last, result }: Mapped,
  fetches: { readonly device: boolean; readonly written: boolean },
  findings: Findings,
): void {
  if (!result.ok) {
    if (result.fault.kind === 'access_flag') {
      findings.add({ rule: 'access-flag', message: 'the access flag is 0', first, last });
    }
    return;
  }
  const { privileged, unprivileged } = result.permissions;
  const levels = [
    privileged.write && privileged.execute && 'privileged',
    unprivileged.write && unprivileged.execute && 'unprivileged',
  ].filter(Boolean);
  if (fetches.written && levels.length > 0) {
    findings.add({
      rule: 'writable-executable',
      message: `writable and executable, ${levels.join(' and ')}`,
      first,
      last,
    });
  }
  if (fetches.device && result.attributes.type === 'device' && (privileged.execute || unprivileged.execute)) {
    findings.add({
      rule: 'device-executable',
      message: `Device-${result.attributes.device}, executable`,
      first,
      last,
    });
  }
}

/** Translations by where they lead. */
function byOutput(ranges: readonly Mapped[]): Placed[] {
  const found = ranges.flatMap((range) => {
    const { pa, result, first, last } = range;
    return result.ok && pa !== undefined ? [{ range, result, first: pa, last: pa + (last - first) }] : [];
  });
  found.sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  let reach = -1n;
  return found.map((one) => {
    if (one.last > reach) reach = one.last;
    return { ...one, reach };
  });
}

/** Ranges that overlap `[first, last]`, in the order of what they lead to. */
function* overlapping(placed: readonly Placed[], first: bigint, last: bigint): Generator<Placed> {
  let [low, high] = [0, placed.length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (placed[middle]!.first <= last) low = middle + 1;
    else high = middle;
  }
  for (let i = low - 1; i >= 0 && placed[i]!.reach >= first; i--)
    if (placed[i]!.last >= first) yield placed[i]!;
}

/** Each range is compared with the next one that overlaps it and has other attributes. */
function checkAliases(placed: readonly Placed[], findings: Findings): void {
  let open: Placed[] = [];
  for (const one of placed) {
    open = open.filter(({ last }) => last >= one.first);
    const other = open.find((before) => attributesOf(before) !== attributesOf(one));
    if (other !== undefined) {
      const end = other.last < one.last ? other.last : one.last;
      findings.add({
        rule: 'alias-attributes',
        message: `PA ${hex(one.first)}-${hex(end)} is ${attributesOf(one)} here, and ${attributesOf(other)} at ${hex(other.range.first + (one.first - other.first))}`,
        first: one.range.first,
        last: one.range.first + (end - one.first),
      });
    }
    // Of alike ones the one that reaches furthest stands for all.
    const like = open.findIndex((before) => attributesOf(before) === attributesOf(one));
    if (like < 0) open.push(one);
    else if (open[like]!.last < one.last) open[like] = one;
  }
}

/** What must not differ between aliases: type, cacheability, shareability. (B2.16) */
function attributesOf({ result }: Placed): string {
  const { attributes, shareability } = result;
  if (attributes.type === 'device') return `Device-${attributes.device}`;
  const { inner, outer } = attributes;
  const policies =
    inner.policy === outer.policy ? inner.policy : `inner ${inner.policy}, outer ${outer.policy}`;
  return `Normal ${policies}, ${shareability}-shareable`;
}

function checkTablesInReach(
  placed: readonly Placed[],
  tables: readonly MetTable[],
  findings: Findings,
): void {
  for (const { base, bytes, level, tree } of tables) {
    const [first, last] = [BigInt(base), BigInt(base + bytes - 1)];
    const found = {
      privileged: undefined as Placed | undefined,
      unprivileged: undefined as Placed | undefined,
    };
    for (const one of overlapping(placed, first, last)) {
      if (one.result.permissions.unprivileged.write) found.unprivileged ??= one;
      else if (one.result.permissions.privileged.write) found.privileged ??= one;
    }
    const report = (rule: 'table-writable' | 'table-writable-el0', one: Placed) => {
      const from = first > one.first ? first : one.first;
      const to = last < one.last ? last : one.last;
      const ia = one.range.first + (from - one.first);
      findings.add({
        rule,
        message: 'tables in writable memory',
        first: ia,
        last: ia + (to - from),
        stage: tree.root.stage,
        at: first,
        level,
      });
    };
    if (found.unprivileged) report('table-writable-el0', found.unprivileged);
    if (found.privileged) report('table-writable', found.privileged);
  }
}
