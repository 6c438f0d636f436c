/**
 * The IOMMU API, in the manner of Linux 6.12 (drivers/iommu/iommu.c): a domain is one address space with one table.
 * It checks arguments and puts errors into words. The tree itself is in src/pagetable.
 */
import { FrameAllocator, type PhysicalMemory } from '../memory/index.ts';
import { hex, IommuError } from '../pagetable/errors.ts';
import type { FormatModule, Prot, TableFormat } from '../pagetable/format.ts';
import { choicesOf } from '../pagetable/linux.ts';
import { mapSg, mapSgByRange } from '../pagetable/map-sg.ts';
import { PageTable } from '../pagetable/page-table.ts';
import { PARTIAL_UNMAP, type PartialUnmap } from '../pagetable/partial-unmap.ts';
import { mapRange, unmapRange } from '../pagetable/range.ts';
import { type TreeTable, tablesOf } from '../pagetable/tree.ts';
import { checkProt, checkScatterlist, exactWord, LOW_BITS, wordOf } from './checks.ts';
import type { ClearOption, DomainOptions, UnmapReport } from './domain-options.ts';
import { type DomainRegisters, hardwareSizes } from './domain-registers.ts';
import { explainFailure, explainStop, runFrom } from './explain.ts';
import { checkReserved, type ReservedRange, refuseReserved } from './reserved.ts';
import type { Scatterlist } from './scatterlist.ts';
import { rangesOf, type TrackedRange, type TrackedReport, trackedReport } from './tracking.ts';
import { type Address, plainNumber, sameKind } from './word.ts';

/** Below this, a number holds a bigint exactly. */
const EXACT = 2 ** 52;

/**
 * One IOVA space. Addresses and sizes are bigints of 0 to 64 bits, or whole numbers below 2^53; an answer is of the kind that the IOVA was given as.
 *
 * @example
 * const domain = new IommuDomain(memory, arm64LpaeS1, { pgsizeBitmap: 0x4020_1000n, ias: 48, oas: 48 });
 * domain.mapSg(0x1000_0000n, sg, { read: true, write: true, cache: true });
 */
export class IommuDomain {
  readonly memory: PhysicalMemory;
  readonly format: TableFormat;
  readonly allocator: FrameAllocator;
  /** Ranges of IOVAs where nothing may be mapped. */
  readonly reserved: readonly ReservedRange[];
  /** What happens to a block or run when only a part of it is unmapped. */
  readonly partialUnmap: PartialUnmap;
  #live: PageTable | undefined;
  readonly #lastIova: bigint;
  /** IOVAs below this are the table's own input addresses, so they need no conversion. 0 if the table does not count from 0. */
  readonly #plainEnd: number;
  /** How many bits of an IOVA the root resolves. Some roots resolve more than `ias` bits (arm_mali_lpae). */
  readonly #resolvedBits: number;

