/** Writes pictures: `--svg FILE`, which is not overwritten without --force, or stdout; and with `--picture` the terminal. */
import type { Command } from 'commander';
import { usageError } from './io.ts';
import type { Output } from './output.ts';
import { checkOutput, STDOUT, writeOutput } from './output-file.ts';

/** The options as typed. */
export interface SvgOptions {
  readonly svg?: string;
  readonly force?: boolean;
  /** For commands that draw in a terminal too. */
  readonly picture?: boolean;
}

/** Adds `--svg` and `--force`. @param what - the subject of the drawing, for the help. */
export function addSvgOptions(command: Command, what: string): Command {
  return command
    .option('--svg <file>', `${what} as a picture, instead of text; - is stdout`)
    .option('--force', 'overwrite the file of --svg');
}

/**
 * Call it before any work is done.
 * @throws CliError (usage) if the file already exists, or stdout would be needed twice.
 */
export function checkSvgOptions({ svg, force, picture }: SvgOptions, out: Output): void {
  if (picture && (out.json || svg === STDOUT)) {
    throw usageError('--picture needs stdout for itself', 'leave out --json or --svg -');
  }
  checkOutput('--svg', svg, force, out);
}

/** Writes a picture to the file of `--svg`. @throws CliError (usage) if it can't be written. */
export function writeSvg(svg: string, text: string, out: Output): void {
  writeOutput('--svg', svg, text, out);
}
