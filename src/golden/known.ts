/** Known differences from Linux: what Linux does where an answer differs on purpose (ARCHITECTURE, "What follows Linux, and what does not"). */
import type { IommuDomain } from '../iommu/domain.ts';
import { ERRNO, type IommuError } from '../pagetable/errors.ts';
import { leavesOf } from '../pagetable/leaf-sizes.ts';
import { choosePageSize, isAligned, type PageChoice, sizesOf } from '../pagetable/page-size.ts';
import type { WalkResult } from '../walker/index.ts';
import type { GoldenOp } from './schema.ts';

/** An operation whose answer differs from the file's. */
export interface DifferentAnswer {
  readonly op: GoldenOp;
  /** The answer, and the reason if it was a refusal. */
  readonly ret: bigint;
  readonly error?: IommuError | undefined;
  /** What the walker saw at the operation's IOVA beforehand. */
  readonly before: WalkResult;
  /** What it sees now at the address where the operation failed, or else at its IOVA. */
  readonly now: WalkResult;
}

/** Contiguous memory that an operation names, and the first IOVA that leads to it. For an unmap, `pa` has no meaning. */
export interface Stretch {
  readonly iova: bigint;
  readonly size: bigint;
  readonly pa: bigint;
}

/** What Linux does instead, if that is known: `it chooses a page size that the table has no level for`. */
export function knownDifference(domain: IommuDomain, different: DifferentAnswer): string | undefined {
  const { op, error } = different;
  switch (op.op) {
    case 'map':
      return ofMapping(domain, different, [{ iova: op.iova, pa: op.paddr, size: op.size }], error);
    case 'map_sg':
      return swallowed(op) ?? ofMapping(domain, different, runsOf(op), error);
    case 'unmap':
      return ofUnmapping(domain, different, { iova: op.iova, pa: op.iova, size: op.size });
    case 'dirty':
      return ofDirty(domain, different);
    case 'iova_to_phys':
      return ofLastAddress(domain, op.iova);
  }
}

const EINVAL = BigInt(ERRNO.EINVAL);

function ofMapping(
  domain: IommuDomain,
  { op, ret, now }: DifferentAnswer,
  stretches: readonly Stretch[],
  error: IommuError | undefined,
): string | undefined {
  const { format } = domain;
  if (op.ret === EINVAL && stretches.some((one) => choosesMissingSize(domain, one))) return MISSING_SIZE;
  if (op.ret < 0n || ret >= 0n || error === undefined) return undefined;
  const { level = 0 } = error.operands;
  if (error.code === 'EEXIST' && levelOf(now) > level) {
    return 'it maps a block over a table with live entries, and frees them without a word';
  }
  if (error.code !== 'ERANGE') return undefined;
  const end = 1n << BigInt(format.oas);
  const last = format.firstIova + (1n << BigInt(format.ias));
  if (stretches.some(({ pa, size }) => pa < end && pa + size > end)) {
    return 'it looks only at the first PA of a batch of pages, so that the batch may cross the end of the output addresses';
  }
  if (format.name === 'arm_v7s' && stretches.some(({ iova, size }) => iova < last && iova + size > last)) {
    return 'it looks only at the first IOVA, and those beyond the input size wrap';
  }
  return undefined;
}

const MISSING_SIZE = 'it chooses a page size that the table has no level for';
const MOST_PAGES = 2 ** 31 - 1;
/** Sizes of short descriptors in bytes (DDI 0487 G5.4.1). */
const SECTION = 1024n * 1024n;
const SUPERSECTION = 16n * SECTION;

function ofUnmapping(
  domain: IommuDomain,
  { op, ret, before }: DifferentAnswer,
  stretch: Stretch,
): string | undefined {
  const { format, partialUnmap } = domain;
  if (op.ret >= ret) return undefined;
  if (choosesMissingSize(domain, stretch)) return MISSING_SIZE;
  if (choicesOf(domain, stretch).some(({ count }) => count > MOST_PAGES)) {
    return 'it counts the pages of a call in 32 bits';
  }
  const inSupersection = before.ok && before.size === SUPERSECTION && stretch.iova % SUPERSECTION >= SECTION;
  if (format.name === 'arm_v7s' && partialUnmap === 'split' && inSupersection) {
    return 'it unmaps a part of a supersection only in the first of its sections';
  }
  return undefined;
}

