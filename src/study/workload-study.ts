/** All there is to know of a workload: its comparison under every combination, and what TLBs make of it. What `lpae study` reports. */
import { combinationsOf, type StageChoice } from './combinations.ts';
import { type CombinationResult, type Compared, type CompareOptions, compareWorkload } from './compare.ts';
import type { TlbShape } from './tlb-model.ts';
import {
  sizeOfWorkloadTlb,
  studyWorkloadTlb,
  type WorkloadTlbOptions,
  type WorkloadTlbResult,
  type WorkloadTrace,
} from './tlb-workload.ts';
import type { Workload } from './workload.ts';

export interface StudyOptions extends CompareOptions, Pick<WorkloadTlbOptions, 'accesses' | 'seed'> {
  /** Default: 16, 64, 256 and 1024 entries in sets of 4, with a walk cache of 16 tables. */
  readonly shapes?: readonly TlbShape[];
  /** Default: `device` and `random`, the worst that a device could do. */
  readonly traces?: readonly WorkloadTrace[];
}

const SHAPES: readonly TlbShape[] = [16, 64, 256, 1024].map((entries) => ({
  entries,
  ways: 4,
  walkCache: 16,
}));
const TRACES: readonly WorkloadTrace[] = ['device', 'random'];
/** Where none are asked for: to a TLB stage 2 alone is much like stage 1. */
const TLB_STAGES: readonly StageChoice[] = ['s1', 'nested'];

/** A workload of one CPU page size, and all that was measured of it. */
export interface WorkloadStudy extends Compared {
  readonly tlb: readonly WorkloadTlbResult[];
}

/** One thing that was measured. */
export interface StudyPart {
  readonly workload: Workload;
  readonly found: { readonly compared: CombinationResult } | { readonly tlb: WorkloadTlbResult };
}

/**
 * Measures part by part: of each workload every combination, then every TLB. Whoever asks can stop by leaving the loop.
 * @throws StudyError for choices, shapes or traces that can't be.
 */
export async function* studyWorkloads(
  workloads: readonly Workload[],
  options: StudyOptions = {},
): AsyncGenerator<StudyPart> {
  for (const workload of workloads) {
    for await (const compared of compareWorkload(workload, options)) yield { workload, found: { compared } };
    for await (const tlb of studyWorkloadTlb(workload, tlbOptions(options))) {
      yield { workload, found: { tlb } };
    }
  }
}

/** How many parts that has. */
export function partsOf(workloads: readonly Workload[], options: StudyOptions = {}): number {
  const tlb = sizeOfWorkloadTlb(tlbOptions(options));
  return workloads.reduce((sum, one) => sum + combinationsOf(one.cpuPageSize, options).length + tlb, 0);
}

/** Parts put together, workload by workload: of those that were measured. */
export function gathered(parts: Iterable<StudyPart>): WorkloadStudy[] {
  const studies = new Map<Workload, { results: CombinationResult[]; tlb: WorkloadTlbResult[] }>();
  for (const { workload, found } of parts) {
    const study = studies.get(workload) ?? { results: [], tlb: [] };
    studies.set(workload, study);
    if ('tlb' in found) study.tlb.push(found.tlb);
    else study.results.push(found.compared);
  }
  return [...studies].map(([workload, study]) => ({ workload, ...study }));
}

function tlbOptions(options: StudyOptions): WorkloadTlbOptions {
  const { shapes = SHAPES, traces = TRACES, accesses, seed, granules, sizes, stages = TLB_STAGES } = options;
  return {
    shapes,
    traces,
    choice: { stages, ...(granules && { granules }), ...(sizes && { sizes }) },
    ...(accesses !== undefined && { accesses }),
    ...(seed !== undefined && { seed }),
  };
}
