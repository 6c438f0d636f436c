/** A device's DMA through an IOMMU: what Linux's iommu_dma_map_sg, iommu_dma_map_page and their unmaps do (drivers/iommu/dma-iommu.c). */
import { checkScatterlist, checkWord } from '../iommu/checks.ts';
import type { IommuDomain } from '../iommu/domain.ts';
import { Scatterlist } from '../iommu/scatterlist.ts';
import { IommuError } from '../pagetable/errors.ts';
import type { Prot } from '../pagetable/format.ts';
import { apertureOf, checkAllocator, iovaAllocatorOf } from './aperture.ts';
import { checkMask } from './checks.ts';
import type { IovaAllocator, IovaRange } from './iova-allocator.ts';
import { type Layout, type LayoutRules, layOut } from './layout.ts';
import { type DmaRequest, protOf } from './prot.ts';
import { type DmaSegment, segmentsOf } from './segments.ts';

/** What a device and its place in the system are like. */
export interface DmaMapperOptions {
  /** Input addresses. Default: those of `iovaAllocatorOf(domain)`, which all mappers of a domain share. */
  readonly allocator?: IovaAllocator;
  /** The last address that the device can put out, a mask such as 0xffff_ffffn. Default: all 64 bits. */
  readonly dmaMask?: bigint;
  /** No segment lies across a multiple of this mask and one. Default: 0xffff_ffffn, Linux's. */
  readonly segmentBoundary?: bigint;
  /** Bytes that a segment has at most. Default: no limit. (Linux takes 64 KiB of a driver that says nothing.) */
  readonly maxSegmentSize?: bigint;
  /** Whether the device sees the CPU's caches: mappings are then cacheable. Default: true. */
  readonly coherent?: boolean;
  /** Refuse what can't be mapped without mapping more than was asked, as for a device that is not trusted. Default: false. */
  readonly exact?: boolean;
}

/** What was mapped. All in bytes. */
export interface DmaMapping {
  /** What the device is to be told, in the order of the entries. */
  readonly segments: readonly DmaSegment[];
  /** The IOVA range that is mapped, all of it; what the segments lie in. */
  readonly range: IovaRange;
  /** What was asked: the sum of the entries. */
  readonly bytes: bigint;
  /** What of the range is there only to keep segments off boundary lines. */
  readonly paddingBytes: bigint;
  /** What the device can reach beyond what was asked: the rest of pages that entries begin or end in, and the padding. */
  readonly overMappedBytes: bigint;
  readonly prot: Prot;
}

/** Beyond any input address counted from the first one: no line is ever crossed. */
const NO_BOUNDARY = 2 ** 53;

/**
 * Maps scatterlists and single buffers for one device, wherever in the domain's IOVA space there is room. The CPU's page size plays no part; an
 * IOMMU whose smallest page is larger than the CPU's maps what lies around an entry too, where Linux refuses such a domain.
 *
 * @example
 * const device = new DmaMapper(domain, { dmaMask: 0xffff_ffffn });
 * const mapping = device.mapSg(sg, { direction: 'from-device' });
 * for (const { dmaAddress, length } of mapping.segments) program(dmaAddress, length);
 * device.unmapSg(mapping);
 */
export class DmaMapper {
  readonly domain: IommuDomain;
  readonly allocator: IovaAllocator;
  readonly #dmaMask: bigint;
  readonly #rules: LayoutRules;
  readonly #coherent: boolean;
  readonly #live = new Set<DmaMapping>();

