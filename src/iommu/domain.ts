/**
 * The IOMMU API, in the manner of Linux 6.12 (drivers/iommu/iommu.c): a domain is one address space with one table.
 * It checks what callers pass, maps errors to words, and leaves the tree to src/pagetable.
 */
import { FrameAllocator, type PhysicalMemory } from '../memory/index.ts';
import { hex, IommuError } from '../pagetable/errors.ts';
import {
  type FormatModule,
  type FormatRequest,
  PROT_FLAGS,
  type Prot,
  type Registers,
  type TableFormat,
} from '../pagetable/format.ts';
import { mapSg, mapSgByRange } from '../pagetable/map-sg.ts';
import { PageTable } from '../pagetable/page-table.ts';
import { mapRange, unmapRange } from '../pagetable/range.ts';
import { type TreeTable, tablesOf } from '../pagetable/tree.ts';
import { explainFailure, runFrom } from './explain.ts';
import { Scatterlist } from './scatterlist.ts';

export interface DomainOptions extends FormatRequest {
  /** Where table frames come from. Default: the one that all domains of this memory share. */
  readonly allocator?: FrameAllocator;
}

/**
 * One IOVA space.
 *
 * @example
 * const domain = new IommuDomain(memory, arm64LpaeS1, { pgsizeBitmap: 0x4020_1000n, ias: 48, oas: 48 });
 * domain.mapSg(0x1000_0000n, sg, { read: true, write: true, cache: true });
 */
export class IommuDomain {
  readonly memory: PhysicalMemory;
  readonly format: TableFormat;
  readonly allocator: FrameAllocator;
  #live: PageTable | undefined;
  readonly #lastIova: bigint;

  /**
   * @throws FormatError when the format refuses the configuration; IommuError EINVAL when the allocator is another memory's,
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
    const { allocator = FrameAllocator.of(memory), ...request } = options ?? {};
    this.format = format.configure(request);
    this.allocator = allocator;
    if (!memory.regions.includes(this.allocator.region)) {
      throw new IommuError('EINVAL', 'the allocator hands out frames of another memory than the one given');
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
    this.#lastIova = this.format.firstIova + (1n << BigInt(this.format.ias)) - 1n;
  }

  /** @throws IommuError EINVAL once the domain was freed: its frames may be another's now. */
  get #table(): PageTable {
    if (this.#live === undefined) throw new IommuError('EINVAL', 'this domain was freed');
    return this.#live;
  }

