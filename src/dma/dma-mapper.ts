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

/** Properties of a device and of its place in the system. */
export interface DmaMapperOptions {
  /** Input addresses. Default: those of `iovaAllocatorOf(domain)`, which all mappers of a domain share. */
  readonly allocator?: IovaAllocator;
  /** The highest address that the device can emit, as a mask such as 0xffff_ffffn. Default: all 64 bits. */
  readonly dmaMask?: bigint;
  /** No segment crosses a multiple of this mask plus one. Default: 0xffff_ffffn, as in Linux. */
  readonly segmentBoundary?: bigint;
  /** Maximum bytes of a segment. Default: no limit. (Linux assumes 64 KiB for a driver that sets none.) */
  readonly maxSegmentSize?: bigint;
  /** Whether the device sees the CPU's caches: mappings are then cacheable. Default: true. */
  readonly coherent?: boolean;
  /** Refuse requests that would map more than was asked, as for an untrusted device. Default: false. */
  readonly exact?: boolean;
}

/** What was mapped. All in bytes. */
export interface DmaMapping {
  /** The segments to program into the device, in the order of the entries. */
  readonly segments: readonly DmaSegment[];
  /** The whole mapped IOVA range, which contains the segments. */
  readonly range: IovaRange;
  /** The requested bytes: the sum of the entries. */
  readonly bytes: bigint;
  /** Bytes of the range that only keep segments from crossing a boundary. */
  readonly paddingBytes: bigint;
  /** Bytes that the device can reach beyond the request: the rest of the pages in which entries begin or end, and the padding. */
  readonly overMappedBytes: bigint;
  readonly prot: Prot;
}

/** Beyond every input address counted from the first one, so no boundary is ever crossed. */
const NO_BOUNDARY = 2 ** 53;

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
  readonly allocator: IovaAllocator;
  readonly #dmaMask: bigint;
  readonly #rules: LayoutRules;
  readonly #coherent: boolean;
  readonly #live = new Set<DmaMapping>();

  /** @throws IommuError EINVAL when a mask is invalid, the boundary is below the smallest page, or the allocator does not fit the domain. */
  constructor(domain: IommuDomain, options: DmaMapperOptions = {}) {
    const { granule } = apertureOf(domain);
    const { allocator = iovaAllocatorOf(domain), coherent = true, exact = false } = options;
    const { dmaMask = (1n << 64n) - 1n, segmentBoundary = 0xffff_ffffn, maxSegmentSize } = options;
    checkAllocator(allocator, domain);
    checkMask('dmaMask', dmaMask, granule);
    checkMask('segmentBoundary', segmentBoundary, granule);
    if (maxSegmentSize !== undefined) checkWord('maxSegmentSize', maxSegmentSize);
    if (maxSegmentSize === 0n)
      throw new IommuError('EINVAL', 'maxSegmentSize must be at least one byte, not 0');
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

  /** Mappings that are not unmapped yet, in the order in which they were made. */
  mappings(): readonly DmaMapping[] {
    return [...this.#live];
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
    return this.#map(sg, request, this.#rules);
  }

  /**
   * Maps `size` bytes from the physical address `phys` on, as one segment. As in Linux, segment boundary and maximum size apply to scatterlists
   * only.
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
   * @returns bytes unmapped: all of `mapping.range`, or less if parts of it had been unmapped without this mapper.
   * @throws IommuError EINVAL when this mapper has no such mapping, or no longer.
   */
  unmapSg(mapping: DmaMapping): bigint {
    if (!this.#live.has(mapping)) {
      throw new IommuError(
        'EINVAL',
        'this mapper has no such mapping: unmap each mapping once, with the object that mapSg or mapSingle returned',
        typeof mapping?.range?.iova === 'bigint' ? { iova: mapping.range.iova } : {},
      );
    }
    const { iova, size } = mapping.range;
    const granule = BigInt(this.#rules.granule);
    let unmapped = 0n;
    for (let at = iova; at < iova + size; ) {
      // If nothing can be unmapped as a whole, try a page: some formats unmap a run with a hole only page by page.
      const bytes = this.domain.unmap(at, iova + size - at) || this.domain.unmap(at, granule);
      unmapped += bytes;
      at += bytes || granule;
    }
    this.allocator.free(iova);
    this.#live.delete(mapping);
    return unmapped;
  }

  /** The same for the result of `mapSingle`. */
  unmapSingle(mapping: DmaMapping): bigint {
    return this.unmapSg(mapping);
  }

  #map(sg: Scatterlist, request: DmaRequest, rules: LayoutRules): DmaMapping {
    const prot = protOf(request, this.#coherent);
    if (sg.byteLength === 0n) {
      throw new IommuError('EINVAL', `the ${sg.count} entries have no bytes to map`, { size: 0n });
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

  /** A place for the layout, which assumes that the range begins on a boundary, or is short and crosses none. */
  #placeFor({ size }: Layout, boundary: number) {
    const lines = BigInt(boundary);
    const rounded = Math.ceil(size / Number(this.allocator.granule)) * Number(this.allocator.granule);
    return { limit: this.#dmaMask, ...(rounded > boundary ? { alignment: lines } : { boundary: lines }) };
  }
}
