/** Raw memory: the file's bytes as they are, from a base that the caller gives. */
import type { ByteSource } from './bytes.ts';
import { ImageError } from './errors.ts';
import type { MemoryImage } from './image.ts';
import { FilePiece, placed } from './segments.ts';

/**
 * @param base - PA of the first byte.
 * @throws ImageError without a base, for an empty file, and beyond 2^52.
 */
export function readRaw(source: ByteSource, base: bigint | undefined): MemoryImage {
  if (base === undefined) {
    throw new ImageError(source.name, 'raw memory does not say where it belongs', {
      hint: 'give the PA of its first byte, as in FILE@0x4000_0000; or name the format, if it is not raw memory',
    });
  }
  if (source.size === 0) throw new ImageError(source.name, 'is empty');
  const size = BigInt(source.size);
  const place = {
    base: placed(source, 0n, size, base, 0),
    size,
    offset: 0,
    fileBytes: source.size,
    origin: 'the file',
  };
  return { source: source.name, format: 'raw', segments: [new FilePiece(source, place)], notes: [] };
}
