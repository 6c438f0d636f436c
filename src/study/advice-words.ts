/** The sentences of advice: each gives the value, the rule behind it, and what to do. */

import type { Scatterlist } from '../iommu/scatterlist.ts';
import { count, counted, hex, pageSizes, roughSize, sizeText } from '../text/numbers.ts';
import type { Combination, Granule } from './combinations.ts';
import type { Changed } from './transforms.ts';
import { forEachRun, runsOf, type Workload } from './workload.ts';

export function smallerGranule({ granule }: Combination) {
  return (to: Combination): string =>
    `take a granule of ${sizeText(to.granule)} instead of ${sizeText(granule)}: an IOMMU maps nothing smaller than its page`;
}

/** @param before - the page sizes that are offered now, as bitmaps. */
export function offer(before: bigint) {
  return (to: Combination, after: bigint): string => {
    const kinds = [
      before & (before - 1n) ? '' : 'blocks',
      to.sizes === 'contiguous' ? 'contiguous runs' : '',
    ];
    return `offer ${kinds.filter(Boolean).join(' and ')} of ${pageSizes(after & ~before)} beside ${pageSizes(before)}`;
  };
}

/** Names the first request that a change affects. */
function whose({ requests }: Changed): string {
  return `request ${requests[0]}`;
}

/** Says how many others it affects. */
function likewise({ requests }: Changed): string {
  const more = requests.length - 1;
  return more > 0 ? ` (and ${counted(more, 'more request')})` : '';
}

export function pad(granule: Granule) {
  return (before: Workload, changed: Changed): string => {
    const bytes = (workload: Workload) => workload.requests.reduce((sum, { sg }) => sum + sg.byteLength, 0n);
    const more = roughSize(bytes(changed.workload) - bytes(before));
    return `map whole pages of ${sizeText(granule)} around each entry, as the DMA layer does: ${more} that no request covers`;
  };
}

export function alignedIova(block: number) {
  return ({ requests }: Workload, changed: Changed): string => {
    const [index = 0] = changed.requests;
    const from = requests[index]!.iova;
    const to = changed.workload.requests[index]!.iova;
    const into = Number(to % BigInt(block));
    const where = into === 0 ? `a multiple of it` : `${hex(into)} into it as the buffer is`;
    return `align the IOVA to ${sizeText(block)}: ${whose(changed)} at ${hex(to)} instead of ${hex(from)}, ${where}${likewise(changed)}`;
  };
}

export function alignedBuffer(block: number) {
  return ({ requests }: Workload, changed: Changed): string => {
    const [index = 0] = changed.requests;
    const off = firstOffset(requests[index]!.sg, block);
    const where =
      off === undefined
        ? `${whose(changed)} also needs an IOVA that is a multiple of it`
        : `the buffer at PA ${hex(off.phys)} of ${whose(changed)} is off by ${hex(off.by)}; move it back by that much, or forward by ${hex(block - off.by)}, and it fits`;
    return `use a ${sizeText(block)}-aligned allocation, and an IOVA to match: ${where}${likewise(changed)}`;
  };
}

/** The first run that is long enough for a block but wrongly aligned for one, and how far off it is. */
function firstOffset(sg: Scatterlist, block: number): { phys: number; by: number } | undefined {
  let found: { phys: number; by: number } | undefined;
  forEachRun(sg, (phys, length, offset) => {
    const by = (((phys - offset) % block) + block) % block;
    if (length >= block && by !== 0) found ??= { phys, by };
  });
  return found;
}

export function merged({ requests }: Workload, changed: Changed): string {
  const fewer = requests.length - changed.workload.requests.length;
  return (
    `merge ${whose(changed)} and the requests after it into one call: ${counted(fewer, 'request starts', 'requests start')} where another ends, ` +
    'in IOVA and in memory, but no page can be larger than what one call maps'
  );
}

export function reordered(by: 'address' | 'size') {
  return ({ requests }: Workload, changed: Changed): string => {
    if (by === 'size') {
      return `put the largest entries of ${whose(changed)} first, if their order does not matter: smaller ones in front push them out of alignment${likewise(changed)}`;
    }
    const [index = 0] = changed.requests;
    const [before, after] = [requests[index]!.sg, changed.workload.requests[index]!.sg];
    const pair = adjacent(before, after);
    const runs = `${counted(runsOf(before), 'run')} become ${count(runsOf(after))}`;
    const why = pair
      ? `entries ${pair[0]} and ${pair[1]} are adjacent in memory but not in the list; ${runs}`
      : runs;
    return `sort the entries of ${whose(changed)} by address, if their order does not matter: ${why}${likewise(changed)}`;
  };
}

/** The first two entries that join in the sorted list but not in the unsorted one, as indexes of the unsorted one. */
function adjacent(before: Scatterlist, after: Scatterlist): [number, number] | undefined {
  const places = new Map<number, number>();
  for (let i = 0; i < before.count; i++) places.set(before.addresses[i]!, i);
  for (let i = 0; i + 1 < after.count; i++) {
    const [here, next] = [after.addresses[i]!, after.addresses[i + 1]!];
    const [a, b] = [places.get(here)!, places.get(next)!];
    if (here + after.lengths[i]! === next && b !== a + 1) return [a, b];
  }
  return undefined;
}

export function mappedMore(requests: number): string {
  return `${counted(requests, 'more request')} mapped`;
}

/** `512 leaves become 1, 3 tables become 2`. Each part is the number before, and how many fewer there are after. */
export function saved(...parts: readonly [was: number, less: number, one: string, many: string][]): string {
  return parts
    .filter(([, less]) => less !== 0)
    .map(([was, less, one, many]) => {
      return `${counted(was, one, many)} ${was === 1 ? 'becomes' : 'become'} ${count(was - less)}`;
    })
    .join(', ');
}
