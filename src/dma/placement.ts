/** A list as a device's mapper maps it: its padded entries and, once its IOVAs are known, its segments. Strictly, or as Linux does it. */
import type { Scatterlist } from '../iommu/scatterlist.ts';
import { hex, IommuError } from '../pagetable/errors.ts';
import type { CheckedLimits } from './device-limits.ts';
import { type LayoutRules, layOut } from './layout.ts';
import { linuxLayout, linuxSegments } from './linux-layout.ts';
import { type DmaSegment, segmentsOf } from './segments.ts';

/** A list laid out for one IOVA range. Sizes in bytes. */
export interface Placement {
  readonly padded: Scatterlist;
  readonly size: bigint;
  readonly padding: bigint;
  /** The distance between two boundaries, for the allocator. */
  readonly boundary: number;
  /** Why the list can't be mapped. Linux notices this only after it found IOVAs, and so does this. */
  readonly fault?: IommuError;
  segmentsAt(iova: bigint): DmaSegment[];
}

/** A boundary larger than the whole input range, so nothing ever crosses it. */
export const NO_BOUNDARY = 2 ** 53;

/** Odd lists are refused, entries without bytes are skipped. @throws IommuError as `layOut` does. */
export function placeStrictly(
  sg: Scatterlist,
  limits: CheckedLimits,
  granule: number,
  exact: boolean,
): Placement {
  const { maxSegmentSize } = limits;
  return placed(sg, {
    granule,
    boundary: distanceOf(limits),
    maxSegmentSize: maxSegmentSize === undefined ? Number.POSITIVE_INFINITY : Number(maxSegmentSize),
    exact,
  });
}

/** One buffer as one segment: boundaries and the size of segments are for lists only. */
export function placeSingle(sg: Scatterlist, granule: number, exact: boolean): Placement {
  return placed(sg, { granule, boundary: NO_BOUNDARY, maxSegmentSize: Number.POSITIVE_INFINITY, exact });
}

/** Odd lists are placed as Linux places them. @throws IommuError EINVAL for a padded entry of 4 GiB or more, with the entry. */
export function placeAsLinux(sg: Scatterlist, limits: CheckedLimits, granule: number): Placement {
  const { boundaryMask, maxSegmentSize = 0xffff_ffffn } = limits;
  const rules = { granule, boundaryMask, maxSegmentSize: Number(maxSegmentSize) };
  const layout = linuxLayout(sg, rules);
  const { padded, size, padding, mappedBytes, refusal } = layout;
  if (refusal !== undefined) throw refusal;
  return {
    padded,
    size,
    padding,
    boundary: distanceOf(limits),
    ...(mappedBytes < size && { fault: tooShort(mappedBytes, size) }),
    segmentsAt: (iova) => linuxSegments(sg, layout, iova, rules),
  };
}

function placed(sg: Scatterlist, rules: LayoutRules): Placement {
  const layout = layOut(sg, rules);
  return {
    padded: layout.padded,
    size: BigInt(layout.size),
    padding: BigInt(layout.padding),
    boundary: rules.boundary,
    segmentsAt: (iova) => segmentsOf(sg, layout, iova, rules),
  };
}

function distanceOf({ boundaryMask }: CheckedLimits): number {
  return Math.min(Number(boundaryMask + 1n), NO_BOUNDARY);
}

function tooShort(mapped: bigint, size: bigint): IommuError {
  return new IommuError(
    'EINVAL',
    `only ${hex(mapped)} of ${hex(size)} bytes would be mapped: the empty last entry touches the run before it, of which Linux then maps nothing; leave it out`,
    { size },
  );
}
