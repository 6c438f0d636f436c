/**
 * Simulated physical memory: RAM regions in a 52-bit address space, with nothing between them. It is the only thing
 * that the driver side and the hardware side share. (DDI 0487 D8.1: the physical address space; words are little-endian.)
 */
import { type Address, bigintFrom } from './address.ts';
import { MemoryError } from './errors.ts';
import { hex } from './hex.ts';
import { RamRegion, type RegionOptions } from './ram-region.ts';

/** The answer of the bus to a read outside RAM. A walker turns it into a synchronous external abort on the walk. */
export const EXTERNAL_ABORT: unique symbol = Symbol('external abort');
/** The type of {@link EXTERNAL_ABORT}. */
export type ExternalAbort = typeof EXTERNAL_ABORT;

/** The end of physical addresses. */
const PA_END = 2 ** 52;

/** Up to this many regions are searched linearly. */
const FEW_REGIONS = 8;

/**
 * RAM by physical address, which is a bigint or a whole number below 2^53. Words of 64 bits are bigints, those of 32 bits numbers.
 *
 * @example
 * const memory = new PhysicalMemory({ base: 0x8000_0000n, size: 1n << 30n });
 * memory.write64(0x8000_0000n, 0x8000_1003n);
 * memory.read64(0x8000_0000); // 0x8000_1003n
 * memory.read64(0n);          // EXTERNAL_ABORT
 */
export class PhysicalMemory {
  /** By ascending base. */
  readonly regions: readonly RamRegion[];

  /**
   * @param regions - one region or several. `{ base, size }` grows as it is written; `{ base, buffer }` uses the caller's
   * bytes; with `load` a region shows data from elsewhere (such as a file), read on demand, and writes stay in memory.
   * @throws MemoryError when a region is empty, unaligned, beyond 2^52, or overlaps another.
   */
  constructor(regions: RegionOptions | readonly (RegionOptions | RamRegion)[]) {
    const given: readonly (RegionOptions | RamRegion)[] = Array.isArray(regions) ? regions : [regions];
    const list = given.map((one) => (one instanceof RamRegion ? one : new RamRegion(one)));
    list.sort((a, b) => a.start - b.start);
    if (list.length === 0) throw new MemoryError('a physical memory needs at least one RAM region');
    for (let i = 1; i < list.length; i++) {
      const [before, after] = [list[i - 1]!, list[i]!];
      if (before.end > after.start) {
        throw new MemoryError(
          `RAM at ${hex(after.base)} overlaps the region at ${hex(before.base)}, which ends at ${hex(before.end)}`,
          { pa: after.base, size: after.size },
        );
      }
    }
    this.regions = list;
  }

  /** True if callers may remember where its words lie: see `RamRegion`. */
  get isSteady(): boolean {
    const { regions } = this;
    for (let i = 0; i < regions.length; i++) if (!regions[i]!.isSteady) return false;
    return true;
  }

  /** Bytes of host memory in use. */
  get hostBytes(): number {
    return this.regions.reduce((sum, region) => sum + region.hostBytes, 0);
  }

  /** The region that holds all of `[pa, pa + bytes)`, if one does. */
  regionAt(pa: number, bytes = 1): RamRegion | undefined {
    const { regions } = this;
    if (regions.length > FEW_REGIONS) return this.#searched(pa, bytes);
    for (const region of regions) if (region.contains(pa, bytes)) return region;
    return undefined;
  }

  /** Binary search: images of crash dumps have thousands of regions. */
  #searched(pa: number, bytes: number): RamRegion | undefined {
    let [low, high] = [0, this.regions.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.regions[middle]!.start <= pa) low = middle + 1;
      else high = middle;
    }
    const region = this.regions[low - 1];
    return region?.contains(pa, bytes) ? region : undefined;
  }

  /**
   * The little-endian 64-bit word at `pa` (rounded down to 8 bytes), or EXTERNAL_ABORT outside RAM.
   * @throws MemoryError when `pa` is a number that is no whole one below 2^53.
   */
  read64(pa: Address): bigint | ExternalAbort {
    const at = placeOf(pa, 8);
    const low = this.#read32(at);
    if (low === EXTERNAL_ABORT) return EXTERNAL_ABORT;
    return (BigInt(this.#read32(at + 4) as number) << 32n) | BigInt(low);
  }

  /**
   * The little-endian 32-bit word at `pa` (rounded down to 4 bytes), unsigned, or EXTERNAL_ABORT outside RAM.
   * @throws MemoryError as {@link read64} does.
   */
  read32(pa: Address): number | ExternalAbort {
    return this.#read32(placeOf(pa, 4));
  }

  /**
   * Stores a 64-bit word. `pa` is 8-byte aligned; only the low 64 bits of `value` are stored.
   * @throws MemoryError when `pa` is unaligned, outside RAM or a number that is no whole one below 2^53.
   */
  write64(pa: Address, value: bigint): void {
    const region = this.#writable(pa, 8);
    const at = Number(pa);
    region.words(at)[region.wordIndex(at)] = Number(value & 0xffff_ffffn);
    region.words(at + 4)[region.wordIndex(at + 4)] = Number((value >> 32n) & 0xffff_ffffn);
  }

  /**
   * Stores a 32-bit word. `pa` is 4-byte aligned.
   * @throws MemoryError as {@link write64} does.
   */
  write32(pa: Address, value: number): void {
    const region = this.#writable(pa, 4);
    const at = Number(pa);
    region.words(at)[region.wordIndex(at)] = value;
  }

  #read32(at: number): number | ExternalAbort {
    const region = at < 0 ? undefined : this.regionAt(at, 4);
    if (region === undefined) return EXTERNAL_ABORT;
    return region.peek(at)?.[region.wordIndex(at)] ?? 0;
  }

  #writable(pa: Address, bytes: 4 | 8): RamRegion {
    const at = placeOf(pa, 1);
    const region = at < 0 ? undefined : this.regionAt(at, bytes);
    const where = () => ({ pa: BigInt(pa), size: BigInt(bytes) });
    if (region === undefined) {
      throw new MemoryError(`no RAM at ${hex(pa)}; there is ${describe(this.regions)}`, where());
    }
    if (at % bytes !== 0) {
      throw new MemoryError(
        `a ${bytes * 8}-bit write to ${hex(pa)} must be aligned to ${bytes} bytes`,
        where(),
      );
    }
    return region;
  }
}

/** A physical address, rounded down to a multiple of `bytes`; -1 beyond 52 bits. @throws MemoryError for what is no address. */
function placeOf(pa: Address, bytes: number): number {
  const at =
    typeof pa === 'number' && Number.isSafeInteger(pa) ? pa : Number(bigintFrom(pa, 'a physical address'));
  return at >= 0 && at < PA_END ? at - (at % bytes) : -1;
}

function describe(regions: readonly RamRegion[]): string {
  return regions.map((r) => `RAM at [${hex(r.base)}, ${hex(r.end)})`).join(', ');
}
