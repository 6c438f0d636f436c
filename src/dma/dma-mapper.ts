/** A device's DMA through an IOMMU: what Linux's iommu_dma_map_sg, iommu_dma_map_page and their unmaps do (drivers/iommu/dma-iommu.c). */
import { checkScatterlist, checkWord } from '../iommu/checks.ts';
import type { IommuDomain } from '../iommu/domain.ts';
import { Scatterlist } from '../iommu/scatterlist.ts';
import { IommuError } from '../pagetable/errors.ts';
import type { Prot } from '../pagetable/format.ts';
import { apertureOf, checkAllocator, iovaAllocatorOf } from './aperture.ts';
import {
  type CheckedLimits,
  checkLimits,
  type DeviceLimits,
  type DevicePreset,
  ODD_LISTS,
  type OddLists,
} from './device-limits.ts';
import { DmaIova } from './dma-iova.ts';
import type { IovaPolicy, IovaRange, IovaRequest, IovaSource } from './iova-source.ts';
import { linuxUnmapRange } from './linux-layout.ts';
import { NO_BOUNDARY, type Placement, placeAsLinux, placeSingle, placeStrictly } from './placement.ts';
import { type DmaRequest, protOf } from './prot.ts';
import type { DmaSegment } from './segments.ts';

/** Properties of a device and of its place in the system. */
export interface DmaMapperOptions extends DeviceLimits {
  /** Input addresses. Default: those of `iovaAllocatorOf(domain, iova)`, which all mappers of a domain share. */
  readonly allocator?: IovaSource;
  /** How the shared allocator chooses: `highest` (default), `lowest`, `tree`, or `linux`, which gives exactly Linux's addresses. */
  readonly iova?: IovaPolicy;
  /** A kind of device: sets the limits that Linux gives such a device at first. Other options override them. Default: none. */
  readonly preset?: DevicePreset;
  /** Whether the device sees the CPU's caches: mappings are then cacheable. Default: true. */
  readonly coherent?: boolean;
  /** Refuse requests that would map more than was asked, as for an untrusted device. Default: false. */
  readonly exact?: boolean;
  /**
   * What to do with lists that a driver should never make: with entries that are empty, longer than a segment or than the distance between two boundaries, or 4 GiB long.
   * `strict` (default) skips empty entries and refuses the others. `linux` does what Linux does, with its error codes: ENOMEM, or EINVAL for everything else.
   */
  readonly odd?: OddLists;
}

/** What was mapped. All in bytes. */
export interface DmaMapping {
  /** The segments to program into the device, in the order of the entries. */
  readonly segments: readonly DmaSegment[];
  /** The whole mapped IOVA range, which contains the segments. Its size is 0 if all entries are empty and Linux maps nothing. */
  readonly range: IovaRange;
  /** The requested bytes: the sum of the entries. */
  readonly bytes: bigint;
  /** Bytes of the range that only keep segments from crossing a boundary. */
  readonly paddingBytes: bigint;
  /** Bytes that the device can reach beyond the request: the rest of the pages in which entries begin or end, and the padding. */
  readonly overMappedBytes: bigint;
  readonly prot: Prot;
  /** The entries as they were mapped, one after another from the start of the range on. */
  readonly padded: Scatterlist;
}

const LOW_32 = 0xffff_ffffn;

/**
 * Maps scatterlists and single buffers for one device, wherever the domain's IOVA space has room. The CPU's page size plays no part. If the
 * IOMMU's smallest page is larger than the CPU's, the memory around an entry is mapped too (Linux refuses such a domain).
 *
 * @example
 * const device = new DmaMapper(domain, { dmaMask: 0xffff_ffffn });
 * const mapping = device.mapSg(sg, { direction: 'from-device' });
 * for (const { dmaAddress, length } of mapping.segments) program(dmaAddress, length);
 * device.unmapSg(mapping);
 */
export class DmaMapper {
  readonly domain: IommuDomain;
  readonly allocator: IovaSource;
  readonly #limits: CheckedLimits;
  readonly #granule: bigint;
  readonly #coherent: boolean;
  readonly #exact: boolean;
  readonly #odd: OddLists;
  /** Whether addresses below 4 GiB are tried first. Ends when that fails. */
  #low32First: boolean;
  /** The mappings, each with the range that unmapping it unmaps. */
  readonly #live = new Map<DmaMapping, IovaRange | undefined>();

