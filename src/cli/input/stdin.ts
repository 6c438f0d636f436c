/** Standard input, which `-` names: all that it holds, up to a limit, and how messages call it. */
import { roughSize } from '../../text/numbers.ts';
import { type CliError, type CliIo, inputError } from '../io.ts';

/** How messages call an input. */
export function nameOf(file: string): string {
  return file === '-' ? 'stdin' : file;
}

/**
 * All that a stream holds.
 * @throws CliError (input) above `limit` bytes.
 */
export async function readAll(stream: CliIo['stdin'], limit = Number.POSITIVE_INFINITY): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream) {
    chunks.push(Buffer.from(chunk as Uint8Array));
    length += chunks.at(-1)!.length;
    if (length > limit) throw tooMuch('stdin', limit);
  }
  return Buffer.concat(chunks);
}

export function tooMuch(name: string, limit: number): CliError {
  return inputError(
    `${name}: more than ${roughSize(limit)}`,
    'give a file instead: of that only what is looked at is read',
  );
}
