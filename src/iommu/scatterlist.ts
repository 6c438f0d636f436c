/**
 * Scatterlists, which a driver passes to map_sg. An entry is a stretch of CPU pages (page, offset, length). The list is
 * stored as columns of numbers, so millions of entries cost 16 bytes each and no objects.
 */
import { hex, IommuError } from '../pagetable/errors.ts';
import type { SgColumns } from '../pagetable/map-sg.ts';
import type { Address } from './word.ts';

/** One entry: `length` bytes from `offset` in the CPU page at PA `page` on. */
export interface SgEntry {
  readonly page: Address;
  readonly offset?: number;
  readonly length: Address;
}

/** An entry as a list gives it back. */
export interface SgPages extends SgEntry {
  readonly page: bigint;
  readonly offset: number;
  readonly length: bigint;
}

/** One entry by address alone: page and offset follow from the CPU page size. */
export interface SgRange {
  readonly phys: Address;
  readonly length: Address;
}

/** Adjacent entries joined: `length` bytes from `phys` on, made of the entries `entry` to `last`. */
export interface SgRun {
  readonly phys: bigint;
  readonly length: bigint;
  readonly entry: number;
  readonly last: number;
}

/** Options of a scatterlist. */
export interface ScatterlistOptions {
  /** The CPU's page size in bytes, a power of two. It only decides where entries may start. Default: 4096. */
  readonly cpuPageSize?: number | bigint;
  /** Number of entries to reserve room for. */
  readonly capacity?: number;
}

const MAX_EXACT = 2 ** 53;

/**
 * Memory to be mapped, like Linux's scatterlist: entries of whole or partial CPU pages, kept as columns of numbers. Lengths are bytes, addresses PAs of
 * at most 52 bits, either as bigints or as whole numbers below 2^53. (Linux's include/linux/scatterlist.h.)
 *
 * @example
 * const sg = Scatterlist.from([{ phys: 0x9000_0000n, length: 0x2000 }]).add(0x9000_2000n, 0, 0x1000);
 * sg.byteLength; // 12288n
 * sg.runs().length; // 1: they touch
 */
export class Scatterlist implements SgColumns, Iterable<SgPages> {
  /** Bytes of a CPU page. */
  readonly cpuPageSize: number;
  #addresses: Float64Array;
  #lengths: Float64Array;
  #count = 0;
  #bytes = 0;

  /** @throws IommuError EINVAL when the CPU page size is not a power of two. */
  constructor(options: ScatterlistOptions = {}) {
    const { capacity = 16 } = options;
    const cpuPageSize =
      typeof options.cpuPageSize === 'bigint' ? Number(options.cpuPageSize) : (options.cpuPageSize ?? 4096);
    if (typeof cpuPageSize !== 'number' || cpuPageSize < 1 || !Number.isInteger(Math.log2(cpuPageSize))) {
      throw new IommuError('EINVAL', `cpuPageSize must be a power of two, not ${String(cpuPageSize)}`);
    }
    this.cpuPageSize = cpuPageSize;
    this.#addresses = new Float64Array(capacity);
    this.#lengths = new Float64Array(capacity);
  }

  /**
   * From entries or ranges, in order.
   * @example Scatterlist.from([{ page: 0x9_0000_0000n, offset: 0, length: 0x1_0000 }], { cpuPageSize: 0x1_0000 })
   */
  static from(entries: Iterable<SgEntry | SgRange>, options: ScatterlistOptions = {}): Scatterlist {
    const list = new Scatterlist(options);
    if (typeof entries?.[Symbol.iterator] !== 'function') {
      throw new IommuError(
        'EINVAL',
        `a scatterlist is made from an iterable of entries, not ${String(entries)}`,
      );
    }
    for (const entry of entries) {
      if (typeof entry !== 'object' || entry === null) {
        throw new IommuError(
          'EINVAL',
          `entry ${list.count}: want { page, offset, length } or { phys, length }, not ${String(entry)}`,
        );
      }
      if ('page' in entry) list.add(entry.page, entry.offset ?? 0, entry.length);
      else if ('offset' in entry) {
        throw new IommuError(
          'EINVAL',
          `entry ${list.count}: offset belongs to page; phys is the whole address`,
        );
      } else list.addRange(entry.phys, entry.length);
    }
    return list;
  }

  /**
   * From columns of physical addresses and lengths in bytes, which are copied.
   * @throws IommuError EINVAL when the columns differ in length or hold a number that is not a whole number below 2^53.
   */
  static fromColumns(
    addresses: ArrayLike<number>,
    lengths: ArrayLike<number>,
    options: ScatterlistOptions = {},
  ): Scatterlist {
    if (addresses.length !== lengths.length) {
      throw new IommuError('EINVAL', `${addresses.length} addresses but ${lengths.length} lengths`);
    }
    const list = new Scatterlist({ ...options, capacity: addresses.length });
    for (let i = 0; i < addresses.length; i++) list.#push(addresses[i]!, lengths[i]!);
    return list;
  }

