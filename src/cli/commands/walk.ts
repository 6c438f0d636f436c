/** `lpae walk`: translates addresses with the hardware walker, and shows each descriptor on the way. */
import type { Command } from 'commander';
import type { ImageRow } from '../../golden/image-file.ts';
import type { Answer } from '../../machine/machine.ts';
import type { Access } from '../../walker/index.ts';
import { sortArguments } from '../input/sort-arguments.ts';
import { EXIT, usageError } from '../io.ts';
import { derivationJson, registerLines } from '../machine/derivation.ts';
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
import { notesOf } from '../machine/target.ts';
import type { Cli, Output } from '../output.ts';
import { walkJson } from '../text/walk-json.ts';
import { walkLines } from '../text/walk-text.ts';

type WalkOptions = TargetOptions & AccessOptions;

const HELP = `${TARGET_HELP}
After the first file, arguments that are addresses are walked, and others are more files (./2M is a file). Exit code 0 if every
address translates, 1 if one faults.

For an image of an SMMU, --sid and --ssid give the stream of the transaction (default: the only StreamID with a valid stream table
entry). --row walks as a row of the image says: its address, access, StreamID and registers, unless they are given.

Examples:
  $ lpae walk request.json 0x1000_1234
  $ lpae walk request.json 0x1000_0000+4K --access write --unprivileged
  $ lpae walk fixtures/linux/arm_64_lpae_s2-4k-addr48-48-0001.json 0xffff_ffff_f000
  $ lpae walk fixtures/qemu/qemu10-smmuv3-config-4k-00.json --row 12
`;

export function define(command: Command, cli: Cli): void {
  command
    .argument('<file>', FILE_ARGUMENT)
    .argument('[address...]', 'input addresses: VAs or IOVAs, or IPAs with only stage 2; more memory images');
  addTargetOptions(addAccessOptions(command))
    .option('--derivation', DERIVATION_HELP)
    .addHelpText('after', HELP)
    .action(async (file: string, addresses: string[], options: WalkOptions) => {
      cli.exitCode = await walk(cli.output(command), file, addresses, options);
    });
}

async function walk(
  out: Output,
  file: string,
  addresses: readonly string[],
  options: WalkOptions,
): Promise<number> {
  const { addresses: inputs, files } = sortArguments(addresses);
  if (inputs.length === 0 && options.row === undefined)
    throw usageError("missing required argument 'address'");
  const target = await readTarget([file, ...files], out.io, options);
  const { name, walker, regime, row } = target;
  for (const warning of target.warnings) out.note(warning);
  const access = accessOf(options, row);
  for (const ia of inputs) checkBaseGiven(target, ia);
  const results = (row && inputs.length === 0 ? [row.va] : inputs).map((ia) => walker.walk(ia, access));
  // A fault of an SMMU's configuration has its reason on the way to the tables.
  const explained = results.some((result) => !result.ok && !('level' in result.fault));
  // The file's answer is only for its own question.
  const asked =
    row !== undefined &&
    inputs.length === 0 &&
    !options.access &&
    !options.unprivileged &&
    !options.pan &&
    !options.gcs &&
    !options.tagChecked;
  const golden = asked && row ? await goldenOf(row, results[0]!) : undefined;
  if (out.json) {
    const walks = results.map((result) => walkJson(result, access, walker));
    const derivation = derivationJson(target);
    const notes = notesOf(target);
    out.document('lpae.walk/1', { name, regime, notes, derivation, walks, ...(golden && { golden }) });
  } else {
    const told = registerLines(target, { derivation: options.derivation || explained }, out.style);
    out.lines(told);
    for (const [i, result] of results.entries()) {
      if (i > 0 || told.length > 0) out.line();
      out.lines(walkLines(result, access, walker, out.style));
    }
    if (golden) {
      const verdict = golden.agrees ? out.style.good('agrees') : out.style.bad('differs');
      out.line(`  file  ${golden.row}: ${golden.want}  (${verdict})`);
    }
  }
  return results.every((result) => result.ok) ? EXIT.ok : EXIT.negative;
}

function accessOf(
  { access, unprivileged, pan, gcs, tagChecked }: WalkOptions,
  row: ImageRow | undefined,
): Access {
  return {
    access: access ?? row?.access ?? 'read',
    privileged: unprivileged ? false : (row?.privileged ?? true),
    ...((pan || row?.pan) && { pan: true }),
    ...((gcs || row?.gcs) && { gcs: true }),
    ...((tagChecked || row?.tagChecked) && { tagChecked: true }),
  };
}

/** The row's own answer, and whether this one agrees. */
async function goldenOf({ where, expect, event }: ImageRow, result: Answer) {
  // Loaded only for a golden image: a walk of anything else starts sooner.
  const { describeExpectation, mismatch } = await import('../../golden/image-compare.ts');
  const agrees = expect.some((wanted) => mismatch(wanted, result, event) === undefined);
  return { row: where, want: expect.map(describeExpectation).join(', or '), agrees };
}
