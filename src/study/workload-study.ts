/** A full study of a workload: its comparison under every combination, and its TLB results. What `lpae study` reports. */
import { combinationsOf, type StageChoice } from './combinations.ts';
import { type CombinationResult, type Compared, type CompareOptions, compareWorkload } from './compare.ts';
import type { TlbShape } from './tlb/model.ts';
import {
  checkWorkloadTlb,
  sizeOfWorkloadTlb,
  studyWorkloadTlb,
  type WorkloadTlbOptions,
  type WorkloadTlbResult,
  type WorkloadTrace,
} from './tlb/of-workload.ts';
import type { Workload, WorkloadRequest } from './workload.ts';

/** What to measure for each workload: combinations, as for `compareWorkload`, TLBs and traces. */
export interface StudyOptions extends CompareOptions, Pick<WorkloadTlbOptions, 'accesses' | 'seed'> {
  /** Default: 16, 64, 256 and 1024 entries in sets of 4, with a walk cache of 16 tables. */
  readonly shapes?: readonly TlbShape[];
  /** Default: `device`, and `random`, which is the worst that a device could do. */
  readonly traces?: readonly WorkloadTrace[];
}

const SHAPES: readonly TlbShape[] = [16, 64, 256, 1024].map((entries) => ({
  entries,
  ways: 4,
  walkCache: 16,
}));
const TRACES: readonly WorkloadTrace[] = ['device', 'random'];
/** The default stages: for a TLB, only stage 2 is much like only stage 1. */
const TLB_STAGES: readonly StageChoice[] = ['s1', 'nested'];

/** A workload with one CPU page size, and all of its measurements. */
export interface WorkloadStudy extends Compared {
  readonly tlb: readonly WorkloadTlbResult[];
}

/** One measurement. */
export interface StudyPart {
  readonly workload: Workload;
  readonly found: { readonly compared: CombinationResult } | { readonly tlb: WorkloadTlbResult };
}

/**
 * Measures part by part: for each workload every combination, then every TLB. The caller can stop by leaving the loop.
 *
 * The CPU's page size means nothing to a TLB, so that of several workloads with the same lists only the first one runs through TLBs.
 * @throws StudyError for impossible choices, shapes or traces.
 */
export async function* studyWorkloads(
  workloads: readonly Workload[],
  options: StudyOptions = {},
): AsyncGenerator<StudyPart> {
  // Find wrong options before hours of work, not after.
  checkWorkloadTlb(tlbOptions(options));
  for (const workload of workloads) {
    for await (const compared of compareWorkload(workload, options)) yield { workload, found: { compared } };
    if (firstAlike(workloads, workload) !== workload) continue;
    for await (const tlb of studyWorkloadTlb(workload, tlbOptions(options))) {
      yield { workload, found: { tlb } };
    }
  }
}

/** How many parts `studyWorkloads` yields. */
export function partsOf(workloads: readonly Workload[], options: StudyOptions = {}): number {
  const tlb = sizeOfWorkloadTlb(tlbOptions(options));
  return workloads.reduce((sum, one) => {
    const own = firstAlike(workloads, one) === one ? tlb : 0;
    return sum + combinationsOf(one.cpuPageSize, options).length + own;
  }, 0);
}

/** Groups the measured parts by workload. Workloads with the same lists share `tlb`. */
export function gathered(parts: Iterable<StudyPart>): WorkloadStudy[] {
  const studies = new Map<Workload, { results: CombinationResult[]; tlb: WorkloadTlbResult[] }>();
  for (const { workload, found } of parts) {
    const study = studies.get(workload) ?? { results: [], tlb: [] };
    studies.set(workload, study);
    if ('tlb' in found) study.tlb.push(found.tlb);
    else study.results.push(found.compared);
  }
  const workloads = [...studies.keys()];
  return workloads.map((workload) => ({
    workload,
    results: studies.get(workload)!.results,
    tlb: studies.get(firstAlike(workloads, workload))!.tlb,
  }));
}

/** The first workload with the very same requests. */
function firstAlike(workloads: readonly Workload[], workload: Workload): Workload {
  return workloads.find((other) => other === workload || sameRequests(other, workload))!;
}

function sameRequests({ requests: a }: Workload, { requests: b }: Workload): boolean {
  return a.length === b.length && a.every((request, i) => sameRequest(request, b[i]!));
}

function sameRequest(a: WorkloadRequest, b: WorkloadRequest): boolean {
  const same = (x: ArrayLike<number>, y: ArrayLike<number>) => {
    for (let i = 0; i < a.sg.count; i++) if (x[i] !== y[i]) return false;
    return true;
  };
  if (a.iova !== b.iova || a.space !== b.space || a.sg.count !== b.sg.count) return false;
  return same(a.sg.addresses, b.sg.addresses) && same(a.sg.lengths, b.sg.lengths);
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
