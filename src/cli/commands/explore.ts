/** `lpae explore`: the playground in a browser, served to this machine alone, or written as a file of its own. */
import { readFileSync, statSync } from 'node:fs';
import type { Command } from 'commander';
import { bytesAt } from '../../image/bytes.ts';
import { openFileSource } from '../input/file-source.ts';
import { nameOf, readJson } from '../input/input.ts';
import { unreadable } from '../input/unreadable.ts';
import { CliError, EXIT, inputError, usageError } from '../io.ts';
import type { Cli, Output } from '../output.ts';
import { checkOutput, writeOutput } from '../output-file.ts';
import { BUILT_PAGE, linkOfRequest } from '../run/explorer-link.ts';
import { openInBrowser } from '../run/open-in-browser.ts';
import { servePage } from '../run/serve-page.ts';

/** No request is larger. */
const MOST_REQUEST_BYTES = 16 * 1024 * 1024;

interface Options {
  readonly write?: string;
  readonly force?: boolean;
  readonly open: boolean;
}

const HELP = `
The page takes one scatterlist, and shows at once what CPU page size, granule and leaf sizes make of it: what is mapped, by which
leaves, what was refused and why, the tables, their words and bits, walks, and operations step by step. The library runs in the page itself.

FILE is a map request or golden file of operations (lpae map --help). One map_sg for arm_64_lpae_s1 or arm_64_lpae_s2 of 48 bits is the playground's question; of any other,
each operation is a step. Other files, and several, are opened in the page, which reads them in windows: memory images, golden files, register
text, logs; walk, dump, lint, fault and decode answer there as here. Nothing else is served.

The page is served from 127.0.0.1, to whoever knows the secret in its address, until Ctrl-C. With --write it is one HTML file, which works
from disk, loads nothing and sends nothing.

Examples:
  $ lpae explore
  $ lpae explore request.json --no-open
  $ lpae explore ram.lime registers.txt
  $ lpae explore --write explorer.html
`;

export function define(command: Command, cli: Cli): void {
  command
    .argument(
      '[file...]',
      'map request to begin with, or files to open in the page; - is a request from stdin',
    )
    .option('--write <file>', 'write the page as a file instead; - is stdout')
    .option('--force', 'overwrite the file of --write')
    .option('--no-open', 'print the address, and open no browser')
    .addHelpText('after', HELP)
    .action(async (files: readonly string[], options: Options) => {
      cli.exitCode = await explore(cli.output(command), files, options);
    });
}

async function explore(
  out: Output,
  files: readonly string[],
  { write, force, open }: Options,
): Promise<number> {
  checkOutput('--write', write, force, out);
  if (write !== undefined && files.length > 0) {
    throw usageError(
      '--write writes only the page',
      'a request goes into its link: lpae explore REQUEST prints it',
    );
  }
  if (write !== undefined) {
    writeOutput('--write', write, builtPage(), out);
    return EXIT.ok;
  }
  const hash = await linkFor(files, out);
  const served = hash === undefined ? files.map(whole) : [];
  const { address, closed } = await servePage(builtPage(), served);
  const link = hash === undefined ? address : `${address}#${hash}`;
  if (out.json) out.document('lpae.explore/1', { address: link });
  else out.line(`${link}\nCtrl-C ends it.`);
  if (open) openInBrowser(link);
  await closed;
  return EXIT.ok;
}

/** The link of a request, if that is the only file. */
async function linkFor(files: readonly string[], { io }: Output): Promise<string | undefined> {
  const [file] = files;
  if (file === undefined || files.length > 1) return undefined;
  if (file === '-') return linkOfRequest(await readJson(file, io), nameOf(file));
  if (!startsAsRequest(file)) return undefined;
  const json = await readJson(file, io);
  return isRequest(json) ? linkOfRequest(json, nameOf(file)) : undefined;
}

/** Looks at no more than the beginning of what may be gigabytes. */
function startsAsRequest(file: string): boolean {
  const source = openFileSource(whole(file));
  if (source.size > MOST_REQUEST_BYTES) return false;
  const [first] = new TextDecoder().decode(bytesAt(source, 0, Math.min(source.size, 64))).trim();
  return first === '{';
}

function isRequest(json: unknown): boolean {
  return typeof json === 'object' && json !== null && 'format' in json && 'config' in json;
}

/** A file that can be read in windows. @throws CliError (input) for anything else. */
function whole(file: string): string {
  if (file === '-') throw usageError('stdin is one map request', 'files are opened by their names');
  try {
    if (statSync(file).isFile()) return file;
  } catch (error) {
    throw unreadable(file, error);
  }
  throw inputError(`${file}: is no plain file, so that it can't be read in windows`);
}

function builtPage(): string {
  try {
    return readFileSync(BUILT_PAGE, 'utf8');
  } catch {
    throw new CliError(
      EXIT.input,
      'the page is not there: it is built with the program',
      'npm run build makes both',
    );
  }
}
