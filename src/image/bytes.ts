/** Sources of an image's bytes, which are read in windows, never as a whole. */
import { hex } from '../memory/hex.ts';
import { ImageError } from './errors.ts';

/** Bytes that can be read at any offset: a file, or a buffer. */
export interface ByteSource {
  /** The file's name, for messages. */
  readonly name: string;
  /** Size in bytes. */
  readonly size: number;
  /**
   * Fills `into` with the bytes from `offset` on.
   * @throws ImageError when the file ends before that, or can't be read.
   */
  read(offset: number, into: Uint8Array): void;
}

/**
 * Bytes in memory as a source. They are not copied.
 *
 * @param name - its name in messages.
 */
export function bufferSource(name: string, bytes: Uint8Array): ByteSource {
  return {
    name,
    size: bytes.length,
    read(offset, into) {
      checkWindow(this, offset, into.length);
      into.set(bytes.subarray(offset, offset + into.length));
    },
  };
}

/** @throws ImageError unless `[offset, offset + length)` lies within the source. */
export function checkWindow(source: ByteSource, offset: number, length: number): void {
  if (Number.isSafeInteger(offset) && offset >= 0 && offset + length <= source.size) return;
  const message = `${length} bytes are needed here, but the whole file has ${hex(source.size)} bytes: it is truncated`;
  throw new ImageError(source.name, message, { offset });
}

/** `length` bytes from `offset` on, as a copy. */
export function bytesAt(source: ByteSource, offset: number, length: number): Uint8Array<ArrayBuffer> {
  checkWindow(source, offset, length);
  const bytes = new Uint8Array(length);
  source.read(offset, bytes);
  return bytes;
}

/** The same as a DataView, for multi-byte values. */
export function viewAt(source: ByteSource, offset: number, length: number): DataView {
  return new DataView(bytesAt(source, offset, length).buffer);
}
