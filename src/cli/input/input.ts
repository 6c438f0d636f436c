/** Files and stdin as JSON values, gzip or plain. What can't be read ends with exit code 3 and the reason. */
import { type CliIo, inputError } from '../io.ts';
import { readUnzipped } from './file-source.ts';
import { nameOf } from './stdin.ts';

export { nameOf, tooMuch } from './stdin.ts';

/**
 * The JSON value of a file, or of stdin for `-`.
 * @throws CliError (input), or ImageError for gzip data that is damaged.
 */
export async function readJson(file: string, io: CliIo): Promise<unknown> {
  return parseJson(await readUnzipped(file, io), nameOf(file));
}

/** @throws CliError (input) for anything but JSON. */
export function parseJson(bytes: Uint8Array, name: string): unknown {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw inputError(`${name}: neither UTF-8 text nor gzip data`);
  }
  if (text.trim() === '') throw inputError(`${name}: empty`);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw inputError(`${name}: not JSON: ${(error as Error).message}`);
  }
}
