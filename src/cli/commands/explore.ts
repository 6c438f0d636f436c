/** `lpae explore`: the playground in a browser, served to this machine alone, or written as a file of its own. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { nameOf, readJson } from '../input/input.ts';
import { CliError, EXIT, usageError } from '../io.ts';
import type { Cli, Output } from '../output.ts';
import { checkOutput, writeOutput } from '../output-file.ts';
import { linkOfRequest } from '../run/explorer-link.ts';
import { openInBrowser } from '../run/open-in-browser.ts';
import { servePage } from '../run/serve-page.ts';

interface Options {
  readonly write?: string;
  readonly force?: boolean;
  readonly open: boolean;
}

const HELP = `
The page takes one scatterlist, and shows at once what CPU page size, granule and leaf sizes make of it: what is mapped, by which
leaves, what was refused and why, the tables, their words and bits, walks, and operations step by step. The library runs in the page itself.

REQUEST is a map request (lpae map --help). One map_sg for arm_64_lpae_s1 or arm_64_lpae_s2 of 48 bits is the playground's question; of any other,
each operation is a step.

The page is served from 127.0.0.1, to whoever knows the secret in its address, until Ctrl-C. With --write it is one HTML file, which works
from disk, loads nothing and sends nothing.

Examples:
  $ lpae explore
  $ lpae explore request.json --no-open
  $ lpae explore --write explorer.html
`;

export function define(command: Command, cli: Cli): void {
  command
    .argument('[request]', 'map request to begin with; - is stdin')
    .option('--write <file>', 'write the page as a file instead; - is stdout')
    .option('--force', 'overwrite the file of --write')
    .option('--no-open', 'print the address, and open no browser')
    .addHelpText('after', HELP)
    .action(async (file: string | undefined, options: Options) => {
      cli.exitCode = await explore(cli.output(command), file, options);
    });
}

async function explore(
  out: Output,
  file: string | undefined,
  { write, force, open }: Options,
): Promise<number> {
  checkOutput('--write', write, force, out);
  if (write !== undefined && file !== undefined) {
    throw usageError(
      '--write writes the page alone',
      'a request goes into its link: lpae explore REQUEST prints it',
    );
  }
  const page = builtPage();
  if (write !== undefined) {
    writeOutput('--write', write, page, out);
    return EXIT.ok;
  }
  const hash = file === undefined ? '' : `#${await linkFor(file, out)}`;
  const { address, closed } = await servePage(page);
  const link = `${address}${hash}`;
  if (out.json) out.document('lpae.explore/1', { address: link });
  else out.line(`${link}\nCtrl-C ends it.`);
  if (open) openInBrowser(link);
  await closed;
  return EXIT.ok;
}

async function linkFor(file: string, { io }: Output): Promise<string> {
  return linkOfRequest(await readJson(file, io), nameOf(file));
}

/** The page that was built beside the program. */
function builtPage(): string {
  const file = join(import.meta.dirname, '../../../explorer.html');
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw new CliError(
      EXIT.input,
      'the page is not there: it is built with the program',
      'npm run build makes both',
    );
  }
}
