/** What a workload takes of IOVA space when the DMA layer places it: entries padded to the IOMMU's pages, and kept off segment boundaries. */
import { layOut } from '../dma/layout.ts';
import type { Scatterlist } from '../iommu/scatterlist.ts';
import { IommuError } from '../pagetable/errors.ts';
import type { Refusal } from './semantics.ts';
import type { Workload } from './workload.ts';

/** All requests that the DMA layer takes, together. Sizes in bytes. */
export interface DmaResult {
  readonly refusedRequests: number;
  readonly first?: Refusal;
  /** IOVA space of the mappings, and what of it nobody asked for. */
  readonly iovaBytes: bigint;
  readonly overMapped: bigint;
  /** What of that only keeps segments off boundary lines. */
  readonly padding: bigint;
}

/** Linux's default: no segment lies across a multiple of 4 GiB. */
const BOUNDARY = 2 ** 32;

/**
 * What a DmaMapper with Linux's defaults takes for each request.
 * @param granule - the IOMMU's smallest page in bytes.
 */
export function throughDmaLayer(workload: Workload, granule: number): DmaResult {
  let refusedRequests = 0;
  let first: Refusal | undefined;
  const sum = { iovaBytes: 0, asked: 0, padding: 0 };
  for (const [request, { sg }] of workload.requests.entries()) {
    const placed = placedSize(sg, granule);
    if (placed === undefined) {
      refusedRequests++;
      first ??= { request, ...refusalOf(sg, granule) };
      continue;
    }
    sum.iovaBytes += placed.size;
    sum.padding += placed.padding;
    sum.asked += Number(sg.byteLength);
  }
  return {
    refusedRequests,
    ...(first && { first }),
    iovaBytes: BigInt(sum.iovaBytes),
    overMapped: BigInt(sum.iovaBytes - sum.asked),
    padding: BigInt(sum.padding),
  };
}

/** The sizes that the DMA layer's `layOut` answers, on numbers alone; undefined where an entry can't but cross a boundary. */
function placedSize(
  { count, addresses, lengths }: Scatterlist,
  granule: number,
): { readonly size: number; readonly padding: number } | undefined {
  const mask = granule - 1;
  let size = 0;
  let padding = 0;
  /** The next boundary, always behind what is placed. */
  let line = BOUNDARY;
  for (let i = 0; i < count; i++) {
    if (lengths[i] === 0) continue;
    const end = (addresses[i]! & mask) + lengths[i]!;
    if (end > BOUNDARY) return undefined;
    const padded = end + (-end & mask);
    if (size + padded > line) {
      padding += line - size;
      size = line;
    }
    size += padded;
    while (size >= line) line += BOUNDARY;
  }
  return { size, padding };
}

/** Why the DMA layer refuses a list, in its own words. */
function refusalOf(sg: Scatterlist, granule: number): Omit<Refusal, 'request'> {
  try {
    layOut(sg, { granule, boundary: BOUNDARY, maxSegmentSize: Number.POSITIVE_INFINITY, exact: false });
  } catch (error) {
    if (!(error instanceof IommuError)) throw error;
    const { entry } = error.operands;
    return { message: error.message, ...(entry !== undefined && { entry }) };
  }
  throw new Error('the DMA layer takes a list that its sizes refuse');
}
