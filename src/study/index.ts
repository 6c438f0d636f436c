/**
 * Studies of page sizes: workloads, and what they cost under every combination of granule, page sizes and stages.
 *
 * @example
 * import { compareWorkload, workloadNamed } from 'lpae/study';
 *
 * const workload = workloadNamed('gpu', { bytes: 2 ** 21 });
 * const choice = { granules: [0x1000], sizes: ['pages', 'blocks'], stages: ['s1'] } as const;
 * const leaves: string[] = [];
 * for await (const { combination, counts } of compareWorkload(workload, choice)) {
 *   leaves.push(`${combination.sizes}: ${counts.leaves}`);
 * }
 * console.log(leaves.join(', ')); // pages: 512, blocks: 1
 */
export type { Advice, AdviceKind, Gain, Subject } from './advice.ts';
export type { ChunkLoopResult } from './chunk-loop.ts';
export type { Choice, Combination, Granule, Offered, StageChoice } from './combinations.ts';
export {
  type CombinationResult,
  type Compared,
  type CompareOptions,
  compareWorkload,
  type GranuleResult,
} from './compare.ts';
export { type Conclusion, type ConclusionKind, conclusionsOf } from './conclusions.ts';
export type { Counts, LeafCount, TableCount } from './counts.ts';
export type { DmaResult } from './dma.ts';
export { StudyError } from './errors.ts';
export type { Measured, MissCost } from './measure.ts';
export type { Refusal, SemanticsResult } from './semantics.ts';
export type { TlbCounts, TlbShape } from './tlb/model.ts';
export type { WorkloadTlbOptions, WorkloadTlbResult, WorkloadTrace } from './tlb/of-workload.ts';
export {
  type NamedTrace,
  studyTlb,
  type TlbCombination,
  type TlbMeasured,
  type TlbRefused,
  type TlbResult,
  type TlbStudy,
} from './tlb/study.ts';
export type { Footprint } from './tlb/tables.ts';
export {
  type DeviceTraceOptions,
  deviceTrace,
  type Stretch,
  TRACES,
  type Trace,
  type TraceName,
  type TraceOptions,
  traceNamed,
} from './tlb/trace.ts';
export type { StudiedTables } from './tlb/walks.ts';
export { separated, type Workload, type WorkloadRequest } from './workload.ts';
export {
  gathered,
  type StudyOptions,
  type StudyPart,
  studyWorkloads,
  type WorkloadStudy,
} from './workload-study.ts';
export { WORKLOADS, type WorkloadName, type WorkloadOptions, workloadNamed } from './workloads.ts';