  /** PA of the root. */
  get root(): bigint {
    return BigInt(this.#table.root);
  }

  /** Register values as Linux's io_pgtable_cfg has them, and as a regime that a walker takes. */
  get registers(): Registers {
    return this.format.registers(this.root);
  }

  /**
   * Maps `size` bytes from `iova` on to the same number from `pa` on. A size of 0 maps nothing.
   * @param iova - 64 bits; a multiple of the smallest page, as `pa` and `size` are.
   * @throws IommuError EINVAL (alignment, or a prot without access), ERANGE, EEXIST, ENOMEM; nothing of the request stays mapped.
   */
  map(iova: bigint, pa: bigint, size: bigint, prot: Prot): void {
    checkWord('iova', iova);
    checkWord('pa', pa);
    checkWord('size', size);
    checkProt(prot);
    const table = this.#table;
    const ia = this.#iaOf(iova);
    if (mapRange(table, ia, exact(pa), exact(size), prot) < 0) {
      const failure = table.failure!;
      throw explainFailure(table, failure, BigInt(failure.ia - ia), { prot, iova, pa, size });
    }
  }

  /**
   * Maps the entries of a scatterlist one behind the other from `iova` on: `sg.byteLength` bytes. Entries that touch are joined first; each
   * joined run must start and end on the IOMMU's smallest page. The CPU's page size plays no part.
   * @returns bytes mapped.
   * @throws IommuError as `map` does, with the entry; nothing of the request stays mapped.
   */
  mapSg(iova: bigint, sg: Scatterlist, prot: Prot): bigint {
    return this.#mapSgWith(mapSg, iova, sg, prot);
  }

  /** The same by a plain loop over map: the reference that `mapSg` is held against, and what formats without a direct path get. */
  mapSgByMap(iova: bigint, sg: Scatterlist, prot: Prot): bigint {
    return this.#mapSgWith(mapSgByRange, iova, sg, prot);
  }

  /**
   * Unmaps from `iova` on, splitting larger leaves where only a part goes.
   * @returns bytes unmapped: it stops at the first hole, and is 0 for an unaligned or out-of-range request. It can be more than was
   * mapped, where a whole table went at once.
   */
  unmap(iova: bigint, size: bigint): bigint {
    checkWord('iova', iova);
    checkWord('size', size);
    return BigInt(unmapRange(this.#table, this.#iaOf(iova), exact(size)));
  }

  /** Unmaps what `mapSg` mapped: the sum of the lengths. @returns bytes unmapped, as `unmap` does. */
  unmapSg(iova: bigint, sg: Scatterlist): bigint {
    checkScatterlist(sg);
    return this.unmap(iova, sg.byteLength);
  }

  /** The PA that `iova` translates to, or null. As in Linux, upper bits that the table does not resolve are not looked at. */
  iovaToPhys(iova: bigint): bigint | null {
    checkWord('iova', iova);
    const leaf = this.#table.lookup(Number(BigInt.asUintN(this.format.ias, iova)));
    return leaf === undefined ? null : BigInt(leaf.pa);
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

  #mapSgWith(how: typeof mapSg, iova: bigint, sg: Scatterlist, prot: Prot): bigint {
    checkWord('iova', iova);
    checkScatterlist(sg);
    checkProt(prot);
    const table = this.#table;
    const ia = this.#iaOf(iova);
    const outcome = how(table, ia, sg, prot);
    if (outcome.errno < 0) {
      const failure = table.failure!;
      const run = runFrom(sg, outcome.entry, iova, prot);
      throw explainFailure(table, failure, BigInt(failure.pa) - run.pa, run);
    }
    return BigInt(outcome.mapped);
  }

  /**
   * How the table counts an IOVA: from its first one. What lies outside counts as beyond the end, at the same
   * alignment, so that the checks of alignment and range come out in their order.
   */
  #iaOf(iova: bigint): number {
    const { firstIova } = this.format;
    if (iova >= firstIova && iova <= this.#lastIova)
      return Number(firstIova === 0n ? iova : iova - firstIova);
    return this.#table.iaEnd + Number(iova & LOW_BITS);
  }
}

/** More bits than any smallest page has. */
const LOW_BITS = 0xf_ffffn;
const TWO_52 = 1n << 52n;
const MAX_WORD = (1n << 64n) - 1n;

/** An address or size as an exact number; what has more than 52 bits counts as just beyond them, at the same alignment. */
function exact(value: bigint): number {
  return value < TWO_52 ? Number(value) : 2 ** 52 + Number(value & LOW_BITS);
}

function checkProt(prot: Prot): void {
  if (typeof prot !== 'object' || prot === null) {
    throw new IommuError(
      'EINVAL',
      `prot must be an object such as { read: true, write: true }, not ${String(prot)}`,
    );
  }
  for (const flag in prot) {
    const value: unknown = prot[flag as keyof Prot];
    if (!PROT_FLAGS.includes(flag as keyof Prot)) {
      throw new IommuError('EINVAL', `prot has no flag ${flag}; its flags are ${PROT_FLAGS.join(', ')}`);
    }
    if (typeof value !== 'boolean' && value !== undefined) {
      throw new IommuError('EINVAL', `prot.${flag} must be true or false, not ${String(value)}`);
    }
  }
}

function checkScatterlist(sg: Scatterlist): void {
  if (!(sg instanceof Scatterlist)) {
    throw new IommuError(
      'EINVAL',
      'sg must be a Scatterlist; Scatterlist.from makes one of an array or any iterable',
    );
  }
}

function checkWord(name: string, value: bigint): void {
  if (typeof value !== 'bigint' || value < 0n || value > MAX_WORD) {
    throw new IommuError('EINVAL', `${name} must be a bigint of 0 to 64 bits, not ${String(value)}`);
  }
}
