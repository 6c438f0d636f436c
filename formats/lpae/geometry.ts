/**
 * Which granule, levels and root a request gets, as Linux's arm_lpae_restrict_pgsizes and arm_lpae_alloc_pgtable decide it,
 * with the sizes of DDI 0487 D8.2.1 (granules), D8.2.2 (stage-2 concatenation) and tables D8-16 to D8-34.
 */
import { FormatError, hex } from '../../src/pagetable/errors.ts';
import type { FormatRequest, Level } from '../../src/pagetable/format.ts';

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

/** The granule that Linux chooses: the CPU's page size if offered, else the largest smaller one, else the smallest larger one. */
function chooseGranule(bitmap: bigint, cpuPageSize: bigint): bigint {
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
  const page = chooseGranule(request.pgsizeBitmap, cpuPageSize);
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
  const levels = levelsFor(ias, granule.log2, stage, levelRuns);
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

/** The sizes of contiguous runs. */
function runSizes(granuleLog2: number, runs: Granule['runs']): bigint {
  return Object.entries(runs).reduce((sizes, [level, runLog2]) => {
    const shift = granuleLog2 + (LAST_LEVEL - Number(level)) * (granuleLog2 - DESCRIPTOR_LOG2);
    return sizes | (1n << BigInt(shift + runLog2));
  }, 0n);
}

/**
 * Every level resolves `granuleLog2 - 3` bits, and the start level resolves the rest. Stage 2 folds a level 0 of up to 16 entries
 * into level 1. It always folds level -1, which never has more than 16 entries, into level 0.
 */
function levelsFor(ias: number, granuleLog2: number, stage: 1 | 2, runs: Granule['runs']): Level[] {
  const stride = granuleLog2 - DESCRIPTOR_LOG2;
  let startLevel = LAST_LEVEL + 1 - Math.ceil((ias - granuleLog2) / stride);
  const shiftOf = (level: number) => granuleLog2 + (LAST_LEVEL - level) * stride;
  const concatenated = 2 ** (ias - shiftOf(startLevel));
  if (stage === 2 && startLevel <= 0 && concatenated <= MAX_CONCATENATED) startLevel++;
  const levels: Level[] = [];
  for (let level = startLevel; level <= LAST_LEVEL; level++) {
    const shift = shiftOf(level);
    const entries = level === startLevel ? 2 ** (ias - shift) : 2 ** stride;
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
