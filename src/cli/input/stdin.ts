/** Standard input, for the argument `-`: read as a whole up to a limit, with a name for messages. */
import { roughSize } from '../../text/numbers.ts';
import { type CliError, type CliIo, inputError } from '../io.ts';

/** The name of an input in messages. */
export function nameOf(file: string): string {
  return file === '-' ? 'stdin' : file;
}

/**
 * The whole contents of a stream.
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
    'give a file instead: only the needed parts of a file are read',
  );
}
