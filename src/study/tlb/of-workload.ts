/** The TLB study of a workload: the tables of its own requests, and a device that uses what they map. */
import { IommuError } from '../../pagetable/errors.ts';
import type { Choice } from '../combinations.ts';
import { StudyError } from '../errors.ts';
import { turn } from '../turn.ts';
import { spacesOf, type Workload, type WorkloadRequest } from '../workload.ts';
import { runTlb, setsOf, type TlbCounts, type TlbShape } from './model.ts';
import { choicesOf, measuredOf, type TlbResult } from './study.ts';
import { makeTables, stretchesOf, type TablesChoice } from './tables.ts';
import { deviceTrace, LARGEST_BUFFER, TRACES, type Trace, type TraceName, traceNamed } from './trace.ts';
import { walkTrace } from './walks.ts';

/** `device`: a device goes over each request in bursts of 256 bytes, then the request is unmapped. */
export const WORKLOAD_TRACES = ['device', ...TRACES] as const;
/** A trace over a workload: what its device does, or one of the generated ones. */
export type WorkloadTrace = 'device' | TraceName;
const DEFAULT_TRACES: readonly WorkloadTrace[] = ['device'];

/** The TLBs and traces to try on a workload. */
export interface WorkloadTlbOptions {
  readonly shapes: readonly TlbShape[];
  /** Default: `device`. The others access all mapped memory, divided among address spaces in proportion to their bytes. */
  readonly traces?: readonly WorkloadTrace[];
  /** Accesses in each trace, 1 to 2^26: the most for `device`. Default: 2^18 for `device`, 2^16 for others. */
  readonly accesses?: number;
  readonly choice?: Choice;
  /** Seed of random traces. Default: 1. */
  readonly seed?: number;
}

/** A result, and the trace that gave it. */
export interface WorkloadTlbResult {
  readonly trace: WorkloadTrace;
  readonly result: TlbResult;
}

/**
 * Runs a workload's accesses through TLBs over the tables that it makes under every combination of a choice. Requests of different
 * address spaces share nothing: each space starts with an empty TLB, and their counts are added up.
 *
 * Unlike the footprint of a TLB study, requests keep their CPU pages: what `map_sg` refuses is refused here too.
 * @throws StudyError for impossible shapes, choices or options.
 */
export async function* studyWorkloadTlb(
  workload: Workload,
  options: WorkloadTlbOptions,
): AsyncGenerator<WorkloadTlbResult> {
  const { shapes, choice, traces = DEFAULT_TRACES } = options;
  checkWorkloadTlb(options);
  const spaces = [...spacesOf(workload).values()].map((indexes) => ({
    ...workload,
    requests: indexes.map((index) => workload.requests[index]!),
  }));
  const made = traces.map((trace) => tracesOf(workload, spaces, trace, options));
  for (const tables of choicesOf(choice)) {
    await turn();
    const counts = countsOf(spaces, made, tables, shapes);
    for (const [t, trace] of traces.entries()) {
      for (const [i, shape] of shapes.entries()) {
        const combination = { ...shape, tables };
        const reason = counts instanceof IommuError ? counts.message : made[t]!.reason;
        const counted = counts instanceof IommuError ? undefined : counts[t]![i];
        const result: TlbResult =
          counted === undefined
            ? { maps: false, combination, reason: reason ?? 'nothing is accessed' }
            : measuredOf(combination, counted);
        yield { trace, result };
      }
    }
  }
}

/** @throws StudyError for options that are wrong for every workload. */
export function checkWorkloadTlb({ shapes, accesses = 1, seed = 1 }: WorkloadTlbOptions): void {
  for (const shape of shapes) setsOf(shape);
  if (!Number.isInteger(accesses) || accesses < 1 || accesses > 2 ** 26) {
    throw new StudyError(`accesses must be a whole number from 1 to 2^26, not ${accesses}`, accesses);
  }
  if (!Number.isSafeInteger(seed)) throw new StudyError(`seed must be a whole number, not ${seed}`, seed);
}

/** How many results `studyWorkloadTlb` yields. */
export function sizeOfWorkloadTlb({ shapes, choice, traces = DEFAULT_TRACES }: WorkloadTlbOptions): number {
  return shapes.length * traces.length * choicesOf(choice).length;
}

/** A trace for each space. A space has none if a device would access too little of it or nothing; `reason` explains why no space has one. */
interface SpaceTraces {
  readonly ofSpaces: readonly (Trace | undefined)[];
  readonly reason?: string;
}

