/**
 * Lays out lists as Linux does, odd ones included: iommu_dma_map_sg and __finalise_sg (drivers/iommu/dma-iommu.c) with their 32-bit lengths. If
 * no entry is empty and each fits a segment, the results equal those of `layout.ts` and `segments.ts`.
 */
import { Scatterlist } from '../iommu/scatterlist.ts';
import { hex, IommuError } from '../pagetable/errors.ts';
import type { DmaSegment } from './segments.ts';

/** A device's limits as Linux keeps them. Sizes in bytes. */
export interface LinuxRules {
  /** The IOMMU's smallest page. */
  readonly granule: number;
  /** The segment boundary as a mask of 64 bits; all ones is none. It may be below the granule. */
  readonly boundaryMask: bigint;
  /** At most 2^32 - 1. */
  readonly maxSegmentSize: number;
}

/** The entries that iommu_map_sg receives. */
export interface LinuxLayout {
  /** One for each entry. An empty one that starts inside a granule has a whole granule. */
  readonly padded: Scatterlist;
  /** Bytes of IOVA space that are asked for. */
  readonly size: bigint;
  /** Bytes added to keep entries off boundary lines. */
  readonly padding: bigint;
  /** Bytes that iommu_map_sg maps: fewer than `size` where an empty last entry touches the run before it. Linux fails then. */
  readonly mappedBytes: bigint;
  /** Why Linux refuses the list before it looks for IOVAs: a padded length of 4 GiB or more, which 32 bits don't hold. */
  readonly refusal?: IommuError;
  /** The entry that Linux does not restore when the list fails: an empty one that was padded. */
  readonly damagedEntry?: number;
}

const LENGTH_END = 2 ** 32;

/** Lays out as far as Linux does: up to the entry that is refused, if there is one. */
export function linuxLayout(sg: Scatterlist, rules: LinuxRules): LinuxLayout {
  const { granule, boundaryMask } = rules;
  const { count, addresses, lengths } = sg;
  const starts = new Float64Array(count);
  const sizes = new Float64Array(count);
  let [size, padding] = [0n, 0n];
  let refusal: IommuError | undefined;
  for (let i = 0; i < count && refusal === undefined; i++) {
    const length = lengths[i]!;
    const offset = addresses[i]! % granule;
    const bytes = Math.ceil((offset + length) / granule) * granule;
    starts[i] = addresses[i]! - offset;
    sizes[i] = bytes;
    const room = (boundaryMask - size + 1n) & boundaryMask;
    // In Linux's unsigned arithmetic, an empty entry is longer than any room.
    if (room > 0n && (bytes === 0 || room < BigInt(bytes))) {
      sizes[i - 1]! += Number(room);
      padding += room;
      size += room;
      if (sizes[i - 1]! >= LENGTH_END) refusal = tooLong(i - 1, sizes[i - 1]!);
    }
    size += BigInt(bytes);
    if (bytes >= LENGTH_END) refusal = tooLong(i, bytes);
  }
  const damaged = sizes.findIndex((bytes, i) => bytes > 0 && lengths[i] === 0);
  const padded = Scatterlist.fromColumns(starts, refusal === undefined ? sizes : new Float64Array(count));
  return {
    padded,
    size,
    padding,
    mappedBytes: mappedBytesOf(padded),
    ...(refusal && { refusal }),
    ...(damaged >= 0 && { damagedEntry: damaged }),
  };
}

/**
 * The segments of a layout that begins at `iova`. As in Linux, the count of bytes that still fit wraps after an entry that is longer than a segment, and an empty
 * entry ends the segment before it only if it begins a new one.
 */
export function linuxSegments(
  sg: Scatterlist,
  { padded }: LinuxLayout,
  iova: bigint,
  rules: LinuxRules,
): DmaSegment[] {
  const { granule, boundaryMask, maxSegmentSize } = rules;
  const segments: { dmaAddress: bigint; length: bigint; firstEntry: number; entryCount: number }[] = [];
  let address = iova;
  /** Bytes of the segment that can still grow; 0 if there is none. */
  let open = 0;
  for (let i = 0; i < sg.count; i++) {
    const length = sg.lengths[i]!;
    const offset = sg.addresses[i]! % granule;
    const onLine = (address & boundaryMask) === 0n;
    const fits = (maxSegmentSize - open) >>> 0 >= length;
    if (open > 0 && offset === 0 && !onLine && fits) {
      open = (open + length) >>> 0;
    } else {
      open = length;
      segments.push({ dmaAddress: address + BigInt(offset), length: 0n, firstEntry: i, entryCount: 0 });
    }
    const segment = segments.at(-1)!;
    segment.length = BigInt(open);
    segment.entryCount = i + 1 - segment.firstEntry;
    const mapped = padded.lengths[i]!;
    address += BigInt(mapped);
    if ((length + offset) >>> 0 < mapped) open = 0;
  }
  return segments;
}

/** What iommu_dma_unmap_sg unmaps: from the first segment to the last one before an empty segment. */
export function linuxUnmapRange(
  segments: readonly DmaSegment[],
  granule: bigint,
): { readonly iova: bigint; readonly size: bigint } | undefined {
  const empty = segments.findIndex(({ length }) => length === 0n);
  const seen = empty < 0 ? segments : segments.slice(0, empty);
  const [first, last] = [seen[0], seen.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  const iova = first.dmaAddress & -granule;
  return { iova, size: ((last.dmaAddress + last.length + granule - 1n) & -granule) - iova };
}

/** iommu_map_sg maps a run when the next entry does not touch it. If an empty last entry touches the run before it, that run is never mapped. */
function mappedBytesOf(padded: Scatterlist): bigint {
  const { count, addresses, lengths, byteLength } = padded;
  if (count === 0 || lengths[count - 1] !== 0) return byteLength;
  const last = padded.runs().at(-1);
  const swallowed = last !== undefined && last.phys + last.length === BigInt(addresses[count - 1]!);
  return swallowed ? byteLength - last.length : byteLength;
}

function tooLong(entry: number, bytes: number): IommuError {
  return new IommuError(
    'EINVAL',
    `entry ${entry}: with its padding it has ${hex(bytes)} bytes, and Linux's scatterlist has lengths of 32 bits; split the entry`,
    { entry, size: BigInt(bytes) },
  );
}
