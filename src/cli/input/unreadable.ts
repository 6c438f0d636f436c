/** Why a file could not be read, in words. */
import { type CliError, inputError } from '../io.ts';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EISDIR: 'is a directory',
  EACCES: 'no permission to read it',
};

/** The error for a `file` that can't be read, with exit code 3. `error` is the system's. */
export function unreadable(file: string, error: unknown): CliError {
  const { code, message } = error as NodeJS.ErrnoException;
  return inputError(`${file}: ${REASONS[code ?? ''] ?? message}`);
}