function ofDirty({ format }: IommuDomain, { op, ret, before }: DifferentAnswer): string | undefined {
  if (op.ret === EINVAL && ret === 0n) {
    if (format.name !== 'arm_64_lpae_s1') return 'it reads dirty state only of arm_64_lpae_s1';
    if (format.firstIova > 0n) return 'it compares IOVAs of arm_ttbr1 with the lower half of the addresses';
  }
  if (op.ret === 0n && ret === EINVAL && !format.quirks.includes('arm_hd')) {
    return 'it reads a table that was made without dirty state too, and finds none';
  }
  const inside = before.ok && before.pa !== before.leafBase;
  return inside
    ? 'it counts whole leaves from the first address on, also where that lies inside one'
    : undefined;
}

function ofLastAddress({ format }: IommuDomain, iova: bigint): string | undefined {
  const last = format.firstIova > 0n && iova === (1n << 64n) - 1n;
  return last ? '7.3 answers the last address of arm_ttbr1 without reading a table' : undefined;
}

/** For a translation: after Linux's arm_v7s splits a section, its pages are at PA 0. */
export function knownTranslation(
  { format, partialUnmap }: IommuDomain,
  iova: bigint,
  want: bigint | null,
): string | undefined {
  const split = format.name === 'arm_v7s' && partialUnmap === 'split';
  return split && want === iova % SECTION
    ? 'it points the pages that a split section leaves at PA 0 and what follows'
    : undefined;
}

/** For a scatterlist whose last entry is empty and touches the run before it. */
function swallowed(op: Extract<GoldenOp, { op: 'map_sg' }>): string | undefined {
  const [before, last] = [op.sg.at(-2), op.sg.at(-1)];
  if (last?.length !== 0n || before === undefined || before.phys + before.length !== last.phys)
    return undefined;
  return 'it maps nothing of a run that an empty last entry follows';
}

function levelOf(walk: WalkResult): number {
  return (walk.ok ? walk.level : walk.fault.level) ?? 0;
}

/** The runs of adjacent memory of a scatterlist. */
function runsOf(op: Extract<GoldenOp, { op: 'map_sg' }>): Stretch[] {
  const runs: { iova: bigint; pa: bigint; size: bigint }[] = [];
  let { iova } = op;
  for (const { phys, length } of op.sg) {
    const run = runs.at(-1);
    if (run !== undefined && run.pa + run.size === phys) run.size += length;
    else runs.push({ iova, pa: phys, size: length });
    iova += length;
  }
  return runs;
}

function choosesMissingSize(domain: IommuDomain, stretch: Stretch): boolean {
  const there = leavesOf(domain.format).map(({ sizeLog2 }) => sizeLog2);
  return choicesOf(domain, stretch).some(({ sizeLog2 }) => !there.includes(sizeLog2));
}

/** Linux's choices for a stretch, from all the page sizes that the table was offered. */
function choicesOf({ format }: IommuDomain, { iova, pa, size }: Stretch): PageChoice[] {
  const sizes = sizesOf(format.pgsizeBitmap);
  const [smallest = 64] = sizes;
  const numbers = [iova - format.firstIova, pa >= format.firstIova ? pa - format.firstIova : pa, size].map(
    Number,
  );
  if (!numbers.every((one) => one >= 0 && one <= 2 ** 52 && isAligned(one, smallest))) return [];
  const [ia, to, bytes] = numbers as [number, number, number];
  const choices: PageChoice[] = [];
  for (let done = 0; done < bytes; ) {
    const choice = { sizeLog2: 0, count: 0 };
    choosePageSize(sizes, ia + done, to + done, bytes - done, choice);
    choices.push(choice);
    done += choice.count * 2 ** choice.sizeLog2;
  }
  return choices;
}

/** How many leaves an operation makes before it ends or reaches the end of the input addresses. */
export function leavesAsked(domain: IommuDomain, op: GoldenOp): number {
  if (op.op !== 'map' && op.op !== 'map_sg') return 0;
  const stretches = op.op === 'map' ? [{ iova: op.iova, pa: op.paddr, size: op.size }] : runsOf(op);
  return stretches.reduce((sum, one) => sum + leavesOfStretch(domain, one), 0);
}

/** How many leaves a stretch of memory takes, up to the end of the input addresses: none if it is not aligned to pages. */
export function leavesOfStretch(domain: IommuDomain, one: Stretch): number {
  const most = 1n << BigInt(domain.format.ias);
  return choicesOf(domain, { ...one, size: one.size < most ? one.size : most }).reduce(
    (sum, { count }) => sum + count,
    0,
  );
}
