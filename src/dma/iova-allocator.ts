/**
 * Hands out input addresses of a domain and takes them back. Every range gets the highest free place, or the lowest. Linux's alloc_iova
 * (drivers/iommu/iova.c) finds the highest only while it does not remember where to continue; `linux-iova-allocator.ts` does exactly what Linux does.
 */

import { checkWord, shown } from '../iommu/checks.ts';
import { hex, IommuError } from '../pagetable/errors.ts';
import { checkPowerOfTwo, powerOfTwoFrom } from './checks.ts';
import { FreeRanges, type PlaceRules } from './free-ranges.ts';
import type { IovaRange, IovaRequest, IovaSource } from './iova-source.ts';

/** Options of an allocator. Addresses have 64 bits, sizes are bytes. */
export interface IovaAllocatorOptions {
  /** Bytes, a power of two: every range is a whole number of these. The domain's smallest page. */
  readonly granule: bigint;
  /** First and last address that may be handed out; granules only partly inside are excluded. */
  readonly base: bigint;
  readonly limit: bigint;
  /** Ranges that are never handed out, such as a doorbell for MSIs. Rounded outwards to granules; they may overlap or lie outside. */
  readonly reserved?: readonly IovaRange[];
  /** Ranges are aligned to their size rounded up to a power of two, but to at most this many bytes. Default: no cap, as in Linux. */
  readonly maxAlignment?: bigint;
  /** Where the search begins. Default: `top-down`, as in Linux. */
  readonly order?: 'top-down' | 'bottom-up';
  /** Where alignment counts from: address 0 (default), or the base, as in the bitmap of arch/arm's dma-mapping.c. */
  readonly alignFrom?: 'zero' | 'base';
}

/**
 * An allocator of IOVA ranges.
 *
 * @example
 * const iovas = new IovaAllocator({ granule: 0x1000n, base: 0x1000n, limit: 0xffff_ffffn });
 * iovas.allocate(0x3000n); // 0xffff_c000n: from the top, aligned to 0x4000
 */
export class IovaAllocator implements IovaSource {
  readonly policy: 'highest' | 'lowest';
  /** Bytes of a granule. */
  readonly granule: bigint;
  /** First and last address of the aperture, after rounding inwards. */
  readonly base: bigint;
  readonly limit: bigint;
  readonly #free: FreeRanges;
  readonly #unreserved: FreeRanges;
  readonly #sizes = new Map<bigint, bigint>();
  readonly #maxAlignment: bigint | undefined;
  readonly #origin: bigint;
  #bytes = 0n;

  /** @throws IommuError EINVAL when a number is not an address or not a power of two, or the aperture holds no whole granule. */
  constructor(options: IovaAllocatorOptions) {
    const { granule, base, limit, reserved = [], maxAlignment, order = 'top-down' } = options;
    const { alignFrom = 'zero' } = options;
    checkPowerOfTwo('granule', granule);
    checkWord('base', base);
    checkWord('limit', limit);
    if (maxAlignment !== undefined) checkPowerOfTwo('maxAlignment', maxAlignment);
    if (order !== 'top-down' && order !== 'bottom-up') {
      throw new IommuError('EINVAL', `order must be top-down or bottom-up, not ${String(order)}`);
    }
    if (alignFrom !== 'zero' && alignFrom !== 'base') {
      throw new IommuError('EINVAL', `alignFrom must be zero or base, not ${String(alignFrom)}`);
    }
    this.policy = order === 'bottom-up' ? 'lowest' : 'highest';
    this.granule = granule;
    this.base = (base + granule - 1n) & -granule;
    const end = (limit + 1n) & -granule;
    this.limit = end - 1n;
    if (end <= this.base) {
      throw new IommuError(
        'EINVAL',
        `the aperture [${hex(base)}, ${hex(limit)}] holds no whole granule of ${hex(granule)} bytes; limit is its last address`,
        { iova: base, alignment: granule },
      );
    }
    this.#free = new FreeRanges(this.base, end);
    this.#unreserved = new FreeRanges(this.base, end);
    this.#maxAlignment = maxAlignment;
    this.#origin = alignFrom === 'base' ? this.base : 0n;
    for (const range of reserved) this.reserve(range);
  }

  /** Bytes handed out. Handed out, reserved and free bytes add up to the aperture. */
  get bytesAllocated(): bigint {
    return this.#bytes;
  }

  /** Bytes reserved inside the aperture. */
  get bytesReserved(): bigint {
    return this.limit + 1n - this.base - this.#unreserved.bytes;
  }

  /** Bytes that are free. */
  get bytesFree(): bigint {
    return this.#free.bytes;
  }

