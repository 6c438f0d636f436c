/** Files and stdin as JSON values, gzip or plain. What can't be read ends with exit code 3 and the reason. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { roughSize } from '../../text/numbers.ts';
import { type CliError, type CliIo, inputError } from '../io.ts';
import { unreadable } from './unreadable.ts';

const GZIP_MAGIC = [0x1f, 0x8b];

/** The JSON value of a file, or of stdin for `-`. */
export async function readJson(file: string, io: CliIo): Promise<unknown> {
  return parseJson(file === '-' ? await readAll(io.stdin) : readBytes(file), nameOf(file));
}

/** How messages call an input. */
export function nameOf(file: string): string {
  return file === '-' ? 'stdin' : file;
}

function readBytes(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw unreadable(file, error);
  }
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
    `${name}: more than ${roughSize(BigInt(limit))}`,
    'give a file instead: of that only what is looked at is read',
  );
}

export function parseJson(bytes: Uint8Array, name: string): unknown {
  let text: string;
  try {
    const zipped = bytes[0] === GZIP_MAGIC[0] && bytes[1] === GZIP_MAGIC[1];
    text = new TextDecoder('utf-8', { fatal: true }).decode(zipped ? gunzipSync(bytes) : bytes);
  } catch {
    throw inputError(`${name}: neither UTF-8 text nor whole gzip data`);
  }
  if (text.trim() === '') throw inputError(`${name}: empty`);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw inputError(`${name}: not JSON: ${(error as Error).message}`);
  }
}
