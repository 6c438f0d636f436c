/** TLB studies: a trace run through TLBs of several sizes over tables of several kinds, combination by combination. What `lpae tlb` shows. */
import { IommuError } from '../../pagetable/errors.ts';
import { type Choice, combinationsOf } from '../combinations.ts';
import { turn } from '../turn.ts';
import { runTlb, setsOf, type TlbCounts, type TlbShape } from './model.ts';
import { type Footprint, footprintWorkload, makeTables, stretchesOf, type TablesChoice } from './tables.ts';
import { type Trace, type TraceOptions, traceNamed } from './trace.ts';
import { type StudiedTables, walkTrace } from './walks.ts';

/** A TLB, and the choice of tables behind it, if they were not given. */
export interface TlbCombination extends TlbShape {
  readonly tables?: TablesChoice;
}

/** The result of a trace under one combination. */
export interface TlbMeasured extends TlbCounts {
  readonly maps: true;
  readonly combination: TlbCombination;
  /** 0 to 1. */
  readonly hitRate: number;
  /** Descriptors read on average: by a walk (0 if there was none), and by an access. */
  readonly fetchesPerWalk: number;
  readonly fetchesPerAccess: number;
}

/** The result if the footprint can't be mapped under a combination. */
export interface TlbRefused {
  readonly maps: false;
  readonly combination: TlbCombination;
  /** The message of the error. */
  readonly reason: string;
}

/** The result of a combination. `maps` tells whether it was measured or could not be mapped. */
export type TlbResult = TlbMeasured | TlbRefused;

/** A trace to generate over what is mapped. */
export interface NamedTrace extends TraceOptions {
  readonly name: string;
}

/** What to study: given tables, or a footprint that is mapped under every combination of a choice. */
export type TlbStudy = {
  /** TLBs to try, in this order. */
  readonly shapes: readonly TlbShape[];
} & (
  | { readonly tables: StudiedTables; readonly trace: Trace }
  | { readonly footprint: Footprint; readonly choice?: Choice; readonly trace: Trace | NamedTrace }
);

/**
 * Runs a study, combination by combination: by tables in the order of `combinationsOf`, then by TLB. It yields to the event
 * loop between them, so that the caller can show progress, and can stop by leaving the loop.
 *
 * Every access is a privileged read. The model is leaner than the TLB of `lpae/tlb`, but counts the same.
 *
 * @throws StudyError for impossible shapes, choices, footprints or traces.
 *
 * @example
 * const shapes = [{ entries: 64, ways: 4, walkCache: 16 }] as const;
 * const study = { footprint: { bytes: 2 ** 26 }, choice: { stages: ['s1'] }, trace: { name: 'random' }, shapes } as const;
 * for await (const result of studyTlb(study)) if (result.maps) console.log(result.combination, result.hitRate);
 */
export async function* studyTlb(study: TlbStudy): AsyncGenerator<TlbResult> {
  for (const shape of study.shapes) setsOf(shape);
  if ('tables' in study) {
    yield* runShapes(study.tables, study.trace, study.shapes, {});
    return;
  }
  for (const tables of choicesOf(study.choice)) {
    await turn();
    const workload = footprintWorkload(study.footprint, tables.granule);
    const { trace } = study;
    const made = attempt(() => makeTables(workload, tables));
    if (made instanceof IommuError) {
      const reason = made.message;
      yield* study.shapes.map(
        (shape) => ({ maps: false, combination: { ...shape, tables }, reason }) as const,
      );
      continue;
    }
    const asked = 'addresses' in trace ? trace : traceNamed(trace.name, stretchesOf(workload), trace);
    yield* runShapes(made, asked, study.shapes, { tables });
  }
}

/** How many results a study has. */
export function sizeOfStudy(study: TlbStudy): number {
  return study.shapes.length * ('tables' in study ? 1 : choicesOf(study.choice).length);
}

/** The combinations without the CPU's page size, which does not matter to a walk. */
export function choicesOf(choice: Choice | undefined): TablesChoice[] {
  return combinationsOf(4096, choice).map(({ granule, sizes, stage }) => ({ granule, sizes, stage }));
}

function attempt<T>(act: () => T): T | IommuError {
  try {
    return act();
  } catch (error) {
    if (error instanceof IommuError) return error;
    throw error;
  }
}

async function* runShapes(
  tables: StudiedTables,
  trace: Trace,
  shapes: readonly TlbShape[],
  of: Pick<TlbCombination, 'tables'>,
): AsyncGenerator<TlbMeasured> {
  const walked = walkTrace(tables, trace);
  for (const shape of shapes) {
    await turn();
    yield measuredOf({ ...shape, ...of }, runTlb(walked, shape));
  }
}

/** Adds to the counts the averages for each access and each walk. */
export function measuredOf(combination: TlbCombination, counts: TlbCounts): TlbMeasured {
  const { accesses, hits, misses, fetches } = counts;
  return {
    maps: true,
    combination,
    ...counts,
    hitRate: accesses === 0 ? 0 : hits / accesses,
    fetchesPerWalk: misses === 0 ? 0 : fetches / misses,
    fetchesPerAccess: accesses === 0 ? 0 : fetches / accesses,
  };
}
