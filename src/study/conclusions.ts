/** The conclusions of a study, in sentences: what maps, what it costs, and what would make it cheaper. Every number was measured. */
import { count, counted, percent, roughSize, sizeText } from '../text/numbers.ts';
import { capitalised, listed } from '../text/sentence.ts';
import { gainText } from './advice.ts';
import { bestAdvice } from './best-advice.ts';
import { stageText } from './combination-words.ts';
import type { Granule, StageChoice } from './combinations.ts';
import type { CombinationResult } from './compare.ts';
import type { TlbMeasured } from './tlb/study.ts';
import { sizeOf } from './workload.ts';
import type { WorkloadStudy } from './workload-study.ts';

export const CONCLUSION_KINDS = ['maps', 'leaves', 'tables', 'miss', 'tlb', 'too-much', 'advice'] as const;
/** What a conclusion is about. */
export type ConclusionKind = (typeof CONCLUSION_KINDS)[number];

/** What each kind is about, as a heading. */
export const ABOUT: Readonly<Record<ConclusionKind, string>> = {
  maps: 'Does it map?',
  leaves: 'TLB entries',
  tables: 'Tables',
  miss: 'A TLB miss',
  tlb: 'TLBs',
  'too-much': 'Mapped too much',
  advice: 'What would help',
};

/** One thing that a study shows. */
export interface Conclusion {
  readonly kind: ConclusionKind;
  /** The CPU page sizes that it holds for, in bytes. */
  readonly cpuPageSizes: readonly number[];
  /** One or two sentences. */
  readonly text: string;
}

/**
 * What studies of a workload show: where it maps, what it costs in leaves, tables and TLB misses, and what would save most.

* A conclusion that holds for several CPU page sizes is given once.
 *
 * @param studies - one for each CPU page size, as `gathered` puts them together.
 */
export function conclusionsOf(studies: readonly WorkloadStudy[]): Conclusion[] {
  return CONCLUSION_KINDS.flatMap((kind) => {
    const sizes = new Map<string, number[]>();
    for (const study of studies) {
      for (const text of CONCLUDERS[kind](study)) {
        sizes.set(text, [...(sizes.get(text) ?? []), study.workload.cpuPageSize]);
      }
    }
    return [...sizes].map(([text, cpuPageSizes]) => ({ kind, cpuPageSizes, text }));
  });
}

const CONCLUDERS: Readonly<Record<ConclusionKind, (study: WorkloadStudy) => readonly string[]>> = {
  maps: mapping,
  leaves,
  tables,
  miss: misses,
  tlb: tlbs,
  'too-much': tooMuch,
  advice,
};

/** The combination that maps everything with the fewest leaves, then tables, then descriptors read per miss. The first one wins a tie. */
export function bestCombination({ results }: WorkloadStudy): CombinationResult | undefined {
  const costs = ({ counts, misses: of }: CombinationResult) => [
    counts.leaves,
    counts.tableBytes,
    Math.max(0, ...of.map(({ accesses }) => accesses)),
  ];
  return results
    .filter(({ maps }) => maps)
    .reduce<CombinationResult | undefined>(
      (best, one) => (best !== undefined && compare(costs(best), costs(one)) <= 0 ? best : one),
      undefined,
    );
}

function compare(a: readonly number[], b: readonly number[]): number {
  return a.map((value, i) => value - b[i]!).find((difference) => difference !== 0) ?? 0;
}

function mapping({ workload, results }: WorkloadStudy): string[] {
  if (results.length === 0) return [];
  const { requests } = sizeOf(workload);
  const granules = granulesOf(results).map((granule) => {
    const own = results.filter(({ combination }) => combination.granule === granule);
    return {
      granule,
      refused: Math.max(...own.map(({ refusedRequests }) => refusedRequests)),
      other: otherReason(own),
    };
  });
  const good = granules.filter(({ refused }) => refused === 0).map(({ granule }) => sizeText(granule));
  const bad = granules.filter(({ refused }) => refused > 0);
  const all = requests === 1 ? 'The request' : `Each of ${counted(requests, 'request')}`;
  const maps = good.length > 0 ? [`${all} maps on a granule of ${listed(good)}.`] : [];
  if (bad.length === 0) return maps;
  const refusals = bad.map(({ granule, refused }, i) => {
    const many = refused === requests ? (requests === 1 ? 'it' : `all ${count(refused)}`) : count(refused);
    return i === 0 ? `A granule of ${sizeText(granule)} refuses ${many}` : `${sizeText(granule)} ${many}`;
  });
  const other = bad.find((one) => one.other !== undefined)?.other;
  const why =
    other ?? 'an IOMMU can only map whole pages of its own, and map_sg maps exactly what was asked for';
  return [[...maps, `${listed(refusals)}: ${why}.`].join(' ')];
}

