/** `lpae diff`: compares two address spaces, by meaning (ranges and rights) and by bits (fields of descriptors). */

import { type Command, Option } from 'commander';
import type { MachineRegime } from '../../arch/regimes.ts';
import { type BitsDiff, diffBits, type EntryDifference } from '../../space/diff-bits.ts';
import { diffGranules, hasTable } from '../../space/diff-granules.ts';
import { diffMeaning, type MeaningDifference, type Side } from '../../space/diff-meaning.ts';
import { sayOf } from '../../space/ranges.ts';
import { listSpace } from '../../space/space.ts';
import { columns } from '../../text/columns.ts';
import { count, counted, hex, hexWord, sizeText } from '../../text/numbers.ts';
import type { Style } from '../../text/style.ts';
import type { GranuleProtection } from '../../walker/index.ts';
import { EXIT, usageError } from '../io.ts';
import { derivationJson, registerLines } from '../machine/derivation.ts';
import { addTargetOptions, DERIVATION_HELP, FILE_ARGUMENT, TARGET_HELP } from '../machine/options.ts';
import { readSides, type SideOptions } from '../machine/read.ts';
import { notesOf, type Target } from '../machine/target.ts';
import type { Cli, Output } from '../output.ts';
import { sayText } from '../text/dump-text.ts';
import { granuleDiffJson, granuleDiffLines } from '../text/granule-text.ts';

interface DiffOptions extends SideOptions {
  readonly by: 'meaning' | 'bits' | 'both';
  readonly sizes?: boolean;
  readonly gpt?: boolean;
  readonly full?: boolean;
}

const HELP = `${TARGET_HELP}
A is what is wanted, B what is found; the order of files does not matter otherwise. Register options are for the sides that need
them: a request or golden image beside a dump keeps its own. --registers-a and --registers-b are for one side. A request that
can't be carried out in full ends with exit code 2: nothing is compared. To say in lines what is meant, use lpae verify. By
meaning, two spaces are the same when every input address leads to the same place with the same rights and memory type, by
whatever tables (--sizes: in leaves of the same size too). By bits, entries at the same place of the tables are compared,
wherever the tables lie. With --gpt the granule protection tables (GPCCR_EL3, GPTBR_EL3) are compared instead, by meaning: who
owns which granules. Exit code 1 if anything differs.

Examples:
  $ lpae diff before.json after.json
  $ lpae diff ram1.bin@0x4000_0000 ram2.bin@0x4000_0000 --registers regs.json
  $ lpae diff a.json b.json --by bits --full
  $ lpae diff old.bin@0x4000_0000 new.bin@0x4000_0000 --regime el3 --gpccr 0x1_3502 --gptbr 0x4_0100 --gpt
`;

/** Differences that are shown without `--full`. */
const SHORT_LIST = 40;

export function define(command: Command, cli: Cli): void {
  command
    .argument('<a>', FILE_ARGUMENT)
    .argument('<b>', 'the file to compare with')
    .addOption(
      new Option('--by <what>', 'how to compare')
        .choices(['meaning', 'bits', 'both'])
        .default('both' satisfies string),
    )
    .option('--sizes', 'by meaning: different leaf sizes count as a difference')
    .option('--registers-a <file>', 'register values of A only')
    .option('--registers-b <file>', 'register values of B only')
    .addOption(
      new Option('--gpt', 'the granule protection tables: who owns which granules').conflicts([
        'by',
        'sizes',
      ]),
    )
    .option('--full', 'every difference')
    .option('--derivation', DERIVATION_HELP);
  addTargetOptions(command)
    .addHelpText('after', HELP)
    .action(async (a: string, b: string, options: DiffOptions) => {
      cli.exitCode = await diff(cli.output(command), a, b, options);
    });
}

