/** Opens a file as a JSON document or a memory image, by its contents. */
import { bytesAt } from '../../image/bytes.ts';
import { type ByteSource, type ImageFormat, type MemoryImage, openImage } from '../../image/index.ts';
import { type CliIo, inputError } from '../io.ts';
import { openNamedSource } from './file-source.ts';
import { parseJson } from './input.ts';
import { tooMuch } from './stdin.ts';

export type Input =
  | { readonly name: string; readonly json: unknown }
  | { readonly name: string; readonly image: MemoryImage };

/** The largest JSON document, which is read as a whole. A larger file is a dump that starts like JSON. */
const MAX_JSON_BYTES = 256 << 20;

/**
 * Opens `FILE`, `FILE@BASE` (a memory image; BASE is added to the addresses in the file, if it has any) or `-`.
 * @throws CliError (input) or ImageError for what can't be read.
 */
export async function openInput(argument: string, io: CliIo, format?: ImageFormat): Promise<Input> {
  const { name, source, base, baseNote } = await openNamedSource(argument, io);
  if (source.size === 0) throw inputError(`${name}: empty`);
  if (base === undefined && format === undefined && looksLikeJson(source)) {
    if (source.size > MAX_JSON_BYTES) throw tooMuch(name, MAX_JSON_BYTES);
    return { name, json: parseJson(startOf(source, source.size), name) };
  }
  const image = openImage(source, { format, base });
  const notes = baseNote === undefined ? image.notes : [baseNote, ...image.notes];
  return { name, image: { ...image, notes } };
}

function startOf(source: ByteSource, bytes: number): Uint8Array {
  return bytesAt(source, 0, Math.min(bytes, source.size));
}

/** A log's time stamp: `[   12.345678] `, `[00:00:00.000,000] `. */
const STAMP = /^\s*\[\s*[\d.:,T+-]+Z?\s*\]\s*\S/;

/** Whether the first non-space character is a bracket (or the file is JSON's null), and the rest is text. A line of a log begins like a list. */
function looksLikeJson(source: ByteSource): boolean {
  const start = startOf(source, 512);
  if (start.some((byte) => byte < 0x20 && !SPACES.includes(byte))) return false;
  const text = new TextDecoder('latin1').decode(start);
  return /^(?:\u00ef\u00bb\u00bf)?\s*(?:[{[]|null\b)/.test(text) && !STAMP.test(text);
}

/** Tab, line feed, vertical tab, form feed, carriage return. */
const SPACES = [9, 10, 11, 12, 13];
