/** Why a mapping was refused, in words: the value, the rule, and what would work. */
import { ERRNO, hex, IommuError, type IommuErrorCode, type IommuOperands } from '../pagetable/errors.ts';
import type { Prot } from '../pagetable/format.ts';
import type { Failure, PageTable } from '../pagetable/page-table.ts';
import type { Scatterlist } from './scatterlist.ts';

const NO_PAGE_SIZES = 'this table was made without page sizes; offer some in pgsizeBitmap';

/** The refused range: the range of a `map` call, or the run of a scatterlist that failed. */
export interface RefusedRange {
  readonly prot: Prot;
  readonly iova: bigint;
  readonly pa: bigint;
  readonly size: bigint;
  /** The scatterlist, with the first and last entry of the run. */
  readonly run?: { readonly sg: Scatterlist; readonly first: number; readonly last: number };
}

/** The run that starts with entry `first`, for the IOVA that entry 0 goes to. */
export function runFrom(sg: Scatterlist, first: number, iova: bigint, prot: Prot): RefusedRange {
  let before = 0;
  for (let i = 0; i < first; i++) before += sg.lengths[i]!;
  let last = first;
  let size = sg.lengths[first]!;
  const pa = sg.addresses[first]!;
  while (last + 1 < sg.count && sg.addresses[last + 1] === pa + size) size += sg.lengths[++last]!;
  return {
    prot,
    iova: BigInt.asUintN(64, iova + BigInt(before)),
    pa: BigInt(pa),
    size: BigInt(size),
    run: { sg, first, last },
  };
}

/** The error for `failure`, `offset` bytes into `range`. */
export function explainFailure(
  table: PageTable,
  failure: Failure,
  offset: bigint,
  range: RefusedRange,
): IommuError {
  const code = codeOf(failure.errno);
  const at: IommuOperands = {
    iova: BigInt.asUintN(64, range.iova + offset),
    pa: range.pa + offset,
    size: range.size,
    level: failure.level,
    ...(range.run ? { entry: entryAt(range.run, Number(offset)) } : {}),
  };
  const where = at.entry === undefined ? '' : `entry ${at.entry}: `;
  switch (code) {
    case 'EINVAL': {
      const { read, write } = range.prot;
      if (table.sizes.length === 0) {
        return new IommuError(code, where + NO_PAGE_SIZES, at);
      }
      if (read || write) return misaligned(table, range);
      const rule =
        'a mapping that is neither readable nor writable maps nothing; ask for read, write or both';
      return new IommuError(code, where + rule, at);
    }
    case 'ERANGE':
      return new IommuError(code, where + outOfRange(table, range), at);
    case 'EEXIST': {
      const leaf = table.lookup(failure.ia);
      const to = leaf
        ? `, to PA ${hex(leaf.pa)} by a level ${leaf.level.level} entry at ${hex(leaf.descriptorPa)}`
        : '';
      return new IommuError(code, `${where}IOVA ${hex(at.iova!)} is mapped already${to}; unmap it first`, at);
    }
    default: {
      const bytes = hex(table.tableBytesBelow(failure.level));
      const { frameCount } = table.allocator;
      return new IommuError(
        code,
        `${where}no frame of ${bytes} bytes is left for a table below level ${failure.level}; ${frameCount} frames are in use`,
        at,
      );
    }
  }
}

function misaligned(table: PageTable, range: RefusedRange): IommuError {
  const page = 1n << BigInt(table.sizes[0]!);
  const { iova, pa, size, run } = range;
  const bad = [
    iova % page ? `IOVA ${hex(iova)}` : '',
    pa % page ? `PA ${hex(pa)}` : '',
    size % page ? `length ${hex(size)}` : '',
  ]
    .filter(Boolean)
    .join(' and ');
  const operands = { iova, pa, size, pageSize: page, alignment: page };
  const rule = `${bad} must be a multiple of the IOMMU's smallest page ${hex(page)}`;
  const smaller = page > SMALLEST_GRANULE ? `, or an IOMMU with pages of ${hex(SMALLEST_GRANULE)}` : '';
  if (run === undefined) {
    return new IommuError('EINVAL', `${rule}: use ${nextMultiple(iova, pa, size, page)}${smaller}`, operands);
  }
  const entry = iova % page || pa % page ? run.first : firstUneven(run, Number(page));
  const { page: cpuPage, offset, length } = run.sg.entry(entry);
  const joined =
    run.last > run.first ? `, joined with its neighbours into ${hex(size)} bytes at PA ${hex(pa)}` : '';
  const advice =
    iova % page
      ? `the entry lands at IOVA ${hex(iova)}: start the list at a multiple of ${hex(page)}, and let every run before it fill whole pages`
      : `adjacent entries are joined first, so neighbours that together fill whole pages of ${hex(page)} would work`;
  return new IommuError(
    'EINVAL',
    `entry ${entry} (page ${hex(cpuPage)}, offset ${hex(offset)}, length ${hex(length)})${joined}: ${rule}; ${advice}${smaller}`,
    { ...operands, entry, pa: cpuPage + BigInt(offset) },
  );
}

