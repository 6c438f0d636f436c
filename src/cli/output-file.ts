/** Files that commands write. Existing files are not overwritten without --force; `-` is stdout. */
import { accessSync, constants, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type CliError, usageError } from './io.ts';
import type { Output } from './output.ts';

export const STDOUT = '-';

/**
 * Checks an option that writes a file instead of text. Call it before any work is done.
 * @param option - such as `--svg`. Its file is undefined if it was not given.
 * @throws CliError (usage) if the file already exists or could not be written, or stdout would be needed twice.
 */
export function checkOutput(
  option: string,
  file: string | undefined,
  force: boolean | undefined,
  out: Output,
): void {
  if (file === undefined) {
    if (force) throw usageError(`--force overwrites the file of ${option}, which is not given`);
  } else if (file !== STDOUT) checkOutputFile(file, force, option);
  else if (out.json) {
    throw usageError(`${option} - and --json both want stdout`, `${option} FILE goes with --json`);
  }
}

/** Writes the file of such an option, and reports its name. @throws CliError (usage) if it can't be written. */
export function writeOutput(option: string, file: string, text: string, out: Output): void {
  if (file === STDOUT) {
    out.io.stdout.write(text);
    return;
  }
  writeOutputFile(file, text, option);
  out.note(`wrote ${file}`);
}

/**
 * Call it before any work is done.
 * @param option - the option with the file.
 * @throws CliError (usage) if the file already exists, or could not be written.
 */
export function checkOutputFile(file: string, force: boolean | undefined, option: string): void {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found?.isFile() && !force) throw usageError(`${file} already exists`, '--force overwrites it');
  try {
    accessSync(found === undefined ? dirname(file) : file, constants.W_OK);
  } catch (error) {
    throw unwritable(file, error, option);
  }
  if (file === '' || found?.isDirectory()) throw unwritable(file, { code: 'EISDIR' }, option);
}

/** @throws CliError (usage) if it can't be written. */
export function writeOutputFile(file: string, text: string, option: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw unwritable(file, error, option);
  }
}

function unwritable(file: string, error: unknown, option: string): CliError {
  const code =
    typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : String(error);
  return usageError(`${file || option} can't be written (${code})`, WHY[code]?.(option));
}

const WHY: Readonly<Record<string, (option: string) => string>> = {
  ENOENT: () => 'its directory must exist',
  EISDIR: (option) => `it is a directory; ${option} takes the name of a file`,
  EACCES: () => 'you may not write to the file or its directory',
};
