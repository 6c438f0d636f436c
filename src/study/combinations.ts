/**
 * What is compared: CPU page sizes, the IOMMU's granule, the page sizes that it is offered, and the stages that translate.
 * (DDI 0487 D8.2.1 granules, D8.3.1 blocks, D8.7.1 contiguous runs.)
 */
import { arm64LpaeS1, arm64LpaeS2 } from '../../formats/index.ts';
import type { FormatModule, FormatRequest } from '../pagetable/format.ts';
import { StudyError } from './errors.ts';

/** Bytes of an IOMMU's smallest page. */
export const GRANULES = [0x1000, 0x4000, 0x1_0000] as const;
/** Bytes of an IOMMU's smallest page: 4096, 16384 or 65536. */
export type Granule = (typeof GRANULES)[number];

/** What the table may use: pages alone; blocks too; runs of entries with the contiguous hint as well. */
export const OFFERED = ['pages', 'blocks', 'contiguous'] as const;
/** What tables may use: pages alone, blocks too, contiguous runs as well. */
export type Offered = (typeof OFFERED)[number];

/** Stage 1 alone, stage 2 alone, or stage 1 in a guest whose RAM stage 2 maps. */
export const STAGES = ['s1', 's2', 'nested'] as const;
/** Stage 1 alone, stage 2 alone, or stage 1 in a guest under stage 2. */
export type StageChoice = (typeof STAGES)[number];

/** One cell of the comparison. Sizes in bytes. */
export interface Combination {
  readonly cpuPageSize: number;
  readonly granule: Granule;
  readonly sizes: Offered;
  readonly stage: StageChoice;
}

/** The values of each axis that are compared. */
export interface Choice {
  readonly granules?: readonly Granule[];
  readonly sizes?: readonly Offered[];
  readonly stages?: readonly StageChoice[];
}

/** Input and output addresses of every table here: 48 bits, which every granule has. */
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

/** The format of the tables that the driver writes: in a nested combination the guest's. */
export function formatOf({ stage }: Pick<Combination, 'stage'>): FormatModule {
  return stage === 's2' ? arm64LpaeS2 : arm64LpaeS1;
}

/** The request for a table of a combination. */
export function formatRequest({ granule, sizes }: Pick<Combination, 'granule' | 'sizes'>): FormatRequest {
  return {
    // The format keeps of all sizes those of the granule, which is chosen as for a CPU of that page size.
    pgsizeBitmap: sizes === 'pages' ? BigInt(granule) : (1n << BigInt(ADDRESS_BITS)) - 1n,
    cpuPageSize: granule,
    ias: ADDRESS_BITS,
    oas: ADDRESS_BITS,
    features: sizes === 'contiguous' ? ['contiguous'] : [],
  };
}
