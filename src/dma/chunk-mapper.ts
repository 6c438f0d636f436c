/**
 * Lists mapped chunk by chunk: the loop of arch/arm/mm/dma-mapping.c (arm_iommu_map_sg), which iommu_map_sg was written to replace. Every chunk has an
 * IOVA range of its own, every entry takes a call of iommu_map, and the unit is the CPU's page.
 */
import { checkScatterlist, checkWord } from '../iommu/checks.ts';
import type { IommuDomain } from '../iommu/domain.ts';
import type { Scatterlist } from '../iommu/scatterlist.ts';
import { hex, IommuError } from '../pagetable/errors.ts';
import type { Prot } from '../pagetable/format.ts';
import { apertureOf } from './aperture.ts';
import { IovaAllocator } from './iova-allocator.ts';
import type { IovaRange, IovaSource } from './iova-source.ts';
import { type DmaRequest, protOf } from './prot.ts';
import type { DmaSegment } from './segments.ts';

/** Entries that are mapped into one IOVA range. Sizes in bytes. */
export interface Chunk {
  readonly firstEntry: number;
  readonly entryCount: number;
  /** Offset in its CPU page of the first byte that was asked for. */
  readonly offset: number;
  /** Bytes asked for. */
  readonly length: number;
  /** The mapped pieces, one for each entry, in whole CPU pages. */
  readonly maps: readonly { readonly phys: bigint; readonly size: bigint }[];
}

/**
 * The chunks of a list. A new chunk begins with an entry that does not start a CPU page, after an entry that does not end one, and where the
 * chunk would become longer than a segment may be.
 * @param maxSegmentSize - bytes; no limit if it is not given.
 */
export function chunksOf(sg: Scatterlist, maxSegmentSize = Number.POSITIVE_INFINITY): Chunk[] {
  const page = sg.cpuPageSize;
  const chunks: Chunk[] = [];
  let first = 0;
  let size = 0;
  for (let i = 0; i < sg.count; i++) {
    const offset = sg.addresses[i]! % page;
    const length = sg.lengths[i]!;
    if (i > first && (offset > 0 || size % page > 0 || size + length > maxSegmentSize)) {
      chunks.push(chunkOf(sg, first, i, size));
      first = i;
      size = 0;
    }
    size += i === first ? offset + length : length;
  }
  if (sg.count > 0) chunks.push(chunkOf(sg, first, sg.count, size));
  return chunks;
}

function chunkOf(sg: Scatterlist, first: number, end: number, size: number): Chunk {
  const page = sg.cpuPageSize;
  const offset = sg.addresses[first]! % page;
  const maps = Array.from({ length: end - first }, (_, i) => {
    const at = sg.addresses[first + i]!;
    const inPage = at % page;
    return {
      phys: BigInt(at - inPage),
      size: BigInt(Math.ceil((inPage + sg.lengths[first + i]!) / page) * page),
    };
  });
  return { firstEntry: first, entryCount: end - first, offset, length: size - offset, maps };
}

/** What was mapped. All in bytes. */
export interface ChunkMapping {
  /** One for each chunk. */
  readonly segments: readonly DmaSegment[];
  readonly ranges: readonly IovaRange[];
  /** Calls of iommu_map. */
  readonly mapCalls: number;
  readonly bytes: bigint;
  /** Bytes that the device can reach beyond the request: the rest of the CPU pages in which entries begin or end. */
  readonly overMappedBytes: bigint;
  readonly prot: Prot;
}

/** Properties of a device for the loop over chunks. */
export interface ChunkMapperOptions {
  /** Input addresses. Default: the whole aperture in CPU pages, lowest first, aligned from its base to at most 256 pages, as arch/arm's bitmap does. */
  readonly allocator?: IovaSource;
  /** Bytes of a CPU page, a power of two. Lists must have the same CPU page size. Default: 4096. */
  readonly cpuPageSize?: number;
  /** Maximum bytes of a chunk. Default: no limit. (Linux assumes 64 KiB for a driver that sets none.) */
  readonly maxSegmentSize?: bigint;
}

/** The largest alignment of arch/arm: 2^8 pages, the default of CONFIG_ARM_DMA_IOMMU_ALIGNMENT. */
const MOST_ALIGNED_PAGES = 256n;

/**
 * Maps lists chunk by chunk, for study beside `DmaMapper`.
 *
 * @example
 * const device = new ChunkMapper(domain);
 * const { ranges, mapCalls } = device.mapSg(sg, { direction: 'to-device' });
 */
