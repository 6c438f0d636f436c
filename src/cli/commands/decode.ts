/** `lpae decode`: descriptors field by field, in every reading that their bits allow, the likeliest first. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type MachineRegime, machineRegimes, regimeNamed } from '../../arch/regimes.ts';
import type { SecurityState } from '../../arch/security.ts';
import type { Reader } from '../../lint/layout.ts';
import { hexWord } from '../../text/numbers.ts';
import { parseAddress } from '../input/address.ts';
import { readAll } from '../input/stdin.ts';
import { EXIT, inputError, usageError } from '../io.ts';
import { SECURITY_WORDS, securityState } from '../machine/options.ts';
import type { Cli, Output } from '../output.ts';
import { addSvgOptions, checkSvgOptions, type SvgOptions, writeSvg } from '../svg-file.ts';
import { readingJson, readingLines, unlikelyLines } from '../text/descriptor-text.ts';
import { type DescriptorWord, typedWord, wordsIn } from '../text/descriptor-words.ts';
import { UNLIKELY } from '../text/plausibility.ts';
import {
  candidates,
  fieldsOf,
  GRANULE_NAMES,
  type GranuleName,
  type Known,
  type Reading,
  readingsOf,
} from '../text/readings.ts';

interface DecodeOptions extends SvgOptions {
  readonly format?: string;
  readonly stage?: string;
  readonly granule?: GranuleName;
  readonly level?: string;
  readonly mair?: string;
  readonly ds?: boolean;
  readonly pie?: boolean;
  readonly poe?: boolean;
  readonly aie?: boolean;
  readonly pnch?: boolean;
  readonly regime?: MachineRegime;
  readonly security?: SecurityState;
}

const HELP = `
Everything that is not given is tried: both stages of AArch64, all granules and levels (a word of 8 digits also as a short
descriptor). Some bits are fields in one regime and reserved in another: --regime decides. Equal readings are joined. The likeliest comes first, and objections to the others are listed.
In a text on stdin, words count that are descriptors by their name (pgd=, pte=, 3RD[…] =, PTE: … =>) or form, with the level of
the name; addresses, indices and registers are left out, with a note. Equal letters and colours belong together. Exit code 1 if a word is not a valid descriptor in any reading.

Examples:
  $ lpae decode 0x0060000040000f47 --stage 1 --level 3
  $ lpae decode 0x80001003
  $ lpae decode 0x40000000000f45 --granule 64K --mair 0xff440c0400
  $ lpae decode 0x80011c0e --format arm_v7s
  $ lpae decode 0x0020000080200701 --regime el2 --level 2
  $ lpae decode 0x0060000040000f47 --stage 1 --level 3 --pie --poe
  $ lpae decode 0x0060000040000f47 --stage 1 --level 3 --svg page.svg
  $ dmesg | grep pte= | lpae decode -
`;

export function define(command: Command, cli: Cli): void {
  command
    .argument('<descriptor...>', 'words as 0x…; - takes them from the text on stdin')
    .option('--format <name>', 'page-table format (lpae formats lists them)')
    .addOption(new Option('--stage <n>', 'for AArch64: 1 or 2').choices(['1', '2']).conflicts('format'))
    .addOption(new Option('--granule <size>', 'translation granule').choices(GRANULE_NAMES))
    .addOption(
      new Option('--regime <name>', 'the translation regime that reads it: el1&0, el2, pl2 …')
        .argParser(decodedRegime)
        .conflicts('format'),
    )
    .addOption(
      new Option('--security <state>', `the Security state of that regime: ${SECURITY_WORDS}`).argParser(
        securityState,
      ),
    )
    .option('--level <n>', "Arm's level, 3 being the last")
    .option('--mair <value>', 'MAIR_ELx, for the memory type that AttrIndx chooses')
    .option('--ds', 'TCR.DS = 1: 52-bit addresses with 4K and 16K (FEAT_LPA2)')
    .option('--pie', 'permission indirection: TCR2.PIE, VTCR.S2PIE; PIIndex in place of AP and XN')
    .option('--poe', 'permission overlays: TCR2.POE or E0POE, VTCR.S2POE; POIndex')
    .option('--aie', 'attribute index extension: TCR2.AIE; AttrIndx has 4 bits')
    .option('--pnch', 'TCR2.PnCH: Protected in place of Contiguous');
  addSvgOptions(command, 'the likeliest reading of one descriptor')
    .addHelpText('after', HELP)
    .action(async (texts: string[], options: DecodeOptions) => {
      const out = cli.output(command);
      checkSvgOptions(options, out);
      cli.exitCode = await decodeWords(out, await wordsOf(texts, out), options);
    });
}

/** The most left-out numbers to list. */
const SHOWN = 8;

async function wordsOf(texts: readonly string[], out: Output): Promise<DescriptorWord[]> {
  if (!texts.includes('-')) return texts.map(typedWord);
  if (texts.length > 1) throw usageError('- takes the words from stdin, and must be the only argument');
  const { words, left } = wordsIn(new TextDecoder().decode(await readAll(out.io.stdin)));
  const more = left.length > SHOWN ? `, and ${left.length - SHOWN} more` : '';
  const leftOut = `left out: ${left.slice(0, SHOWN).join(', ')}${more}`;
  if (words.length === 0) {
    throw left.length > 0
      ? inputError('stdin: none of its numbers is a descriptor', leftOut)
      : inputError('stdin: there is no word in it', 'words are 0x…, or hexadecimal with 8 or 16 digits');
  }
  if (left.length > 0) out.note(leftOut);
  return [...words];
}

