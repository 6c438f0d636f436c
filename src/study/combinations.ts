/**
 * The axes of a comparison: CPU page size, the IOMMU's granule, the page sizes that tables may use, and the stages that translate.
 * (DDI 0487 D8.2.1 granules, D8.3.1 blocks, D8.7.1 contiguous runs.)
 */
import { arm64LpaeS1, arm64LpaeS2 } from '../../formats/index.ts';
import type { FormatModule, FormatRequest } from '../pagetable/format.ts';
import { StudyError } from './errors.ts';

/** Bytes of an IOMMU's smallest page. */
export const GRANULES = [0x1000, 0x4000, 0x1_0000] as const;
/** Bytes of an IOMMU's smallest page: 4096, 16384 or 65536. */
export type Granule = (typeof GRANULES)[number];

/** What tables may use: only pages; blocks too; contiguous runs as well. */
export const OFFERED = ['pages', 'blocks', 'contiguous'] as const;
/** What tables may use: only pages, blocks too, or contiguous runs as well. */
export type Offered = (typeof OFFERED)[number];

/** Only stage 1, only stage 2, or stage 1 in a guest whose RAM is mapped by stage 2. */
export const STAGES = ['s1', 's2', 'nested'] as const;
/** Only stage 1, only stage 2, or stage 1 in a guest under stage 2. */
export type StageChoice = (typeof STAGES)[number];

/** One cell of the comparison. Sizes in bytes. */
export interface Combination {
  readonly cpuPageSize: number;
  readonly granule: Granule;
  readonly sizes: Offered;
  readonly stage: StageChoice;
}

/** Which values of each axis to compare. */
export interface Choice {
  readonly granules?: readonly Granule[];
  readonly sizes?: readonly Offered[];
  readonly stages?: readonly StageChoice[];
}

/** Width of input and output addresses in every table here: 48 bits, which every granule supports. */
export const ADDRESS_BITS = 48;

/** Every combination of a choice for a CPU page size: by granule, then sizes, then stage. Default: all. @throws StudyError. */
export function combinationsOf(cpuPageSize: number, choice: Choice = {}): Combination[] {
  const { granules = GRANULES, sizes = OFFERED, stages = STAGES } = choice;
  check('granule', granules, GRANULES);
  check('sizes', sizes, OFFERED);
  check('stage', stages, STAGES);
  return granules.flatMap((granule) =>
    sizes.flatMap((offered) => stages.map((stage) => ({ cpuPageSize, granule, sizes: offered, stage }))),
  );
}

function check<T>(what: string, chosen: readonly T[], known: readonly T[]): void {
  const wrong = chosen.find((one) => !known.includes(one));
  if (wrong !== undefined) {
    throw new StudyError(`${what} must be one of ${known.join(', ')}, not ${String(wrong)}`, wrong);
  }
}

/** The format of the tables that the driver writes: the guest's tables in a nested combination. */
export function formatOf({ stage }: Pick<Combination, 'stage'>): FormatModule {
  return stage === 's2' ? arm64LpaeS2 : arm64LpaeS1;
}

/** The request for a table of a combination. */
export function formatRequest({ granule, sizes }: Pick<Combination, 'granule' | 'sizes'>): FormatRequest {
  return {
    // Of all sizes the format keeps those of the granule.
    pgsizeBitmap: sizes === 'pages' ? BigInt(granule) : (1n << BigInt(ADDRESS_BITS)) - 1n,
    granule,
    ias: ADDRESS_BITS,
    oas: ADDRESS_BITS,
    features: sizes === 'contiguous' ? ['contiguous'] : [],
  };
}
