/** Files that commands write: not over one that is there already, unless that is asked for. */
import { existsSync, writeFileSync } from 'node:fs';
import { usageError } from './io.ts';

/**
 * To be asked before any work is done.
 * @throws CliError (usage) where the file exists already.
 */
export function checkOutputFile(file: string, force: boolean | undefined): void {
  if (!force && existsSync(file)) throw usageError(`${file} exists already`, '--force overwrites it');
}

/** @param option - whose file it is. @throws CliError (usage) where it can't be written. */
export function writeOutputFile(file: string, text: string, option: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw usageError(`${file} can't be written (${code})`, WHY[code]?.(option));
  }
}

const WHY: Readonly<Record<string, (option: string) => string>> = {
  ENOENT: () => 'its directory must exist',
  EISDIR: (option) => `it is a directory; ${option} takes the name of a file`,
  EACCES: () => 'the file or its directory is not yours to write',
};
