/**
 * One stretch of RAM: little-endian bytes at a base PA. They are held in chunks, made when something is written there or loaded from the
 * region's source. Chunks where tables are lie side by side in one view, `flat`, that hot paths index by word number.
 */
import { type Address, bigintFrom } from './address.ts';
import { MemoryError } from './errors.ts';
import { CHUNK_BYTES, FlatWords } from './flat-words.ts';
import { hex } from './hex.ts';

const PER_CHUNK = 1 / CHUNK_BYTES;
const PA_LIMIT = 2 ** 52;
const NO_WORDS = new Uint32Array(0);

if (new Uint8Array(Uint32Array.of(1).buffer)[0] !== 1) {
  throw new MemoryError(
    'this host is big-endian; table memory is little-endian and read through typed arrays',
  );
}

/** Where a region's bytes come from. Addresses and sizes are bytes, as bigints or whole numbers below 2^53; `base` has at most 52 bits. */
export type RegionOptions =
  | { readonly base: Address; readonly size: Address; readonly load?: LoadChunk }
  | { readonly base: Address; readonly buffer: ArrayBuffer };

/**
 * Reads a region's data from its source, such as a file: fills `bytes`, which are zero, with the data from `pa` on. They may extend
 * beyond the region on both sides. It is called again for chunks that were dropped in the meantime.
 */
export type LoadChunk = (pa: number, bytes: Uint8Array) => void;

/** Maximum number of chunks that were loaded and never written (32 MiB). Beyond it, the oldest is dropped. */
const MAX_LOADED = 512;

/** RAM at `[base, base + size)`. Chunks are aligned by PA, so a naturally aligned table of up to 64 KiB never straddles two. */
export class RamRegion {
  readonly base: bigint;
  readonly size: bigint;
  /** `base` and the first byte after the region, as exact numbers. */
  readonly start: number;
  readonly end: number;
  /**
   * True if callers may keep what `peek` and `words` returned until `viewsMoved` changes: written RAM stays where it is in host memory. It is
   * false for loaded chunks, which may be dropped and read again, and while a watcher is active, which would miss such accesses. A field, for hot paths.
   */
  isSteady: boolean;
  /**
   * The words from PA `flatStart` on, by number: as far as memory is held in one piece, none at all while the region is not steady. For one operation
   * only, since memory that grows gets another view. A word that was never written reads as 0; it may be written if `isMade` says so.
   */
  flat: Uint32Array = NO_WORDS;
  flatStart = 0;
  /** PA of the first chunk's first byte. */
  readonly #origin: number;
  /** The caller's buffer, as the only chunk. */
  readonly #whole: Uint32Array | undefined;
  readonly #chunks: (Uint32Array | undefined)[] = [];
  readonly #flatWords: FlatWords | undefined;
  readonly #load: LoadChunk | undefined;
  /** Loaded and not written, the oldest first. */
  readonly #loaded = new Map<number, Uint32Array>();
  #hostBytes = 0;

