/** Whether tables map what was meant, and nothing else: lists an address space once, and compares it with an intention. */
import { type MachineRegime, traitsOf } from '../arch/regimes.ts';
import type { Translator } from '../machine/machine.ts';
import type { AddressRange } from '../space/address-range.ts';
import type { MappedRange } from '../space/ranges.ts';
import { listSpace } from '../space/space.ts';
import { checkAskable } from './askable.ts';
import { type AspectDifference, differences, UnknownMemoryError } from './compare.ts';
import { cut } from './cut.ts';
import { fieldDifferences, UnknownFieldError } from './fields.ts';
import {
  type Intent,
  IntentError,
  type IntentLine,
  type IntentProblem,
  type IntentRule,
  type Want,
} from './intent.ts';
import { parseIntent } from './parse.ts';
import { type Piece, piecesOf } from './pieces.ts';
import { type Reasons, reasonsAt } from './reasons.ts';
import { brokenBy, unreachableIn } from './rules.ts';

/** Input addresses, with both ends included, that differ from what is wanted. */
export interface WantedDifference extends AddressRange, Reasons {
  readonly want: Want;
  /** What is there; undefined: nothing. */
  readonly found: MappedRange | undefined;
  /** The aspects that differ. */
  readonly aspects: readonly AspectDifference[];
}

/** The result for one line. */
export interface LineResult {
  readonly line: IntentLine;
  readonly ok: boolean;
  readonly differences: readonly WantedDifference[];
  /** For a line that may be rounded: bytes mapped before it and after it. */
  readonly larger?: { readonly before: bigint; readonly after: bigint };
}

/** The result for one rule: the ranges that break it. */
export interface RuleResult {
  readonly rule: IntentRule;
  readonly ok: boolean;
  readonly broken: readonly MappedRange[];
}

/** The result for an intention. */
export interface Verification {
  /** Everything is as it was meant, and everything was checked. */
  readonly ok: boolean;
  readonly lines: readonly LineResult[];
  /** Ranges that are mapped but not named, if the rest is meant to be unmapped. */
  readonly unnamed: readonly MappedRange[];
  /** Leaves that no line names and no access reaches (AF = 0, no rights, output too large): neither mapped nor unmapped. */
  readonly unreachable: readonly MappedRange[];
  readonly rules: readonly RuleResult[];
  /** Notes on how overlapping lines were combined, and other remarks. */
  readonly notes: readonly string[];
  /** False: there are more tables than can be listed (they may contain themselves), so `ok` is false too. */
  readonly complete: boolean;
}

/**
 * Compares what an address space maps with what it is meant to map. It takes as long as listing the space. Memory is only read.
 *
 * @param intent - parsed, or its text.
 * @param only - input addresses to check, with both ends included. Default: all.
 * @throws IntentError for an intention that can't be understood, or does not fit this address space: another regime, a
 * line beyond its input, a memory type if no MAIR is given. Nothing is compared then.
 * @example
 * import { createMachine } from 'lpae/machine';
 * import { PhysicalMemory } from 'lpae/memory';
 * import { verifySpace } from 'lpae/verify';
 *
 * const memory = new PhysicalMemory({ base: 0x8000_0000n, size: 0x1000n });
 * memory.write64(0x8000_0010n, 0x8000_0701n); // level 1, entry 2: a block of 1 GiB, read and write at EL1, executable
 * const registers = { ttbr0: 0x8000_0000n, tcr: 0x2_8080_3519n, mair: 0xffn };
 * const space = createMachine({ memory, regime: 'el1&0', registers })();
 * const { ok, lines } = verifySpace(space, '0x8000_0000+1G -> identity rw- --- WB');
 * const [difference] = lines[0]?.differences ?? [];
 * console.log(ok, difference?.aspects.map(({ wanted, found }) => `${wanted}, not ${found}`)); // false [ 'rw-, not rwx', 'EL0 ---, not EL0 --x' ]
 */
