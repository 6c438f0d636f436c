/** Frames for translation tables: a deterministic buddy allocator over one RAM region, with failures on demand for tests. */
import { type Address, bigintFrom } from './address.ts';
import { MemoryError } from './errors.ts';
import { hex } from './hex.ts';
import type { PhysicalMemory } from './physical-memory.ts';
import type { RamRegion } from './ram-region.ts';

/** 2^0 to 2^53: `**` with a variable exponent costs more than everything else an allocation does. */
const POWERS = Float64Array.from({ length: 54 }, (_, log2) => 2 ** log2);

/** TTBR_ELx.BADDR cannot name a table at less than 64-byte alignment with a 52-bit OA (DDI 0487 D8.2.6): no frame is smaller. */
const MIN_ORDER = 6;
const MIN_BYTES = 2 ** MIN_ORDER;
const MAX_ORDER = 52;

/** Which part of memory an allocator hands out, and how much of it. Addresses and sizes are bytes, as bigints or whole numbers below 2^53. */
export interface FrameAllocatorOptions {
  /** PA of the first byte to hand out. Default: the start of the first RAM region. */
  readonly base?: Address;
  /** Bytes that may be handed out from `base` on. Default: to the end of that region. */
  readonly size?: Address;
  /** At most this many bytes allocated at any time. Default: no limit. */
  readonly limit?: Address;
}

/** One frame in use. `bytes` is its size and its alignment. */
export interface AllocatedFrame {
  readonly pa: bigint;
  readonly bytes: number;
}

/** Hands out naturally aligned, zeroed frames. PAs are exact numbers here: table code adds to them in its hot paths. */
export class FrameAllocator {
  static readonly #ofMemory = new WeakMap<PhysicalMemory, FrameAllocator>();
  static readonly #inUse = new WeakMap<RamRegion, Set<FrameAllocator>>();

  readonly region: RamRegion;
  readonly #base: number;
  readonly #end: number;
  readonly #limit: number;
  /** The origin of keys: a frame's key is its distance from here in units of the smallest frame, usually a small integer. */
  readonly #origin: number;
  /** Keys of free frames, by log2 of their size. */
  readonly #free: Set<number>[] = Array.from({ length: MAX_ORDER + 1 }, () => new Set());
  /** Orders of frames in use, by key. */
  readonly #orders = new Map<number, number>();
  #bytes = 0;
  #countdown = 0;

  /** @throws MemoryError when the range is empty or not inside one RAM region. */
  constructor(memory: PhysicalMemory, options: FrameAllocatorOptions = {}) {
    const base = bigintFrom(options.base ?? memory.regions[0]!.base, 'base of frames');
    const region = base < 0n || base >> 52n ? undefined : memory.regionAt(Number(base));
    const rest = region ? region.base + region.size - base : 0n;
    const size = bigintFrom(options.size ?? rest, 'size of frames');
    if (region === undefined || size <= 0n || base + size > region.base + region.size) {
      throw new MemoryError(
        `frames [${hex(base)}, +${hex(size)}) must lie inside one RAM region of this memory`,
        { pa: base, size },
      );
    }
    this.region = region;
    region.expectTables(Number(base));
    this.#base = Number(base);
    this.#end = Number(base + size);
    this.#origin = Math.floor(this.#base / MIN_BYTES) * MIN_BYTES;
    this.#addRange(this.#base, this.#end);
    this.#limit =
      options.limit === undefined
        ? Number.POSITIVE_INFINITY
        : Number(bigintFrom(options.limit, 'limit of frames'));
  }

  /** The allocator over `memory`'s first region, shared by all callers that pass none. */
  static of(memory: PhysicalMemory): FrameAllocator {
    let allocator = FrameAllocator.#ofMemory.get(memory);
    if (allocator === undefined) {
      allocator = new FrameAllocator(memory);
      FrameAllocator.#ofMemory.set(memory, allocator);
    }
    return allocator;
  }

  /** Bytes allocated now. */
  get bytesAllocated(): number {
    return this.#bytes;
  }

  /** Frames allocated now. */
  get frameCount(): number {
    return this.#orders.size;
  }

