/** The walker's port to memory: descriptors as pairs of 32-bit numbers, without any BigInt. (DDI 0487 J1.3 FetchDescriptor.) */
import type { PhysicalMemory, RamRegion } from '../memory/index.ts';

/** The bytes of a 32-bit word in the opposite order. */
export function byteSwap(word: number): number {
  return ((word >>> 24) | ((word >>> 8) & 0xff00) | ((word & 0xff00) << 8) | (word << 24)) >>> 0;
}

/** Reads and updates descriptors. The last one read is in `lo` and `hi` (unsigned). */
export class TableMemory {
  lo = 0;
  hi = 0;
  readonly #memory: PhysicalMemory;
  #region: RamRegion | undefined;

  constructor(memory: PhysicalMemory) {
    this.#memory = memory;
  }

  /** Another port to the same memory, with its own `lo` and `hi`. */
  plain(): TableMemory {
    return new TableMemory(this.#memory);
  }

  /** Reads the 64-bit descriptor at `pa` (a multiple of 8); false is an external abort. */
  read64(pa: number, bigEndian: boolean): boolean {
    const region = this.#regionAt(pa, 8);
    if (region === undefined) return false;
    const words = region.peek(pa);
    if (words === undefined) {
      this.lo = 0;
      this.hi = 0;
      return true;
    }
    const at = region.wordIndex(pa);
    const [low, high] = [words[at]!, words[at + 1]!];
    this.lo = bigEndian ? byteSwap(high) : low;
    this.hi = bigEndian ? byteSwap(low) : high;
    return true;
  }

  /** Reads the 32-bit descriptor at `pa` (a multiple of 4) into `lo`; false is an external abort. */
  read32(pa: number, bigEndian: boolean): boolean {
    const region = this.#regionAt(pa, 4);
    if (region === undefined) return false;
    const word = region.peek(pa)?.[region.wordIndex(pa)] ?? 0;
    this.lo = bigEndian ? byteSwap(word) : word;
    this.hi = 0;
    return true;
  }

  /** Stores back a descriptor that was read at `pa`: a hardware update of access flag or dirty state. */
  write64(pa: number, lo: number, hi: number, bigEndian: boolean): void {
    const region = this.#regionAt(pa, 8);
    if (region === undefined) return;
    const words = region.words(pa);
    const at = region.wordIndex(pa);
    words[at] = bigEndian ? byteSwap(hi) : lo;
    words[at + 1] = bigEndian ? byteSwap(lo) : hi;
  }

  #regionAt(pa: number, bytes: number): RamRegion | undefined {
    if (this.#region?.contains(pa, bytes)) return this.#region;
    this.#region = this.#memory.regionAt(pa, bytes);
    return this.#region;
  }
}
