/**
 * The granule, levels and root for a request, chosen as Linux's arm_lpae_restrict_pgsizes and arm_lpae_alloc_pgtable choose them,
 * with the sizes of DDI 0487 D8.2.1 (granules), D8.2.2 (stage-2 concatenation) and tables D8-16 to D8-34.
 */
import { FormatError, hex } from '../../src/pagetable/errors.ts';
import { type Concatenation, choicesOf, type FormatRequest, type Level } from '../../src/pagetable/format.ts';

const KIB = 1024n;
const MIB = 1024n * KIB;
const GIB = 1024n * MIB;
const TIB = 1024n * GIB;

/**
 * The page and block sizes of each granule that Linux offers, its largest address, the block that comes with LPA2 (DDI 0487
 * table D8-47), and log2 of the entries of a contiguous run by level (table D8-104).
 */
interface Granule {
  readonly log2: 12 | 14 | 16;
  readonly sizes: bigint;
  readonly maxBits: number;
  readonly lpa2Block: bigint;
  readonly runs: Readonly<Record<number, number>>;
}
const GRANULES = new Map<bigint, Granule>([
  [
    4n * KIB,
    {
      log2: 12,
      sizes: (4n * KIB) | (2n * MIB) | GIB,
      maxBits: 48,
      lpa2Block: 512n * GIB,
      runs: { 1: 4, 2: 4, 3: 4 },
    },
  ],
  [
    16n * KIB,
    { log2: 14, sizes: (16n * KIB) | (32n * MIB), maxBits: 48, lpa2Block: 64n * GIB, runs: { 2: 5, 3: 7 } },
  ],
  [
    64n * KIB,
    { log2: 16, sizes: (64n * KIB) | (512n * MIB), maxBits: 52, lpa2Block: 0n, runs: { 2: 5, 3: 5 } },
  ],
]);

/** Output sizes that TCR.IPS and VTCR.PS can express, in the order of their codes (DDI 0487 D8.1.8, table D8-6). */
const OUTPUT_SIZES = [32, 36, 40, 42, 44, 48, 52] as const;

const LAST_LEVEL = 3;
const DESCRIPTOR_LOG2 = 3;
/** At most this many tables side by side at the start of stage 2 (DDI 0487 D8.2.2). */
const MAX_CONCATENATED = 16;

export interface Geometry {
  readonly pgsizeBitmap: bigint;
  readonly ias: number;
  readonly oas: number;
  readonly granuleLog2: 12 | 14 | 16;
  /** Index of `oas` among the output sizes: the code of IPS and PS. */
  readonly outputCode: number;
  readonly levels: readonly Level[];
  readonly rootBytes: number;
}

/** The granule asked for, or the one that Linux chooses: the CPU's page size if offered, else the largest smaller one, else the smallest larger one. */
function chooseGranule(bitmap: bigint, cpuPageSize: bigint, asked?: bigint): bigint {
  if (asked !== undefined) {
    if (bitmap & asked) return asked;
    throw new FormatError(
      `granule ${hex(asked)} is not among the page sizes ${hex(bitmap)} of pgsizeBitmap: offer it there too`,
    );
  }
  if (bitmap & cpuPageSize) return cpuPageSize;
  const smaller = bitmap & (cpuPageSize - 1n);
  if (smaller) return 1n << BigInt(smaller.toString(2).length - 1);
  return bitmap & -bitmap;
}

/**
 * @param request - what the driver asks for.
 * @param stage - stage 2 may concatenate tables at its start level.
 * @throws FormatError when no granule is offered, or a size can't be expressed.
 */
export function lpaeGeometry(request: FormatRequest, stage: 1 | 2): Geometry {
  const cpuPageSize = BigInt(request.cpuPageSize ?? 4n * KIB);
  const asked = request.granule === undefined ? undefined : BigInt(request.granule);
  const page = chooseGranule(request.pgsizeBitmap, cpuPageSize, asked);
  const granule = GRANULES.get(page);
  if (granule === undefined) {
    throw new FormatError(
      `pgsizeBitmap ${hex(request.pgsizeBitmap)} gives ${page ? `a granule of ${hex(page)}` : 'no granule'} on a CPU with ${hex(cpuPageSize)} pages; ` +
        'the long-descriptor format has granules of 0x1000, 0x4000 and 0x10000 (DDI 0487 D8.2.1): offer one of them as a page size',
    );
  }
  const { features = [] } = request;
  const lpa2 = features.includes('lpa2');
  if (lpa2 && granule.log2 === 16) {
    throw new FormatError(
      'lpa2 is for granules of 4K and 16K; with 64K, addresses of 52 bits need no feature: ask for them in ias and oas',
    );
  }
  const levelRuns = features.includes('contiguous') ? granule.runs : {};
  const maxBits = lpa2 ? 52 : granule.maxBits;
  const large = lpa2 ? granule.lpa2Block : granule.log2 === 16 && request.oas > 48 ? 4n * TIB : 0n;
  const sizes = granule.sizes | large | runSizes(granule.log2, levelRuns);
  const ias = Math.min(request.ias, maxBits);
  const oas = Math.min(request.oas, maxBits);
  const outputCode = (OUTPUT_SIZES as readonly number[]).indexOf(oas);
  if (outputCode < 0) {
    throw new FormatError(
      `oas ${request.oas} is not an output size; TCR.IPS and VTCR.PS can express ${OUTPUT_SIZES.join(', ')} (DDI 0487 D8.1.8)`,
    );
  }
  if (ias <= granule.log2) {
    throw new FormatError(`ias ${ias} leaves no bits to translate above a page of 2^${granule.log2} bytes`);
  }
  const sized = { log2: granule.log2, ias, oas, lpa2 };
  const startLevel = stage === 1 ? plainStart(sized) : stage2Start(sized, concatenationOf(request));
  const levels = levelsFrom(startLevel, sized, levelRuns);
  return {
    pgsizeBitmap: request.pgsizeBitmap & sizes,
    ias,
    oas,
    granuleLog2: granule.log2,
    outputCode,
    levels,
    rootBytes: levels[0]!.entries * 2 ** DESCRIPTOR_LOG2,
  };
}