function tracesOf(
  workload: Workload,
  spaces: readonly Workload[],
  trace: WorkloadTrace,
  { accesses = trace === 'device' ? 2 ** 18 : 2 ** 16, seed = 1 }: WorkloadTlbOptions,
): SpaceTraces {
  // Large requests are taken for a guest's RAM, unless there is nothing else: then they are buffers.
  const isBuffer = ({ sg }: WorkloadRequest) => sg.byteLength > 0n && sg.byteLength <= LARGEST_BUFFER;
  const largest = workload.requests.some(isBuffer) ? LARGEST_BUFFER : Number.MAX_SAFE_INTEGER;
  const total = bytesOf(workload);
  let [left, bytes] = [accesses, 0];
  let reason = `${workload.name} has no byte that a device would access`;
  const share = (upTo: number) => (total === 0 ? 0 : Math.round((accesses * upTo) / total));
  const ofSpaces = spaces.map((space): Trace | undefined => {
    const before = share(bytes);
    bytes += bytesOf(space);
    const own = trace === 'device' ? left : share(bytes) - before;
    if (own === 0 || bytesOf(space) === 0) return undefined;
    try {
      const made = trace === 'device' ? ofDevice(space, own, largest) : ofSpace(space, trace, own, seed);
      left -= made?.addresses.length ?? 0;
      return made;
    } catch (error) {
      if (!(error instanceof StudyError)) throw error;
      reason = error.message;
      return undefined;
    }
  });
  return ofSpaces.some((one) => one !== undefined) ? { ofSpaces } : { ofSpaces, reason };
}

function ofDevice({ name, requests }: Workload, accesses: number, largest: number): Trace | undefined {
  const stretches = requests
    .map(({ iova, sg }) => ({ first: iova, size: sg.byteLength }))
    .filter(({ size }) => size > 0n && size <= largest);
  return stretches.length === 0 ? undefined : deviceTrace(name, stretches, { accesses, largest });
}

function ofSpace(space: Workload, trace: TraceName, accesses: number, seed: number): Trace {
  return traceNamed(trace, stretchesOf(space), { accesses, seed });
}

function bytesOf({ requests }: Workload): number {
  return requests.reduce((sum, { sg }) => sum + Number(sg.byteLength), 0);
}

/** Counts by trace, then by shape; or the error of the first request that can't be mapped. */
function countsOf(
  spaces: readonly Workload[],
  traces: readonly SpaceTraces[],
  tables: TablesChoice,
  shapes: readonly TlbShape[],
): TlbCounts[][] | IommuError {
  const sums: TlbCounts[][] = traces.map(() => []);
  try {
    for (const [i, space] of spaces.entries()) {
      const made = makeTables(space, tables);
      for (const [t, { ofSpaces }] of traces.entries()) {
        const trace = ofSpaces[i];
        if (trace === undefined) continue;
        const walked = walkTrace(made, trace);
        for (const [n, shape] of shapes.entries()) {
          const counts = runTlb(walked, shape);
          const sum = sums[t]![n];
          sums[t]![n] = sum === undefined ? counts : added(sum, counts);
        }
      }
    }
  } catch (error) {
    if (error instanceof IommuError) return error;
    throw error;
  }
  return sums;
}

/** Combines two spaces that run one after the other: events add up, what is held at one time does not. */
function added(a: TlbCounts, b: TlbCounts): TlbCounts {
  const sum = (key: Exclude<keyof TlbCounts, 'workingSet'>) => a[key] + b[key];
  return {
    accesses: sum('accesses'),
    hits: sum('hits'),
    misses: sum('misses'),
    faults: sum('faults'),
    evictions: sum('evictions'),
    fetches: sum('fetches'),
    stage1Fetches: sum('stage1Fetches'),
    stage2Fetches: sum('stage2Fetches'),
    fetchesSaved: sum('fetchesSaved'),
    walkCacheHits: sum('walkCacheHits'),
    costliestWalk: Math.max(a.costliestWalk, b.costliestWalk),
    reach: b.reach,
    bestReach: Math.max(a.bestReach, b.bestReach),
    workingSet: {
      entries: Math.max(a.workingSet.entries, b.workingSet.entries),
      bytes: Math.max(a.workingSet.bytes, b.workingSet.bytes),
      tables: Math.max(a.workingSet.tables, b.workingSet.tables),
    },
  };
}
