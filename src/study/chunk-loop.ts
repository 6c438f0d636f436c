/** What a workload costs in IOVA ranges and calls when each list is mapped at once, as map_sg does, and when it is mapped chunk by chunk, as before it. */
import { chunksOf } from '../dma/chunk-mapper.ts';
import type { Workload } from './workload.ts';

/** All requests of a workload, mapped in two ways. Sizes in bytes. */
export interface ChunkLoopResult {
  /** Requests that have bytes: map_sg takes one range and one call for each. */
  readonly lists: number;
  /** IOVA ranges of the loop, one for each chunk, and its calls of iommu_map, one for each entry. */
  readonly ranges: number;
  readonly calls: number;
  /** Bytes that the loop maps beyond the request: it rounds every entry to CPU pages. */
  readonly overMapped: bigint;
  /** False where the IOMMU's smallest page is larger than the CPU's: the loop can't map then. */
  readonly possible: boolean;
}

/** @param granule - the IOMMU's smallest page in bytes. */
export function throughChunkLoop(workload: Workload, granule: number): ChunkLoopResult {
  const sum = { lists: 0, ranges: 0, calls: 0, overMapped: 0n };
  for (const { sg } of workload.requests) {
    if (sg.byteLength === 0n) continue;
    sum.lists++;
    sum.overMapped -= sg.byteLength;
    for (const { maps } of chunksOf(sg)) {
      sum.ranges++;
      sum.calls += maps.length;
      for (const { size } of maps) sum.overMapped += size;
    }
  }
  return { ...sum, possible: granule <= workload.cpuPageSize };
}
