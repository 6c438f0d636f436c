/**
 * One stretch of RAM: little-endian bytes at a base PA, held in chunks of `ArrayBuffer` that exist only once
 * something was written there, or were read from what lies behind the region. The hot paths of both sides address it by number (a PA has at most 52 bits, so a
 * double holds it exactly) and through `Uint32Array` views.
 */
import { MemoryError } from './errors.ts';
import { hex } from './hex.ts';

const CHUNK_BYTES = 0x1_0000;
const PER_CHUNK = 1 / CHUNK_BYTES;
const PA_LIMIT = 2 ** 52;

if (new Uint8Array(Uint32Array.of(1).buffer)[0] !== 1) {
  throw new MemoryError(
    'this host is big-endian; table memory is little-endian and read through typed arrays',
  );
}

/** Where a region's bytes come from. Addresses and sizes are bytes; `base` has at most 52 bits. */
export type RegionOptions =
  | { readonly base: bigint; readonly size: bigint; readonly load?: LoadChunk }
  | { readonly base: bigint; readonly buffer: ArrayBuffer };

/**
 * Reads what lies behind a region, as of a file: fills `bytes`, which are zero, with what stands from `pa` on. They may reach
 * beyond the region on both sides. It is called again for chunks that were dropped meanwhile.
 */
export type LoadChunk = (pa: number, bytes: Uint8Array) => void;

/** Chunks that were loaded and never written, before the oldest is dropped: 32 MiB. */
const MAX_LOADED = 512;

/** RAM at `[base, base + size)`. Chunks are aligned by PA, so a naturally aligned table of up to 64 KiB never straddles two. */
export class RamRegion {
  readonly base: bigint;
  readonly size: bigint;
  /** `base` and the first byte after the region, as exact numbers. */
  readonly start: number;
  readonly end: number;
  /**
   * What `peek` and `words` answered may be kept: RAM that was once written stays where it is in host memory. Not so of chunks that
   * are read from elsewhere, perhaps again and again; nor while someone watches, who would not hear of it. A field, for hot paths.
   */
  isSteady: boolean;
  /** PA of the first chunk's first byte. */
  readonly #origin: number;
  /** The caller's own buffer, as the only chunk. */
  readonly #whole: Uint32Array | undefined;
  readonly #chunks: (Uint32Array | undefined)[] = [];
  readonly #load: LoadChunk | undefined;
  /** Loaded and not written, the oldest first. */
  readonly #loaded = new Map<number, Uint32Array>();
  #hostBytes = 0;

  /** @throws MemoryError when the region is empty, not 8-byte aligned, or leaves the 52-bit physical address space. */
  constructor(options: RegionOptions) {
    if ('buffer' in options && !(options.buffer instanceof ArrayBuffer)) {
      throw new MemoryError(
        'buffer must be an ArrayBuffer, whose bytes become RAM; of a typed array, pass its .buffer',
      );
    }
    const size = 'buffer' in options ? BigInt(options.buffer.byteLength) : options.size;
    const { base } = options;
    if (typeof base !== 'bigint' || typeof size !== 'bigint') {
      throw new MemoryError(`base and size of RAM are bigints, not ${String(base)} and ${String(size)}`);
    }
    if (base < 0n || size <= 0n || base + size > BigInt(PA_LIMIT)) {
      throw new MemoryError(`RAM [${hex(base)}, +${hex(size)}) must be non-empty and lie below 2^52`, {
        pa: base,
        size,
      });
    }
    if ((base | size) & 7n) {
      throw new MemoryError(
        `RAM [${hex(base)}, +${hex(size)}) must start and end on 8 bytes, the size of a descriptor`,
        { pa: base, size },
      );
    }
    this.base = base;
    this.size = size;
    this.start = Number(base);
    this.end = Number(base + size);
    this.#load = 'buffer' in options ? undefined : options.load;
    this.isSteady = this.#load === undefined;
    if ('buffer' in options) {
      this.#origin = this.start;
      this.#whole = new Uint32Array(options.buffer);
      this.#hostBytes = options.buffer.byteLength;
    } else {
      this.#origin = Math.floor(this.start / CHUNK_BYTES) * CHUNK_BYTES;
    }
  }

  /** Bytes of host memory behind this region: it grows with what was written, not with `size`. */
  get hostBytes(): number {
    return this.#hostBytes;
  }