  /** @throws MemoryError when the region is empty, not 8-byte aligned, or leaves the 52-bit physical address space. */
  constructor(options: RegionOptions) {
    if ('buffer' in options && !(options.buffer instanceof ArrayBuffer)) {
      throw new MemoryError(
        'buffer must be an ArrayBuffer, whose bytes become RAM; for a typed array, pass its .buffer',
      );
    }
    const base = bigintFrom(options.base, 'base of RAM');
    const size = bigintFrom('buffer' in options ? options.buffer.byteLength : options.size, 'size of RAM');
    if (base < 0n || size <= 0n || base + size > BigInt(PA_LIMIT)) {
      throw new MemoryError(`RAM [${hex(base)}, +${hex(size)}) must be non-empty and lie below 2^52`, {
        pa: base,
        size,
      });
    }
    if ((base | size) & 7n) {
      throw new MemoryError(
        `RAM [${hex(base)}, +${hex(size)}) must start and end on multiples of 8 bytes, the size of a descriptor`,
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
      if (this.isSteady) this.#flatWords = new FlatWords(this.#origin, this.start, this.end);
    }
    this.#showFlat();
  }

  /** Says where tables will be, so that `flat` begins there. Without it, it begins where something is written first. */
  expectTables(pa: number): void {
    if (!this.contains(pa)) return;
    this.#flatWords?.begin(pa);
    this.#showFlat();
  }

  /** Whether word `at` of `flat` is held already, as it is from the first write to its chunk on. */
  isMade(at: number): boolean {
    return this.#flatWords === undefined || this.#flatWords.isMade(at);
  }

  /** Bytes of host memory that this region uses. They grow with what was written, not with `size`. */
  get hostBytes(): number {
    return this.#hostBytes;
  }

  /** Replaces `peek` and `words`, so that a watcher sees every read and write. @returns a function that ends this. */
  watch(peek: RamRegion['peek'], words?: RamRegion['words']): () => void {
    const outer = { isSteady: this.isSteady, own: Object.getOwnPropertyDescriptors(this) };
    this.isSteady = false;
    this.#showFlat();
    this.peek = peek;
    if (words !== undefined) this.words = words;
    return () => {
      this.isSteady = outer.isSteady;
      this.#showFlat();
      for (const name of ['peek', 'words'] as const) {
        const before = outer.own[name];
        // Removing the replacement uncovers the class's own method.
        if (before === undefined) Reflect.deleteProperty(this, name);
        else Object.defineProperty(this, name, before);
      }
    };
  }

  /** Whether all of `[pa, pa + bytes)` lies in the region. */
  contains(pa: number, bytes = 1): boolean {
    return pa >= this.start && pa + bytes <= this.end;
  }

  /** The 32-bit words of the chunk that holds `pa`, or undefined while nothing was ever written there, which means all zeros. Read only. */
  peek(pa: number): Uint32Array | undefined {
    if (this.#whole !== undefined) return this.#whole;
    const index = Math.floor((pa - this.#origin) * PER_CHUNK);
    return this.#chunks[index] ?? (this.#load === undefined ? undefined : this.#loadChunk(index, this.#load));
  }

  /** The same for writing: the chunk is made if it does not exist yet. @throws MemoryError when `pa` is outside the region. */
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

  /** Bytes from `pa` to the end of the chunk that {@link peek} returns for it. */
  bytesToChunkEnd(pa: number): number {
    const offset = pa - this.#origin;
    return this.#whole === undefined ? CHUNK_BYTES - (offset & (CHUNK_BYTES - 1)) : this.end - pa;
  }

  /** Sets `bytes` (a multiple of 4) from `pa` on to zero, without making missing chunks. */
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

  /** Keeps a chunk that is about to be written, since it will differ from its source. */
  #keep(index: number): void {
    const chunk = this.#loaded.get(index);
    if (chunk === undefined) return;
    this.#loaded.delete(index);
    this.#chunks[index] = chunk;
  }

  #make(pa: number): Uint32Array {
    if (!this.contains(pa)) {
      throw new MemoryError(`this region has no RAM at ${hex(pa)}`, { pa: BigInt(pa) });
    }
    const index = Math.floor((pa - this.#origin) * PER_CHUNK);
    const inFlat = this.#flatWords?.chunk(index, this.#chunks);
    const made = inFlat ?? new Uint32Array(CHUNK_BYTES / 4);
    this.#chunks[index] = made;
    this.#hostBytes += CHUNK_BYTES;
    if (inFlat !== undefined) this.#showFlat();
    return made;
  }

  /** Nobody indexes memory that a watcher has to hear of, or that comes from elsewhere. */
  #showFlat(): void {
    this.flat = this.isSteady ? (this.#whole ?? this.#flatWords?.words ?? NO_WORDS) : NO_WORDS;
    this.flatStart = this.#flatWords?.start ?? this.start;
  }
}