/** When stage 2 concatenates tables. */
export function concatenationOf({ concatenation, linux }: FormatRequest): Concatenation {
  return concatenation ?? choicesOf(linux).concatenation;
}

/** The sizes of contiguous runs. */
function runSizes(granuleLog2: number, runs: Granule['runs']): bigint {
  return Object.entries(runs).reduce((sizes, [level, runLog2]) => {
    return sizes | (1n << BigInt(shiftOf(granuleLog2, Number(level)) + runLog2));
  }, 0n);
}

/** What decides where a walk starts. */
interface Sizes {
  readonly log2: 12 | 14 | 16;
  readonly ias: number;
  readonly oas: number;
  readonly lpa2: boolean;
}

/** log2 of the bytes that an entry of `level` covers. */
function shiftOf(log2: number, level: number): number {
  return log2 + (LAST_LEVEL - level) * (log2 - DESCRIPTOR_LOG2);
}

/** Every level resolves `log2 - 3` bits, and the start level what is left. */
function plainStart({ log2, ias }: Sizes): number {
  return LAST_LEVEL + 1 - Math.ceil((ias - log2) / (log2 - DESCRIPTOR_LOG2));
}

/**
 * Where stage 2 starts: a level lower if its tables are concatenated. Each table then stands for an entry of the level above.
 * @throws FormatError when they must be, but would be more than 16.
 */
function stage2Start(sizes: Sizes, concatenation: Concatenation): number {
  const { log2, ias, oas } = sizes;
  const start = plainStart(sizes);
  const tables = 2 ** (ias - shiftOf(log2, start));
  const fit = tables <= MAX_CONCATENATED;
  // Level -1, which never has more than 16 entries, counts as level 0 does.
  if (concatenation === 'possible') return start <= 0 && fit ? start + 1 : start;
  if (!mustConcatenate(sizes, start)) return start;
  if (fit) return start + 1;
  const most = shiftOf(log2, start) + Math.log2(MAX_CONCATENATED);
  throw new FormatError(
    `ias ${ias} needs ${tables} tables side by side at level ${start + 1}, since with ${oas} bits of output a walk of this granule can't start at level ${start}; ` +
      `stage 2 has at most ${MAX_CONCATENATED}: ask for an ias of at most ${most} (DDI 0487 D8.2.2, R_SRKBC)`,
  );
}

/**
 * Output sizes with which stage 2 can't start at a level, by granule and level (DDI 0487 R_SRKBC, table D8-9). Smaller outputs can't start there either,
 * but Linux checks only these: an input that is no larger than a smaller output never leads to such a level.
 */
const NO_START: Readonly<Record<number, Readonly<Record<number, readonly number[]>>>> = {
  12: { 0: [40, 42] },
  14: { 0: [48], 1: [40] },
  16: {},
};

function mustConcatenate({ log2, ias, oas, lpa2 }: Sizes, start: number): boolean {
  // Without LPA2, 16K has no start level 0 at all: 48 bits of input take two tables at level 1 (R_DXBSH).
  if (log2 === 14 && start === 0 && ias === 48 && !lpa2) return true;
  return NO_START[log2]![start]?.includes(oas) ?? false;
}

function levelsFrom(start: number, { log2, ias }: Sizes, runs: Granule['runs']): Level[] {
  const stride = log2 - DESCRIPTOR_LOG2;
  const levels: Level[] = [];
  for (let level = start; level <= LAST_LEVEL; level++) {
    const shift = shiftOf(log2, level);
    const entries = level === start ? 2 ** (ias - shift) : 2 ** stride;
    const tables = entries / 2 ** stride;
    const runLog2 = runs[level];
    levels.push({
      level,
      shift,
      entries,
      ...(tables > 1 && { tables }),
      ...(runLog2 !== undefined && { runLog2 }),
    });
  }
  return levels;
}