  /**
   * @throws FormatError when the format refuses the configuration; IommuError EINVAL when the allocator belongs to another memory,
   * ENOMEM when there is no frame for the root where entries can point.
   */
  constructor(memory: PhysicalMemory, format: FormatModule, options: DomainOptions) {
    this.memory = memory;
    if (typeof format?.configure !== 'function') {
      throw new IommuError(
        'EINVAL',
        `format must be a format module, such as arm64LpaeS1, not ${String(format)}`,
      );
    }
    const { allocator = FrameAllocator.of(memory), partialUnmap, reserved = [], ...request } = options ?? {};
    checkReserved(reserved);
    this.reserved = reserved.map((one) => ({ ...one }));
    if (partialUnmap !== undefined && !PARTIAL_UNMAP.includes(partialUnmap)) {
      throw new IommuError(
        'EINVAL',
        `partialUnmap must be one of ${PARTIAL_UNMAP.join(', ')}, not ${String(partialUnmap)}`,
      );
    }
    this.format = format.configure(request);
    this.allocator = allocator;
    if (!memory.regions.includes(this.allocator.region)) {
      throw new IommuError('EINVAL', 'the allocator hands out frames of another memory than the given one');
    }
    const { rootBytes, tableAddressBits } = this.format;
    const root = this.allocator.allocate(rootBytes, 2 ** tableAddressBits);
    if (root === undefined) {
      const below = `below ${hex(2 ** tableAddressBits)}, where entries of ${this.format.name} can point`;
      throw new IommuError('ENOMEM', `no frame of ${hex(rootBytes)} bytes is left for the root ${below}`, {
        size: BigInt(rootBytes),
      });
    }
    this.#live = new PageTable(this.format, this.allocator, root);
    this.partialUnmap = partialUnmap ?? choicesOf(request.linux).partialUnmap;
    this.#live.partialUnmap = this.partialUnmap;
    this.#plainEnd = this.format.firstIova === 0n ? 2 ** Math.min(this.format.ias, 52) : 0;
    const [first] = this.format.levels;
    this.#resolvedBits = first!.shift + Math.log2(first!.entries);
    this.#lastIova = this.format.firstIova + (1n << BigInt(this.format.ias)) - 1n;
  }

  /** @throws IommuError EINVAL once the domain was freed: its frames may belong to others now. */
  get #table(): PageTable {
    if (this.#live === undefined) throw new IommuError('EINVAL', 'this domain was freed');
    return this.#live;
  }

