/** Which ranges of a dump are shown: by what they allow, their level, memory type, and the physical addresses they lead to. */

import type { AddressRange } from '../../space/address-range.ts';
import { type MappedRange, rangeSize } from '../../space/ranges.ts';
import { memoryCode } from '../../text/hardware.ts';
import { usageError } from '../io.ts';
import { parseAddress, parseRange } from './address.ts';

/** As they were typed. */
export interface FilterOptions {
  readonly has?: string;
  readonly level?: string;
  readonly type?: string;
  readonly reverse?: string;
}

export type RangeFilter = (range: MappedRange) => boolean;

/** What a range must be like, of all that was asked. @throws CliError (usage). */
export function rangeFilter(options: FilterOptions): RangeFilter {
  const filters: RangeFilter[] = [];
  if (options.has !== undefined) filters.push(hasRights(options.has));
  if (options.level !== undefined) filters.push(ofLevel(options.level));
  if (options.type !== undefined) filters.push(ofType(options.type));
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

/** `rw`, `x`, `wx`: privileged; `u:rw`: unprivileged. All of them at once. */
function hasRights(text: string): RangeFilter {
  const [, user, letters = ''] = /^(u:)?([rwx]+)$/.exec(text) ?? [];
  if (letters === '')
    throw usageError(
      `--has: '${text}' is no set of rights`,
      'rights are r, w and x, as in wx; u:rw asks for unprivileged ones',
    );
  return ({ result }) => {
    if (!result.ok) return false;
    const rights = user ? result.permissions.unprivileged : result.permissions.privileged;
    const allowed = { r: rights.read, w: rights.write, x: rights.execute };
    return [...letters].every((letter) => allowed[letter as keyof typeof allowed]);
  };
}

function ofLevel(text: string): RangeFilter {
  const levels = text.split(',').map(Number);
  if (!levels.every((level) => Number.isInteger(level) && level >= -1 && level <= 3)) {
    throw usageError(`--level: '${text}' is no level`, "Arm's levels are -1 to 3; several are written 1,2");
  }
  return ({ result }) => levels.includes((result.ok ? result.level : faultLevel(result)) ?? -2);
}

function faultLevel({ fault }: Extract<MappedRange['result'], { ok: false }>): number | undefined {
  return 'level' in fault ? fault.level : undefined;
}

/** `WB`, `NC`, `nGnRE`, or `device` and `normal`. */
function ofType(text: string): RangeFilter {
  const wanted = text.toLowerCase();
  return ({ result }) => {
    if (!result.ok) return false;
    const { attributes } = result;
    return wanted === attributes.type || memoryCode(attributes).toLowerCase() === wanted;
  };
}
