/** `lpae walk`: addresses through the hardware walker, each descriptor on the way shown. */
import { type Command, Option } from 'commander';
import type { Access } from '../../walker/index.ts';
import { parseAddress } from '../address.ts';
import { EXIT } from '../io.ts';
import type { Output } from '../output.ts';
import type { Cli } from '../program.ts';
import { readTarget } from '../target.ts';
import { walkJson } from '../walk-json.ts';
import { walkLines } from '../walk-text.ts';

interface WalkOptions {
  readonly access: Access['access'];
  readonly unprivileged?: boolean;
}

const HELP = `
FILE is a map request or golden ops file, which is carried out first, or a golden image: memory and registers of a machine.
Exit code 0 when every address translates, 1 when one faults.

Examples:
  $ lpae walk request.json 0x1000_1234
  $ lpae walk request.json 0x1000_0000+4K --access write --unprivileged
  $ lpae walk fixtures/linux/arm_64_lpae_s2-4k-addr48-48-0001.json 0xffff_ffff_f000
`;

export function define(command: Command, cli: Cli): void {
  command
    .argument('<file>', 'request, golden ops file or golden image; - is stdin')
    .argument('<address...>', 'input addresses: VAs or IOVAs, of stage 2 alone IPAs')
    .addOption(
      new Option('--access <kind>', 'what the access does')
        .choices(['read', 'write', 'execute'])
        .default('read' satisfies string),
    )
    .option('--unprivileged', 'an access from EL0 (default: privileged)')
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
  const inputs = addresses.map((text) => parseAddress(text, 'address'));
  const access: Access = { access: options.access, privileged: options.unprivileged !== true };
  const { name, walker, regime, warnings } = await readTarget(file, out.io);
  for (const warning of warnings) out.note(warning);
  const results = inputs.map((ia) => walker.walk(ia, access));
  if (out.json) {
    out.document('lpae.walk/1', { name, regime, walks: results.map((result) => walkJson(result, access)) });
  } else {
    for (const [i, result] of results.entries()) {
      if (i > 0) out.line();
      out.lines(walkLines(result, access, walker, out.style));
    }
  }
  return results.every((result) => result.ok) ? EXIT.ok : EXIT.negative;
}
