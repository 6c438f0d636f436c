/** Splits the lines of an intention into pieces that do not overlap. Overlapping lines all add their terms, and if terms differ, the later line counts. */
import type { AddressRange } from '../space/address-range.ts';
import { hex } from '../text/numbers.ts';
import type { Intent, IntentLine, Want, WantedField, WantedTerms } from './intent.ts';

/** Input addresses with the same wanted properties. */
export interface Piece extends AddressRange {
  readonly want: Want;
  /** The line that counts most. */
  readonly line: IntentLine;
  /** It is outside its line, which may be rounded to here: it may be mapped as wanted, or not at all. */
  readonly margin?: true;
}

/** Pieces in the order of their addresses, and notes on lines that overlap. */
export interface Pieces {
  readonly list: readonly Piece[];
  readonly notes: readonly string[];
}

/** @param granuleAt - bytes of the smallest page at an input address. */
export function piecesOf(intent: Intent, granuleAt: (ia: bigint) => bigint): Pieces {
  const overlaps = new Overlaps();
  const named = sweep(intent.lines, overlaps);
  const margins = intent.lines
    .filter(({ rounded, want }) => rounded && want.state === 'mapped')
    .flatMap((line) => marginsOf(line, granuleAt(line.first)));
  if (margins.length === 0) return { list: named, notes: overlaps.notes() };
  const free = margins.flatMap((margin) => uncovered(named, margin));
  const list = [...named, ...withoutOverlaps(free)].sort((a, b) => compare(a.first, b.first));
  return { list, notes: overlaps.notes() };
}

const compare = (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0);

/** From one change to the next, all lines that are there. */
function sweep(lines: readonly IntentLine[], overlaps: Overlaps): Piece[] {
  const starts = lines
    .map((line, order) => ({ line, order }))
    .sort((a, b) => compare(a.line.first, b.line.first));
  const pieces: Piece[] = [];
  let active: typeof starts = [];
  let at = 0n;
  for (let next = 0; next < starts.length || active.length > 0; ) {
    if (active.length === 0) at = starts[next]!.line.first;
    while (next < starts.length && starts[next]!.line.first === at) active.push(starts[next++]!);
    let last = active.reduce(
      (least, { line }) => (line.last < least ? line.last : least),
      active[0]!.line.last,
    );
    const upcoming = starts[next]?.line.first;
    if (upcoming !== undefined && upcoming <= last) last = upcoming - 1n;
    pieces.push(pieceOf(active, { first: at, last }, overlaps));
    active = active.filter(({ line }) => line.last > last);
    at = last + 1n;
  }
  return pieces;
}

function pieceOf(
  active: readonly { readonly line: IntentLine; readonly order: number }[],
  range: AddressRange,
  overlaps: Overlaps,
): Piece {
  const [only] = active;
  if (active.length === 1) return { ...range, want: only!.line.want, line: only!.line };
  const lines = [...active].sort((a, b) => a.order - b.order).map(({ line }) => line);
  let want = lines[0]!.want;
  for (const [i, line] of lines.entries()) {
    if (i === 0) continue;
    const merged = mergeWants(want, line.want);
    if (merged.replaced.length > 0) overlaps.add(lines[i - 1]!, line, range, merged.replaced);
    want = merged.want;
  }
  return { ...range, want, line: lines.at(-1)! };
}

