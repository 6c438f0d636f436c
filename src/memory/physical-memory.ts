/**
 * Simulated physical memory: RAM regions in a 52-bit address space, with nothing between them. It is the only thing
 * that the driver side and the hardware side share. (DDI 0487 D8.1: the physical address space; words are little-endian.)
 */
import { MemoryError } from './errors.ts';
import { hex } from './hex.ts';
import { RamRegion, type RegionOptions } from './ram-region.ts';

/** The answer of the bus to a read outside RAM. A walker turns it into a synchronous external abort on the walk. */
export const EXTERNAL_ABORT: unique symbol = Symbol('external abort');
/** The type of {@link EXTERNAL_ABORT}. */
export type ExternalAbort = typeof EXTERNAL_ABORT;

/** Up to this many regions are searched linearly. */
const FEW_REGIONS = 8;

/**
 * RAM by physical address.
 *
 * @example
 * const memory = new PhysicalMemory({ base: 0x8000_0000n, size: 1n << 30n });
 * memory.write64(0x8000_0000n, 0x8000_1003n);
 * memory.read64(0x8000_0000n); // 0x8000_1003n
 * memory.read64(0n);           // EXTERNAL_ABORT
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

  /** The little-endian 64-bit word at `pa` (rounded down to 8 bytes), or EXTERNAL_ABORT outside RAM. */
  read64(pa: bigint): bigint | ExternalAbort {
    checkAddress(pa);
    const low = this.read32(pa & ~7n);
    if (low === EXTERNAL_ABORT) return EXTERNAL_ABORT;
    return (BigInt(this.read32((pa & ~7n) + 4n) as number) << 32n) | BigInt(low);
  }

  /** The little-endian 32-bit word at `pa` (rounded down to 4 bytes), unsigned, or EXTERNAL_ABORT outside RAM. */
  read32(pa: bigint): number | ExternalAbort {
    checkAddress(pa);
    if (pa < 0n || pa >> 52n) return EXTERNAL_ABORT;
    const at = Number(pa & ~3n);
    const region = this.regionAt(at, 4);
    if (region === undefined) return EXTERNAL_ABORT;
    return region.peek(at)?.[region.wordIndex(at)] ?? 0;
  }

  /**
   * Stores a 64-bit word. `pa` is 8-byte aligned; only the low 64 bits of `value` are stored.
   * @throws MemoryError when `pa` is unaligned or outside RAM.
   */
  write64(pa: bigint, value: bigint): void {
    this.#writable(pa, 8);
    this.write32(pa, Number(value & 0xffff_ffffn));
    this.write32(pa + 4n, Number((value >> 32n) & 0xffff_ffffn));
  }

  /**
   * Stores a 32-bit word. `pa` is 4-byte aligned.
   * @throws MemoryError when `pa` is unaligned or outside RAM.
   */
  write32(pa: bigint, value: number): void {
    const region = this.#writable(pa, 4);
    const at = Number(pa);
    region.words(at)[region.wordIndex(at)] = value;
  }

  #writable(pa: bigint, bytes: 4 | 8): RamRegion {
    checkAddress(pa);
    const region = pa < 0n || pa >> 52n ? undefined : this.regionAt(Number(pa), bytes);
    if (region === undefined) {
      throw new MemoryError(`no RAM at ${hex(pa)}; there is ${describe(this.regions)}`, {
        pa,
        size: BigInt(bytes),
      });
    }
    if (pa & BigInt(bytes - 1)) {
      throw new MemoryError(`a ${bytes * 8}-bit write to ${hex(pa)} must be aligned to ${bytes} bytes`, {
        pa,
        size: BigInt(bytes),
      });
    }
    return region;
  }
}

function checkAddress(pa: bigint): void {
  if (typeof pa !== 'bigint') throw new MemoryError(`a physical address must be a bigint, not ${String(pa)}`);
}

function describe(regions: readonly RamRegion[]): string {
  return regions.map((r) => `RAM at [${hex(r.base)}, ${hex(r.end)})`).join(', ');
}
