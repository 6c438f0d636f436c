/** The changes that advice applies, so that a workload needs fewer descriptors for the same bytes. Each returns a new workload. */
import type { Scatterlist } from '../iommu/scatterlist.ts';
import { ADDRESS_BITS } from './combinations.ts';
import { orderOf } from './sort.ts';
import { forEachRun, listOf, runsOf, spacesOf, type Workload, type WorkloadRequest } from './workload.ts';

const END = 2 ** ADDRESS_BITS;

/** A changed workload, and the requests that changed, by their old indexes. Merged requests go by the first of them. */
export interface Changed {
  readonly workload: Workload;
  readonly requests: readonly number[];
}

/** Moves IOVAs so that as many runs as possible have the same offset from a multiple of `size` (a power of two) at IOVA and PA. */
export function alignIovas(workload: Workload, size: number): Changed {
  const room = new IovaRoom(workload);
  return change(workload, (request) => {
    const residue = bestResidue(request.sg, size);
    if (residue === undefined || residue === Number(request.iova % BigInt(size))) return undefined;
    const iova = room.take(request, size, residue);
    return iova === undefined ? undefined : { ...request, iova };
  });
}

/**
 * Moves every run of at least `size` bytes in memory, so that IOVA and PA have the same offset from a multiple of `size`, and gives lists an
 * IOVA that is a multiple of it. This is what allocations with that alignment would give.
 */
export function alignBuffers(workload: Workload, size: number): Changed {
  const room = new IovaRoom(workload);
  let free = endOfMemory(workload);
  return change(workload, (request) => {
    const { sg } = request;
    const addresses = sg.addresses.slice(0, sg.count);
    const isAligned = request.iova % BigInt(size) === 0n;
    let moved = false;
    let next = free;
    forEachRun(sg, (phys, length, offset, first, last) => {
      if (length < size || (isAligned && phys % size === offset % size)) return;
      const place = (Math.ceil(next / size) + 1) * size + (offset % size);
      for (let i = first; i <= last; i++) addresses[i]! += place - phys;
      next = place + length;
      moved = true;
    });
    if (!moved || next > END) return undefined;
    const iova = isAligned ? request.iova : room.take(request, size, 0);
    if (iova === undefined) return undefined;
    free = next;
    return { ...request, iova, sg: listOf(addresses, columnOf(sg), sg.cpuPageSize) };
  });
}

/** Sorts the entries of each list: by address, so that neighbours join, or largest first, so that large entries stay aligned for blocks. */
export function reorder(workload: Workload, by: 'address' | 'size'): Changed {
  return change(workload, (request) => {
    const { sg } = request;
    const { addresses, lengths, count } = sg;
    const keys = addresses.slice(0, count);
    if (by === 'size') {
      const largest = columnOf(sg).reduce((most, length) => Math.max(most, length), 0);
      for (let i = 0; i < count; i++) keys[i] = largest - lengths[i]!;
    }
    let sorted = true;
    for (let i = 1; i < count && sorted; i++) sorted = keys[i - 1]! <= keys[i]!;
    if (sorted) return undefined;
    const order = orderOf(keys);
    const [newAddresses, newLengths] = [new Float64Array(count), new Float64Array(count)];
    for (let i = 0; i < count; i++) {
      newAddresses[i] = addresses[order[i]!]!;
      newLengths[i] = lengths[order[i]!]!;
    }
    const list = listOf(newAddresses, newLengths, sg.cpuPageSize);
    return by === 'address' && runsOf(list) === runsOf(sg) ? undefined : { ...request, sg: list };
  });
}

/** Joins requests of one address space that follow each other directly, both in IOVA and in memory. */
export function mergeRequests(workload: Workload): Changed {
  const merged: WorkloadRequest[] = [];
  const changed: number[] = [];
  for (const indexes of spacesOf(workload).values()) {
    const byIova = [...indexes].sort((a, b) => (iovaOf(workload, a) < iovaOf(workload, b) ? -1 : 1));
    let group: WorkloadRequest[] = [];
    let first = 0;
    const close = () => {
      if (group.length > 1) changed.push(first);
      if (group.length > 0) merged.push(joined(group));
    };
    for (const index of byIova) {
      const request = workload.requests[index]!;
      if (!goesOn(group.at(-1), request)) {
        close();
        [group, first] = [[], index];
      }
      group.push(request);
    }
    close();
  }
  return { workload: { ...workload, requests: merged }, requests: changed };
}

