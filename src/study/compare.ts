/** Compares one workload under every combination of granule, page sizes and stages. What `lpae compare` shows. */
import { SG_SEMANTICS, type SgSemantics } from '../iommu/sg-semantics.ts';
import { type Advice, Adviser } from './advice.ts';
import { type ChunkLoopResult, throughChunkLoop } from './chunk-loop.ts';
import { type Choice, type Combination, combinationsOf, type Granule } from './combinations.ts';
import { type DmaResult, throughDmaLayer } from './dma.ts';
import { type Measured, measure } from './measure.ts';
import { judgeSemantics, type SemanticsResult } from './semantics.ts';
import { turn } from './turn.ts';
import type { Workload } from './workload.ts';

/** What to compare, and what to report for each combination. */
export interface CompareOptions extends Choice {
  /** The meanings of map_sg to judge the workload by. Tables are always built with `exact`, as in Linux 6.12. Default: all. */
  readonly semantics?: readonly SgSemantics[];
  /** Default: true. */
  readonly advice?: boolean;
}

/** Results that depend neither on page sizes above the granule nor on the stage: the same object in all results of a granule. */
export interface GranuleResult {
  readonly semantics: readonly SemanticsResult[];
  readonly dma: DmaResult;
  readonly chunkLoop: ChunkLoopResult;
}

/** The result of a workload under one combination, with advice. */
export interface CombinationResult extends Measured {
  readonly ofGranule: GranuleResult;
  readonly advice: readonly Advice[];
}

/** A workload with one CPU page size, and its results in the order of the combinations: fewer if measuring was cut short. */
export interface Compared {
  readonly workload: Workload;
  readonly results: readonly CombinationResult[];
}

/**
 * Measures combination by combination, in the order of `combinationsOf`. It yields to the event loop between them, so that the caller can show
 * progress, and can stop by leaving the loop. The tables of a combination are freed before the next one starts.
 * @throws StudyError for an unknown value of an axis.
 *
 * @example
 * const workload = workloadNamed('gpu', { seed: 7 });
 * for await (const { combination, counts } of compareWorkload(workload, { stages: ['s1'] })) {
 *   console.log(combination, counts.leaves);
 * }
 */
export async function* compareWorkload(
  workload: Workload,
  options: CompareOptions = {},
): AsyncGenerator<CombinationResult> {
  const { semantics = SG_SEMANTICS, advice = true } = options;
  const adviser = new Adviser(workload);
  let last: { granule: Granule; result: GranuleResult } | undefined;
  for (const combination of combinationsOf(workload.cpuPageSize, options)) {
    await turn();
    const { granule } = combination;
    if (last?.granule !== granule) last = { granule, result: ofGranule(workload, granule, semantics) };
    yield resultOf(workload, combination, last.result, advice ? adviser : undefined);
  }
}

function ofGranule(workload: Workload, granule: Granule, semantics: readonly SgSemantics[]): GranuleResult {
  return {
    semantics: semantics.map((one) => judgeSemantics(workload, one, granule)),
    dma: throughDmaLayer(workload, granule),
    chunkLoop: throughChunkLoop(workload, granule),
  };
}

function resultOf(
  workload: Workload,
  combination: Combination,
  ofGranule: GranuleResult,
  adviser: Adviser | undefined,
): CombinationResult {
  const measured = measure(workload, combination);
  return { ...measured, ofGranule, advice: adviser?.advise(measured) ?? [] };
}