  /**
   * Adds `length` bytes from `offset` in the CPU page at `page` on; several pages, if `length` says so.
   * @throws IommuError EINVAL when `page` is not the start of a CPU page or a number is negative or too large, ERANGE beyond 2^53.
   */
  add(page: Address, offset: number, length: Address): this {
    const entry = this.#count;
    const start = wholeOf(page);
    if (start === undefined || start < 0n || start % BigInt(this.cpuPageSize) !== 0n) {
      throw new IommuError(
        'EINVAL',
        `entry ${entry}: page must be a bigint or a whole number below 2^53, and a multiple of the CPU's page size ${hex(this.cpuPageSize)}, not ${start === undefined ? String(page) : hex(start)}; put the rest into offset`,
        start === undefined ? { entry } : { pa: start, entry },
      );
    }
    if (!Number.isInteger(offset) || offset < 0) {
      throw new IommuError(
        'EINVAL',
        `entry ${entry}: offset must be a whole number of bytes, not ${offset}`,
        { entry },
      );
    }
    return this.addRange(start + BigInt(offset), length);
  }

  /** Adds `length` bytes from the physical address `address` on. @throws IommuError as `add` does. */
  addRange(address: Address, length: Address): this {
    const entry = this.#count;
    const phys = wholeOf(address);
    if (phys === undefined || phys < 0n) {
      throw new IommuError(
        'EINVAL',
        `entry ${entry}: a physical address must be a bigint of at least 0 or a whole number below 2^53, not ${String(address)}`,
        {
          entry,
        },
      );
    }
    if (phys >= BigInt(MAX_EXACT)) {
      throw new IommuError(
        'ERANGE',
        `entry ${entry}: ${hex(phys)} is too large for an ARM physical address, which has at most 52 bits`,
        {
          pa: phys,
          entry,
        },
      );
    }
    if (typeof length !== 'number' && typeof length !== 'bigint') {
      throw new IommuError(
        'EINVAL',
        `entry ${entry}: a length is a number or a bigint of bytes, not ${String(length)}`,
        {
          entry,
        },
      );
    }
    if (Number.isFinite(Number(length)) && length >= MAX_EXACT) {
      throw new IommuError(
        'ERANGE',
        `entry ${entry}: ${hex(length)} bytes are more than an ARM address space holds, which is at most 2^52`,
        {
          entry,
        },
      );
    }
    this.#push(Number(phys), Number(length));
    return this;
  }

  /** Number of entries. */
  get count(): number {
    return this.#count;
  }

  /** Sum of the lengths: what map_sg maps. */
  get byteLength(): bigint {
    return BigInt(this.#bytes);
  }

  /** Column of at least `count` physical addresses. Not to be written to. */
  get addresses(): Float64Array {
    return this.#addresses;
  }

  /** Column of at least `count` lengths in bytes. Not to be written to. */
  get lengths(): Float64Array {
    return this.#lengths;
  }

  /** Entry `index` as page, offset and length. @throws RangeError when there is no such entry. */
  entry(index: number): SgPages {
    if (!Number.isInteger(index) || index < 0 || index >= this.#count) {
      throw new RangeError(`entry ${index} of a scatterlist of ${this.#count}`);
    }
    const address = this.#addresses[index]!;
    const offset = address % this.cpuPageSize;
    return { page: BigInt(address - offset), offset, length: BigInt(this.#lengths[index]!) };
  }

  *[Symbol.iterator](): Iterator<SgPages> {
    for (let i = 0; i < this.#count; i++) yield this.entry(i);
  }

  /** Physically contiguous runs, as map_sg gathers them: adjacent entries are joined. Empty ones are left out. */
  runs(): SgRun[] {
    const runs: SgRun[] = [];
    for (let i = 0; i < this.#count; ) {
      const entry = i;
      const phys = this.#addresses[i]!;
      let length = this.#lengths[i++]!;
      while (i < this.#count && this.#addresses[i] === phys + length) length += this.#lengths[i++]!;
      if (length > 0) runs.push({ phys: BigInt(phys), length: BigInt(length), entry, last: i - 1 });
    }
    return runs;
  }

  #push(address: number, length: number): void {
    const entry = this.#count;
    if (!Number.isInteger(address) || address < 0 || address >= MAX_EXACT) {
      throw new IommuError(
        'EINVAL',
        `entry ${entry}: a physical address is a whole number below 2^53, not ${address}`,
        {
          entry,
        },
      );
    }
    if (!Number.isInteger(length) || length < 0) {
      throw new IommuError('EINVAL', `entry ${entry}: a length is a whole number of bytes, not ${length}`, {
        entry,
      });
    }
    if (this.#bytes + length >= MAX_EXACT) {
      throw new IommuError(
        'ERANGE',
        `entry ${entry}: ${length} bytes make the list longer than any address space, 2^52 bytes`,
        {
          entry,
        },
      );
    }
    if (this.#count === this.#addresses.length) this.#grow();
    this.#addresses[this.#count] = address;
    this.#lengths[this.#count] = length;
    this.#count++;
    this.#bytes += length;
  }

  #grow(): void {
    const capacity = Math.max(16, this.#count * 2);
    const [addresses, lengths] = [new Float64Array(capacity), new Float64Array(capacity)];
    addresses.set(this.#addresses);
    lengths.set(this.#lengths);
    this.#addresses = addresses;
    this.#lengths = lengths;
  }
}

/** As a bigint; undefined if it is neither one nor a number that is exact. */
function wholeOf(value: Address): bigint | undefined {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  return typeof value === 'bigint' ? value : undefined;
}
