/** Two granule protection tables compared by meaning: physical addresses whose granules are for others, whatever tables say so. (FEAT_RME; DDI 0487 D9.) */
import { securityName } from '../arch/security.ts';
import { type GranuleRange, listGranules } from '../machine/granules.ts';
import { hex, sizeText } from '../text/numbers.ts';
import type { GranuleProtection } from '../walker/index.ts';
import type { GptParams } from '../walker/params/granule-protection.ts';
import type { AddressRange } from './address-range.ts';

/** Physical addresses, both ends inclusive, whose entries differ. A side is undefined beyond its protected addresses (GPCCR_EL3.PPS). */
export interface GranuleDifference extends AddressRange {
  readonly a: GranuleRange | undefined;
  readonly b: GranuleRange | undefined;
}

/** What differs between two granule protection tables. */
export interface GranulesDiff {
  /** In the order of addresses; those that go on are one. */
  readonly granules: readonly GranuleDifference[];
  /** Checks that need no table and differ: denied address spaces, addresses beyond PPS, bypass windows. */
  readonly checks: readonly string[];
  /** Undefined if all was compared; otherwise the first address that was not. */
  readonly stoppedAt?: bigint;
  /** Sides with a part of the table where there is no RAM: what it would say is not known. */
  readonly unread: readonly ('a' | 'b')[];
}

/**
 * Compares who may access which granules, and what GPCCR_EL3 and GPCBW_EL3 decide without the table. Levels, block sizes and
 * the place of the tables are no difference. Memory is only read.
 *
 * @param maxRanges - of each table; what lies behind is not compared. Default: 65536.
 * @throws RangeError where the registers of a side are invalid (GPCCR_EL3, GPTBR_EL3): it has no table.
 */
export function diffGranules(
  a: GranuleProtection,
  b: GranuleProtection,
  { maxRanges }: { readonly maxRanges?: number } = {},
): GranulesDiff {
  for (const [side, { params }] of [['A', a] as const, ['B', b] as const]) {
    if (!hasTable(params))
      throw new RangeError(
        `${side} has no granule protection table: GPCCR_EL3 or GPTBR_EL3 is not valid (DDI 0487 D9.4)`,
      );
  }
  const lists = [a, b].map((gpc) => listGranules(gpc, maxRanges === undefined ? {} : { maxRanges }));
  const cuts = lists.flatMap(({ ranges, complete }) => (complete ? [] : [(ranges.at(-1)?.last ?? -1n) + 1n]));
  const stoppedAt = cuts.length === 0 ? undefined : cuts.reduce((low, cut) => (cut < low ? cut : low));
  const [left, right] = lists.map(({ ranges }) => before(ranges, stoppedAt)) as [
    GranuleRange[],
    GranuleRange[],
  ];
  const sides = { a: left, b: right };
  return {
    granules: differences(left, right),
    checks: differentChecks(a.params, b.params),
    ...(stoppedAt !== undefined && { stoppedAt }),
    unread: (['a', 'b'] as const).filter((side) => sides[side].some(({ gpc }) => gpc === 'external')),
  };
}

/** Whether the registers lead to a table at all. */
export function hasTable({ invalid, baseOutOfRange }: GptParams): boolean {
  return !invalid && !baseOutOfRange;
}

function before(ranges: readonly GranuleRange[], end: bigint | undefined): GranuleRange[] {
  if (end === undefined) return [...ranges];
  return ranges
    .filter(({ first }) => first < end)
    .map((range) => (range.last < end ? range : { ...range, last: end - 1n }));
}

/** Both lists start at 0 and have no gaps. */
function differences(a: readonly GranuleRange[], b: readonly GranuleRange[]): GranuleDifference[] {
  const found: GranuleDifference[] = [];
  let [i, j] = [0, 0];
  let first = 0n;
  while (i < a.length || j < b.length) {
    const [left, right] = [a[i], b[j]];
    const last = firstEnd(left, right);
    if (!isSameOwner(left, right)) {
      const open = found.at(-1);
      const goesOn = open?.last === first - 1n && isSameOwner(open.a, left) && isSameOwner(open.b, right);
      if (goesOn) found[found.length - 1] = { ...open, last };
      else found.push({ first, last, a: left, b: right });
    }
    if (left?.last === last) i++;
    if (right?.last === last) j++;
    first = last + 1n;
  }
  return found;
}

function firstEnd(a: GranuleRange | undefined, b: GranuleRange | undefined): bigint {
  if (a === undefined || b === undefined) return (a ?? b)?.last ?? 0n;
  return a.last < b.last ? a.last : b.last;
}

function isSameOwner(a: GranuleRange | undefined, b: GranuleRange | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.gpi === b.gpi && a.gpc === b.gpc;
}

/** GPCCR_EL3.{SPAD, NSPAD, RLPAD, APPSAA} and GPCBW_EL3. */
function differentChecks(a: GptParams, b: GptParams): string[] {
  const [left, right] = [checksOf(a), checksOf(b)];
  return Object.keys(left).flatMap((what) =>
    left[what] === right[what] ? [] : [`${what}: ${left[what]} in A, ${right[what]} in B`],
  );
}

function checksOf({ denied, allBeyond, window }: GptParams): Record<string, string> {
  return {
    'address spaces that no access reaches': denied.map(securityName).join(', ') || 'none',
    'accesses beyond the protected addresses': allBeyond ? 'all pass' : 'only Non-secure ones pass',
    'windows that bypass the table':
      window === undefined
        ? 'none'
        : `${sizeText(2n ** BigInt(window.sizeLog2))} of every ${sizeText(2n ** BigInt(window.strideLog2))} from ${hex(BigInt(window.base))}`,
  };
}
