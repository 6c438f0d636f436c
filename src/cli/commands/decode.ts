/** `lpae decode`: descriptors field by field, in every reading that their bits allow. */
import { type Command, Option } from 'commander';
import { parseAddress } from '../address.ts';
import { readingJson, readingLines } from '../descriptor-text.ts';
import { EXIT, usageError } from '../io.ts';
import type { Cli, Output } from '../output.ts';
import { formatAt, GRANULE_NAMES, type GranuleName, readingsOf } from '../readings.ts';
import { hexWord } from '../text.ts';

interface DecodeOptions {
  readonly format?: string;
  readonly granule: GranuleName;
  readonly level?: string;
}

const HELP = `
Without --format, the word is read as a stage-1 and as a stage-2 descriptor of AArch64; without --level, at every level
where its bits are valid. Equal letters and colours belong together. Exit code 1 when a word is no valid descriptor.

Examples:
  $ lpae decode 0x0060000040000f47 --format arm_64_lpae_s1 --level 3
  $ lpae decode 0x80001003
  $ lpae decode 0x4000000040000f45 --granule 64K --json
`;

const DEFAULT_FORMATS = ['arm_64_lpae_s1', 'arm_64_lpae_s2'] as const;

export function define(command: Command, cli: Cli): void {
  command
    .argument('<descriptor...>', '64-bit words, as 0x…')
    .option('--format <name>', 'page-table format (lpae formats lists them)')
    .addOption(
      new Option('--granule <size>', 'translation granule')
        .choices(GRANULE_NAMES)
        .default('4K' satisfies string),
    )
    .option('--level <n>', "Arm's level, 3 being the last")
    .addHelpText('after', HELP)
    .action((words: string[], options: DecodeOptions) => {
      cli.exitCode = decodeWords(cli.output(command), words, options);
    });
}

function decodeWords(out: Output, texts: readonly string[], options: DecodeOptions): number {
  const words = texts.map((text) => parseAddress(text, 'descriptor'));
  const names = options.format === undefined ? DEFAULT_FORMATS : [options.format];
  const formats = names.map((name) => formatAt(name, options.granule));
  const level = options.level === undefined ? undefined : Number(options.level);
  for (const { levels, name } of formats) {
    if (level === undefined || levels.some((known) => known.level === level)) continue;
    const known = levels.map((l) => l.level).join(', ');
    throw usageError(
      `${name} with the ${options.granule} granule has no level ${options.level}`,
      `it has ${known}`,
    );
  }
  const decoded = words.map((word) => ({
    word,
    readings: formats.flatMap((format) => readingsOf(format, word, level)),
  }));
  if (out.json) {
    const descriptors = decoded.map(({ word, readings }) => ({
      descriptor: hexWord(word),
      readings: readings.map((reading) => readingJson(reading, word)),
    }));
    out.document('lpae.decode/1', { descriptors });
  } else {
    const blocks = decoded.flatMap(({ word, readings }) =>
      readings.map((r) => readingLines(r, word, out.style)),
    );
    for (const [i, lines] of blocks.entries()) {
      if (i > 0) out.line();
      out.lines(lines);
    }
  }
  const readable = decoded.every(({ readings }) => readings.some(({ layout }) => layout.kind !== 'invalid'));
  return readable ? EXIT.ok : EXIT.negative;
}
