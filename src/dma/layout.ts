/** How the entries of a scatterlist lie in one IOVA range: the first half of Linux's iommu_dma_map_sg (drivers/iommu/dma-iommu.c). */
import { Scatterlist } from '../iommu/scatterlist.ts';
import { hex, IommuError } from '../pagetable/errors.ts';

/** Constraints on a layout, in exact numbers of bytes. `boundary` is the distance between boundaries, not a mask. */
export interface LayoutRules {
  /** The IOMMU's smallest page. */
  readonly granule: number;
  readonly boundary: number;
  readonly maxSegmentSize: number;
  /** Refuse entries that can't be mapped without mapping more. */
  readonly exact: boolean;
}

/** Entries padded to granules, in their order. They are mapped one after another from the start of the IOVA range on. */
export interface Layout {
  /** One entry for each requested entry; an empty entry stays empty. */
  readonly padded: Scatterlist;
  /** Bytes of IOVA space. */
  readonly size: number;
  /** Bytes of it that only keep entries from crossing a boundary. */
  readonly padding: number;
}

/**
 * Pads each entry down and up to the granule. An entry that would cross a boundary begins on it instead. The entry before it is
 * extended over the gap, so that the range has no hole. The layout is valid if the range begins on a boundary, or if it is no longer
 * than the distance between two boundaries and crosses none.
 * @throws IommuError EINVAL, with the entry, if one is longer than a segment may be or, with `exact`, begins or ends inside a granule.
 */
export function layOut(sg: Scatterlist, rules: LayoutRules): Layout {
  const { granule, boundary } = rules;
  const { count, addresses, lengths } = sg;
  const starts = new Float64Array(count);
  const sizes = new Float64Array(count);
  let size = 0;
  let padding = 0;
  let last = 0;
  for (let i = 0; i < count; i++) {
    const offset = addresses[i]! % granule;
    const length = lengths[i]!;
    starts[i] = addresses[i]! - offset;
    if (length === 0) continue;
    checkEntry(sg, i, offset, rules);
    const padded = Math.ceil((offset + length) / granule) * granule;
    const room = (boundary - (size % boundary)) % boundary;
    if (room > 0 && room < padded) {
      if (rules.exact) throw gapRefused(sg, i, room, boundary);
      sizes[last]! += room;
      padding += room;
      size += room;
    }
    sizes[i] = padded;
    size += padded;
    last = i;
  }
  return { padded: Scatterlist.fromColumns(starts, sizes), size, padding };
}

function checkEntry(sg: Scatterlist, entry: number, offset: number, rules: LayoutRules): void {
  const { granule, boundary, maxSegmentSize, exact } = rules;
  const length = sg.lengths[entry]!;
  const [what, operands] = named(sg, entry);
  if (length > maxSegmentSize) {
    throw new IommuError(
      'EINVAL',
      `${what} is longer than the device's maxSegmentSize of ${hex(maxSegmentSize)}; a segment holds at least one whole entry, so split the entry`,
      operands,
    );
  }
  if (offset + length > boundary) {
    throw new IommuError(
      'EINVAL',
      `${what} always crosses a segment boundary: it starts ${hex(offset)} bytes into its granule and is ${hex(length)} long, which is more than the ${hex(boundary)} between two boundaries; split the entry`,
      operands,
    );
  }
  if (exact && (offset > 0 || length % granule > 0)) {
    const [place, by] = offset > 0 ? ['begins', offset] : ['ends', length % granule];
    throw new IommuError(
      'EINVAL',
      `${what} ${place} ${hex(by)} bytes into a page of the IOMMU, so more than was asked would be mapped; exact mappings begin and end on multiples of ${hex(granule)}: use a bounce buffer, or drop exact`,
      { ...operands, alignment: BigInt(granule) },
    );
  }
}

function gapRefused(sg: Scatterlist, entry: number, room: number, boundary: number): IommuError {
  const [what, operands] = named(sg, entry);
  return new IommuError(
    'EINVAL',
    `${what} would cross a segment boundary (every ${hex(boundary)} bytes), and the ${hex(room)} bytes up to it would be mapped although nobody asked for them; map the entries from this one on separately, or drop exact`,
    { ...operands, alignment: BigInt(boundary) },
  );
}

function named(sg: Scatterlist, entry: number): [string, { entry: number; pa: bigint; size: bigint }] {
  const pa = BigInt(sg.addresses[entry]!);
  const size = BigInt(sg.lengths[entry]!);
  return [`entry ${entry}, [${hex(pa)}, +${hex(size)}),`, { entry, pa, size }];
}
