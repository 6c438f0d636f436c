/** Tables of outcomes in a comparison: which combinations map a workload, and how the meanings of map_sg judge it. */
import type { HeatCell } from '../../draw/heat-table.ts';
import { stageText } from '../../study/combination-words.ts';
import type { Granule, Offered, StageChoice } from '../../study/combinations.ts';
import type { CombinationResult, Compared } from '../../study/compare.ts';
import type { DmaResult } from '../../study/dma.ts';
import type { SemanticsResult } from '../../study/semantics.ts';
import { count, counted, roughSize, sizeText } from '../../text/numbers.ts';
import { listed } from '../../text/sentence.ts';
import { cpuName, tablesText } from '../words.ts';
import { alike, merged } from './axes.ts';
import { type Chart, ofOutcomes } from './chart.ts';
import type { ComparedResults } from './compared.ts';

const NOT_MEASURED: HeatCell = { outcome: 'none', text: 'not measured' };

/** Does it map? Rows by CPU page size, and by stage if that makes a difference; columns by granule and page sizes. */
export function mapsChart(results: ComparedResults): Chart[] {
  const { lists, granules, sizes, stages } = results;
  const cell = (list: Compared, granule: Granule, offered: Offered, stage: StageChoice) =>
    mapsCell(results.at(list, granule, offered, stage), list.workload.requests.length);
  const columns = granules.flatMap((granule) =>
    alike(sizes, (offered) =>
      lists.map((list) => stages.map((stage) => cell(list, granule, offered, stage))),
    ).map((group) => ({ granule, group })),
  );
  const places = lists.flatMap((list) =>
    stages.map((stage) => ({
      at: [[cpuName(list)], [stageText(stage)]],
      values: columns.map(({ granule, group }) => cell(list, granule, group[0]!, stage)),
    })),
  );
  const rows = merged(merged(places, 1, 0), 0);
  return [
    ofOutcomes('compare-maps', {
      title: 'Does it map?',
      subtitle: 'Leaves are the TLB entries that the whole workload takes: a contiguous run is one.',
      rowTitle: 'CPU page size',
      columnTitle: 'Granule, page sizes offered',
      rows: rows.map(({ at }) => {
        const [cpus, names] = [listed(at[0]!), at[1]!];
        return names.length < stages.length ? `${cpus}, ${listed(names)}` : cpus;
      }),
      columns: columns.map(({ granule, group }) => tablesText(sizeText(granule), group)),
      cells: rows.map(({ values }) => values),
      words: { yes: 'every request', partly: 'some requests', no: 'none', none: 'not measured' },
    }),
  ];
}

function mapsCell(result: CombinationResult | undefined, requests: number): HeatCell {
  if (result === undefined) return NOT_MEASURED;
  const { maps, counts, refusedRequests, refusals } = result;
  if (maps) return { outcome: 'yes', text: counted(counts.leaves, 'leaf', 'leaves') };
  const [first] = refusals;
  const all = refusedRequests === requests;
  return {
    outcome: all ? 'no' : 'partly',
    text: all ? 'refused' : `${count(refusedRequests)} of ${count(requests)} refused`,
    ...(first && { reason: `Request ${first.request}: ${first.message}` }),
  };
}

/** How do the meanings of map_sg judge it? Rows by meaning, and the DMA layer; columns by granule and CPU page size. */
export function semanticsChart(results: ComparedResults): Chart[] {
  const { lists, granules } = results;
  const names = lists[0]!.results[0]!.ofGranule.semantics.map(({ semantics }) => semantics);
  const cellsOf = (list: Compared, granule: Granule): HeatCell[] => {
    const found = results.ofGranule(list, granule);
    if (found === undefined) return [...names, 'DMA layer'].map(() => NOT_MEASURED);
    return [...found.semantics.map(semanticsCell), dmaCell(found.dma)];
  };
  const columns = granules.flatMap((granule) => {
    const groups = alike(lists, (list) => cellsOf(list, granule));
    return groups.map((group) => ({
      name:
        groups.length === 1 ? sizeText(granule) : `${sizeText(granule)}, CPU ${listed(group.map(cpuName))}`,
      cells: cellsOf(group[0]!, granule),
    }));
  });
  // If they all map exactly what was asked for, there is nothing to show.
  if (columns.every(({ cells }) => cells.every(({ outcome }) => outcome === 'yes'))) return [];
  const rows = [...names, 'DMA layer'];
  return [
    ofOutcomes('compare-semantics', {
      title: 'How do the meanings of map_sg differ?',
      subtitle:
        'Refused: entries, or runs of adjacent entries with exact, or requests with the DMA layer. More: bytes mapped around entries that no request covers.',
      rowTitle: 'Meaning',
      columnTitle: 'Granule, CPU page size',
      rows,
      columns: columns.map(({ name }) => name),
      cells: rows.map((_, r) => columns.map(({ cells }) => cells[r]!)),
      words: {
        yes: 'maps exactly that',
        partly: 'maps more',
        no: 'some refused',
        none: 'not measured',
      },
    }),
  ];
}

function semanticsCell({ maps, refusedPieces, overMapped }: SemanticsResult): HeatCell {
  return maps ? mappedCell(overMapped) : { outcome: 'no', text: count(refusedPieces) };
}

function dmaCell({ refusedRequests, overMapped }: DmaResult): HeatCell {
  if (refusedRequests === 0) return mappedCell(overMapped);
  return { outcome: 'no', text: count(refusedRequests) };
}

function mappedCell(overMapped: bigint): HeatCell {
  return overMapped === 0n
    ? { outcome: 'yes', text: 'maps' }
    : { outcome: 'partly', text: roughSize(overMapped) };
}