/** Pads each entry to whole pages of the IOMMU, as the DMA layer does, and aligns IOVAs to them. */
export function padToPages(workload: Workload, granule: number): Changed {
  const room = new IovaRoom(workload);
  return change(workload, (request) => {
    const { iova, sg } = request;
    if (iova % BigInt(granule) === 0n && isWhole(sg, granule)) return undefined;
    const { count, addresses, lengths, cpuPageSize } = sg;
    const [starts, sizes] = [new Float64Array(count), new Float64Array(count)];
    const mask = granule - 1;
    for (let i = 0; i < count; i++) {
      const inPage = addresses[i]! & mask;
      starts[i] = addresses[i]! - inPage;
      const end = inPage + lengths[i]!;
      if (lengths[i]! > 0) sizes[i] = end + (-end & mask);
    }
    const list = listOf(starts, sizes, cpuPageSize);
    const place = room.take({ ...request, sg: list }, granule, 0);
    return place === undefined ? undefined : { ...request, iova: place, sg: list };
  });
}

function change(workload: Workload, one: (request: WorkloadRequest) => WorkloadRequest | undefined): Changed {
  const changed: number[] = [];
  const requests = workload.requests.map((request, index) => {
    const other = one(request);
    if (other) changed.push(index);
    return other ?? request;
  });
  return { workload: { ...workload, requests }, requests: changed };
}

/** Free IOVAs above all that each address space uses. */
class IovaRoom {
  readonly #ends = new Map<number, number>();

  constructor({ requests }: Workload) {
    for (const { iova, sg, space = 0 } of requests) {
      const end = Number(iova + sg.byteLength);
      this.#ends.set(space, Math.max(end, this.#ends.get(space) ?? 0));
    }
  }

  /** An IOVA for a request, `residue` bytes above a multiple of `size`. Undefined if there is no room left. */
  take({ sg, space = 0 }: WorkloadRequest, size: number, residue: number): bigint | undefined {
    const bytes = Number(sg.byteLength);
    const iova = Math.ceil((this.#ends.get(space) ?? 0) / size) * size + residue;
    if (iova + bytes > END) return undefined;
    this.#ends.set(space, iova + bytes);
    return BigInt(iova);
  }
}

/** The offset from a multiple of `size` at which a list should begin so that the most whole blocks fit. Undefined if none fits. */
function bestResidue(sg: Scatterlist, size: number): number | undefined {
  const blocks = new Map<number, number>();
  forEachRun(sg, (phys, length, offset) => {
    if (length < size) return;
    const whole = Math.floor((phys + length) / size) - Math.ceil(phys / size);
    const residue = (((phys - offset) % size) + size) % size;
    if (whole > 0) blocks.set(residue, (blocks.get(residue) ?? 0) + whole);
  });
  let best: number | undefined;
  for (const [residue, whole] of blocks) {
    if (best === undefined || whole > blocks.get(best)!) best = residue;
  }
  return best;
}

/** The first address above every buffer. */
function endOfMemory({ requests }: Workload): number {
  let end = 0;
  for (const { sg } of requests) {
    for (let i = 0; i < sg.count; i++) end = Math.max(end, sg.addresses[i]! + sg.lengths[i]!);
  }
  return end;
}

function columnOf(sg: Scatterlist): Float64Array {
  return sg.lengths.subarray(0, sg.count);
}

function iovaOf({ requests }: Workload, index: number): bigint {
  return requests[index]!.iova;
}

function goesOn(before: WorkloadRequest | undefined, { iova, sg }: WorkloadRequest): boolean {
  if (before === undefined || sg.count === 0 || before.sg.count === 0) return false;
  const last = before.sg.count - 1;
  const end = before.sg.addresses[last]! + before.sg.lengths[last]!;
  return before.iova + before.sg.byteLength === iova && end === sg.addresses[0];
}

function joined(group: readonly WorkloadRequest[]): WorkloadRequest {
  const [first] = group;
  if (group.length === 1) return first!;
  const addresses = group.flatMap(({ sg }) => [...sg.addresses.subarray(0, sg.count)]);
  const lengths = group.flatMap(({ sg }) => [...columnOf(sg)]);
  return { ...first!, sg: listOf(addresses, lengths, first!.sg.cpuPageSize) };
}

/** Every run begins and ends on whole pages. */
function isWhole(sg: Scatterlist, granule: number): boolean {
  let whole = true;
  forEachRun(sg, (phys, length, offset) => {
    if (((phys | length | offset) & (granule - 1)) !== 0) whole = false;
  });
  return whole;
}
