/** Files that commands write: not over one that is there already, unless that is asked for. */
import { accessSync, constants, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type CliError, usageError } from './io.ts';

/**
 * To be asked before any work is done.
 * @param option - whose file it is.
 * @throws CliError (usage) where the file exists already, or could not be written.
 */
export function checkOutputFile(file: string, force: boolean | undefined, option: string): void {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found?.isFile() && !force) throw usageError(`${file} exists already`, '--force overwrites it');
  try {
    accessSync(found === undefined ? dirname(file) : file, constants.W_OK);
  } catch (error) {
    throw unwritable(file, error, option);
  }
  if (file === '' || found?.isDirectory()) throw unwritable(file, { code: 'EISDIR' }, option);
}

/** @throws CliError (usage) where it can't be written. */
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
  EACCES: () => 'the file or its directory is not yours to write',
};
