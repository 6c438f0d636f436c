/** Which ranges of a dump to show: by rights, level, memory type, and output addresses. */

import type { MachineRegime } from '../../arch/regimes.ts';
import type { AddressRange } from '../../space/address-range.ts';
import { type MappedRange, rangeSize } from '../../space/ranges.ts';
import { memoryCode, memoryOf } from '../../text/leaf.ts';
import { unknownIndex } from '../../walker/attributes.ts';
import { usageError } from '../io.ts';
import { parseAddress, parseRange } from './address.ts';

/** The options as typed. */
export interface FilterOptions {
  readonly has?: string;
  readonly level?: string;
  readonly type?: string;
  readonly reverse?: string;
}

export type RangeFilter = (range: MappedRange) => boolean;

/**
 * The condition on ranges that follows from all options. `regime`: that of the ranges, if known.
 * @throws CliError (usage).
 */
export function rangeFilter(options: FilterOptions, regime: () => MachineRegime): RangeFilter {
  const filters: RangeFilter[] = [];
  if (options.has !== undefined) filters.push(hasRights(options.has));
  if (options.level !== undefined) filters.push(ofLevel(options.level));
  if (options.type !== undefined) filters.push(ofType(options.type, regime));
  return (range) => filters.every((filter) => filter(range));
}

/** The PAs of `--reverse`: one byte, or a range. */
export function reverseRange(text: string): AddressRange {
  if (text.includes('..') || text.includes('+')) return parseRange(text, '--reverse');
  const pa = parseAddress(text, '--reverse');
  return { first: pa, last: pa };
}

/** The part of a range that leads to some of these PAs, or undefined. */
export function partLeadingTo(range: MappedRange, { first, last }: AddressRange): MappedRange | undefined {
  const { pa } = range;
  if (pa === undefined) return undefined;
  const end = pa + rangeSize(range) - 1n;
  if (end < first || pa > last) return undefined;
  const from = pa > first ? pa : first;
  const to = end < last ? end : last;
  const { leafSize } = range;
  const leaves = Number((to - pa) / leafSize - (from - pa) / leafSize) + 1;
  return { ...range, first: range.first + (from - pa), last: range.first + (to - pa), pa: from, leaves };
}

/** `rw`, `x`, `wx`, `g` (Guarded Control Stack): privileged; `u:rw`: unprivileged. All of them at once. */
function hasRights(text: string): RangeFilter {
  const [, user, letters = ''] = /^(u:)?([rwxg]+)$/.exec(text) ?? [];
  if (letters === '')
    throw usageError(
      `--has: '${text}' is not a set of rights`,
      'rights are r, w, x and g (Guarded Control Stack), as in wx; u:rw asks for unprivileged ones',
    );
  return ({ result }) => {
    if (!result.ok) return false;
    const rights = user ? result.permissions.unprivileged : result.permissions.privileged;
    const allowed = { r: rights.read, w: rights.write, x: rights.execute, g: rights.gcs === true };
    return [...letters].every((letter) => allowed[letter as keyof typeof allowed]);
  };
}

function ofLevel(text: string): RangeFilter {
  const levels = text.split(',').map(Number);
  if (!levels.every((level) => Number.isInteger(level) && level >= -1 && level <= 3)) {
    throw usageError(
      `--level: '${text}' is not a level`,
      "Arm's levels are -1 to 3; several are written 1,2",
    );
  }
  return ({ result }) => levels.includes((result.ok ? result.level : faultLevel(result)) ?? -2);
}

function faultLevel({ fault }: Extract<MappedRange['result'], { ok: false }>): number | undefined {
  return 'level' in fault ? fault.level : undefined;
}

/** Memory types as a dump writes them, and other names for them. */
const TYPES: Readonly<Record<string, readonly string[]>> = {
  device: [],
  normal: [],
  nGnRnE: [],
  nGnRE: [],
  nGRE: [],
  GRE: [],
  WB: ['write-back', 'writeback'],
  WT: ['write-through', 'writethrough'],
  NC: ['non-cacheable', 'noncacheable', 'uncached'],
  IMP: [],
};

/** The name of a type, in lower case. @throws CliError (usage) that lists all types. */
function typeNamed(text: string): string {
  const wanted = text.toLowerCase().replace(/^device-(?=n?g)/, '');
  const found = Object.entries(TYPES).find(
    ([name, others]) => name.toLowerCase() === wanted || others.includes(wanted),
  );
  if (found !== undefined) return found[0].toLowerCase();
  const known = Object.entries(TYPES).map(([name, others]) => [name, ...others].join(' or '));
  throw usageError(
    `--type: there is no memory type '${text}'`,
    `types are ${known.join(', ')}; different inner and outer types are written WB/NC`,
  );
}

/** `WB`, `NC`, `WB/NC`, `nGnRE`, or `device` and `normal`. */
function ofType(text: string, regime: () => MachineRegime): RangeFilter {
  const wanted = text.split('/').map(typeNamed).join('/');
  return ({ result }) => {
    if (!result.ok) return false;
    const { attributes } = memoryOf(result, regime());
    if (unknownIndex(attributes) !== undefined) {
      throw usageError(
        '--type: memory types are not known, as MAIR was not given',
        'give it: --mair 0x…, or in the register file',
      );
    }
    return wanted === attributes.type || memoryCode(attributes).toLowerCase() === wanted;
  };
}
