/** Studies of page sizes: workloads, and what they cost under every combination of granule, page sizes and stages. */
export {
  ADVICE_KINDS,
  type Advice,
  type AdviceKind,
  type Gain,
  gainOf,
  gainText,
  type Subject,
} from './advice.ts';
export {
  type Choice,
  type Combination,
  combinationsOf,
  GRANULES,
  type Granule,
  OFFERED,
  type Offered,
  STAGES,
  type StageChoice,
} from './combinations.ts';
export {
  type CombinationResult,
  type CompareOptions,
  compareWorkload,
  type GranuleResult,
} from './compare.ts';
export type { Counts, LeafCount, TableCount } from './counts.ts';
export type { DmaResult } from './dma.ts';
export { StudyError } from './errors.ts';
export { type Estimate, estimate } from './estimate.ts';
export { type Measured, type MissCost, measure } from './measure.ts';
export type { Refusal, SemanticsResult } from './semantics.ts';
export { separated, sizeOf, type Workload, type WorkloadRequest, type WorkloadSize } from './workload.ts';
export {
  questionOf,
  WORKLOADS,
  type WorkloadName,
  type WorkloadOptions,
  workloadNamed,
} from './workloads.ts';
