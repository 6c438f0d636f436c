/** Data compressed with DEFLATE in a zlib frame, as kdump files have it page by page. (RFC 1950.) */
import { Inflate } from 'pako';

/** log2 of the largest window of DEFLATE. Beyond 15 it would say that gzip frames are taken too. */
const WINDOW_BITS = 15;

/** Thrown out of the library, where data holds more than it should. */
class TooMuch extends Error {}

/** What a zlib frame holds, if that is exactly `size` bytes; undefined for damaged data, and for any other size. */
export function inflateZlib(packed: Uint8Array, size: number): Uint8Array | undefined {
  const out = new Uint8Array(size);
  let length = 0;
  const stream = new Inflate({ windowBits: WINDOW_BITS, chunkSize: size + 1 });
  stream.onData = (chunk) => {
    if (length + chunk.length > size) throw new TooMuch();
    out.set(chunk, length);
    length += chunk.length;
  };
  try {
    stream.push(packed, true);
  } catch (error) {
    if (error instanceof TooMuch) return undefined;
    throw error;
  }
  return stream.ended && stream.err === 0 && length === size ? out : undefined;
}