export function verifySpace(target: Translator, intent: Intent | string, only?: AddressRange): Verification {
  const meant = typeof intent === 'string' ? parseIntent(intent) : intent;
  const { regime } = target;
  const space = listSpace(target, only, Number.POSITIVE_INFINITY);
  const ranges = [...space.ranges].sort((a, b) => (a.first < b.first ? -1 : 1));
  checkAskable(meant, target, only === undefined ? space.windows : undefined);
  const lines = only === undefined ? meant.lines : meant.lines.flatMap((line) => within(line, only));
  const { list, notes } = piecesOf({ ...meant, lines }, (ia) => granuleAt(target, ia));
  const results = new Map(
    lines.map((line) => [line, { differences: [] as WantedDifference[], before: 0n, after: 0n }]),
  );
  const unnamed: MappedRange[] = [];
  const problems: IntentProblem[] = [];
  eachPart(list, ranges, (piece, range, part) => {
    if (piece === undefined) {
      if (range !== undefined && meant.rest === 'unmapped')
        unnamed.push(...inScope(cut(range, part), meant.only));
      return;
    }
    try {
      if (piece.margin) {
        if (range === undefined) return;
        const result = results.get(piece.line)!;
        const size = part.last - part.first + 1n;
        if (differences(piece.want, cut(range, part), regime).length > 0) unnamed.push(cut(range, part));
        else if (part.last < piece.line.first) result.before += size;
        else result.after += size;
        return;
      }
      results.get(piece.line)?.differences.push(...differing(target, piece.want, range, part));
    } catch (error) {
      if (!(error instanceof UnknownMemoryError || error instanceof UnknownFieldError)) throw error;
      problems.push({ line: piece.line.line, message: error.message });
    }
  });
  const rules = meant.rules.map((rule): RuleResult => {
    const broken = brokenBy(rule, ranges, regime, (message) => problems.push({ line: rule.line, message }));
    return { rule, ok: broken.length === 0, broken };
  });
  if (problems.length > 0) throw new IntentError(once(problems));
  const lineResults = lines.map((line): LineResult => {
    const { differences: found, before, after } = results.get(line)!;
    const larger = before + after > 0n ? { larger: { before, after } } : {};
    return { line, ok: found.length === 0, differences: found, ...larger };
  });
  const reached = unnamed.filter(({ result }) => result.ok);
  const inRules = meant.rest === 'any' ? meant.rules.flatMap((rule) => unreachableIn(rule, ranges)) : [];
  const unreachable = [...unnamed.filter(({ result }) => !result.ok), ...inRules];
  const ok =
    space.complete &&
    reached.length + unreachable.length === 0 &&
    [...lineResults, ...rules].every((one) => one.ok);
  return {
    ok,
    lines: lineResults,
    unnamed: reached,
    unreachable,
    rules,
    notes: [...meant.notes, ...notes, ...unsaidNotes(lines, regime)],
    complete: space.complete,
  };
}

function once(problems: readonly IntentProblem[]): IntentProblem[] {
  return [...new Map(problems.map((one) => [`${one.line} ${one.message}`, one])).values()];
}

/** A line with only one set of rights says nothing about EL0, if there is an EL0. */
function unsaidNotes(lines: readonly IntentLine[], regime: MachineRegime): string[] {
  if (!traitsOf(regime).unprivileged) return [];
  const unsaid = lines.filter(
    ({ want }) => want.state === 'mapped' && want.privileged !== undefined && want.unprivileged === undefined,
  );
  const [first] = unsaid;
  if (first === undefined) return [];
  const more = unsaid.length > 1 ? ` and ${unsaid.length - 1} more` : '';
  return [`line ${first.line}${more}: the rights of EL0 are not said, and not asked (rw- --- says both)`];
}

/** The parts of a line that are checked. */
function within(line: IntentLine, { first, last }: AddressRange): IntentLine[] {
  if (line.last < first || line.first > last) return [];
  return [
    { ...line, first: line.first > first ? line.first : first, last: line.last < last ? line.last : last },
  ];
}

/** The part of a range within a scope, or all of it without a scope. */
function inScope(range: MappedRange, only: readonly AddressRange[] | undefined): MappedRange[] {
  if (only === undefined) return [range];
  return only.flatMap(({ first, last }) => {
    const from = range.first > first ? range.first : first;
    const to = range.last < last ? range.last : last;
    return from > to ? [] : [cut(range, { first: from, last: to })];
  });
}

function granuleAt(target: Translator, ia: bigint): bigint {
  const tree = target.trees().find(({ root }) => root.firstIa <= ia && ia <= root.lastIa);
  return 1n << BigInt(tree?.reader.granuleLog2 ?? 12);
}

/** Walks pieces and ranges together: each part lies in at most one of either. Where neither is, nothing is told. */
function eachPart(
  pieces: readonly Piece[],
  ranges: readonly MappedRange[],
  tell: (piece: Piece | undefined, range: MappedRange | undefined, part: AddressRange) => void,
): void {
  let [i, j] = [0, 0];
  let at = 0n;
  while (i < pieces.length || j < ranges.length) {
    const [piece, range] = [pieces[i], ranges[j]];
    const next = least(piece?.first, range?.first);
    if (next > at) at = next;
    const inPiece = piece !== undefined && piece.first <= at;
    const inRange = range !== undefined && range.first <= at;
    const last = least(
      piece && (inPiece ? piece.last : piece.first - 1n),
      range && (inRange ? range.last : range.first - 1n),
    );
    tell(inPiece ? piece : undefined, inRange ? range : undefined, { first: at, last });
    at = last + 1n;
    if (piece !== undefined && at > piece.last) i++;
    if (range !== undefined && at > range.last) j++;
  }
}

function least(a: bigint | undefined, b: bigint | undefined): bigint {
  if (a === undefined) return b ?? 0n;
  return b === undefined || a < b ? a : b;
}

function differing(
  target: Translator,
  want: Want,
  range: MappedRange | undefined,
  part: AddressRange,
): WantedDifference[] {
  const found = range && cut(range, part);
  const aspects = differences(want, found, target.regime);
  if (aspects.length > 0)
    return [{ ...part, want, found, aspects, ...reasonsAt(target, part.first, want, aspects) }];
  if (found === undefined || want.state !== 'mapped' || want.fields === undefined) return [];
  return fieldDifferences(target, part, want.fields).map(({ first, last, difference }) => ({
    first,
    last,
    want,
    found: cut(found, { first, last }),
    aspects: [difference],
    ...reasonsAt(target, first, want, [difference]),
  }));
}
