/** A workload's own TLB study: the tables that its requests make, and a device that uses what they map. */
import { setImmediate } from 'node:timers/promises';
import { IommuError } from '../../pagetable/errors.ts';
import type { Choice } from '../combinations.ts';
import { StudyError } from '../errors.ts';
import { spacesOf, type Workload } from '../workload.ts';
import { runTlb, setsOf, type TlbCounts, type TlbShape } from './model.ts';
import { choicesOf, measuredOf, type TlbResult } from './study.ts';
import { makeTables, stretchesOf, type TablesChoice } from './tables.ts';
import { deviceTrace, LARGEST_BUFFER, TRACES, type Trace, type TraceName, traceNamed } from './trace.ts';
import { walkTrace } from './walks.ts';

/** `device`: it goes over each request in bursts of 256 bytes, after which the request is unmapped. */
export const WORKLOAD_TRACES = ['device', ...TRACES] as const;
export type WorkloadTrace = 'device' | TraceName;
const DEFAULT_TRACES: readonly WorkloadTrace[] = ['device'];

export interface WorkloadTlbOptions {
  readonly shapes: readonly TlbShape[];
  /** Default: `device`. The others are of what is mapped, address space by address space, in proportion to its bytes. */
  readonly traces?: readonly WorkloadTrace[];
  /** Of each trace, 1 to 2^26; of `device` at most. Default: 2^18 of `device`, 2^16 of others. */
  readonly accesses?: number;
  readonly choice?: Choice;
  /** Of traces that are random. Default: 1. */
  readonly seed?: number;
}

/** A result, and the trace that it is of. */
export interface WorkloadTlbResult {
  readonly trace: WorkloadTrace;
  readonly result: TlbResult;
}

/**
 * Runs a workload's accesses through TLBs over the tables that it makes under every combination of a choice. Requests of different
 * address spaces share nothing: each space begins with an empty TLB, and the counts of all are added up.
 *
 * Unlike a footprint that is mapped for a study, requests keep their CPU pages: what `map_sg` refuses is refused here.
 * @throws StudyError for shapes, choices or options that can't be.
 */
export async function* studyWorkloadTlb(
  workload: Workload,
  options: WorkloadTlbOptions,
): AsyncGenerator<WorkloadTlbResult> {
  const { shapes, choice, traces = DEFAULT_TRACES } = options;
  for (const shape of shapes) setsOf(shape);
  const spaces = [...spacesOf(workload).values()].map((indexes) => ({
    ...workload,
    requests: indexes.map((index) => workload.requests[index]!),
  }));
  const made = traces.map((trace) => tracesOf(workload, spaces, trace, options));
  for (const tables of choicesOf(choice)) {
    await setImmediate();
    const counts = countsOf(spaces, made, tables, shapes);
    for (const [t, trace] of traces.entries()) {
      for (const [i, shape] of shapes.entries()) {
        const combination = { ...shape, tables };
        if (counts instanceof IommuError) {
          yield { trace, result: { maps: false, combination, reason: counts.message } };
        } else yield { trace, result: measuredOf(combination, counts[t]![i]!) };
      }
    }
  }
}

/** How many results that has. */
export function sizeOfWorkloadTlb({ shapes, choice, traces = DEFAULT_TRACES }: WorkloadTlbOptions): number {
  return shapes.length * traces.length * choicesOf(choice).length;
}

/** A trace for each space; none where there is nothing that a device would go over. */
function tracesOf(
  workload: Workload,
  spaces: readonly Workload[],
  trace: WorkloadTrace,
  { accesses = trace === 'device' ? 2 ** 18 : 2 ** 16, seed = 1 }: WorkloadTlbOptions,
): (Trace | undefined)[] {
  const isBuffer = (bytes: bigint) => bytes > 0n && bytes <= LARGEST_BUFFER;
  // Large requests are memory that a guest was given, unless there is nothing else: then they are the buffers.
  const isBuffers = workload.requests.some(({ sg }) => isBuffer(sg.byteLength));
  const largest = isBuffers ? LARGEST_BUFFER : Number.MAX_SAFE_INTEGER;
  let left = accesses;
  const total = bytesOf(workload);
  const made = spaces.map((space) => {
    if (trace === 'device') {
      const requests = space.requests
        .map(({ iova, sg }) => ({ first: iova, size: sg.byteLength }))
        .filter(({ size }) => size > 0n && size <= largest);
      if (requests.length === 0 || left === 0) return undefined;
      const made = deviceTrace(workload.name, requests, { accesses: left, largest });
      left -= made.addresses.length;
      return made;
    }
    const share = Math.round((accesses * bytesOf(space)) / total);
    if (share === 0) return undefined;
    return traceNamed(trace, stretchesOf(space), { accesses: share, seed });
  });
  if (made.some((one) => one !== undefined)) return made;
  throw new StudyError(`${workload.name} holds no byte that a device would access`, workload.name);
}

function bytesOf({ requests }: Workload): number {
  return requests.reduce((sum, { sg }) => sum + Number(sg.byteLength), 0);
}

/** By trace, then by shape; or the error of the first request that can't be mapped. */
function countsOf(
  spaces: readonly Workload[],
  traces: readonly (readonly (Trace | undefined)[])[],
  tables: TablesChoice,
  shapes: readonly TlbShape[],
): TlbCounts[][] | IommuError {
  const sums: TlbCounts[][] = traces.map(() => []);
  try {
    for (const [i, space] of spaces.entries()) {
      const made = makeTables(space, tables);
      for (const [t, ofSpaces] of traces.entries()) {
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

/** Of one space after the other: what happened is added up, what is held at a time is not. */
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
