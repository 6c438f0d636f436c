/** Prepares an address space for drawing: ranges gathered into as many rows as a picture has, with the holes between them. */
import type { MachineRegime } from '../arch/regimes.ts';
import type { AddressRange } from '../space/address-range.ts';
import { type MappedRange, rangeSize } from '../space/ranges.ts';
import { counted, hex, roughSize, shortSize } from '../text/numbers.ts';
import { type Look, lookOf, type Share, sharesOf } from './look.ts';

interface RowSpan {
  readonly first: bigint;
  readonly last: bigint;
}

/** Neighbouring ranges. */
export interface MappedRow extends RowSpan {
  readonly kind: 'mapped';
  readonly ranges: readonly MappedRange[];
  /** What all of them allow, or undefined if they differ. */
  readonly look: Look | undefined;
  /** Bytes by rights. */
  readonly shares: readonly Share[];
  /** Bytes that ranges cover: fewer than the row spans if it contains small holes. */
  readonly bytes: bigint;
}

export interface HoleRow extends RowSpan {
  readonly kind: 'hole';
  readonly text: 'not mapped' | 'not listed';
}

export type SpaceRow = MappedRow | HoleRow;

/** One window of input addresses: the range of one register, or `--range`. */
export interface SpacePanel {
  readonly title: string;
  readonly summary: string;
  readonly first: bigint;
  readonly last: bigint;
  readonly rows: readonly SpaceRow[];
}

/** What to draw: the result of `listSpace`, or a part of its ranges. */
export interface DrawnSpace {
  readonly windows: readonly AddressRange[];
  readonly ranges: readonly MappedRange[];
  /** Some ranges were left out, so that holes may in fact be mapped. */
  readonly partial?: boolean;
}

interface Piece {
  readonly ranges: MappedRange[];
  readonly look: Look;
}

/**
 * Panels of an address space, one for each window.
 * @param regime - the walker's.
 * @param maxRows - the most mapped rows in a panel. Beyond that, nearest neighbours share a row.
 */
export function spacePanels(
  { windows, ranges, partial = false }: DrawnSpace,
  regime: MachineRegime,
  maxRows: number,
): SpacePanel[] {
  return windows.map(({ first, last }) => {
    const here = ranges.filter((range) => range.last >= first && range.first <= last);
    const bytes = here.reduce((sum, range) => sum + (range.result.ok ? rangeSize(range) : 0n), 0n);
    const digits = last.toString(16).length;
    return {
      title: `${hex(first, digits)}-${hex(last, digits)}`,
      summary: `${counted(here.length, 'range')}, ${roughSize(bytes)} mapped`,
      first,
      last,
      rows: withHoles(gather(piecesOf(here, regime), maxRows), { first, last }, partial),
    };
  });
}

/** Joins ranges that follow each other and allow the same, whatever their output addresses. */
function piecesOf(ranges: readonly MappedRange[], regime: MachineRegime): Piece[] {
  const pieces: Piece[] = [];
  for (const range of ranges) {
    const look = lookOf(range.result, regime);
    const before = pieces.at(-1);
    const goesOn = before !== undefined && before.ranges.at(-1)!.last + 1n === range.first;
    if (goesOn && before.look.text === look.text) before.ranges.push(range);
    else pieces.push({ ranges: [range], look });
  }
  return pieces;
}

/** Cuts at the widest holes first, then where the largest pieces meet, until there are `maxRows`. */
function gather(pieces: readonly Piece[], maxRows: number): MappedRow[] {
  const cuts = pieces.slice(1).map((piece, i) => {
    const before = pieces[i]!;
    const hole = piece.ranges[0]!.first - before.ranges.at(-1)!.last - 1n;
    const [a, b] = [bytesOf(before.ranges), bytesOf(piece.ranges)];
    return { at: i + 1, hole, smaller: a < b ? a : b };
  });
  cuts.sort((a, b) => compare(b.hole, a.hole) || compare(b.smaller, a.smaller));
  const kept = cuts.slice(0, Math.max(0, maxRows - 1)).map(({ at }) => at);
  const starts = [0, ...kept.sort((a, b) => a - b)];
  return pieces.length === 0
    ? []
    : starts.map((from, i) => mappedRow(pieces.slice(from, starts[i + 1] ?? pieces.length)));
}

function mappedRow(pieces: readonly Piece[]): MappedRow {
  const ranges = pieces.flatMap((piece) => piece.ranges);
  const { look } = pieces[0]!;
  return {
    kind: 'mapped',
    first: ranges[0]!.first,
    last: ranges.at(-1)!.last,
    ranges,
    look: pieces.every((piece) => piece.look.text === look.text) ? look : undefined,
    shares: sharesOf(
      pieces.map((piece) => ({ rights: piece.look.rights, amount: Number(bytesOf(piece.ranges)) })),
    ),
    bytes: bytesOf(ranges),
  };
}

function withHoles(rows: readonly MappedRow[], { first, last }: AddressRange, partial: boolean): SpaceRow[] {
  const all: SpaceRow[] = [];
  const hole = { kind: 'hole', text: partial ? 'not listed' : 'not mapped' } as const;
  let next = first;
  for (const row of rows) {
    if (row.first > next) all.push({ ...hole, first: next, last: row.first - 1n });
    all.push(row);
    next = row.last + 1n;
  }
  if (next <= last) all.push({ ...hole, first: next, last });
  return all;
}

function bytesOf(ranges: readonly MappedRange[]): bigint {
  return ranges.reduce((sum, range) => sum + rangeSize(range), 0n);
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** `24M`, or `1.20 MiB of 3.00 MiB` for rows that contain small holes. */
export function rowSize({ first, last, bytes }: MappedRow): string {
  const span = last - first + 1n;
  return bytes === span ? shortSize(bytes) : `${shortSize(bytes)} of ${shortSize(span)}`;
}

/** Where a row leads: `-> 0x41e42000`, `-> 12 places`. */
export function rowOutput({ ranges }: MappedRow): string {
  const [only, ...more] = ranges.filter(({ pa }) => pa !== undefined);
  if (only === undefined) return '';
  return more.length === 0 ? `-> ${hex(only.pa!)}` : `-> ${counted(more.length + 1, 'place')}`;
}