async function diff(out: Output, a: string, b: string, options: DiffOptions): Promise<number> {
  const { by } = options;
  const [left, right] = await readSides([a, b], out.io, options);
  for (const { name, warnings } of [left, right])
    for (const warning of warnings) out.note(`${name}: ${warning}`);
  const notes = [left, right].flatMap((target) => notesOf(target).map((text) => `${target.name}: ${text}`));
  if (options.gpt) return diffTables(out, left, right, notes, options);
  const meaning = by === 'bits' ? [] : meaningOf(out, left, right, options.sizes === true);
  const bits: BitsDiff =
    by === 'meaning' ? { entries: [], trees: [], more: 0 } : diffBits(left.walker, right.walker);
  const same = meaning.length === 0 && bits.entries.length === 0 && bits.trees.length === 0;
  if (out.json) {
    out.document('lpae.diff/1', {
      a: left.name,
      b: right.name,
      same,
      notes,
      derivation: { a: derivationJson(left), b: derivationJson(right) },
      ...(by !== 'bits' && { meaning: meaning.map((one) => meaningJson(one, left.regime, right.regime)) }),
      ...(by !== 'meaning' && { bits: { ...bits, entries: bits.entries.map(entryJson) } }),
    });
  } else {
    showNames(out, left, right, options);
    show(out, { left, right, meaning, bits, full: options.full === true });
  }
  return same ? EXIT.ok : EXIT.negative;
}

/** Who owns which granules. */
function diffTables(
  out: Output,
  left: Target,
  right: Target,
  notes: readonly string[],
  options: DiffOptions,
): number {
  const [a, b] = [tableOf(left), tableOf(right)];
  const { full } = options;
  const found = diffGranules(a, b, full ? { maxRanges: Number.POSITIVE_INFINITY } : {});
  const { granules, checks, stoppedAt, unread } = found;
  if (stoppedAt !== undefined) out.note(`compared up to ${hex(stoppedAt)} only; --full compares all`);
  for (const side of unread) {
    const { name } = side === 'a' ? left : right;
    out.note(`${name}: a part of the table is in no RAM that was given, so what it says is not known`);
  }
  const same = granules.length === 0 && checks.length === 0;
  if (out.json) {
    out.document('lpae.diff/1', {
      a: left.name,
      b: right.name,
      same,
      notes,
      derivation: { a: derivationJson(left), b: derivationJson(right) },
      granules: { ranges: granules.map(granuleDiffJson), checks },
    });
    return same ? EXIT.ok : EXIT.negative;
  }
  showNames(out, left, right, options);
  if (granules.length > 0) {
    out.heading(`${counted(granules.length, 'difference')} in who owns granules`);
    const shown = full ? granules : granules.slice(0, SHORT_LIST);
    out.lines(granuleDiffLines(shown, out.style));
    showRest(out, shown.length, granules.length);
  }
  if (checks.length > 0) {
    out.heading('checks without the table');
    out.lines(checks.map((text) => `  ${text}`));
  }
  if (same) out.line('the same');
  return same ? EXIT.ok : EXIT.negative;
}

/** The checks of a side. @throws CliError (usage) where it has no table. */
function tableOf({ name, walker }: Target): GranuleProtection {
  const gpc = walker.granuleProtection;
  if (gpc === undefined) {
    throw usageError(
      `${name}: granule protection checks are off: GPCCR_EL3 is not given, or has GPC = 0`,
      'give them: --gpccr 0x… --gptbr 0x…, or in --registers-a or --registers-b for one side',
    );
  }
  if (!hasTable(gpc.params)) {
    throw usageError(
      `${name}: GPCCR_EL3 or GPTBR_EL3 is not valid, so there is no table to compare`,
      'lpae dump --gpt says what is wrong',
    );
  }
  return gpc;
}

function meaningOf(out: Output, left: Target, right: Target, sizes: boolean): MeaningDifference[] {
  const spaces = [left, right].map(({ walker }) => listSpace(walker));
  if (!spaces.every(({ complete }) => complete))
    out.note('there is too much to list: not all of it was compared');
  return diffMeaning(spaces[0]!.ranges, spaces[1]!.ranges, { regimes: [left.regime, right.regime], sizes });
}

