/** How the entries of a scatterlist lie in one IOVA range: the first half of Linux's iommu_dma_map_sg (drivers/iommu/dma-iommu.c). */
import { Scatterlist } from '../iommu/scatterlist.ts';
import { hex, IommuError } from '../pagetable/errors.ts';

/** What a layout must keep to, in exact numbers of bytes; `boundary` is the distance between lines, not a mask. */
export interface LayoutRules {
  /** The IOMMU's smallest page. */
  readonly granule: number;
  readonly boundary: number;
  readonly maxSegmentSize: number;
  /** Refuse what can't be mapped without mapping more. */
  readonly exact: boolean;
}

/** Entries padded to granules, in their order: what is mapped one behind the other from the start of the IOVA range on. */
export interface Layout {
  /** Index for index the entries asked; one of 0 bytes stays one of 0 bytes. */
  readonly padded: Scatterlist;
  /** Bytes of IOVA space. */
  readonly size: number;
  /** Bytes of it that only keep entries off boundary lines. */
  readonly padding: number;
}

/**
 * Pads each entry down and up to the granule. An entry that would lie across a boundary line begins on it instead; the gap goes to the entry
 * before, which is mapped that much further, so that the range has no hole. That holds wherever the range begins, as long as it begins on
 * a line or, when it is no longer than the distance between two lines, crosses none.
 * @throws IommuError EINVAL, with the entry, when one is longer than a segment may be or, with `exact`, begins or ends inside a granule.
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
      `${what} is longer than the device's maxSegmentSize of ${hex(maxSegmentSize)}; a segment is never less than an entry, so split the entry`,
      operands,
    );
  }
  if (offset + length > boundary) {
    throw new IommuError(
      'EINVAL',
      `${what} can't but cross a segment boundary: ${hex(offset)} bytes into its granule and ${hex(length)} long, it needs more than the ${hex(boundary)} between two; split the entry`,
      operands,
    );
  }
  if (exact && (offset > 0 || length % granule > 0)) {
    const [place, by] = offset > 0 ? ['begins', offset] : ['ends', length % granule];
    throw new IommuError(
      'EINVAL',
      `${what} ${place} ${hex(by)} bytes into a page of the IOMMU, so that more than was asked would be mapped; exact mappings begin and end on ${hex(granule)}: use a bounce buffer, or do without exact`,
      { ...operands, alignment: BigInt(granule) },
    );
  }
}

function gapRefused(sg: Scatterlist, entry: number, room: number, boundary: number): IommuError {
  const [what, operands] = named(sg, entry);
  return new IommuError(
    'EINVAL',
    `${what} would cross a segment boundary (every ${hex(boundary)} bytes), and the ${hex(room)} bytes up to it would be mapped without being asked for; map the list in two from this entry on, or do without exact`,
    { ...operands, alignment: BigInt(boundary) },
  );
}

function named(sg: Scatterlist, entry: number): [string, { entry: number; pa: bigint; size: bigint }] {
  const pa = BigInt(sg.addresses[entry]!);
  const size = BigInt(sg.lengths[entry]!);
  return [`entry ${entry}, [${hex(pa)}, +${hex(size)}),`, { entry, pa, size }];
}