  /** Answers `peek` and `words` by others, for as long as someone watches what is read and written. @returns ends that. */
  watch(peek: RamRegion['peek'], words?: RamRegion['words']): () => void {
    const outer = { isSteady: this.isSteady, own: Object.getOwnPropertyDescriptors(this) };
    this.isSteady = false;
    this.peek = peek;
    if (words !== undefined) this.words = words;
    return () => {
      this.isSteady = outer.isSteady;
      for (const name of ['peek', 'words'] as const) {
        const before = outer.own[name];
        // What covered the class's own method is taken away.
        if (before === undefined) Reflect.deleteProperty(this, name);
        else Object.defineProperty(this, name, before);
      }
    };
  }

  /** Whether all of `[pa, pa + bytes)` lies in the region. */
  contains(pa: number, bytes = 1): boolean {
    return pa >= this.start && pa + bytes <= this.end;
  }

  /** The 32-bit words of the chunk that holds `pa`, or undefined while nothing was ever written there: all zeros. To be read only. */
  peek(pa: number): Uint32Array | undefined {
    if (this.#whole !== undefined) return this.#whole;
    const index = Math.floor((pa - this.#origin) * PER_CHUNK);
    return this.#chunks[index] ?? (this.#load === undefined ? undefined : this.#loadChunk(index, this.#load));
  }

  /** The same, made now if it does not exist yet. @throws MemoryError when `pa` is outside the region. */
  words(pa: number): Uint32Array {
    const chunk = this.peek(pa) ?? this.#make(pa);
    if (this.#load !== undefined) this.#keep(Math.floor((pa - this.#origin) * PER_CHUNK));
    return chunk;
  }

  /** Index of the 32-bit word at `pa` (4-byte aligned) within its chunk. */
  wordIndex(pa: number): number {
    const offset = pa - this.#origin;
    return this.#whole === undefined ? (offset & (CHUNK_BYTES - 1)) >>> 2 : offset / 4;
  }

  /** Bytes from `pa` to the end of the chunk that {@link peek} answers for it. */
  bytesToChunkEnd(pa: number): number {
    const offset = pa - this.#origin;
    return this.#whole === undefined ? CHUNK_BYTES - (offset & (CHUNK_BYTES - 1)) : this.end - pa;
  }

  /** Sets `bytes` (a multiple of 4) from `pa` on to zero, without making chunks that are not there. */
  clear(pa: number, bytes: number): void {
    for (let at = pa, end = pa + bytes; at < end; ) {
      const inChunk =
        this.#whole === undefined ? CHUNK_BYTES - ((at - this.#origin) & (CHUNK_BYTES - 1)) : bytes;
      const span = Math.min(end - at, inChunk);
      const first = this.wordIndex(at);
      const chunk = this.#load === undefined ? this.peek(at) : this.words(at);
      chunk?.fill(0, first, first + span / 4);
      at += span;
    }
  }

  #loadChunk(index: number, load: LoadChunk): Uint32Array {
    const known = this.#loaded.get(index);
    if (known !== undefined) return known;
    const made = new Uint32Array(CHUNK_BYTES / 4);
    load(this.#origin + index * CHUNK_BYTES, new Uint8Array(made.buffer));
    if (this.#loaded.size >= MAX_LOADED) {
      const [oldest] = this.#loaded.keys();
      this.#loaded.delete(oldest!);
      this.#hostBytes -= CHUNK_BYTES;
    }
    this.#loaded.set(index, made);
    this.#hostBytes += CHUNK_BYTES;
    return made;
  }

  /** What is about to be written is no copy of what lies behind any more. */
  #keep(index: number): void {
    const chunk = this.#loaded.get(index);
    if (chunk === undefined) return;
    this.#loaded.delete(index);
    this.#chunks[index] = chunk;
  }

  #make(pa: number): Uint32Array {
    if (!this.contains(pa)) {
      throw new MemoryError(`no RAM at ${hex(pa)} in this region`, { pa: BigInt(pa) });
    }
    const made = new Uint32Array(CHUNK_BYTES / 4);
    this.#chunks[Math.floor((pa - this.#origin) * PER_CHUNK)] = made;
    this.#hostBytes += CHUNK_BYTES;
    return made;
  }
}
