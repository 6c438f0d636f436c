/** Opens the files of the command line: `FILE`, `FILE@BASE`, `-` for stdin; gzip or plain, read in windows. */
import { existsSync, fstatSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { type ByteSource, bufferSource, bytesAt } from '../../image/bytes.ts';
import { ImageError } from '../../image/errors.ts';
import { gunzipSource, isGzip } from '../../image/gunzip.ts';
import { hex } from '../../text/numbers.ts';
import { CliError, type CliIo } from '../io.ts';
import { readAddress } from './address.ts';
import { checkDocumentSize } from './limits.ts';
import { nameOf, readAll, tooMuch } from './stdin.ts';
import { unreadable } from './unreadable.ts';

/** The most that is read from a pipe, which is kept as a whole. */
const MAX_PIPED = 256 << 20;
const CHUNK = 1 << 16;

/**
 * A file as a source, open until the process ends. Pipes and devices, which have no size, are read as a whole.
 * @throws CliError (input) for what can't be opened; its `read` throws ImageError.
 */
export function openFileSource(path: string): ByteSource {
  try {
    const file = openSync(path, 'r');
    const stat = fstatSync(file);
    if (stat.isDirectory()) throw Object.assign(new Error('is a directory'), { code: 'EISDIR' });
    return stat.isFile() ? fileSource(path, file, stat.size) : bufferSource(path, readWhole(path, file));
  } catch (error) {
    throw error instanceof CliError ? error : unreadable(path, error);
  }
}

/** Reads a file without a size until it ends. */
function readWhole(path: string, file: number): Uint8Array {
  const chunks: Uint8Array[] = [];
  for (let length = 0; ; ) {
    const chunk = new Uint8Array(CHUNK);
    const got = readSync(file, chunk);
    if (got === 0) return Buffer.concat(chunks);
    chunks.push(chunk.subarray(0, got));
    length += got;
    if (length > MAX_PIPED) throw tooMuch(path, MAX_PIPED);
  }
}

function fileSource(name: string, file: number, size: number): ByteSource {
  return {
    name,
    size,
    read(offset, into) {
      for (let done = 0; done < into.length; ) {
        const got = readOnce(name, file, into.subarray(done), offset + done);
        if (got === 0) {
          const message = `the file ends here, where it had ${hex(size)} bytes when it was opened`;
          throw new ImageError(name, message, { offset: offset + done });
        }
        done += got;
      }
    },
  };
}

function readOnce(name: string, file: number, into: Uint8Array, position: number): number {
  try {
    return readSync(file, into, 0, into.length, position);
  } catch (error) {
    throw new ImageError(name, error instanceof Error ? error.message : String(error), { offset: position });
  }
}

/** The file that an argument names: its bytes, and the base after the @. */
export interface NamedSource {
  /** The name in messages. */
  readonly name: string;
  readonly source: ByteSource;
  readonly base: bigint | undefined;
  /** A note on how the base was read, if something else may have been meant. */
  readonly baseNote?: string;
}

/**
 * The bytes of `FILE`, `FILE@BASE` or `-`, unzipped. If a file with the whole name exists, it is used.
 * @throws CliError (input) for what can't be read; ImageError for gzip data that is damaged.
 */
export async function openNamedSource(argument: string, io: CliIo): Promise<NamedSource> {
  const { file, base, written } = splitBase(argument);
  const name = nameOf(file);
  const baseNote = base === undefined ? undefined : baseText(written, base);
  const raw = file === '-' ? bufferSource(name, await readAll(io.stdin, MAX_PIPED)) : openFileSource(file);
  const source = await unzipped(raw);
  return { name, source, base, ...(baseNote !== undefined && { baseNote }) };
}

/**
 * The whole contents of `FILE` or `-`, unzipped. Unlike a source it leaves no file open.
 * @throws CliError (input) for what can't be read; ImageError for gzip data that is damaged.
 */
export async function readUnzipped(file: string, io: CliIo): Promise<Uint8Array> {
  const name = nameOf(file);
  const raw = file === '-' ? await readAll(io.stdin) : readFile(file);
  const source = await unzipped(bufferSource(name, raw));
  checkDocumentSize(name, source.size);
  return bytesAt(source, 0, source.size);
}

function readFile(path: string): Uint8Array {
  try {
    // A zipped file is larger than it looks, and never smaller.
    checkDocumentSize(path, statSync(path).size);
    return readFileSync(path);
  } catch (error) {
    throw error instanceof CliError ? error : unreadable(path, error);
  }
}

async function unzipped(raw: ByteSource): Promise<ByteSource> {
  return isGzip(raw) ? await gunzipSource(raw) : raw;
}

function splitBase(argument: string): { file: string; base: bigint | undefined; written: string } {
  const at = argument.lastIndexOf('@');
  const written = argument.slice(at + 1);
  const base = at > 0 && !existsSync(argument) ? readAddress(written) : undefined;
  return { file: base === undefined ? argument : argument.slice(0, at), base, written };
}

const PAGE = 0x1000n;

/** Eight or more decimal digits: usually a hexadecimal address without its 0x. */
const LIKE_HEX = /^\d(?:_?\d){7,}$/;

/** A note on a base that looks hexadecimal but is read as decimal, or where memory hardly begins. */
function baseText(written: string, base: bigint): string | undefined {
  if (LIKE_HEX.test(written)) {
    return `the base ${written} is decimal: ${hex(base)}; in hexadecimal it is written 0x${written}`;
  }
  return base % PAGE === 0n
    ? undefined
    : `the base ${written} is read as ${hex(base)}, which is not a multiple of 4K`;
}
