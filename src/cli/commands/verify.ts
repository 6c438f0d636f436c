/** `lpae verify`: whether tables map what was meant, and nothing else; and a first intention written from tables that are believed. */
import type { Command } from 'commander';
import { listSpace, type Space } from '../../space/space.ts';
import { makeStyle } from '../../text/style.ts';
import { parseIntent } from '../../verify/parse.ts';
import { reportLines } from '../../verify/report.ts';
import { type Verification, verifySpace } from '../../verify/verify.ts';
import { parseRange } from '../input/address.ts';
import { nameOf } from '../input/input.ts';
import { readText, understood } from '../input/intent-file.ts';
import { EXIT, inputError, usageError } from '../io.ts';
import { addTargetOptions, FILE_ARGUMENT, TARGET_HELP, type TargetOptions } from '../machine/options.ts';
import { readTarget } from '../machine/read.ts';
import type { Target } from '../machine/target.ts';
import type { Cli, Output } from '../output.ts';
import { checkOutput, writeOutput } from '../output-file.ts';
import { spaceLines } from '../text/dump-text.ts';
import { verificationJson, verificationJunit, verificationTap } from '../text/verify-json.ts';
import { stateText } from '../text/walk-text.ts';

interface VerifyOptions extends TargetOptions {
  readonly range?: string;
  readonly full?: boolean;
  readonly tap?: boolean;
  readonly junit?: string;
  readonly write?: string;
  readonly force?: boolean;
}

const HELP = `
INTENT says what the tables of FILE are meant to map: text as lpae dump prints it or as you write it, lpae dump --json, or CSV
(address, length, type, label). A line of text is a range, where it leads, and what is wanted there, each left out or - for don't care:

  0x8000_0000+16M   -> identity      r-x          WB ISH   # text
  0x0900_0000..0x0901_0000 identity  rw-          nGnRE    # UART
  0xffff_8000_0000_0000+1G -> 0x4000_0000  rw- --- normal global contiguous level=2 AF=1
  0x0+4K            unmapped
  rest unmapped             (what is not named; or rest any)
  never wx                  (rules: never 0x0+64K, never pa 0x0e00_0000+16M, never el0, never device x)
  regime el3                (default any; security secure, only 0x0+4G, rounded)

See docs/check-your-tables.md. Exit code 0: it is so, and nothing else is mapped. 1: it is not. 2: INTENT is not understood, or
can't be asked of these tables. 3: a file can't be read.
${TARGET_HELP}
Examples:
  $ lpae verify want.map request.json
  $ lpae verify want.map ram.bin@0x4000_0000 --registers regs.json
  $ lpae verify --write want.map image.json
  $ lpae verify map.csv bl31.elf --regime el3 --registers regs.txt --junit verify.xml
`;

/** Lines that are as meant, before the rest of them is only counted. */
const SHORT_LIST = 40;

export function define(command: Command, cli: Cli): void {
  command
    .argument('<intent>', 'what the tables are meant to map; - is stdin (with --write it is a FILE)')
    .argument('[file...]', FILE_ARGUMENT)
    .option('--write <intent>', 'write what the tables map as an intention; - is stdout')
    .option('--force', 'write over a file that is there')
    .option('--range <range>', 'only these input addresses: a..b or a+length')
    .option('--tap', 'the answer as TAP version 14: a test for each range, the rest, and each rule')
    .option('--junit <file>', "and as JUnit's XML in a file")
    .option('--full', 'every line, also those that are as meant');
  addTargetOptions(command)
    .addHelpText('after', HELP)
    .action(async (intent: string, files: string[], options: VerifyOptions) => {
      const out = cli.output(command);
      cli.exitCode =
        options.write === undefined
          ? await verify(out, intent, files, options)
          : await write(out, [intent, ...files], options.write, options);
    });
}

async function verify(
  out: Output,
  file: string,
  files: readonly string[],
  options: VerifyOptions,
): Promise<number> {
  if (files.length === 0)
    throw usageError(
      'which tables?',
      'lpae verify INTENT FILE…; lpae verify --write INTENT FILE… makes a first INTENT',
    );
  if (options.tap && out.json) throw usageError('--tap and --json both want stdout');
  if (options.force) throw usageError('--force overwrites the file of --write, which is not given');
  const only = options.range === undefined ? undefined : parseRange(options.range, '--range');
  const name = nameOf(file);
  const text = await readText(file, out.io);
  const intent = understood(name, () => parseIntent(text));
  const target = await readTarget(files, out.io, options);
  for (const warning of target.warnings) out.note(warning);
  const found = understood(name, () => verifySpace(target.walker, intent, only));
  for (const note of found.notes) out.note(`${name}: ${note}`);
  if (options.junit !== undefined)
    writeOutput(
      '--junit',
      options.junit,
      verificationJunit(found, target.walker, `${name}: ${target.name}`),
      out,
    );
  if (out.json) {
    const { regime, name: of } = target;
    out.document('lpae.verify/1', {
      intent: name,
      name: of,
      regime,
      ...verificationJson(found, target.walker),
    });
  } else if (options.tap) out.lines(verificationTap(found, target.walker));
  else {
    out.heading(`${name}: ${target.name}, ${target.regime}${stateText(target.walker)}`);
    const maxOk = options.full ? Number.POSITIVE_INFINITY : SHORT_LIST;
    out.lines(reportLines(found, { target: target.walker, style: out.style, maxOk }));
  }
  // What was looked at is as meant, and there is more.
  if (!found.complete && !hasFindings(found)) return EXIT.input;
  return found.ok ? EXIT.ok : EXIT.negative;
}

function hasFindings({ lines, unnamed, unreachable, rules }: Verification): boolean {
  return unnamed.length + unreachable.length > 0 || [...lines, ...rules].some(({ ok }) => !ok);
}

/** A first intention: the text of a dump, with what it means above it. */
async function write(
  out: Output,
  files: readonly string[],
  to: string,
  options: VerifyOptions,
): Promise<number> {
  for (const [option, value] of Object.entries({
    tap: options.tap,
    junit: options.junit,
    json: out.json || undefined,
  }))
    if (value !== undefined)
      throw usageError(`--write and --${option}: nothing is verified when an intention is written`);
  checkOutput('--write', to, options.force, out);
  const only = options.range === undefined ? undefined : parseRange(options.range, '--range');
  const target = await readTarget(files, out.io, options);
  for (const warning of target.warnings) out.note(warning);
  const space = listSpace(target.walker, only, Number.POSITIVE_INFINITY);
  if (!space.complete)
    throw inputError(`${target.name}: there are more tables than can be listed (they may hold themselves)`);
  writeOutput('--write', to, `${intentLines(target, space, only !== undefined).join('\n')}\n`, out);
  return EXIT.ok;
}

function intentLines(target: Target, space: Space, inPart: boolean): string[] {
  const { windows, ranges } = space;
  return [
    `# What ${target.name.replaceAll(/\s+/g, ' ')} maps, as an intention. Under a heading a line says all of its flags;`,
    '# any part of it may be - (anything will do), rules may be added: never wx, never el0, never pa 0x0+64K.',
    'rest unmapped',
    ...spaceLines(target, { windows, ranges }, { style: makeStyle(false), inPart }),
  ];
}
