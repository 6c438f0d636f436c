/** A workload: the scatterlists that a driver maps, with their IOVAs, and the question about page sizes that it asks. */
import { Scatterlist } from '../iommu/scatterlist.ts';

/** One call of map_sg. A byte range is a list of one entry. */
export interface WorkloadRequest {
  readonly iova: bigint;
  readonly sg: Scatterlist;
  /** Number of the address space, such as a device's. Requests of one space share tables. Default: 0. */
  readonly space?: number;
}

/** The scatterlists that a driver maps, in order. */
export interface Workload {
  readonly name: string;
  /** The question that it answers, in words. */
  readonly question: string;
  /** Bytes in a CPU page: lists are made of these. */
  readonly cpuPageSize: number;
  readonly requests: readonly WorkloadRequest[];
}

/** How much a workload asks for. */
export interface WorkloadSize {
  readonly requests: number;
  readonly entries: number;
  readonly bytes: bigint;
}

export function sizeOf({ requests }: Workload): WorkloadSize {
  return {
    requests: requests.length,
    entries: requests.reduce((sum, { sg }) => sum + sg.count, 0),
    bytes: requests.reduce((sum, { sg }) => sum + sg.byteLength, 0n),
  };
}

/** The requests of each address space in order, as indexes into the workload. */
export function spacesOf({ requests }: Workload): ReadonlyMap<number, readonly number[]> {
  const spaces = new Map<number, number[]>();
  for (const [index, { space = 0 }] of requests.entries()) {
    const found = spaces.get(space);
    if (found) found.push(index);
    else spaces.set(space, [index]);
  }
  return spaces;
}

/**
 * Separates requests whose IOVAs overlap into different address spaces. A request joins the space of the one before it if it fits;
 * otherwise it begins a new space. For recorded lists of several devices, or of one device over time.
 */
export function separated(requests: readonly Omit<WorkloadRequest, 'space'>[]): WorkloadRequest[] {
  let space = 0;
  let taken: { readonly from: bigint; readonly end: bigint }[] = [];
  return requests.map(({ iova, sg }) => {
    const range = { from: iova, end: iova + sg.byteLength };
    let at = placeOf(taken, iova);
    const overlaps = (taken[at - 1]?.end ?? 0n) > iova || (taken[at]?.from ?? range.end) < range.end;
    if (overlaps) {
      space++;
      taken = [];
      at = 0;
    }
    taken.splice(at, 0, range);
    return { iova, sg, space };
  });
}

/** Index of the first range that begins above `iova`. */
function placeOf(taken: readonly { readonly from: bigint }[], iova: bigint): number {
  let [low, high] = [0, taken.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (taken[middle]!.from <= iova) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A list of the same CPU pages with other columns. */
export function listOf(
  addresses: ArrayLike<number>,
  lengths: ArrayLike<number>,
  cpuPageSize: number,
): Scatterlist {
  return Scatterlist.fromColumns(addresses, lengths, { cpuPageSize });
}

/** Calls `visit` for every joined run of a list, as map_sg gathers them. Bytes are exact, and `offset` counts from the list's IOVA. */
export function forEachRun(
  { count, addresses, lengths }: Pick<Scatterlist, 'count' | 'addresses' | 'lengths'>,
  visit: (phys: number, length: number, offset: number, first: number, last: number) => void,
): void {
  let offset = 0;
  for (let i = 0; i < count; ) {
    const first = i;
    const phys = addresses[i]!;
    let length = lengths[i++]!;
    while (i < count && addresses[i] === phys + length) length += lengths[i++]!;
    if (length === 0) continue;
    visit(phys, length, offset, first, i - 1);
    offset += length;
  }
}

/** How many runs a list joins into. */
export function runsOf(sg: Pick<Scatterlist, 'count' | 'addresses' | 'lengths'>): number {
  let runs = 0;
  forEachRun(sg, () => runs++);
  return runs;
}
