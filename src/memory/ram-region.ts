/**
 * One stretch of RAM: little-endian bytes at a base PA, held in chunks of `ArrayBuffer` that exist only once
 * something was written there. The hot paths of both sides address it by number (a PA has at most 52 bits, so a
 * double holds it exactly) and through `Uint32Array` views.
 */
import { MemoryError } from './errors.ts';

const CHUNK_LOG2 = 16;
const CHUNK_BYTES = 2 ** CHUNK_LOG2;
const PA_LIMIT = 2 ** 52;

if (new Uint8Array(Uint32Array.of(1).buffer)[0] !== 1) {
  throw new MemoryError(
    'this host is big-endian; table memory is little-endian and read through typed arrays',
  );
}

/** Where a region's bytes come from. Addresses and sizes are bytes; `base` has at most 52 bits. */
export type RegionOptions =
  | { readonly base: bigint; readonly size: bigint }
  | { readonly base: bigint; readonly buffer: ArrayBuffer };

/** RAM at `[base, base + size)`. Chunks are aligned by PA, so a naturally aligned table of up to 64 KiB never straddles two. */
export class RamRegion {
  readonly base: bigint;
  readonly size: bigint;
  /** `base` and the first byte after the region, as exact numbers. */
  readonly start: number;
  readonly end: number;
  /** PA of the first chunk's first byte, and log2 of the bytes a chunk holds. */
  readonly #origin: number;
  readonly #chunkBytes: number;
  readonly #chunks: (Uint32Array | undefined)[] = [];
  #hostBytes = 0;

  /** @throws MemoryError when the region is empty, not 8-byte aligned, or leaves the 52-bit physical address space. */
  constructor(options: RegionOptions) {
    const size = 'buffer' in options ? BigInt(options.buffer.byteLength) : options.size;
    const { base } = options;
    if (base < 0n || size <= 0n || base + size > BigInt(PA_LIMIT)) {
      throw new MemoryError(
        `RAM [0x${base.toString(16)}, +0x${size.toString(16)}) must be non-empty and lie below 2^52`,
        { pa: base, size },
      );
    }
    if ((base | size) & 7n) {
      throw new MemoryError(
        `RAM [0x${base.toString(16)}, +0x${size.toString(16)}) must start and end on 8 bytes, the size of a descriptor`,
        { pa: base, size },
      );
    }
    this.base = base;
    this.size = size;
    this.start = Number(base);
    this.end = Number(base + size);
    if ('buffer' in options) {
      this.#origin = this.start;
      this.#chunkBytes = PA_LIMIT;
      this.#chunks.push(new Uint32Array(options.buffer));
      this.#hostBytes = options.buffer.byteLength;
    } else {
      this.#origin = Math.floor(this.start / CHUNK_BYTES) * CHUNK_BYTES;
      this.#chunkBytes = CHUNK_BYTES;
    }
  }

  /** Bytes of host memory behind this region: it grows with what was written, not with `size`. */
  get hostBytes(): number {
    return this.#hostBytes;
  }

  contains(pa: number, bytes = 1): boolean {
    return pa >= this.start && pa + bytes <= this.end;
  }

  /** The 32-bit words of the chunk that holds `pa`, or undefined while nothing was ever written there: all zeros. */
  peek(pa: number): Uint32Array | undefined {
    return this.#chunks[Math.floor((pa - this.#origin) / this.#chunkBytes)];
  }

  /** The same, made now if it does not exist yet. */
  words(pa: number): Uint32Array {
    const at = Math.floor((pa - this.#origin) / this.#chunkBytes);
    const chunk = this.#chunks[at];
    if (chunk !== undefined) return chunk;
    const made = new Uint32Array(this.#chunkBytes / 4);
    this.#chunks[at] = made;
    this.#hostBytes += this.#chunkBytes;
    return made;
  }

  /** Index of the 32-bit word at `pa` (4-byte aligned) within its chunk. */
  wordIndex(pa: number): number {
    return ((pa - this.#origin) % this.#chunkBytes) / 4;
  }

  /** Sets `bytes` (a multiple of 4) from `pa` on to zero, without making chunks that are not there. */
  clear(pa: number, bytes: number): void {
    for (let at = pa, end = pa + bytes; at < end; ) {
      const chunkEnd = Math.min(
        end,
        this.#origin + (Math.floor((at - this.#origin) / this.#chunkBytes) + 1) * this.#chunkBytes,
      );
      const first = this.wordIndex(at);
      this.peek(at)?.fill(0, first, first + (chunkEnd - at) / 4);
      at = chunkEnd;
    }
  }
}
