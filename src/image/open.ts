/** Opens a memory image of any kind. The beginning of the file tells its format. */
import { hex } from '../memory/hex.ts';
import { type ByteSource, bytesAt } from './bytes.ts';
import { readElf } from './elf.ts';
import { ImageError } from './errors.ts';
import { isFlattened, unflatten } from './flattened.ts';
import { isGzip } from './gunzip.ts';
import { parseHexLine } from './hex-line.ts';
import { readHexText } from './hex-text.ts';
import type { ImageFormat, MemoryImage } from './image.ts';
import { isIntelHex, readIntelHex } from './intel-hex.ts';
import { readKdump } from './kdump.ts';
import { isKdump } from './kdump-header.ts';
import { AVML_MAGIC, LIME_MAGIC, readLime } from './lime.ts';
import { readRaw } from './raw.ts';
import { isSRecord, readSRecords } from './srec.ts';
import { textStart } from './text-lines.ts';
import { isXenEntry } from './xen-walk.ts';

/** Options for opening a file. */
export interface OpenOptions {
  /** The file's format. Default: detected. */
  readonly format?: ImageFormat | undefined;
  /**
   * For raw memory, the PA of the first byte. For files with addresses it is added to them, modulo 2^64, as for Intel HEX above 4 GiB,
   * or to move an image with virtual addresses. Default: 0; raw memory is refused without it.
   */
  readonly base?: bigint | undefined;
}

const READERS: Readonly<Record<ImageFormat, (source: ByteSource, base: bigint | undefined) => MemoryImage>> =
  {
    raw: readRaw,
    elf: (source, base) => readElf(source, base ?? 0n),
    lime: (source, base) => readLime(source, base ?? 0n),
    kdump: (source, base) => readKdump(source, base ?? 0n),
    ihex: (source, base) => readIntelHex(source, base ?? 0n),
    srec: (source, base) => readSRecords(source, base ?? 0n),
    'hex-text': (source, base) => readHexText(source, base ?? 0n),
  };

/**
 * Reads the headers of an image. Memory is read on demand.
 *
 * @example
 * const image = openImage(bufferSource('ram.bin', bytes), { base: 0x4000_0000n });
 * const memory = imageMemory([image]);
 *
 * @throws ImageError for a file that can't be read: where in the file, why, and what would work.
 */
export function openImage(source: ByteSource, options: OpenOptions = {}): MemoryImage {
  const { format, base } = options;
  if (isGzip(source) && format !== 'raw') {
    throw new ImageError(source.name, 'is compressed with gzip', {
      hint: 'gunzipSource makes a source of it; or gunzip the file',
    });
  }
  if (isFlattened(startOf(source)) && format !== 'raw') {
    const inner = openPlain(unflatten(source), format, base);
    return { ...inner, notes: ['put together from the records of a flattened file', ...inner.notes] };
  }
  return openPlain(source, format, base);
}

function openPlain(
  source: ByteSource,
  format: ImageFormat | undefined,
  base: bigint | undefined,
): MemoryImage {
  const guess = format === undefined ? guessFormat(source) : { format };
  const image = READERS[guess.format](source, base);
  const notes = [...(guess.note === undefined ? [] : [guess.note]), ...image.notes];
  if (base !== undefined && base !== 0n && image.format !== 'raw') {
    notes.push(
      `${hex(base)} was added to the addresses of the file; with the raw format, the file itself would be placed there`,
    );
  }
  return { ...image, notes };
}

/** Bytes that are examined to recognise a text. */
const TEXT_START = 0x1_0000;

/** The format, with a note if it is only a guess. */
function guessFormat(source: ByteSource): { format: ImageFormat; note?: string } {
  const start = startOf(source);
  const [big, little] = start.length < 4 ? [0, 0] : [word(start, false), word(start, true)];
  if (big === 0x7f45_4c46) return { format: 'elf' };
  if (little === LIME_MAGIC || little === AVML_MAGIC) return { format: 'lime' };
  if (isKdump(start)) return { format: 'kdump' };
  const lines = textStart(source, TEXT_START)?.split('\n');
  const first = lines?.find((line) => line.trim() !== '') ?? '';
  if (isIntelHex(first)) return { format: 'ihex' };
  if (isSRecord(first)) return { format: 'srec' };
  if (lines?.some((line) => parseHexLine(line)?.kind === 'data' || isXenEntry(line)))
    return { format: 'hex-text', note: 'taken as a hex dump: its lines look like one' };
  return lines === undefined
    ? { format: 'raw' }
    : { format: 'raw', note: 'taken as raw memory, though it is text' };
}

function startOf(source: ByteSource): Uint8Array {
  return bytesAt(source, 0, Math.min(source.size, 16));
}

function word(bytes: Uint8Array, little: boolean): number {
  return new DataView(bytes.buffer).getUint32(0, little);
}
