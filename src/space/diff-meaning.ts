/** Two address spaces compared by meaning: input addresses with a different output, different rights, or mapped in one space only. */
import type { MachineRegime } from '../arch/regimes.ts';
import type { AddressRange } from './address-range.ts';
import { type MappedRange, sayOf } from './ranges.ts';

/** One side of a difference: undefined where nothing is mapped. */
export interface Side {
  readonly pa: bigint | undefined;
  readonly range: MappedRange;
}

/** Input addresses, both ends inclusive, whose meaning differs between the two sides. */
export interface MeaningDifference extends AddressRange {
  readonly a: Side | undefined;
  readonly b: Side | undefined;
}

/** What counts as a difference. */
export interface MeaningOptions {
  /** Leaves of another size are a difference too. */
  readonly sizes?: boolean;
  /** The regime of each side, which decides how its rights are written. */
  readonly regimes: readonly [a: MachineRegime, b: MachineRegime];
}

/**
 * Compares what two address spaces mean: where input addresses lead, and what they allow.
 *
 * @param a - ranges as `listSpace` lists them: ascending and apart from each other; `b` likewise.
 * @returns differences in the order of input addresses; those that go on are one.
 */
export function diffMeaning(
  a: readonly MappedRange[],
  b: readonly MappedRange[],
  options: MeaningOptions,
): MeaningDifference[] {
  const found: MeaningDifference[] = [];
  let [i, j] = [0, 0];
  let at = 0n;
  while (i < a.length || j < b.length) {
    const [left, right] = [a[i], b[j]];
    at = maxOf(at, minOf(left?.first, right?.first));
    const inLeft = left !== undefined && left.first <= at;
    const inRight = right !== undefined && right.first <= at;
    // Up to the next change on either side.
    const ends = [
      left && (inLeft ? left.last : left.first - 1n),
      right && (inRight ? right.last : right.first - 1n),
    ];
    const last = minOf(ends[0], ends[1]);
    add(
      found,
      at,
      last,
      sideAt(inLeft ? left : undefined, at),
      sideAt(inRight ? right : undefined, at),
      options,
    );
    at = last + 1n;
    if (left !== undefined && at > left.last) i++;
    if (right !== undefined && at > right.last) j++;
  }
  return found;
}

function maxOf(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function minOf(a: bigint | undefined, b: bigint | undefined): bigint {
  if (a === undefined) return b ?? 0n;
  return b === undefined || a < b ? a : b;
}

function sideAt(range: MappedRange | undefined, at: bigint): Side | undefined {
  if (range === undefined) return undefined;
  return { range, pa: range.pa === undefined ? undefined : range.pa + (at - range.first) };
}

function add(
  found: MeaningDifference[],
  first: bigint,
  last: bigint,
  a: Side | undefined,
  b: Side | undefined,
  options: MeaningOptions,
): void {
  if (same(a, b, options)) return;
  const open = found.at(-1);
  const size = open && first - open.first;
  const goesOn =
    open !== undefined &&
    open.last + 1n === first &&
    continues(open.a, a, size!, options) &&
    continues(open.b, b, size!, options);
  if (goesOn) found[found.length - 1] = { ...open, last };
  else found.push({ first, last, a, b });
}

function same(a: Side | undefined, b: Side | undefined, { regimes, sizes }: MeaningOptions): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (a.pa !== b.pa || sayOf(a.range.result, regimes[0]) !== sayOf(b.range.result, regimes[1])) return false;
  return !sizes || a.range.leafSize === b.range.leafSize;
}

function continues(
  before: Side | undefined,
  next: Side | undefined,
  distance: bigint,
  { regimes, sizes }: MeaningOptions,
): boolean {
  if (before === undefined || next === undefined) return before === next;
  const moved = before.pa === undefined ? undefined : before.pa + distance;
  return (
    moved === next.pa &&
    sayOf(before.range.result, regimes[0]) === sayOf(next.range.result, regimes[0]) &&
    (!sizes || before.range.leafSize === next.range.leafSize)
  );
}