  /** @throws IommuError EINVAL when a limit or choice is invalid, or the allocator does not fit the domain. */
  constructor(domain: IommuDomain, options: DmaMapperOptions = {}) {
    const { granule } = apertureOf(domain);
    const { coherent = true, exact = false, odd = 'strict' } = options;
    if (!ODD_LISTS.includes(odd)) {
      throw new IommuError('EINVAL', `odd must be one of ${ODD_LISTS.join(', ')}, not ${String(odd)}`);
    }
    const limits = checkLimits(options, granule, odd);
    const allocator = options.allocator ?? iovaAllocatorOf(domain, options.iova);
    checkAllocator(allocator, domain);
    this.domain = domain;
    this.allocator = allocator;
    this.#limits = limits;
    this.#low32First = limits.low32First;
    this.#granule = granule;
    this.#coherent = coherent;
    this.#exact = exact;
    this.#odd = odd;
  }

  /** Mappings that are not unmapped yet, in the order in which they were made. */
  mappings(): readonly DmaMapping[] {
    return [...this.#live.keys()];
  }

  /**
   * Maps the entries into one IOVA range. Each keeps its offset within the IOMMU's smallest page; the rest of its first and last page is
   * mapped with it. An entry that would cross a segment boundary begins on the boundary instead, and the mapping of the entry before it
   * is extended up to there. Entries of 0 bytes are skipped.
   * @throws IommuError EINVAL for an unknown direction, a list without any bytes, an entry longer than a segment may be, and with `exact` if
   * more would be mapped than was asked; ENOMEM if IOVA space or table memory runs out; whatever `domain.mapSg` throws. In each case
   * nothing is mapped and no IOVA is taken. Tables that became empty stay until `domain.reclaim()`.
   */
  mapSg(sg: Scatterlist, request: DmaRequest): DmaMapping {
    checkScatterlist(sg);
    const exact = request?.exact ?? this.#exact;
    if (this.#odd === 'strict') {
      return this.#map(sg, request, () => placeStrictly(sg, this.#limits, Number(this.#granule), exact));
    }
    const mapping = this.#map(sg, request, () => placeAsLinux(sg, this.#limits, Number(this.#granule)));
    this.#live.set(mapping, linuxUnmapRange(mapping.segments, this.#granule));
    return mapping;
  }

  /**
   * Maps `size` bytes from the physical address `phys` on, as one segment. As in Linux, segment boundary and maximum size apply to scatterlists
   * only.
   * @throws IommuError as `mapSg` does.
   */
  mapSingle(phys: bigint, size: bigint, request: DmaRequest): DmaMapping {
    const sg = Scatterlist.from([{ phys, length: size }], { cpuPageSize: 1 });
    const exact = request?.exact ?? this.#exact;
    return this.#map(sg, request, () => placeSingle(sg, Number(this.#granule), exact));
  }

  /**
   * Unmaps the whole range and gives its IOVAs back.
   * @returns bytes unmapped: all of `mapping.range`, or less if parts of it had been unmapped without this mapper.
   * @throws IommuError EINVAL when this mapper has no such mapping, or has unmapped it already.
   */
  unmapSg(mapping: DmaMapping): bigint {
    if (!this.#live.has(mapping)) {
      throw new IommuError(
        'EINVAL',
        'this mapper has no such mapping: unmap each mapping once, with the object that mapSg or mapSingle returned',
        typeof mapping?.range?.iova === 'bigint' ? { iova: mapping.range.iova } : {},
      );
    }
    const range = this.#live.get(mapping);
    this.#live.delete(mapping);
    // Linux can't unmap a list that begins with an empty entry: the list stays mapped, and its IOVAs stay in use.
    if (range === undefined) return 0n;
    const { iova, size } = range;
    let unmapped = 0n;
    for (let at = iova; at < iova + size; ) {
      // If nothing can be unmapped as a whole, try a page: some formats unmap a run with a hole only page by page.
      const bytes = this.domain.unmap(at, iova + size - at) || this.domain.unmap(at, this.#granule);
      unmapped += bytes;
      at += bytes || this.#granule;
    }
    this.allocator.free(iova, size);
    return unmapped;
  }

  /**
   * Takes `size` bytes of IOVAs that memory is linked into later, as Linux's dma_iova_try_alloc does. They are not among `mappings()`.
   * @param phys - the memory that comes first. The range gets its offset within a page of the IOMMU. 0 will do for whole pages.
   * @throws IommuError EINVAL for a size of 0, ENOMEM when IOVA space runs out.
   */
  allocateIova(phys: bigint, size: bigint): DmaIova {
    checkWord('phys', phys);
    checkWord('size', size);
    if (size === 0n) throw new IommuError('EINVAL', 'size must be at least one byte, not 0', { size });
    const granule = this.#granule;
    const offset = phys % granule;
    const bytes = (offset + size + granule - 1n) & -granule;
    const iova = this.#allocate(bytes, {});
    return new DmaIova({
      domain: this.domain,
      granule,
      address: iova + offset,
      size,
      coherent: this.#coherent,
      release: () => this.allocator.free(iova, bytes),
    });
  }

  /** Unmaps the result of `mapSingle`, as `unmapSg` does. */
  unmapSingle(mapping: DmaMapping): bigint {
    return this.unmapSg(mapping);
  }

  #map(sg: Scatterlist, request: DmaRequest, place: () => Placement): DmaMapping {
    const prot = protOf(request, this.#coherent);
    if (sg.byteLength === 0n && (this.#odd === 'strict' || sg.count === 0)) {
      throw new IommuError('EINVAL', `the ${sg.count} entries have no bytes to map`, { size: 0n });
    }
    try {
      const placement = place();
      const { padded, size, padding } = placement;
      const iova = size === 0n ? 0n : this.#mapPlaced(placement, prot);
      const range = { iova, size };
      const mapping: DmaMapping = {
        segments: placement.segmentsAt(iova),
        range,
        bytes: sg.byteLength,
        paddingBytes: padding,
        overMappedBytes: size > sg.byteLength ? size - sg.byteLength : 0n,
        prot,
        padded,
      };
      this.#live.set(mapping, range);
      return mapping;
    } catch (error) {
      throw this.#odd === 'linux' && error instanceof IommuError ? asLinuxFails(error) : error;
    }
  }

  /** Finds IOVAs and maps. @returns the first IOVA. */
  #mapPlaced(placement: Placement, prot: Prot): bigint {
    const { size, padded, fault } = placement;
    const iova = this.#allocate(size, this.#placeFor(Number(size), placement.boundary));
    try {
      if (fault !== undefined) throw fault;
      this.domain.mapSg(iova, padded, prot);
      return iova;
    } catch (error) {
      this.allocator.free(iova, size);
      throw error;
    }
  }

  #allocate(size: bigint, place: IovaRequest): bigint {
    const { lastAddress } = this.#limits;
    const beyond = lastAddress > LOW_32 && this.allocator.limit > LOW_32;
    if (this.#low32First && beyond) {
      try {
        return this.allocator.allocate(size, { ...place, limit: LOW_32, keepCaches: true });
      } catch (error) {
        if (!(error instanceof IommuError) || error.code !== 'ENOMEM') throw error;
        this.#low32First = false;
      }
    }
    return this.allocator.allocate(size, { ...place, limit: lastAddress });
  }

  /** A place for the layout. The range must begin on a boundary, or be short and cross none. */
  #placeFor(size: number, boundary: number): IovaRequest {
    if (boundary === NO_BOUNDARY) return {};
    const lines = BigInt(boundary);
    const rounded = Math.ceil(size / Number(this.allocator.granule)) * Number(this.allocator.granule);
    return rounded > boundary ? { alignment: lines } : { boundary: lines };
  }
}

/** dma_map_sg knows two errors: no room, and everything else. */
function asLinuxFails(error: IommuError): IommuError {
  const { code, message, operands } = error;
  if (code === 'ENOMEM' || code === 'EINVAL') return error;
  const what = message.slice(code.length + 2);
  return new IommuError('EINVAL', `${what} (the IOMMU's ${code} is an EINVAL of dma_map_sg)`, operands);
}
