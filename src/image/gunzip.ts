/** Gzip files as sources: inflated once as a stream. Only blocks that are not zero are kept. (RFC 1952.) */
import { type ByteSource, bytesAt, checkWindow } from './bytes.ts';
import { ImageError } from './errors.ts';
import { type Inflate, inflate } from './inflated.ts';

const BLOCK = 0x1_0000;
const INPUT_WINDOW = 1 << 18;
/** 128 MiB that are not zero. */
const MAX_BLOCKS = 2048;

/** True if a file begins like gzip data (RFC 1952 2.3.1: bytes 1f 8b). @throws ImageError when it can't be read. */
export function isGzip(source: ByteSource): boolean {
  if (source.size < 2) return false;
  const [first, second] = bytesAt(source, 0, 2);
  return first === 0x1f && second === 0x8b;
}

/**
 * The contents of a gzip file, readable at any offset. Memory images are mostly zeros, so 64 KiB blocks of zeros cost nothing.
 * @throws ImageError for damaged and truncated files, and for more than 128 MiB that is not zero.
 */
export function gunzipSource(source: ByteSource): Promise<ByteSource> {
  return gunzipWith(source, inflate);
}

/** The same by a certain way to inflate. @internal */
export async function gunzipWith(source: ByteSource, inflated: Inflate): Promise<ByteSource> {
  const blocks = new Blocks(source.name);
  try {
    await inflated(windowsOf(source), (chunk) => blocks.append(chunk));
  } catch (error) {
    if (error instanceof ImageError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new ImageError(source.name, `incomplete or damaged gzip data: ${reason}`, {
      hint: 'gzip -t tells whether a file was cut off or damaged',
    });
  }
  return blocks.finish();
}

function* windowsOf(source: ByteSource): Generator<Uint8Array<ArrayBuffer>> {
  for (let at = 0; at < source.size; at += INPUT_WINDOW) {
    yield bytesAt(source, at, Math.min(INPUT_WINDOW, source.size - at));
  }
}

/** A stream of bytes, cut into blocks. */
class Blocks {
  readonly #name: string;
  readonly #kept = new Map<number, Uint8Array>();
  /** The block that is being filled, and its words. */
  readonly #open = new Uint8Array(BLOCK);
  readonly #words = new Uint32Array(this.#open.buffer);
  #filled = 0;
  #index = 0;

  constructor(name: string) {
    this.#name = name;
  }

  append(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + BLOCK - this.#filled);
      this.#open.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === BLOCK) this.#close();
    }
  }

  finish(): ByteSource {
    const size = this.#index * BLOCK + this.#filled;
    this.#open.fill(0, this.#filled);
    if (this.#filled > 0) this.#close();
    const kept = this.#kept;
    return {
      name: this.#name,
      size,
      read(offset, into) {
        checkWindow(this, offset, into.length);
        for (let at = 0; at < into.length; ) {
          const within = (offset + at) % BLOCK;
          const part = into.subarray(at, at + BLOCK - within);
          const block = kept.get((offset + at - within) / BLOCK);
          if (block === undefined) part.fill(0);
          else part.set(block.subarray(within, within + part.length));
          at += part.length;
        }
      },
    };
  }

  #close(): void {
    if (!isZero(this.#words)) {
      if (this.#kept.size === MAX_BLOCKS) {
        throw new ImageError(
          this.#name,
          'contains more than 128 MiB that is not zero, which is too much to keep in memory',
          {
            hint: 'gunzip the file first: from an uncompressed file, only the needed parts are read',
          },
        );
      }
      this.#kept.set(this.#index, Uint8Array.from(this.#open));
    }
    this.#index++;
    this.#filled = 0;
  }
}

/** A plain loop: gigabytes go through it. */
function isZero(words: Uint32Array): boolean {
  for (let i = 0; i < words.length; i++) if (words[i] !== 0) return false;
  return true;
}