  /** @throws IommuError EINVAL when a mask is none, the boundary is below the smallest page, or the allocator does not fit the domain. */
  constructor(domain: IommuDomain, options: DmaMapperOptions = {}) {
    const { granule } = apertureOf(domain);
    const { allocator = iovaAllocatorOf(domain), coherent = true, exact = false } = options;
    const { dmaMask = (1n << 64n) - 1n, segmentBoundary = 0xffff_ffffn, maxSegmentSize } = options;
    checkAllocator(allocator, domain);
    checkMask('dmaMask', dmaMask, granule);
    checkMask('segmentBoundary', segmentBoundary, granule);
    if (maxSegmentSize !== undefined) checkWord('maxSegmentSize', maxSegmentSize);
    if (maxSegmentSize === 0n)
      throw new IommuError('EINVAL', 'maxSegmentSize must be at least a byte, not 0');
    this.domain = domain;
    this.allocator = allocator;
    this.#dmaMask = dmaMask;
    this.#coherent = coherent;
    this.#rules = {
      granule: Number(granule),
      boundary: Math.min(Number(segmentBoundary + 1n), NO_BOUNDARY),
      maxSegmentSize: maxSegmentSize === undefined ? Number.POSITIVE_INFINITY : Number(maxSegmentSize),
      exact,
    };
  }

  /** Mappings that were not unmapped yet, in the order they were made. */
  mappings(): readonly DmaMapping[] {
    return [...this.#live];
  }

  /**
   * Maps the entries into one IOVA range. Each keeps its offset within the IOMMU's smallest page, and what surrounds it in its first and last page is
   * mapped with it. An entry that would lie across a segment boundary begins on it, and what lies behind the entry before it
   * is mapped up to there. Entries of 0 bytes are passed over.
   * @throws IommuError EINVAL for a direction that is none, a list without a byte, an entry longer than a segment may be, and with `exact` where
   * more would be mapped than was asked; ENOMEM for want of IOVA space or table memory; what `domain.mapSg` throws. Nothing
   * is mapped then and no IOVA taken; tables that became empty stay until `domain.reclaim()`.
   */
  mapSg(sg: Scatterlist, request: DmaRequest): DmaMapping {
    checkScatterlist(sg);
    return this.#map(sg, request, this.#rules);
  }

  /**
   * Maps `size` bytes from the physical address `phys` on, as one segment. As in Linux, segment boundary and maximal size are rules of scatterlists and
   * have no say here.
   * @throws IommuError as `mapSg` does.
   */
  mapSingle(phys: bigint, size: bigint, request: DmaRequest): DmaMapping {
    const sg = Scatterlist.from([{ phys, length: size }], { cpuPageSize: 1 });
    const rules = {
      ...this.#rules,
      boundary: NO_BOUNDARY,
      maxSegmentSize: Number.POSITIVE_INFINITY,
    };
    return this.#map(sg, request, rules);
  }

  /**
   * Unmaps the whole range and gives its IOVAs back.
   * @returns bytes unmapped: all of `mapping.range`, or less where others had unmapped parts of it behind the mapper's back.
   * @throws IommuError EINVAL when this mapper has no such mapping, or no longer.
   */
  unmapSg(mapping: DmaMapping): bigint {
    if (!this.#live.has(mapping)) {
      throw new IommuError(
        'EINVAL',
        'this mapper has no such mapping: one is unmapped once, by the object that mapSg or mapSingle returned',
        typeof mapping?.range?.iova === 'bigint' ? { iova: mapping.range.iova } : {},
      );
    }
    const { iova, size } = mapping.range;
    const granule = BigInt(this.#rules.granule);
    let unmapped = 0n;
    for (let at = iova; at < iova + size; ) {
      // Where nothing goes in one piece, a page may: some formats unmap a run with a hole in it page by page only.
      const bytes = this.domain.unmap(at, iova + size - at) || this.domain.unmap(at, granule);
      unmapped += bytes;
      at += bytes || granule;
    }
    this.allocator.free(iova);
    this.#live.delete(mapping);
    return unmapped;
  }

  /** The same for what `mapSingle` returned. */
  unmapSingle(mapping: DmaMapping): bigint {
    return this.unmapSg(mapping);
  }

  #map(sg: Scatterlist, request: DmaRequest, rules: LayoutRules): DmaMapping {
    const prot = protOf(request, this.#coherent);
    if (sg.byteLength === 0n) {
      throw new IommuError('EINVAL', `there is not a byte to map in ${sg.count} entries`, { size: 0n });
    }
    const exact = request.exact ?? rules.exact;
    const layout = layOut(sg, { ...rules, exact });
    const size = BigInt(layout.size);
    const iova = this.allocator.allocate(size, this.#placeFor(layout, rules.boundary));
    try {
      this.domain.mapSg(iova, layout.padded, prot);
    } catch (error) {
      this.allocator.free(iova);
      throw error;
    }
    const mapping: DmaMapping = {
      segments: segmentsOf(sg, layout, iova, rules),
      range: { iova, size },
      bytes: sg.byteLength,
      paddingBytes: BigInt(layout.padding),
      overMappedBytes: size - sg.byteLength,
      prot,
    };
    this.#live.add(mapping);
    return mapping;
  }

  /** What the layout takes for granted: the range begins on a boundary line, or is short and lies across none. */
  #placeFor({ size }: Layout, boundary: number) {
    const lines = BigInt(boundary);
    const rounded = Math.ceil(size / Number(this.allocator.granule)) * Number(this.allocator.granule);
    return { limit: this.#dmaMask, ...(rounded > boundary ? { alignment: lines } : { boundary: lines }) };
  }
}
