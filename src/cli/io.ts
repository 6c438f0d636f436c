/** Where the command line talks to: streams and environment, so that tests can stand in for a terminal. */

export interface TextSink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

/** Data goes to `stdout`, talk to `stderr`. */
export interface CliIo {
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  readonly stdin: AsyncIterable<string | Uint8Array>;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What a command answers: yes, a negative answer, wrong usage, input that can't be read or isn't supported. */
export const EXIT = { ok: 0, negative: 1, usage: 2, input: 3 } as const;

/** As a shell reports a program that SIGINT ended. */
export const EXIT_INTERRUPTED = 130;

/** An end that is the user's to mend: one line, perhaps a hint, and the exit code. */
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
