/** Where pictures go: the option `--svg FILE`, a file that is not overwritten unasked, or stdout. */
import { existsSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { usageError } from './io.ts';
import type { Output } from './output.ts';

/** As they were typed. */
export interface SvgOptions {
  readonly svg?: string;
  readonly force?: boolean;
}

const STDOUT = '-';

/** Adds `--svg` and `--force`. @param what - what is drawn, in the help. */
export function addSvgOptions(command: Command, what: string): Command {
  return command
    .option('--svg <file>', `${what} as a picture, in place of text; - is stdout`)
    .option('--force', 'overwrite the file of --svg');
}

/**
 * To be asked before any work is done.
 * @throws CliError (usage) where the file exists already, or stdout would be needed twice.
 */
export function checkSvgOptions({ svg, force }: SvgOptions, out: Output): void {
  if (svg === undefined) {
    if (force) throw usageError('--force overwrites the file of --svg, which is not given');
    return;
  }
  if (svg === STDOUT) {
    if (out.json) throw usageError('--svg - and --json both want stdout', '--svg FILE goes with --json');
    return;
  }
  if (!force && existsSync(svg)) throw usageError(`${svg} exists already`, '--force overwrites it');
}

/** Writes a picture where `--svg` says. @throws CliError (usage) where that can't be written. */
export function writeSvg(svg: string, text: string, out: Output): void {
  if (svg === STDOUT) {
    out.io.stdout.write(text);
    return;
  }
  try {
    writeFileSync(svg, text);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw usageError(`${svg} can't be written (${code})`, WHY[code]);
  }
  out.note(`wrote ${svg}`);
}

const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'its directory must exist',
  EISDIR: 'it is a directory; --svg takes the name of a file',
  EACCES: 'the file or its directory is not yours to write',
};
