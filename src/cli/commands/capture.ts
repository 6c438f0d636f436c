/** `lpae capture`: makes the smallest golden image with what walks, or a whole dump, read: something to attach to a bug report. */
import type { Command } from 'commander';
import { parseFaults } from '../../glossary/faults/parse.ts';
import { type CapturedRow, captureImage } from '../../golden/capture.ts';
import { touchedWords } from '../../image/touched.ts';
import { probe } from '../../space/probe.ts';
import { rangeSize } from '../../space/ranges.ts';
import { listSpace } from '../../space/space.ts';
import { treeOfTarget } from '../../space/tree-read.ts';
import { counted } from '../../text/numbers.ts';
import { makeStyle } from '../../text/style.ts';
import type { Access } from '../../walker/index.ts';
import { parseRange } from '../input/address.ts';
import { sortArguments } from '../input/sort-arguments.ts';
import { EXIT, inputError, usageError } from '../io.ts';
import { registerLines } from '../machine/derivation.ts';
import {
  type AccessOptions,
  addAccessOptions,
  addTargetOptions,
  DERIVATION_HELP,
  FILE_ARGUMENT,
  TARGET_HELP,
  type TargetOptions,
} from '../machine/options.ts';
import { checkBaseGiven } from '../machine/parts.ts';
import { readTarget } from '../machine/read.ts';
import { notesOf, type Target } from '../machine/target.ts';
import type { Cli, Output } from '../output.ts';
import { checkOutputFile, writeOutputFile } from '../output-file.ts';

interface CaptureOptions extends TargetOptions, AccessOptions {
  readonly fault?: string;
  readonly range?: string;
  readonly output?: string;
  readonly name?: string;
  readonly force?: boolean;
}

const HELP = `${TARGET_HELP}
With addresses, their walks are captured: the descriptors that were read and no other memory. Without, all tables
(--range: those for these addresses), with the first and last byte of every range. The answers are those of this walker; where
they differ from the machine's, write the machine's answers into the file: lpae check then shows the difference.

Examples:
  $ lpae capture ram.bin@0x4000_0000 --registers regs.json 0xffff_8000_0801_0000 -o bug.json
  $ lpae capture ram.bin@0x4000_0000 --registers regs.json --fault 'esr=0x96000007 far=0xffff800008123000'
  $ lpae capture vmcore --registers regs.json --range 0xffff_8000_0800_0000+2M > tables.json
  $ lpae check bug.json
`;

/** The most rows in a capture of everything. */
const MAX_ROWS = 4096;

export function define(command: Command, cli: Cli): void {
  command.argument('<file>', FILE_ARGUMENT).argument('[address...]', 'input addresses; more memory images');
  addAccessOptions(command)
    .option('--fault <text>', 'the access of a fault: a log line, or ESR=0x… FAR=0x…')
    .option('--range <range>', 'only these input addresses: a..b or a+length')
    .option('-o, --output <file>', 'where to write it (default: stdout)')
    .option('--force', 'overwrite the file')
    .option('--derivation', DERIVATION_HELP)
    .option('--name <name>', "the capture's name");
  addTargetOptions(command)
    .addHelpText('after', HELP)
    .action(async (file: string, more: string[], options: CaptureOptions) => {
      cli.exitCode = await capture(cli.output(command), file, more, options);
    });
}

async function capture(
  out: Output,
  file: string,
  more: readonly string[],
  options: CaptureOptions,
): Promise<number> {
  const { addresses, files } = sortArguments(more);
  const accesses = [
    ...addresses.map((ia) => ({ ia, access: accessOf(options) })),
    ...faultAccesses(options.fault),
  ];
  if (accesses.length > 0 && options.range !== undefined)
    throw usageError('--range is for captures without addresses');
  const { output, force } = options;
  if (output !== undefined) checkOutputFile(output, force, '--output');
  const target = await readTarget([file, ...files], out.io, options);
  for (const warning of target.warnings) out.note(warning);
  // The document is on stdout. Of a dump too, all that the registers mean is said where it is asked for.
  const told = registerLines({ ...target, dumped: false }, options, makeStyle(false));
  for (const line of told) out.note(line.trimEnd());
  for (const { ia } of accesses) checkBaseGiven(target, ia);
  const rows: CapturedRow[] = [];
  const touched = touchedWords(target.machine.memory, () => {
    if (accesses.length > 0) {
      for (const { ia, access } of accesses)
        rows.push({ ia, access, answer: target.walker.walk(ia, access) });
    } else rows.push(...spaceRows(target, options));
  });
  if (touched.length === 0)
    throw inputError(`${target.name}: no memory was read, so there is nothing to capture`);
  const document = captureImage({
    name: options.name ?? `capture of ${target.name}`,
    producer: 'lpae capture',
    notes: notesOf(target),
    machine: target.machine,
    stream: target.stream,
    security: target.walker.security,
    rows,
    touched,
  });
  const text = `${JSON.stringify(document, undefined, 1)}\n`;
  if (output === undefined) out.io.stdout.write(text);
  else writeOutputFile(output, text, '--output');
  out.note(`${counted(touched.length, 'word')} of memory, ${counted(rows.length, 'row')}`);
  return EXIT.ok;
}

function accessOf({ access = 'read', unprivileged, pan, gcs, tagChecked }: CaptureOptions): Access {
  const more = { ...(pan && { pan }), ...(gcs && { gcs }), ...(tagChecked && { tagChecked }) };
  return { access, privileged: !unprivileged, ...more, update: false };
}

/** The accesses of the faults in a text. @throws CliError (usage) for a text without a fault with an address. */
function faultAccesses(text: string | undefined): { ia: bigint; access: Access }[] {
  if (text === undefined) return [];
  const found = parseFaults(text).flatMap((fault) => {
    const { address, access = 'read', privileged = true } = fault;
    return address === undefined ? [] : [{ ia: address, access: { access, privileged, update: false } }];
  });
  if (found.length === 0)
    throw usageError(
      '--fault: no fault with an address was found in the text',
      'lpae fault lists the known forms',
    );
  return found;
}

/** The first and last byte of every range, each by an access that it allows. */
function spaceRows({ walker }: Target, { range }: CaptureOptions): CapturedRow[] {
  const only = range === undefined ? undefined : parseRange(range, '--range');
  // Tables are read as a whole, so that the capture also shows what is not mapped.
  treeOfTarget(walker, only);
  const { ranges } = listSpace(walker, only);
  const edges = ranges.flatMap((one) => (rangeSize(one) > 1n ? [one.first, one.last] : [one.first]));
  return edges.slice(0, MAX_ROWS).map((ia) => allowedRow(walker, ia));
}

function allowedRow(walker: Target['walker'], ia: bigint): CapturedRow {
  const kinds = ['read', 'write', 'execute'] as const;
  const read: Access = { access: 'read', update: false };
  if (probe(walker, ia, false).ok) {
    for (const privileged of [true, false]) {
      for (const access of kinds) {
        const asked: Access = { access, privileged, update: false };
        const answer = walker.walk(ia, asked);
        if (answer.ok) return { ia, access: asked, answer };
      }
    }
  }
  return { ia, access: read, answer: walker.walk(ia, read) };
}
