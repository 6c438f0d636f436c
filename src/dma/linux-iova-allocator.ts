/** Hands out exactly the IOVAs that Linux does (drivers/iommu/iova.c), with its search, its hints and, for `linux`, the caches of one CPU. */
import { checkWord, shown } from '../iommu/checks.ts';
import { hex, IommuError } from '../pagetable/errors.ts';
import { checkPowerOfTwo, powerOfTwoFrom } from './checks.ts';
import type { IovaRange, IovaRequest, IovaSource } from './iova-source.ts';
import { type IovaNode, IovaTree } from './iova-tree.ts';
import { RangeCaches } from './range-caches.ts';

/** Options of Linux's allocator. Addresses have 64 bits, sizes are bytes. */
export interface LinuxIovaAllocatorOptions {
  /** Bytes, a power of two from 4096 on: the domain's smallest page. */
  readonly granule: bigint;
  /** First and last address that may be handed out; granules only partly inside are excluded. The granule at 0 never is. */
  readonly base: bigint;
  readonly limit: bigint;
  /** Ranges that are never handed out. Rounded outwards to granules; they may overlap or lie outside. */
  readonly reserved?: readonly IovaRange[];
  /** `linux` (default) with the caches, `tree` without. */
  readonly policy?: 'tree' | 'linux';
}

const SMALLEST_GRANULE = 4096n;
const FOUR_GIB = 1n << 32n;

/**
 * Linux's allocator. A range is aligned only to its size rounded up to a power of two. `alignment` and `boundary` of a request
 * are accepted if this satisfies them.
 *
 * @example
 * const iovas = new LinuxIovaAllocator({ granule: 0x1000n, base: 0x1000n, limit: 0xffff_ffffn });
 * const first = iovas.allocate(0x3000n); // 0xffff_c000n: four granules, of which the fourth is not used
 * iovas.free(first);
 * iovas.allocate(0x4000n); // 0xffff_c000n again, from the cache
 */
export class LinuxIovaAllocator implements IovaSource {
  readonly policy: 'tree' | 'linux';
  readonly granule: bigint;
  readonly base: bigint;
  readonly limit: bigint;
  readonly #tree: IovaTree;
  readonly #caches: RangeCaches | undefined;
  /** Nodes of the tree by their first granule: ranges in use, and cached ones. */
  readonly #nodes = new Map<number, IovaNode>();
  /** Those of them that are cached. */
  readonly #cached = new Set<number>();

  /** @throws IommuError EINVAL when a number is not an address, the granule is not a power of two of at least 4096, or the aperture holds no whole granule. */
  constructor(options: LinuxIovaAllocatorOptions) {
    const { granule, base, limit, reserved = [], policy = 'linux' } = options;
    checkPowerOfTwo('granule', granule);
    checkWord('base', base);
    checkWord('limit', limit);
    if (granule < SMALLEST_GRANULE) {
      throw new IommuError('EINVAL', `granule must be at least 0x1000 bytes, not ${hex(granule)}`);
    }
    if (policy !== 'linux' && policy !== 'tree') {
      throw new IommuError('EINVAL', `policy must be linux or tree, not ${String(policy)}`);
    }
    this.policy = policy;
    this.granule = granule;
    const first = (base + granule - 1n) & -granule;
    this.base = first === 0n ? granule : first;
    const end = (limit + 1n) & -granule;
    this.limit = end - 1n;
    if (end <= this.base) {
      throw new IommuError(
        'EINVAL',
        `the aperture [${hex(base)}, ${hex(limit)}] holds no whole granule of ${hex(granule)} bytes above 0; limit is its last address`,
        { iova: base, alignment: granule },
      );
    }
    this.#tree = new IovaTree(this.#granules(this.base), this.#granules(FOUR_GIB));
    this.#caches = policy === 'linux' ? new RangeCaches() : undefined;
    for (const range of reserved) this.reserve(range);
  }

  /** Bytes handed out, counting the sizes after rounding up. Cached ranges do not count. */
  get bytesAllocated(): bigint {
    return this.allocated().reduce((sum, { size }) => sum + size, 0n);
  }