/** The error's own words, if the obstacle is something other than alignment. */
function otherReason(results: readonly CombinationResult[]): string | undefined {
  const found = results.flatMap(({ refusals }) => refusals).find(({ code }) => code !== 'EINVAL');
  return found === undefined ? undefined : `request ${count(found.request)}, ${found.message}`;
}

/** Leaves on each granule. They are the same for all stages. */
function leaves({ results }: WorkloadStudy): string[] {
  return granulesOf(results).flatMap((granule) => {
    const mapped = ofStage(results, granule).filter(({ maps }) => maps);
    const [first] = mapped;
    if (first === undefined || mapped.length < 2) return [];
    const where = `On a granule of ${sizeText(granule)}`;
    const entries = counted(first.counts.leaves, 'TLB entry', 'TLB entries');
    const fewer = mapped.filter(({ counts }, i) => counts.leaves !== mapped[i - 1]?.counts.leaves).slice(1);
    if (fewer.length === 0)
      return [`${where} larger sizes change nothing: ${entries} with ${offered(mapped)}.`];
    const steps = fewer.map(
      ({ combination, counts }) => `${count(counts.leaves)} with ${WITH[combination.sizes]}`,
    );
    return [`${where} what takes ${entries} with ${WITH[first.combination.sizes]} takes ${listed(steps)}.`];
  });
}

function offered(results: readonly CombinationResult[]): string {
  return listed(results.map(({ combination }) => WITH[combination.sizes]));
}

const WITH = { pages: 'pages only', blocks: 'blocks', contiguous: 'contiguous runs' } as const;

function tables({ workload, results }: WorkloadStudy): string[] {
  const own = results.filter(({ maps }) => maps);
  if (own.length === 0) return [];
  const least = own.reduce((best, one) => (one.counts.tableBytes < best.counts.tableBytes ? one : best));
  const most = own.reduce((best, one) => (one.counts.tableBytes > best.counts.tableBytes ? one : best));
  const { bytes } = sizeOf(workload);
  if (least.counts.tableBytes === most.counts.tableBytes) {
    const each =
      own.length > 1 ? `, under each of ${counted(own.length, 'combination')} that maps everything` : '';
    return [`Tables take ${roughSize(least.counts.tableBytes)} for ${roughSize(bytes)}${each}.`];
  }
  return [
    `Tables for ${roughSize(bytes)} take from ${roughSize(least.counts.tableBytes)} (${nameOf(least)}) to ${roughSize(most.counts.tableBytes)} (${nameOf(most)}).`,
  ];
}

function misses({ results }: WorkloadStudy): string[] {
  const worst = (stage: StageChoice) => {
    const own = results.filter(({ combination, misses: of }) => combination.stage === stage && of.length > 0);
    const costs = own.map(({ misses: of }) => Math.max(...of.map(({ accesses }) => accesses)));
    return costs.length === 0 ? undefined : { least: Math.min(...costs), most: Math.max(...costs) };
  };
  const [s1, nested] = [worst('s1'), worst('nested')];
  if (s1 === undefined || nested === undefined) return [];
  const range = ({ least, most }: { least: number; most: number }) =>
    least === most ? `${most}` : `${least} to ${most}`;
  return [
    `With nothing cached, the costliest TLB miss reads ${range(s1)} descriptors at stage 1, and ${range(nested)} when nested, because every read of stage 1 goes through stage 2 first.`,
  ];
}

