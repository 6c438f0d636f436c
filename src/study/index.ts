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
export { type BestAdvice, bestAdvice } from './best-advice.ts';
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
  type Compared,
  type CompareOptions,
  compareWorkload,
  type GranuleResult,
} from './compare.ts';
export {
  ABOUT,
  bestCombination,
  CONCLUSION_KINDS,
  type Conclusion,
  type ConclusionKind,
  conclusionsOf,
} from './conclusions.ts';
export type { Counts, LeafCount, TableCount } from './counts.ts';
export type { DmaResult } from './dma.ts';
export { StudyError } from './errors.ts';
export { type Estimate, estimate } from './estimate.ts';
export { type Measured, type MissCost, measure } from './measure.ts';
export type { Refusal, SemanticsResult } from './semantics.ts';
export { runTlb, type TlbCounts, type TlbShape } from './tlb/model.ts';
export {
  sizeOfWorkloadTlb,
  studyWorkloadTlb,
  WORKLOAD_TRACES,
  type WorkloadTlbOptions,
  type WorkloadTlbResult,
  type WorkloadTrace,
} from './tlb/of-workload.ts';
export {
  type NamedTrace,
  sizeOfStudy,
  studyTlb,
  type TlbCombination,
  type TlbMeasured,
  type TlbRefused,
  type TlbResult,
  type TlbStudy,
} from './tlb/study.ts';
export {
  type Footprint,
  footprintWorkload,
  type MadeTables,
  makeTables,
  stretchesOf,
  type TablesChoice,
} from './tlb/tables.ts';
export {
  addressNumber,
  type DeviceTraceOptions,
  deviceTrace,
  footprintOf,
  joined,
  type Stretch,
  TRACES,
  type Trace,
  type TraceName,
  type TraceOptions,
  traceNamed,
} from './tlb/trace.ts';
export { type StudiedTables, type WalkedTrace, type Walks, walkTrace } from './tlb/walks.ts';
export { separated, sizeOf, type Workload, type WorkloadRequest, type WorkloadSize } from './workload.ts';
export {
  gathered,
  partsOf,
  type StudyOptions,
  type StudyPart,
  studyWorkloads,
  type WorkloadStudy,
} from './workload-study.ts';
export {
  questionOf,
  WORKLOADS,
  type WorkloadName,
  type WorkloadOptions,
  workloadNamed,
} from './workloads.ts';