interface Shown {
  readonly left: Target;
  readonly right: Target;
  readonly meaning: readonly MeaningDifference[];
  readonly bits: BitsDiff;
  readonly full: boolean;
}

/** Both sides, with what was derived from their registers. */
function showNames(out: Output, left: Target, right: Target, options: DiffOptions): void {
  const { style } = out;
  // Of two machines all of it is long: it is there on demand.
  const registersOf = (target: Target) =>
    registerLines({ ...target, dumped: false }, options, style).map((line) => `    ${line}`);
  out.line(`${style.bad('-')} ${left.name}`);
  out.lines(registersOf(left));
  out.line(`${style.good('+')} ${right.name}`);
  out.lines(registersOf(right));
}

function showRest(out: Output, shown: number, all: number): void {
  if (all > shown) out.line(out.style.faint(`  … ${count(all - shown)} more (--full shows them)`));
}

function show(out: Output, { left, right, meaning, bits, full }: Shown): void {
  const { style } = out;
  const cut = <T>(list: readonly T[]): readonly T[] => (full ? list : list.slice(0, SHORT_LIST));
  if (meaning.length > 0) {
    out.heading(`${counted(meaning.length, 'difference')} in what input addresses mean`);
    const shown = cut(meaning);
    out.lines(
      columns(
        shown.flatMap((one) => meaningRows(one, left.regime, right.regime, style)),
        { indent: '  ', right: [2] },
      ),
    );
    showRest(out, shown.length, meaning.length);
  }
  if (bits.trees.length + bits.entries.length > 0) {
    out.heading('tables, entry by entry');
    out.lines(bits.trees.map((text) => `  ${text}`));
    const shown = cut(bits.entries);
    out.lines(
      columns(
        shown.map((entry) => entryRow(entry, style)),
        { indent: '  ' },
      ),
    );
    showRest(out, shown.length, bits.entries.length + bits.more);
  }
  if (meaning.length + bits.trees.length + bits.entries.length === 0) out.line('the same');
}

function meaningRows(
  { first, last, a, b }: MeaningDifference,
  regimeA: MachineRegime,
  regimeB: MachineRegime,
  style: Style,
): string[][] {
  const row = (sign: string, side: Side | undefined, regime: MachineRegime) => [
    sign,
    `${hex(first)}-${hex(last)}`,
    sizeText(last - first + 1n),
    side === undefined ? 'not mapped' : side.pa === undefined ? '' : `-> ${hex(side.pa)}`,
    side === undefined
      ? ''
      : `${sizeText(side.range.leafSize)}  ${sayText(side.range.result, regime, style)}`,
  ];
  return [row(style.bad('- wanted'), a, regimeA), row(style.good('+ found'), b, regimeB)];
}

function entryRow(
  { register, level, index, ia, a, b, fields, kinds, count: n }: EntryDifference,
  style: Style,
): string[] {
  const what = kinds
    ? `${kinds[0]} -> ${kinds[1]}`
    : fields
        .map(
          ({ name, bits, a: from, b: to }) =>
            `${name}${bits && !name.includes('[') ? bits : ''} ${hex(from)} -> ${hex(to)}`,
        )
        .join(', ');
  return [
    `${register} L${level}[${hex(index, 3)}]`,
    hex(ia),
    `${style.bad(hexWord(a))} ${style.good(hexWord(b))}`,
    `${what}${n > 1 ? ` ×${count(n)}` : ''}`,
  ];
}

function meaningJson(
  { first, last, a, b }: MeaningDifference,
  regimeA: MachineRegime,
  regimeB: MachineRegime,
): object {
  const side = (one: Side | undefined, regime: MachineRegime) =>
    one === undefined
      ? null
      : { pa: one.pa ?? null, leaf_size: one.range.leafSize, says: sayOf(one.range.result, regime) };
  return { first, last, a: side(a, regimeA), b: side(b, regimeB) };
}

function entryJson({ a, b, fields, kinds, ...rest }: EntryDifference): object {
  return { ...rest, a: hexWord(a), b: hexWord(b), fields, ...(kinds && { kinds }) };
}