/** The worst and the best tables for each trace, with the middle one of the TLBs that were tried. Nested combinations count only if there are no others. */
function tlbs({ tlb }: WorkloadStudy): string[] {
  const measured = tlb.flatMap(({ trace, result }) => (result.maps ? [{ trace, result }] : []));
  return [...new Set(measured.map(({ trace }) => trace))].flatMap((trace) => {
    const all = measured.filter((one) => one.trace === trace).map(({ result }) => result);
    const single = all.filter(({ combination }) => combination.tables?.stage !== 'nested');
    const own = single.length > 0 ? single : all;
    const entries = median([...new Set(own.map(({ combination }) => combination.entries))]);
    const sized = own.filter(({ combination }) => combination.entries === entries);
    const worst = sized.reduce((a, b) => (b.hitRate < a.hitRate ? b : a));
    const best = sized.reduce((a, b) => (b.hitRate > a.hitRate ? b : a));
    const says = (one: TlbMeasured) => `${percent(one.hitRate, 1)} over ${tablesName(one)}`;
    const others = new Set(sized.map(tablesName)).size > 1 ? ' and over all others' : '';
    const rates =
      worst.hitRate === best.hitRate ? `${says(sized[0]!)}${others}` : `from ${says(worst)} to ${says(best)}`;
    return [`A TLB of ${counted(entries, 'entry', 'entries')} answers ${TRACE_WORDS[trace]}: ${rates}.`];
  });
}

const TRACE_WORDS = {
  device: 'a device that goes over each request once',
  random: 'random accesses to all mapped memory',
  sequential: 'sequential accesses to all mapped memory',
  strided: 'strided accesses to all mapped memory',
  'dma-ring': "a network card's ring and its buffers",
} as const;

function tooMuch({ results }: WorkloadStudy): string[] {
  // If addresses are the obstacle, more room around buffers does not help.
  if (otherReason(results) !== undefined) return [];
  const granules = granulesOf(results).map((granule) => {
    const { ofGranule } = results.find(({ combination }) => combination.granule === granule)!;
    return { on: `on a granule of ${sizeText(granule)}`, ...ofGranule };
  });
  const names = [...new Set(granules.flatMap(({ semantics }) => semantics.map((one) => one.semantics)))];
  const meanings = names.flatMap((name) => {
    const over = granules.flatMap(({ on, semantics }) => {
      const own = semantics.find((one) => one.semantics === name);
      return own?.maps && own.overMapped > 0n ? [`${roughSize(own.overMapped)} ${on}`] : [];
    });
    return over.length === 0
      ? []
      : [`Where map_sg means "${name}", a device may reach memory that no request covers: ${listed(over)}.`];
  });
  const over = granules.flatMap(({ on, dma }) =>
    dma.overMapped > 0n && dma.refusedRequests === 0 ? [`${roughSize(dma.overMapped)} ${on}`] : [],
  );
  if (over.length === 0) return meanings;
  return [
    ...meanings,
    `The DMA layer maps all of it, in whole pages around each buffer, so that a device may reach memory that no request covers: ${listed(over)}.`,
  ];
}

function advice({ results }: WorkloadStudy): string[] {
  return bestAdvice(results).map(({ advice: { text, gain }, result }) => {
    return `${nameOf(result)}: ${capitalised(text)}. The gain: ${gainText(result, gain)}.`;
  });
}

/** `4K granule, blocks, stage 1`. */
function nameOf({ combination }: Pick<CombinationResult, 'combination'>): string {
  const { granule, sizes, stage } = combination;
  return `${sizeText(granule)} granule, ${sizes}, ${stageText(stage)}`;
}

function tablesName({ combination: { tables: of } }: TlbMeasured): string {
  return of === undefined ? 'these tables' : `${sizeText(of.granule)} granule, ${of.sizes}`;
}

function granulesOf(results: readonly CombinationResult[]): Granule[] {
  return [...new Set(results.map(({ combination }) => combination.granule))];
}

/** The results of one granule for the first stage that was measured. Leaves are the same for all stages. */
function ofStage(results: readonly CombinationResult[], granule: Granule): CombinationResult[] {
  const own = results.filter(({ combination }) => combination.granule === granule);
  return own.filter(({ combination }) => combination.stage === own[0]!.combination.stage);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)]!;
}
