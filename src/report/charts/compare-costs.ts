/** The cost of a workload under the combinations that map all of it: leaves, tables, descriptors read per TLB miss, padding. */

import { stageText } from '../../study/combination-words.ts';
import type { CombinationResult } from '../../study/compare.ts';
import { roughSize, sizeText } from '../../text/numbers.ts';
import { listed } from '../../text/sentence.ts';
import { cpuName } from '../words.ts';
import type { Chart } from './chart.ts';
import type { ComparedResults } from './compared.ts';
import { byTables, costChart, type Value } from './cost-bars.ts';

const BYTES = { binary: true, format: (bytes: number) => roughSize(Math.round(bytes)) } as const;
const COMPLETE = 'Only combinations that map every request.';

/** Leaves: they depend on the CPU's page size, and hardly on the stage. */
export function leavesChart(results: ComparedResults): Chart[] {
  const { lists, stages } = results;
  return costChart({
    id: 'compare-leaves',
    title: 'How many TLB entries does it take?',
    subtitle: `Leaves in the tables: pages, blocks and contiguous runs, one entry each. ${COMPLETE}`,
    value: { label: 'Leaves' },
    series: lists.map(cpuName),
    seriesText: cpusText,
    categories: byTables(
      results,
      stages.map((stage) => [stageText(stage), stage]),
      listed,
      (granule, sizes, stage) =>
        lists.map((list) => complete(results.at(list, granule, sizes, stage), ({ counts }) => counts.leaves)),
    ),
  });
}

/** Tables: those of both stages if two translate. */
export function tablesChart(results: ComparedResults): Chart[] {
  const bytes = ({ counts, stage2 }: CombinationResult) => counts.tableBytes + (stage2?.tableBytes ?? 0);
  const nested = results.stages.includes('nested') ? ' Nested: the tables of both stages.' : '';
  return costChart({
    id: 'compare-tables',
    title: 'How much memory do the tables take?',
    subtitle: `${COMPLETE}${nested}`,
    value: { label: 'Bytes of tables', ...BYTES },
    log: 2,
    ...byStage(results, bytes),
  });
}

/** Descriptors read per TLB miss: with two stages, most of them by far are of stage 2. */
export function missesChart(results: ComparedResults): Chart[] {
  return costChart({
    id: 'compare-misses',
    title: 'How many descriptors does a TLB miss read?',
    subtitle: `For the costliest leaf that occurs, with no walk cache. ${COMPLETE}`,
    value: { label: 'Descriptors' },
    ...byStage(
      results,
      (result) => dearest(result)?.accesses,
      (result) => dearest(result)?.stage2,
    ),
  });
}

function dearest({ misses }: CombinationResult): CombinationResult['misses'][number] | undefined {
  return misses.reduce<(typeof misses)[number] | undefined>(
    (most, one) => (most === undefined || one.accesses > most.accesses ? one : most),
    undefined,
  );
}

/** What the DMA layer maps beyond the requests. */
export function paddingChart(results: ComparedResults): Chart[] {
  const { lists, granules } = results;
  return costChart({
    id: 'compare-padding',
    title: 'How much more than requested does the DMA layer map?',
    subtitle: 'It pads every entry to whole pages of the granule.',
    value: { label: 'Padding', ...BYTES },
    log: 2,
    series: lists.map(cpuName),
    seriesText: cpusText,
    categories: granules.map((granule) => ({
      name: sizeText(granule),
      values: lists.map((list) => {
        const dma = results.ofGranule(list, granule)?.dma;
        return dma === undefined || dma.refusedRequests > 0 ? undefined : Number(dma.overMapped);
      }),
    })),
  });
}

/** A series for each stage. @param ofStage2 - adds a series: stage 2's part of a nested combination's value. */
function byStage(
  results: ComparedResults,
  value: (result: CombinationResult) => Value,
  ofStage2?: (result: CombinationResult) => Value,
) {
  const { lists, stages } = results;
  const series = stages.map((stage) => ({ name: stageText(stage), stage, value }));
  if (ofStage2 && stages.includes('nested')) {
    series.push({ name: 'nested, stage 2 only', stage: 'nested', value: ofStage2 });
  }
  return {
    series: series.map(({ name }) => name),
    seriesText: listed,
    categories: byTables(
      results,
      lists.map((list) => [cpuName(list), list]),
      cpusText,
      (granule, sizes, list) =>
        series.map((one) => complete(results.at(list, granule, sizes, one.stage), one.value)),
    ),
  };
}

/** Leaves out workloads that are mapped only in part: their cost would look too low. */
function complete(result: CombinationResult | undefined, value: (result: CombinationResult) => Value): Value {
  return result?.maps ? value(result) : undefined;
}

function cpusText(names: readonly string[]): string {
  return `CPU pages of ${listed(names)}`;
}
