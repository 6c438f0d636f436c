/** How much IOVA space a workload takes when the DMA layer places it: entries padded to the IOMMU's pages, and no segment across a boundary. */
import { layOut } from '../dma/layout.ts';
import type { Scatterlist } from '../iommu/scatterlist.ts';
import { IommuError } from '../pagetable/errors.ts';
import type { Refusal } from './semantics.ts';
import type { Workload } from './workload.ts';

/** All requests that the DMA layer takes, together. Sizes in bytes. */
export interface DmaResult {
  readonly refusedRequests: number;
  readonly first?: Refusal;
  /** IOVA space of the mappings, and how much of it no request covers. */
  readonly iovaBytes: bigint;
  readonly overMapped: bigint;
  /** The part of that which only keeps segments from crossing boundaries. */
  readonly padding: bigint;
}

/** Linux's default: no segment crosses a multiple of 4 GiB. */
const BOUNDARY = 2 ** 32;

/**
 * What a DmaMapper with Linux's defaults takes for the requests of a workload.
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

/** The size that the DMA layer's `layOut` would return, from numbers alone. Undefined if an entry has to cross a boundary. */
function placedSize(
  { count, addresses, lengths }: Scatterlist,
  granule: number,
): { readonly size: number; readonly padding: number } | undefined {
  const mask = granule - 1;
  let size = 0;
  let padding = 0;
  /** The next boundary, always after everything placed so far. */
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

/** The DMA layer's own message for why it refuses a list. */
function refusalOf(sg: Scatterlist, granule: number): Omit<Refusal, 'request'> {
  try {
    layOut(sg, { granule, boundary: BOUNDARY, maxSegmentSize: Number.POSITIVE_INFINITY, exact: false });
  } catch (error) {
    if (!(error instanceof IommuError)) throw error;
    const { entry } = error.operands;
    return { message: error.message, ...(entry !== undefined && { entry }) };
  }
  throw new Error('the DMA layer accepts a list that the sizes say it refuses');
}