export class ChunkMapper {
  readonly domain: IommuDomain;
  readonly allocator: IovaSource;
  readonly #cpuPageSize: number;
  readonly #maxSegmentSize: number;
  readonly #live = new Set<ChunkMapping>();

  /** @throws IommuError EINVAL for an invalid size, and if the IOMMU's smallest page is larger than the CPU's. */
  constructor(domain: IommuDomain, options: ChunkMapperOptions = {}) {
    const { base, limit, granule } = apertureOf(domain);
    const { cpuPageSize = 4096, maxSegmentSize } = options;
    if (maxSegmentSize !== undefined) checkWord('maxSegmentSize', maxSegmentSize);
    if (cpuPageSize < granule || !Number.isInteger(Math.log2(cpuPageSize))) {
      throw new IommuError(
        'EINVAL',
        `cpuPageSize must be a power of two, at least the IOMMU's smallest page of ${hex(granule)}, not ${cpuPageSize}`,
        { pageSize: granule },
      );
    }
    const page = BigInt(cpuPageSize);
    this.domain = domain;
    this.allocator =
      options.allocator ??
      new IovaAllocator({
        granule: page,
        base,
        limit,
        reserved: domain.reserved,
        order: 'bottom-up',
        alignFrom: 'base',
        maxAlignment: page * MOST_ALIGNED_PAGES,
      });
    this.#cpuPageSize = cpuPageSize;
    this.#maxSegmentSize = maxSegmentSize === undefined ? Number.POSITIVE_INFINITY : Number(maxSegmentSize);
  }

  /**
   * Maps every chunk into a range of its own. Nothing is cacheable, because the loop does not ask for it.
   * @throws IommuError EINVAL for a list without entries or with another CPU page size, ENOMEM when IOVA space runs out, whatever `domain.map` throws.
   * In each case nothing stays mapped.
   */
  mapSg(sg: Scatterlist, request: DmaRequest): ChunkMapping {
    checkScatterlist(sg);
    const prot = protOf(request, false);
    if (sg.byteLength === 0n || sg.cpuPageSize !== this.#cpuPageSize) {
      const why =
        sg.byteLength === 0n ? 'has no bytes to map' : `is made of CPU pages of ${hex(sg.cpuPageSize)}`;
      throw new IommuError('EINVAL', `the list ${why}; these chunks are of ${hex(this.#cpuPageSize)}`);
    }
    const chunks = chunksOf(sg, this.#maxSegmentSize);
    const ranges: IovaRange[] = [];
    try {
      for (const chunk of chunks) ranges.push(this.#mapChunk(chunk, prot));
    } catch (error) {
      for (const range of ranges) this.#unmapRange(range);
      throw error;
    }
    const mapped = ranges.reduce((sum, { size }) => sum + size, 0n);
    const mapping: ChunkMapping = {
      segments: chunks.map(({ firstEntry, entryCount, offset, length }, i) => {
        const dmaAddress = ranges[i]!.iova + BigInt(offset);
        return { dmaAddress, length: BigInt(length), firstEntry, entryCount };
      }),
      ranges,
      mapCalls: chunks.reduce((sum, { maps }) => sum + maps.length, 0),
      bytes: sg.byteLength,
      overMappedBytes: mapped - sg.byteLength,
      prot,
    };
    this.#live.add(mapping);
    return mapping;
  }

  /** Unmaps all chunks. @returns bytes unmapped. @throws IommuError EINVAL when this mapper has no such mapping, or has unmapped it already. */
  unmapSg(mapping: ChunkMapping): bigint {
    if (!this.#live.delete(mapping)) {
      throw new IommuError('EINVAL', 'this mapper has no such mapping: unmap each mapping once');
    }
    return mapping.ranges.reduce((sum, range) => sum + this.#unmapRange(range), 0n);
  }

  #mapChunk({ maps }: Chunk, prot: Prot): IovaRange {
    const size = maps.reduce((sum, one) => sum + one.size, 0n);
    const iova = this.allocator.allocate(size);
    let done = 0n;
    try {
      for (const { phys, size: bytes } of maps) {
        this.domain.map(iova + done, phys, bytes, prot);
        done += bytes;
      }
    } catch (error) {
      this.domain.unmap(iova, done);
      this.allocator.free(iova);
      throw error;
    }
    return { iova, size };
  }

  #unmapRange({ iova, size }: IovaRange): bigint {
    const bytes = this.domain.unmap(iova, size);
    this.allocator.free(iova);
    return bytes;
  }
}