  /** PA of the root. */
  get root(): bigint {
    return BigInt(this.#table.root);
  }

  /**
   * Register values in two forms: as in Linux's io_pgtable_cfg, and as the regime that a walker takes, with the sizes of the hardware that
   * the table was made for.
   */
  get registers(): DomainRegisters {
    const { cfg, hardware } = this.format.registers(this.root);
    return { cfg, hardware: { ...hardware, ...hardwareSizes(this.format) } };
  }

  /**
   * Maps `size` bytes from `iova` on to the same number from `pa` on. A size of 0 maps nothing.
   * @param iova - 64 bits; a multiple of the smallest page, as `pa` and `size` are.
   * @throws IommuError EINVAL (alignment, or a prot without access), ERANGE, EEXIST, ENOMEM; nothing of the request stays mapped.
   */
  map(iova: Address, pa: Address, size: Address, prot: Prot): void {
    const ia = this.#iaOf(iova);
    const from = exactWord('pa', pa);
    const bytes = exactWord('size', size);
    checkProt(prot);
    const table = this.#table;
    // A prot that the format can't express is refused here, before anything is written.
    const bits = table.bitsOf(prot);
    if (this.reserved.length > 0) refuseReserved(this.reserved, wordOf('iova', iova), wordOf('size', size));
    if (bytes === table.flatPage && table.mapPage(ia, from, bits)) return;
    if (mapRange(table, ia, from, bytes, bits) < 0) {
      const failure = table.failure!;
      const asked = { prot, iova: wordOf('iova', iova), pa: wordOf('pa', pa), size: wordOf('size', size) };
      throw explainFailure(table, failure, BigInt(failure.ia - ia), asked);
    }
  }

  /**
   * Maps the entries of a scatterlist one after another from `iova` on: `sg.byteLength` bytes. Entries that touch are joined first; each
   * joined run must start and end on the IOMMU's smallest page. The CPU's page size plays no part.
   * @returns bytes mapped.
   * @throws IommuError as `map` does, with the entry; nothing of the request stays mapped.
   */
  mapSg(iova: bigint, sg: Scatterlist, prot: Prot): bigint;
  mapSg(iova: number, sg: Scatterlist, prot: Prot): number;
  mapSg(iova: Address, sg: Scatterlist, prot: Prot): Address;
  mapSg(iova: Address, sg: Scatterlist, prot: Prot): Address {
    return this.#mapSgWith(mapSg, iova, sg, prot);
  }

  /** The same by a plain loop over map: the reference for `mapSg`, and the only path of formats without a direct one. */
  mapSgByMap(iova: bigint, sg: Scatterlist, prot: Prot): bigint;
  mapSgByMap(iova: number, sg: Scatterlist, prot: Prot): number;
  mapSgByMap(iova: Address, sg: Scatterlist, prot: Prot): Address;
  mapSgByMap(iova: Address, sg: Scatterlist, prot: Prot): Address {
    return this.#mapSgWith(mapSgByRange, iova, sg, prot);
  }

  /**
   * Unmaps from `iova` on. `partialUnmap` decides what happens to a larger leaf that is covered only in part.
   * @returns bytes unmapped: it stops at the first hole, and is 0 for an unaligned or out-of-range request. It can be more than was
   * mapped if a whole table was freed at once, and with `whole` more than was requested. `unmapReport` says why.
   */
  unmap(iova: bigint, size: Address): bigint;
  unmap(iova: number, size: Address): number;
  unmap(iova: Address, size: Address): Address;
  unmap(iova: Address, size: Address): Address {
    const ia = this.#iaOf(iova);
    const bytes = exactWord('size', size);
    const table = this.#table;
    const isDone = bytes === table.flatPage && table.unmapPage(ia);
    const done = isDone ? bytes : unmapRange(table, ia, bytes);
    // Mostly exactly the requested size was unmapped. Then no new bigint is needed.
    if (done === bytes && bytes < EXACT && typeof size === typeof iova) return size;
    return sameKind(iova, done);
  }

  /** Unmaps as `unmap` does, and says what was unmapped and why it stopped, if it did. */
  unmapReport(iova: bigint, size: Address): UnmapReport;
  unmapReport(iova: number, size: Address): UnmapReport<number>;
  unmapReport(iova: Address, size: Address): UnmapReport<Address>;
  unmapReport(iova: Address, size: Address): UnmapReport<Address> {
    const [from, asked] = [wordOf('iova', iova), wordOf('size', size)];
    const bytes = this.unmap(from, asked);
    const table = this.#table;
    const before = bytes > 0n ? BigInt(this.#iaOf(iova) - table.unmapFrom) : 0n;
    const stop = bytes >= asked ? undefined : explainStop(table, from, asked);
    const kind = (word: bigint): Address => (typeof iova === 'number' ? Number(word) : word);
    return { bytes: kind(bytes), from: kind(from - before), end: kind(from + bytes), ...(stop && { stop }) };
  }

  /**
   * Reads which parts of `[iova, iova + size)` were written to, and makes them clean unless `clear` is false (Linux's read_and_clear_dirty and
   * IOMMU_DIRTY_NO_CLEAR). A leaf is dirty as a whole. New writable mappings of a table with `arm_hd` or `dirty_state` are dirty.
   * @returns dirty stretches in ascending order.
   * @throws IommuError EINVAL for an empty range or one outside the table, at a hole in it (everything before the hole is cleared already, as in Linux), and if the
   * table was made without dirty state.
   */
  readAndClearDirty(iova: bigint, size: Address, options?: ClearOption): TrackedRange[];
  readAndClearDirty(iova: number, size: Address, options?: ClearOption): TrackedRange<number>[];
  readAndClearDirty(iova: Address, size: Address, options?: ClearOption): TrackedRange<Address>[];
  readAndClearDirty(iova: Address, size: Address, options: ClearOption = {}): TrackedRange<Address>[] {
    return rangesOf(this.dirtyReport(iova, size, options));
  }

  /** Reads dirty state as `readAndClearDirty` does, and says what it found before it stopped, and why, if it did. */
  dirtyReport(iova: bigint, size: Address, options?: ClearOption): TrackedReport;
  dirtyReport(iova: number, size: Address, options?: ClearOption): TrackedReport<number>;
  dirtyReport(iova: Address, size: Address, options?: ClearOption): TrackedReport<Address>;
  dirtyReport(iova: Address, size: Address, options: ClearOption = {}): TrackedReport<Address> {
    return trackedReport(this.#table, 'dirty', this.#iaOf(iova), iova, size, options.clear !== false);
  }

  /** The same for the access flag: which parts were used since they were last made idle. Needs `access_flag` or dirty state. */
  readAndClearAccessed(iova: bigint, size: Address, options?: ClearOption): TrackedRange[];
  readAndClearAccessed(iova: number, size: Address, options?: ClearOption): TrackedRange<number>[];
  readAndClearAccessed(iova: Address, size: Address, options?: ClearOption): TrackedRange<Address>[];
  readAndClearAccessed(iova: Address, size: Address, options: ClearOption = {}): TrackedRange<Address>[] {
    const clear = options.clear !== false;
    return rangesOf(trackedReport(this.#table, 'accessed', this.#iaOf(iova), iova, size, clear));
  }

  /** Unmaps what `mapSg` mapped: the sum of the lengths. @returns bytes unmapped, as `unmap` does. */
  unmapSg(iova: bigint, sg: Scatterlist): bigint;
  unmapSg(iova: number, sg: Scatterlist): number;
  unmapSg(iova: Address, sg: Scatterlist): Address;
  unmapSg(iova: Address, sg: Scatterlist): Address {
    checkScatterlist(sg);
    return this.unmap(iova, sg.byteLength);
  }

  /** The PA that `iova` translates to, or null. As in Linux, upper bits that the table does not resolve are ignored. */
  iovaToPhys(iova: bigint): bigint | null;
  iovaToPhys(iova: number): number | null;
  iovaToPhys(iova: Address): Address | null;
  iovaToPhys(iova: Address): Address | null {
    const number = plainNumber(iova);
    const isPlain = number >= 0 && number < this.#plainEnd;
    const ia = isPlain ? number : Number(BigInt.asUintN(this.#resolvedBits, wordOf('iova', iova)));
    const pa = this.#table.translate(ia);
    return pa < 0 ? null : sameKind(iova, pa);
  }

  /** Frees every table that holds nothing. @returns how many. */
  reclaim(): number {
    return this.#table.reclaim();
  }

  /** Every table, the root first, then level by level in entry order. */
  tables(): TreeTable[] {
    return tablesOf(this.#table);
  }

  /** Unmaps everything and gives all frames back, the root too. Every call afterwards is refused with EINVAL. */
  free(): void {
    const table = this.#table;
    table.clear();
    this.allocator.free(table.root);
    this.#live = undefined;
  }

  #mapSgWith(how: typeof mapSg, iova: Address, sg: Scatterlist, prot: Prot): Address {
    const ia = this.#iaOf(iova);
    checkScatterlist(sg);
    checkProt(prot);
    const table = this.#table;
    const bits = table.bitsOf(prot);
    if (this.reserved.length > 0) refuseReserved(this.reserved, wordOf('iova', iova), sg.byteLength);
    const outcome = how(table, ia, sg, bits);
    if (outcome.errno < 0) {
      const failure = table.failure!;
      const run = runFrom(sg, outcome.entry, wordOf('iova', iova), prot);
      throw explainFailure(table, failure, BigInt(failure.pa) - run.pa, run);
    }
    return sameKind(iova, outcome.mapped);
  }

  /**
   * The table's input address for an IOVA, counted from its first IOVA. An IOVA outside becomes an address beyond the end with
   * the same alignment, so that the checks of alignment and range happen in Linux's order.
   * @throws IommuError EINVAL unless it is a bigint of 0 to 64 bits, or a whole number below 2^53.
   */
  #iaOf(iova: Address): number {
    const number = plainNumber(iova);
    if (number >= 0 && number < this.#plainEnd) return number;
    const word = wordOf('iova', iova);
    const { firstIova } = this.format;
    if (word >= firstIova && word <= this.#lastIova)
      return Number(firstIova === 0n ? word : word - firstIova);
    return this.#table.iaEnd + Number(word & LOW_BITS);
  }
}