  /** Every frame in use, by address. */
  allocated(): AllocatedFrame[] {
    return [...this.#orders]
      .sort(([a], [b]) => a - b)
      .map(([key, order]) => ({ pa: BigInt(this.#paOf(key)), bytes: 2 ** order }));
  }

  /** Makes the `nth` allocation from now (1 is the next one) fail, once. 0 cancels this. */
  failAt(nth: number): void {
    this.#countdown = nth;
  }

  /**
   * A zeroed frame of at least `bytes` (at most 2^52), aligned to its size, or undefined if none is left, the
   * limit is reached, or `failAt` made this allocation fail.
   * @param reach - the frame must lie below this PA. Default: anywhere.
   * @throws MemoryError when `bytes` is not a valid size, or another allocator has frames in use in the same range.
   */
  allocate(bytes: number, reach = Number.POSITIVE_INFINITY): number | undefined {
    if (!(bytes >= 1 && bytes <= 2 ** 52)) {
      throw new MemoryError(`a frame must have 1 to 2^52 bytes, not ${bytes}`);
    }
    if (this.#countdown > 0 && --this.#countdown === 0) return undefined;
    const order = orderOf(bytes);
    const size = POWERS[order]!;
    if (this.#bytes + size > this.#limit) return undefined;
    if (this.#orders.size === 0) this.#claim();
    const pa = this.#takeFree(order, reach);
    if (pa === undefined) return undefined;
    this.region.clear(pa, size);
    this.#orders.set(this.#keyOf(pa), order);
    this.#bytes += size;
    return pa;
  }

  /**
   * Takes a frame back.
   * @throws MemoryError when `pa` is not the start of a frame in use.
   */
  free(pa: number): void {
    const key = this.#keyOf(pa);
    const order = this.#orders.get(key);
    if (order === undefined) {
      throw new MemoryError(`${hex(pa)} is not an allocated frame`, { pa: BigInt(pa) });
    }
    this.#orders.delete(key);
    this.#bytes -= POWERS[order]!;
    this.#putFree(pa, order);
  }

  /** Adds everything from `base` to `end` as free frames, each as large as its alignment allows. */
  #addRange(base: number, end: number): void {
    for (let pa = Math.ceil(base / 2 ** MIN_ORDER) * 2 ** MIN_ORDER; pa + 2 ** MIN_ORDER <= end; ) {
      let order = MIN_ORDER;
      while (order < 52 && pa % 2 ** (order + 1) === 0 && pa + 2 ** (order + 1) <= end) order++;
      this.#free[order]!.add(this.#keyOf(pa));
      pa += 2 ** order;
    }
  }

  #keyOf(pa: number): number {
    return (pa - this.#origin) / MIN_BYTES;
  }

  #paOf(key: number): number {
    return this.#origin + key * MIN_BYTES;
  }

  /** Takes a frame from the smallest free one that is large enough and begins below the limit. When it splits one, it uses the lower half first. */
  #takeFree(order: number, reach: number): number | undefined {
    const end = reach - POWERS[order]!;
    for (let from = order; from <= MAX_ORDER; from++) {
      const frames = this.#free[from]!;
      if (frames.size === 0) continue;
      for (const key of frames) {
        const pa = this.#paOf(key);
        if (pa > end) continue;
        frames.delete(key);
        for (let half = from - 1; half >= order; half--)
          this.#free[half]!.add(key + POWERS[half - MIN_ORDER]!);
        return pa;
      }
    }
    return undefined;
  }

  /** @throws MemoryError when another allocator has frames in use in the same range: it would hand them out again. */
  #claim(): void {
    const others = FrameAllocator.#inUse.get(this.region) ?? new Set();
    FrameAllocator.#inUse.set(this.region, others);
    for (const other of others) {
      if (other === this || other.frameCount === 0 || other.#end <= this.#base || other.#base >= this.#end)
        continue;
      throw new MemoryError(
        `another allocator has frames in use in [${hex(this.#base)}, ${hex(this.#end)}); share it, or give each its own base and size`,
        { pa: BigInt(this.#base) },
      );
    }
    others.add(this);
  }

  /** Adds a free frame, joined with its free neighbour (its buddy) for as long as there is one. */
  #putFree(pa: number, order: number): void {
    let [base, log2] = [pa, order];
    for (; log2 < MAX_ORDER; log2++) {
      const frames = this.#free[log2]!;
      if (frames.size === 0) break;
      const size = POWERS[log2]!;
      const buddy = base % POWERS[log2 + 1]! === 0 ? base + size : base - size;
      if (!frames.delete(this.#keyOf(buddy))) break;
      base = Math.min(base, buddy);
    }
    this.#free[log2]!.add(this.#keyOf(base));
  }
}

/** log2 of the smallest frame that holds this many bytes. */
function orderOf(bytes: number): number {
  if (bytes <= MIN_BYTES) return MIN_ORDER;
  if (bytes <= 2 ** 31) return 32 - Math.clz32(Math.ceil(bytes) - 1);
  return Math.ceil(Math.log2(bytes));
}