/** The smallest page of any ARM format. */
const SMALLEST_GRANULE = 0x1000n;

/** The sizes that Arm's smallest pages have, the largest first. (DDI 0487 D8.2.1.) */
export const GRANULES: readonly bigint[] = [0x1_0000n, 0x4000n, SMALLEST_GRANULE];

/** The values rounded to what would be accepted: addresses down, the size up. */
function nextMultiple(iova: bigint, pa: bigint, size: bigint, page: bigint): string {
  const down = (value: bigint) => hex(value - (value % page));
  return `IOVA ${down(iova)}, PA ${down(pa)} and size ${down(size + page - 1n)}`;
}

function outOfRange(table: PageTable, { iova, pa, size }: RefusedRange): string {
  const { format } = table;
  const first = format.firstIova;
  const last = first + (1n << BigInt(format.ias)) - 1n;
  const lastIova = iova + (size ? size - 1n : 0n);
  if (iova < first || lastIova > last) {
    return `IOVAs ${hex(iova)} to ${hex(lastIova)} leave ${hex(first)} to ${hex(last)}, the ${format.ias} bits of input address of this table`;
  }
  return `PAs ${hex(pa)} to ${hex(pa + size - 1n)} leave the ${format.oas} bits of output address of this table, which end at ${hex((1n << BigInt(format.oas)) - 1n)}`;
}

/** Why an unmap of `size` bytes from `iova` on stopped early. */
export function explainStop(table: PageTable, iova: bigint, size: bigint): IommuError {
  const { unmapStop: stop, sizes } = table;
  const { firstIova, ias } = table.format;
  if (sizes.length === 0) return new IommuError('EINVAL', NO_PAGE_SIZES, { iova, size });
  if (stop === undefined) {
    const page = 1n << BigInt(sizes[0]!);
    return new IommuError(
      'EINVAL',
      `IOVA ${hex(iova)} and size ${hex(size)} must be multiples of the smallest page ${hex(page)}`,
      { iova, size, alignment: page },
    );
  }
  const at = firstIova + BigInt(stop.ia);
  const operands = { iova: at, size };
  switch (stop.reason) {
    case 'partial': {
      const leafIova = firstIova + BigInt(stop.leafIa ?? 0);
      const leafSize = BigInt(stop.leafSize ?? 0);
      const text = `IOVA ${hex(at)} lies in a leaf of ${hex(leafSize)} bytes from ${hex(leafIova)} on, and the request covers only a part of it; unmap all of it, or make the domain with partialUnmap 'split' or 'whole'`;
      return new IommuError('EINVAL', text, { ...operands, pageSize: leafSize, alignment: leafSize });
    }
    case 'memory':
      return new IommuError(
        'ENOMEM',
        `no frame is left for the table that splitting the leaf at ${hex(at)} needs`,
        operands,
      );
    case 'range':
      return new IommuError(
        'ERANGE',
        `IOVA ${hex(at)} is outside the ${ias} bits of input address`,
        operands,
      );
    default:
      return new IommuError('EINVAL', `nothing is mapped at IOVA ${hex(at)}`, operands);
  }
}

type Run = NonNullable<RefusedRange['run']>;

/** The entry of a run that its byte `offset` lies in. */
function entryAt({ sg, first, last }: Run, offset: number): number {
  let entry = first;
  for (let end = sg.lengths[first]!; end <= offset && entry < last; ) end += sg.lengths[++entry]!;
  return entry;
}

/** The first entry of a run that ends inside an IOMMU page. */
export function firstUneven({ sg, first, last }: Run, page: number): number {
  let entry = first;
  for (let end = sg.lengths[first]!; end % page === 0 && entry < last; ) end += sg.lengths[++entry]!;
  return entry;
}

function codeOf(errno: number): IommuErrorCode {
  return (Object.keys(ERRNO) as IommuErrorCode[]).find((code) => ERRNO[code] === errno) ?? 'EINVAL';
}