  /** Every range handed out, by address. */
  allocated(): IovaRange[] {
    return [...this.#sizes]
      .map(([iova, size]) => ({ iova, size }))
      .sort((a, b) => (a.iova < b.iova ? -1 : 1));
  }

  /** Every free range, by address; no two are adjacent. */
  available(): IovaRange[] {
    return this.#free.list().map(({ start, end }) => ({ iova: start, size: end - start }));
  }

  /**
   * A range of `size` bytes, rounded up to granules: the highest that fits (with `bottom-up` the lowest), aligned to its size rounded up
   * to a power of two, as far as the cap allows.
   * @returns its first address.
   * @throws IommuError ENOMEM when no free range fits, EINVAL for a size of 0, an alignment or boundary that is not a power of two, and a
   * boundary below the size. In each case nothing is allocated.
   */
  allocate(size: bigint, request: IovaRequest = {}): bigint {
    const rules = this.#rules(size, request);
    const at = this.policy === 'lowest' ? this.#free.findLowest(rules) : this.#free.findHighest(rules);
    if (at === undefined) throw this.#explain(rules);
    this.#free.remove(at, at + rules.size);
    this.#sizes.set(at, rules.size);
    this.#bytes += rules.size;
    return at;
  }

  /**
   * Takes a range back.
   * @returns its size in bytes.
   * @throws IommuError EINVAL when `iova` is not the first address of a range in use.
   */
  free(iova: bigint): bigint {
    const size = this.#sizes.get(iova);
    if (size === undefined) {
      const holder = this.allocated().find((one) => iova >= one.iova && iova < one.iova + one.size);
      throw new IommuError(
        'EINVAL',
        holder === undefined
          ? `${shown(iova)} is not in any range in use; free each range once, by its first address`
          : `${shown(iova)} is inside the range [${hex(holder.iova)}, +${hex(holder.size)}); free it as a whole, by its first address`,
        typeof iova === 'bigint' ? { iova } : {},
      );
    }
    this.#sizes.delete(iova);
    this.#bytes -= size;
    this.#free.add(iova, iova + size);
    return size;
  }

  /**
   * Reserves a range, so that it is never handed out. Parts of it may be reserved already or lie outside the aperture.
   * @throws IommuError EINVAL when it is empty or beyond 64 bits, EEXIST when a part of it is handed out.
   */
  reserve({ iova, size }: IovaRange): void {
    checkWord('reserved iova', iova);
    checkWord('reserved size', size);
    if (size === 0n) throw new IommuError('EINVAL', `the range reserved at ${hex(iova)} is empty`, { iova });
    const start = iova & -this.granule;
    const end = (iova + size + this.granule - 1n) & -this.granule;
    const taken = this.allocated().find((one) => one.iova < end && start < one.iova + one.size);
    if (taken !== undefined) {
      throw new IommuError(
        'EEXIST',
        `[${hex(start)}, ${hex(end)}) can't be reserved: [${hex(taken.iova)}, +${hex(taken.size)}) is handed out; reserve before the first allocation, or free it`,
        { iova: taken.iova, size: taken.size },
      );
    }
    this.#free.remove(start, end);
    this.#unreserved.remove(start, end);
  }

  #rules(size: bigint, { limit, alignment, boundary }: IovaRequest): PlaceRules {
    checkWord('size', size);
    if (size === 0n) throw new IommuError('EINVAL', 'size must be at least one byte, not 0', { size });
    if (limit !== undefined) checkWord('limit', limit);
    if (alignment !== undefined) checkPowerOfTwo('alignment', alignment);
    const rounded = (size + this.granule - 1n) & -this.granule;
    if (boundary !== undefined) {
      checkPowerOfTwo('boundary', boundary);
      if (this.#origin !== 0n) {
        throw new IommuError('EINVAL', 'an allocator that aligns from its base knows no boundary', {
          alignment: boundary,
        });
      }
      if (boundary < rounded) {
        throw new IommuError(
          'EINVAL',
          `${hex(rounded)} bytes always cross a multiple of ${hex(boundary)}; the boundary must be at least the size, rounded up to granules`,
          { size: rounded, alignment: boundary },
        );
      }
    }
    const end = limit === undefined || limit > this.limit ? this.limit + 1n : limit + 1n;
    let wanted = powerOfTwoFrom(rounded);
    if (this.#maxAlignment !== undefined && wanted > this.#maxAlignment) wanted = this.#maxAlignment;
    if (wanted < this.granule) wanted = this.granule;
    if (alignment !== undefined && wanted < alignment) wanted = alignment;
    const origin = this.#origin;
    return { size: rounded, alignment: wanted, origin, boundary, end: end & -this.granule };
  }

  /** Which rule prevents a place, and what would allow one. */
  #explain(rules: PlaceRules): IommuError {
    const { size, alignment, boundary, end } = rules;
    if (end <= this.base) {
      return new IommuError(
        'ENOMEM',
        `no IOVA is low enough: the aperture begins at ${hex(this.base)}, and its first granule ends above the limit; ${hex(size)} bytes need a limit of at least ${hex(this.base + size - 1n)}`,
        { size, alignment },
      );
    }
    const what = `no free IOVA range of ${hex(size)} bytes, aligned to ${hex(alignment)}${boundary === undefined ? '' : ` and within a window of ${hex(boundary)}`}, in [${hex(this.base)}, ${hex(end - 1n)}]`;
    const higher = this.#free.findLowest({ ...rules, end: this.limit + 1n });
    const largest = this.#largestBelow(end);
    const unaligned = largest >= size;
    const why = unaligned
      ? `${hex(largest)} bytes are free there in one piece, but no such place is in it`
      : `the largest free piece there has ${hex(largest)} bytes`;
    const advice =
      higher !== undefined
        ? `a limit of ${hex(higher + size - 1n)} or more would work`
        : unaligned
          ? 'a smaller alignment, a wider boundary, a smaller request, or freeing ranges would help'
          : `a request of at most ${hex(largest)} bytes, a larger aperture, or freeing some of the ${hex(this.#bytes)} bytes handed out would help`;
    return new IommuError('ENOMEM', `${what}: ${why}; ${advice}`, { size, alignment });
  }

  /** Bytes of the largest piece that is free below `end`. */
  #largestBelow(end: bigint): bigint {
    let largest = 0n;
    for (const stretch of this.#free.list()) {
      const bytes = (stretch.end < end ? stretch.end : end) - stretch.start;
      if (bytes > largest) largest = bytes;
    }
    return largest;
  }
}
