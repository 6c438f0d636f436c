/** LiME dumps: a sequence of records, each a 32-byte header and a range of RAM. (LiME's lime.h, version 1.) */
import { hex } from '../memory/hex.ts';
import { type ByteSource, viewAt } from './bytes.ts';
import { ImageError } from './errors.ts';
import type { MemoryImage } from './image.ts';
import { FilePiece, keptApart, type Piece, placed } from './segments.ts';

export const LIME_MAGIC = 0x4c69_4d45;
/** Magic number of AVML, which writes compressed records of the same shape. */
export const AVML_MAGIC = 0x4c4d_5641;

const HEADER_BYTES = 32;

/**
 * @param base - added to each address.
 * @throws ImageError with the offset of the record that is wrong or cut off.
 */
export function readLime(source: ByteSource, base: bigint): MemoryImage {
  const pieces: Piece[] = [];
  for (let at = 0; at < source.size; ) {
    const { first, size } = readHeader(source, at);
    const bytes = BigInt(source.size - at - HEADER_BYTES);
    if (size > bytes) {
      const message = `the record has ${hex(size)} bytes, of which ${hex(bytes)} are there: the file is truncated`;
      throw new ImageError(source.name, message, { offset: at });
    }
    const place = {
      base: placed(source, first, size, base, at),
      size,
      offset: at + HEADER_BYTES,
      fileBytes: Number(size),
    };
    pieces.push(new FilePiece(source, { ...place, origin: `the record at offset ${hex(at)}` }));
    at += HEADER_BYTES + Number(size);
  }
  if (pieces.length === 0) throw new ImageError(source.name, 'has no records: it is empty');
  return { source: source.name, format: 'lime', segments: keptApart(source, pieces, 'never'), notes: [] };
}

function readHeader(source: ByteSource, at: number): { first: bigint; size: bigint } {
  const view = viewAt(source, at, HEADER_BYTES);
  const [magic, version] = [view.getUint32(0, true), view.getUint32(4, true)];
  const [first, last] = [view.getBigUint64(8, true), view.getBigUint64(16, true)];
  if (magic === AVML_MAGIC) {
    throw new ImageError(source.name, 'a compressed record of AVML', {
      offset: at,
      hint: 'avml-convert converts it to a LiME or raw file',
    });
  }
  if (magic !== LIME_MAGIC) {
    const message = `a record begins with ${hex(magic)}, where LiME's 0x4c694d45 belongs`;
    throw new ImageError(source.name, message, { offset: at });
  }
  if (version !== 1) {
    throw new ImageError(source.name, `LiME version ${version}; only version 1 is known`, { offset: at });
  }
  if (last < first) {
    const message = `the record's last byte, ${hex(last)}, lies before its first, ${hex(first)}`;
    throw new ImageError(source.name, message, { offset: at });
  }
  return { first, size: last - first + 1n };
}