async function decodeWords(
  out: Output,
  words: readonly DescriptorWord[],
  options: DecodeOptions,
): Promise<number> {
  const known: Known = {
    format: options.format,
    stage: options.stage === undefined ? undefined : options.stage === '1' ? 1 : 2,
    granule: options.granule,
    level: options.level === undefined ? undefined : levelOf(options.level),
    ds: options.ds,
    by: readerOf(options),
    turnedOn: turnedOnBy(options),
  };
  const mair = options.mair === undefined ? undefined : parseAddress(options.mair, '--mair');
  const decoded = words.map(({ word, short, ...place }) => {
    // Options take precedence over the text.
    const of: Known = known.format === undefined ? { ...place, ...definedOf(known) } : known;
    return { word, readings: readingsOf(word, candidates(of, short), of) };
  });
  if (options.svg !== undefined) {
    const [only, ...more] = decoded;
    if (only === undefined || more.length > 0) {
      throw usageError(`--svg draws one descriptor, not ${words.length}`, 'decode them one by one');
    }
    await drawReading(out, only.word, only.readings, mair, options.svg);
  }
  if (out.json) {
    const descriptors = decoded.map(({ word, readings }) => ({
      descriptor: hexWord(word),
      readings: readings.map((reading) => readingJson(reading, word, mair)),
    }));
    out.document('lpae.decode/1', { descriptors });
  } else if (options.svg === undefined) {
    for (const [i, { word, readings }] of decoded.entries()) {
      if (i > 0) out.line();
      writeReadings(out, word, readings, mair);
    }
  }
  const readable = decoded.every(({ readings }) => readings.some(({ layout }) => layout.kind !== 'invalid'));
  return readable ? EXIT.ok : EXIT.negative;
}

const definedOf = (known: Known): Known =>
  Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined));

/** The likeliest reading as a picture. The drawing code is loaded on demand. */
async function drawReading(
  out: Output,
  word: bigint,
  readings: readonly Reading[],
  mair: bigint | undefined,
  svg: string,
): Promise<void> {
  const [best] = readings;
  if (best === undefined) {
    throw usageError(`${hexWord(word)} is wider than an entry of this format`, 'there is nothing to draw');
  }
  const { descriptor } = await import('../../draw/index.ts');
  const { layout, places } = best;
  const title = `${hexWord(word, layout.width)}: ${places[0].format.name}`;
  const drawn = descriptor(layout, word, { title, fields: fieldsOf(best, word, mair) });
  writeSvg(svg, drawn, out);
  if (readings.length > 1)
    out.note(`the drawing shows the likeliest of ${readings.length} readings: ${layout.title}`);
}

function readerOf({ regime, security }: DecodeOptions): Reader | undefined {
  if (regime !== undefined) return { regime, security };
  if (security === undefined) return undefined;
  throw usageError('--security goes with --regime', 'bits depend on both');
}

/** The features that change what bits mean. Those of the other stage do not affect a layout. */
function turnedOnBy({ pie, poe, aie, pnch }: DecodeOptions): string[] {
  return [
    ...(pie ? ['FEAT_S1PIE', 'FEAT_S2PIE'] : []),
    ...(poe ? ['FEAT_S1POE', 'FEAT_S2POE'] : []),
    ...(aie ? ['FEAT_AIE'] : []),
    ...(pnch ? ['FEAT_THE'] : []),
  ];
}

/** @throws InvalidArgumentError for an unknown regime. */
function decodedRegime(text: string): MachineRegime {
  const found = regimeNamed(text);
  if (found !== undefined) return found;
  throw new InvalidArgumentError(`there is no regime '${text}'; there are ${machineRegimes.join(', ')}.`);
}

function levelOf(text: string): number {
  if (/^-?\d$/.test(text)) return Number(text);
  throw usageError(`--level: '${text}' is not a level`, "Arm's levels are 0 to 3, and -1 with --ds");
}

/** Readings with bits set that must not be take one line each, if there are better ones. */
function writeReadings(
  out: Output,
  word: bigint,
  readings: readonly Reading[],
  mair: bigint | undefined,
): void {
  const best = readings[0]?.verdict.score ?? 0;
  const full = readings.filter(({ verdict }) => verdict.score - best < UNLIKELY);
  const unlikely = readings.slice(full.length);
  for (const [i, reading] of full.entries()) {
    if (i > 0) out.line();
    out.lines(readingLines(reading, word, out.style, { mair, ranked: readings.length > 1 }));
  }
  if (unlikely.length > 0) {
    out.line();
    out.line('  unlikely:');
    out.lines(unlikely.flatMap(unlikelyLines));
  }
  if (readings.length === 0)
    out.line(`${hexWord(word)}  wider than an entry of this format: not a descriptor`);
}