  /** Bytes reserved inside the aperture. */
  get bytesReserved(): bigint {
    let bytes = 0n;
    for (const node of this.#tree) {
      if (this.#nodes.get(node.lo) === node) continue;
      const { iova, size } = this.#rangeOf(node);
      const [from, to] = [max(iova, this.base), min(iova + size, this.limit + 1n)];
      if (to > from) bytes += to - from;
    }
    return bytes;
  }

  /** Every range handed out, by address. */
  allocated(): IovaRange[] {
    return this.#ranges((lo) => !this.#cached.has(lo));
  }

  /** Every range that was freed and is kept in a cache, by address. */
  cached(): IovaRange[] {
    return this.#ranges((lo) => this.#cached.has(lo));
  }

  /** Every free range inside the aperture, by address; no two are adjacent. */
  available(): IovaRange[] {
    const free: IovaRange[] = [];
    let at = this.base;
    for (const node of this.#tree) {
      const { iova, size } = this.#rangeOf(node);
      if (at <= this.limit && iova > at) free.push({ iova: at, size: min(iova, this.limit + 1n) - at });
      at = max(at, iova + size);
    }
    if (at <= this.limit) free.push({ iova: at, size: this.limit + 1n - at });
    return free;
  }

  /**
   * A range of `size` bytes, rounded up to granules and, with the caches, to a power of two if it has fewer than 32 granules.
   * @returns its first address.
   * @throws IommuError ENOMEM when nothing was found, even after emptying the caches; EINVAL for a size of 0, and for an alignment or
   * boundary that Linux does not know. In each case nothing is allocated.
   */
  allocate(size: bigint, request: IovaRequest = {}): bigint {
    checkWord('size', size);
    if (size === 0n) throw new IommuError('EINVAL', 'size must be at least one byte, not 0', { size });
    const { limit = this.limit, keepCaches = false } = request;
    checkWord('limit', limit);
    const asked = this.#granules(size + this.granule - 1n);
    const small = this.#caches !== undefined && asked < RangeCaches.rounded;
    const count = small ? 2 ** Math.ceil(Math.log2(asked)) : asked;
    this.#checkRules(BigInt(count) * this.granule, request);
    // As in Linux, the whole granule that contains the limit counts.
    const end = this.#granules(min(limit, this.limit)) + 1;
    const cached = this.#caches?.get(count, end);
    if (cached !== undefined) {
      this.#cached.delete(cached);
      return BigInt(cached) * this.granule;
    }
    let node = this.#tree.take(count, end);
    if (node === undefined && !keepCaches && this.#caches !== undefined) {
      this.flush();
      node = this.#tree.take(count, end);
    }
    if (node === undefined) throw this.#explain(BigInt(count) * this.granule, limit);
    this.#nodes.set(node.lo, node);
    return BigInt(node.lo) * this.granule;
  }

  /**
   * Takes a range back, into the cache of its size if there is one.
   * @param size - the number of bytes that the caller says it gives back. It decides the cache, as in Linux. Default: the size of the range.
   * @returns the size of the range in bytes.
   * @throws IommuError EINVAL when `iova` is not the first address of a range in use.
   */
  free(iova: bigint, size?: bigint): bigint {
    const lo = typeof iova === 'bigint' && iova % this.granule === 0n ? this.#granules(iova) : -1;
    const node = this.#nodes.get(lo);
    if (node === undefined || this.#cached.has(lo)) {
      throw new IommuError(
        'EINVAL',
        `${shown(iova)} is not the first address of a range in use; free each range once`,
        typeof iova === 'bigint' ? { iova } : {},
      );
    }
    const believed = size === undefined ? node.hi + 1 - node.lo : this.#granules(size + this.granule - 1n);
    if (this.#caches?.put(lo, believed)) this.#cached.add(lo);
    else this.#give(lo);
    return this.#rangeOf(node).size;
  }

  /** Gives every cached range back to the tree, as Linux does when an allocation fails. */
  flush(): void {
    for (const lo of this.#caches?.flush() ?? []) {
      this.#cached.delete(lo);
      this.#give(lo);
    }
  }

  /**
   * Reserves a range, so that it is never handed out. Parts of it may be reserved already or lie outside the aperture.
   * @throws IommuError EINVAL when it is empty or beyond 64 bits, EEXIST when a part of it is handed out or cached.
   */
  reserve({ iova, size }: IovaRange): void {
    checkWord('reserved iova', iova);
    checkWord('reserved size', size);
    if (size === 0n) throw new IommuError('EINVAL', `the range reserved at ${hex(iova)} is empty`, { iova });
    const [lo, hi] = [this.#granules(iova), this.#granules(iova + size - 1n)];
    for (const node of this.#nodes.values()) {
      if (node.lo > hi || node.hi < lo) continue;
      const taken = this.#rangeOf(node);
      throw new IommuError(
        'EEXIST',
        `[${hex(iova)}, +${hex(size)}) can't be reserved: [${hex(taken.iova)}, +${hex(taken.size)}) is handed out or cached; reserve before the first allocation`,
        { iova: taken.iova, size: taken.size },
      );
    }
    this.#tree.reserve(lo, hi);
  }

  #give(lo: number): void {
    this.#tree.give(this.#nodes.get(lo)!);
    this.#nodes.delete(lo);
  }

  #granules(address: bigint): number {
    return Number(address / this.granule);
  }

  #rangeOf({ lo, hi }: IovaNode): IovaRange {
    return { iova: BigInt(lo) * this.granule, size: BigInt(hi + 1 - lo) * this.granule };
  }

  #ranges(wanted: (lo: number) => boolean): IovaRange[] {
    return [...this.#nodes.values()]
      .filter(({ lo }) => wanted(lo))
      .sort((a, b) => a.lo - b.lo)
      .map((node) => this.#rangeOf(node));
  }

  #checkRules(size: bigint, { alignment = 1n, boundary }: IovaRequest): void {
    checkPowerOfTwo('alignment', alignment);
    if (boundary !== undefined) checkPowerOfTwo('boundary', boundary);
    if (alignment > powerOfTwoFrom(size) || (boundary !== undefined && boundary < size)) {
      const what = boundary !== undefined && boundary < size ? 'boundary' : 'alignment';
      throw new IommuError(
        'EINVAL',
        `Linux aligns a range of ${hex(size)} bytes to its size rounded up to a power of two, and knows no other ${what}; policy highest does`,
        { size, alignment },
      );
    }
  }

  #explain(size: bigint, limit: bigint): IommuError {
    const alignment = powerOfTwoFrom(size);
    return new IommuError(
      'ENOMEM',
      `no IOVA range of ${hex(size)} bytes, aligned to ${hex(alignment)}, was found in [${hex(this.base)}, ${hex(min(limit, this.limit))}]; a higher limit, a smaller request, or freeing some of the ${hex(this.bytesAllocated)} bytes handed out would help`,
      { size, alignment },
    );
  }
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