/** Combines both; `replaced`: the terms that the later one changes. */
function mergeWants(
  earlier: Want,
  later: Want,
): { readonly want: Want; readonly replaced: readonly string[] } {
  if (earlier.state !== 'mapped' || later.state !== 'mapped') {
    const same =
      earlier.state === later.state && JSON.stringify(plain(earlier)) === JSON.stringify(plain(later));
    return { want: later, replaced: same ? [] : [`${later.state}, not ${earlier.state}`] };
  }
  const replaced: string[] = [];
  const merged: Record<string, unknown> = { ...earlier };
  for (const [key, value] of Object.entries(later)) {
    const before = merged[key];
    if (before === undefined) merged[key] = value;
    else if (key === 'fields')
      merged[key] = mergeFields(before as WantedField[], value as WantedField[], replaced);
    else if (typeof value === 'object') {
      const differs = Object.entries(value as object).some(([part, one]) => {
        const old = (before as Record<string, unknown>)[part];
        return old !== undefined && old !== one;
      });
      if (differs) replaced.push(NAMES[key as keyof WantedTerms] ?? key);
      // Half of a memory type does not go with half of another one.
      merged[key] = differs && key === 'memory' ? value : { ...(before as object), ...(value as object) };
    } else {
      if (before !== value) replaced.push(NAMES[key as keyof WantedTerms] ?? key);
      merged[key] = value;
    }
  }
  return { want: merged as unknown as Want, replaced };
}

const plain = (want: Want) => Object.entries(want).map(([key, value]) => [key, String(value)]);

function mergeFields(
  earlier: readonly WantedField[],
  later: readonly WantedField[],
  replaced: string[],
): WantedField[] {
  const kept = earlier.filter(({ name }) => !later.some((one) => one.name === name));
  for (const { name, value } of later)
    if (earlier.some((one) => one.name === name && one.value !== value)) replaced.push(name);
  return [...kept, ...later];
}

const NAMES: Readonly<Partial<Record<keyof WantedTerms, string>>> = {
  outputOffset: 'output',
  privileged: 'rights',
  unprivileged: 'rights of EL0',
  leafSize: 'leaf size',
};

/** The notes on lines that overlap, one for each pair. */
class Overlaps {
  readonly #found = new Map<string, { readonly text: string; first: bigint; last: bigint; more: number }>();

  add(earlier: IntentLine, later: IntentLine, { first, last }: AddressRange, what: readonly string[]): void {
    const text = `line ${later.line} counts, and not line ${earlier.line}: ${[...new Set(what)].join(', ')}`;
    const known = this.#found.get(text);
    if (known === undefined) this.#found.set(text, { text, first, last, more: 0 });
    else if (known.last + 1n === first) known.last = last;
    else known.more++;
  }

  notes(): string[] {
    return [...this.#found.values()].map(
      ({ text, first, last, more }) =>
        `at ${hex(first)}-${hex(last)}${more > 0 ? ` and ${more} more` : ''} ${text}`,
    );
  }
}

/** From the ends of a line to those of the pages they lie in. */
function marginsOf(line: IntentLine, granule: bigint): Piece[] {
  const { first, last, want } = line;
  const from = first - (first % granule);
  const to = last - (last % granule) + granule - 1n;
  return [
    ...(from < first ? [{ first: from, last: first - 1n, want, line, margin: true } as const] : []),
    ...(last < to ? [{ first: last + 1n, last: to, want, line, margin: true } as const] : []),
  ];
}

/** The parts of a margin that no piece names. */
function uncovered(pieces: readonly Piece[], margin: Piece): Piece[] {
  const found: Piece[] = [];
  let at = margin.first;
  for (let i = firstEndingFrom(pieces, at); i < pieces.length && at <= margin.last; i++) {
    const piece = pieces[i]!;
    if (piece.first > margin.last) break;
    if (piece.first > at) found.push({ ...margin, first: at, last: piece.first - 1n });
    at = piece.last + 1n;
  }
  return at <= margin.last ? [...found, { ...margin, first: at }] : found;
}

/** Index of the first piece that ends at or after `at`. */
export function firstEndingFrom(pieces: readonly AddressRange[], at: bigint): number {
  let [low, high] = [0, pieces.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (pieces[middle]!.last < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Margins of neighbours may share a page. It belongs to the first one. */
function withoutOverlaps(margins: readonly Piece[]): Piece[] {
  const kept: Piece[] = [];
  for (const margin of [...margins].sort((a, b) => compare(a.first, b.first))) {
    const end = kept.at(-1)?.last ?? -1n;
    if (margin.last <= end) continue;
    kept.push(margin.first > end ? margin : { ...margin, first: end + 1n });
  }
  return kept;
}
