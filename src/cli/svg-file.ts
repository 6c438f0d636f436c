/** Where pictures go: `--svg FILE`, a file that is not overwritten unasked, or stdout; and with `--picture` the terminal. */
import type { Command } from 'commander';
import { usageError } from './io.ts';
import type { Output } from './output.ts';
import { checkOutput, STDOUT, writeOutput } from './output-file.ts';

/** As they were typed. */
export interface SvgOptions {
  readonly svg?: string;
  readonly force?: boolean;
  /** Of commands that draw in a terminal too. */
  readonly picture?: boolean;
}

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
export function checkSvgOptions({ svg, force, picture }: SvgOptions, out: Output): void {
  if (picture && (out.json || svg === STDOUT)) {
    throw usageError('--picture wants stdout for itself', 'without --json, or --svg -');
  }
  checkOutput('--svg', svg, force, out);
}

/** Writes a picture where `--svg` says. @throws CliError (usage) where that can't be written. */
export function writeSvg(svg: string, text: string, out: Output): void {
  writeOutput('--svg', svg, text, out);
}
