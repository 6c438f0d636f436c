/** What a device is told of a mapping, as few and long segments as it can take: Linux's __finalise_sg (drivers/iommu/dma-iommu.c). */
import type { Scatterlist } from '../iommu/scatterlist.ts';
import type { Layout, LayoutRules } from './layout.ts';

/** A stretch for the device, and the entries whose bytes it has, one behind the other. */
export interface DmaSegment {
  /** The address that the device uses for the first byte. */
  readonly dmaAddress: bigint;
  /** Bytes. */
  readonly length: bigint;
  /** Index of the first entry of the scatterlist. */
  readonly firstEntry: number;
  /** From the first entry on: those of 0 bytes between two others count, although they have no part in it. */
  readonly entryCount: number;
}

interface OpenSegment {
  offset: number;
  length: number;
  firstEntry: number;
  entryCount: number;
}

/**
 * The segments of a layout that begins at `iova`. An entry goes on with the segment before it when it starts a granule, nothing lies
 * between the two, no boundary line does either, and together they are not too long.
 */
export function segmentsOf(sg: Scatterlist, layout: Layout, iova: bigint, rules: LayoutRules): DmaSegment[] {
  const { granule, boundary, maxSegmentSize } = rules;
  const { count, addresses, lengths } = sg;
  const start = Number(iova % BigInt(boundary));
  const segments: OpenSegment[] = [];
  /** The segment that can go on, if there is one. */
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
