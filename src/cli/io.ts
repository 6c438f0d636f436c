/** The streams and environment of a command line, which tests can replace. */

export interface TextSink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

/** Data goes to `stdout`, messages to `stderr`. */
export interface CliIo {
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  readonly stdin: AsyncIterable<string | Uint8Array>;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The exit codes: yes, a negative answer, wrong usage, input that can't be read or isn't supported. */
export const EXIT = { ok: 0, negative: 1, usage: 2, input: 3 } as const;

/** The code that a shell reports for a program ended by SIGINT. */
export const EXIT_INTERRUPTED = 130;

/** An error that the user can fix: one line, perhaps a hint, and the exit code. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: number;
  readonly hint: string | undefined;

  constructor(exitCode: number, message: string, hint?: string) {
    super(message);
    this.exitCode = exitCode;
    this.hint = hint;
  }
}

export function usageError(message: string, hint?: string): CliError {
  return new CliError(EXIT.usage, message, hint);
}

export function inputError(message: string, hint?: string): CliError {
  return new CliError(EXIT.input, message, hint);
}
