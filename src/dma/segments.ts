/** The segments that a device gets for a mapping, as few and as long as it can take: Linux's __finalise_sg (drivers/iommu/dma-iommu.c). */
import type { Scatterlist } from '../iommu/scatterlist.ts';
import type { Layout, LayoutRules } from './layout.ts';

/** A contiguous stretch for the device, and the entries whose bytes it holds, one after another. */
export interface DmaSegment {
  /** The address that the device uses for the first byte. */
  readonly dmaAddress: bigint;
  /** Bytes. */
  readonly length: bigint;
  /** Index of the first entry of the scatterlist. */
  readonly firstEntry: number;
  /** Number of entries from the first one on. Empty entries in between count, although they contribute no bytes. */
  readonly entryCount: number;
}

interface OpenSegment {
  offset: number;
  length: number;
  firstEntry: number;
  entryCount: number;
}

/**
 * The segments of a layout that begins at `iova`. An entry joins the segment before it if it starts on a granule, there is neither a
 * gap nor a boundary between the two, and together they are not too long.
 */
export function segmentsOf(sg: Scatterlist, layout: Layout, iova: bigint, rules: LayoutRules): DmaSegment[] {
  const { granule, boundary, maxSegmentSize } = rules;
  const { count, addresses, lengths } = sg;
  const start = Number(iova % BigInt(boundary));
  const segments: OpenSegment[] = [];
  /** The segment that can still grow, if there is one. */
  let open: OpenSegment | undefined;
  let done = 0;
  for (let i = 0; i < count; i++) {
    const length = lengths[i]!;
    if (length === 0) continue;
    const offset = addresses[i]! % granule;
    const onLine = (start + done) % boundary === 0;
    if (open !== undefined && offset === 0 && !onLine && open.length + length <= maxSegmentSize) {
      open.length += length;
      open.entryCount = i + 1 - open.firstEntry;
    } else {
      open = { offset: done + offset, length, firstEntry: i, entryCount: 1 };
      segments.push(open);
    }
    const mapped = layout.padded.lengths[i]!;
    done += mapped;
    if (offset + length < mapped) open = undefined;
  }
  return segments.map((one) => ({
    dmaAddress: iova + BigInt(one.offset),
    length: BigInt(one.length),
    firstEntry: one.firstEntry,
    entryCount: one.entryCount,
  }));
}
