/**
 * The part of growing RAM that lies in one view: neighbouring chunks of a region in one buffer, from where its tables begin. The buffer grows
 * by moving to a larger one, whose unwritten pages the host does not back. (Nothing of the architecture: how a host holds RAM.)
 */

/** RAM is made in chunks of this many bytes, aligned by PA. */
export const CHUNK_BYTES = 0x1_0000;
const CHUNK_WORDS_LOG2 = 14;
const PER_CHUNK = 1 / CHUNK_BYTES;
/** A buffer that is too small is replaced by one of so many times its size: small ones grow little, since each counts for the garbage collector. */
const growth = (chunks: number) => (chunks < 16 ? 2 : 8);
/** It ends at a multiple of 4 GiB, so that word numbers are 32-bit integers and all addresses have the same upper half. */
const BLOCK_BYTES = 2 ** 32;

/** Counts how often views of RAM moved, of any region: who keeps views compares it, and looks them up again when it has changed. */
export let viewsMoved = 0;

/** Chunks are numbered from the region's first. */
export class FlatWords {
  /** PA of the first word, which is 8-byte aligned. */
  start: number;
  /** The words, to the end of the buffer or of the region. */
  words: Uint32Array = new Uint32Array(0);
  readonly #origin: number;
  readonly #regionStart: number;
  readonly #regionEnd: number;
  /** The first chunk in the buffer, -1 before there is one; how many it holds, and how many it may. */
  #first = -1;
  #count = 0;
  #most = 0;
  #buffer = new ArrayBuffer(0);
  /** By chunk of the buffer: 1 if it was made. */
  #made = new Uint8Array(0);
  /** Words of the first chunk that lie before the region. */
  #before = 0;

  /** @param origin - PA of the region's first chunk, of which the region begins at `start`. */
  constructor(origin: number, start: number, end: number) {
    this.#origin = origin;
    this.#regionStart = start;
    this.#regionEnd = end;
    this.start = start;
  }

  /** Sets where the buffer begins, unless that is known. */
  begin(pa: number): void {
    if (this.#first >= 0) return;
    this.#first = Math.floor((pa - this.#origin) * PER_CHUNK);
    const chunkStart = this.#origin + this.#first * CHUNK_BYTES;
    this.start = Math.max(chunkStart, this.#regionStart);
    this.#before = (this.start - chunkStart) / 4;
    const blockEnd = (Math.floor(chunkStart / BLOCK_BYTES) + 1) * BLOCK_BYTES;
    this.#most = Math.ceil((Math.min(this.#regionEnd, blockEnd) - chunkStart) * PER_CHUNK);
  }

  /** Whether the chunk of word `at` was made. */
  isMade(at: number): boolean {
    return this.#made[(at + this.#before) >>> CHUNK_WORDS_LOG2] === 1;
  }

  /**
   * Makes chunk `index` in the buffer, which grows if that is near its end. Then the `chunks` made before get new views.
   * @returns undefined if it is not near the others, or the host has no room: such a chunk is held by itself.
   */
  chunk(index: number, chunks: (Uint32Array | undefined)[]): Uint32Array | undefined {
    this.begin(this.#origin + index * CHUNK_BYTES);
    const at = index - this.#first;
    if (at < 0 || at >= this.#reach) return undefined;
    if (at >= this.#count && !this.#grow(chunks)) return undefined;
    this.#made[at] = 1;
    return this.#view(at);
  }

  /** How many chunks the next larger buffer would hold. */
  get #reach(): number {
    return Math.min(this.#most, Math.max(1, this.#count * growth(this.#count)));
  }

  #view(at: number): Uint32Array {
    return new Uint32Array(this.#buffer, at * CHUNK_BYTES, CHUNK_BYTES / 4);
  }

  /** Moves to a larger buffer, along with chunks that were held by themselves and now lie in it. */
  #grow(chunks: (Uint32Array | undefined)[]): boolean {
    const count = this.#reach;
    let buffer: ArrayBuffer;
    try {
      buffer = new ArrayBuffer(count * CHUNK_BYTES);
    } catch {
      // The host refuses a buffer of that size: everything else is held in chunks.
      this.#most = this.#count;
      return false;
    }
    this.#buffer = buffer;
    this.#count = count;
    this.#made = new Uint8Array(count);
    // Not forEach, which would go through every number up to that of a chunk far away.
    for (const key in chunks) {
      const at = Number(key) - this.#first;
      const chunk = chunks[key];
      if (chunk === undefined || at < 0 || at >= count) continue;
      const view = this.#view(at);
      view.set(chunk);
      chunks[key] = view;
      this.#made[at] = 1;
      viewsMoved++;
    }
    const end = Math.min(this.#origin + (this.#first + count) * CHUNK_BYTES, this.#regionEnd);
    this.words = new Uint32Array(buffer, this.#before * 4, (end - this.start) / 4);
    return true;
  }
}
