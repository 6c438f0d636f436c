/** The section on TLBs: charts for each trace, and every result in a table. */

import { combinationText } from '../../study/combination-words.ts';
import type { WorkloadTrace } from '../../study/tlb/of-workload.ts';
import type { TlbMeasured, TlbResult } from '../../study/tlb/study.ts';
import type { WorkloadStudy } from '../../study/workload-study.ts';
import { count, percent, roughSize } from '../../text/numbers.ts';
import { listed } from '../../text/sentence.ts';
import { tlbCharts } from '../charts/tlb-charts.ts';
import { cpuName } from '../words.ts';
import { type Html, html } from './html.ts';
import { figure, folded, paragraph, type Section } from './section.ts';
import { type Column, table } from './table.ts';

const TRACES: Readonly<Record<WorkloadTrace, readonly [title: string, text: string]>> = {
  device: [
    'A device that goes over each request once',
    'It moves bursts of 256 bytes. Then the request is unmapped and its entries are invalidated. The misses left are the first accesses to each leaf, so the size of the TLB hardly matters, but the size of the leaves does.',
  ],
  random: [
    'Random accesses to all mapped memory',
    'The worst case for a device: every line of 64 bytes is equally likely.',
  ],
  sequential: ['Sequential accesses', 'Through all mapped memory, 64 bytes at a time, over and over.'],
  strided: ['Strided accesses', 'Through all mapped memory, 4096 bytes at a time, over and over.'],
  'dma-ring': [
    "A network card's ring",
    'A descriptor, a buffer of 2K in bursts of 256 bytes, the descriptor again.',
  ],
};

/** One section, or none if nothing was measured. */
export function tlbSection(studies: readonly WorkloadStudy[]): Section[] {
  const groups = new Map<WorkloadStudy['tlb'], WorkloadStudy[]>();
  for (const study of studies) groups.set(study.tlb, [...(groups.get(study.tlb) ?? []), study]);
  const mapped = (tlb: WorkloadStudy['tlb']) => tlb.filter(({ result }) => result.maps).length;
  // The most informative come first: those where most combinations map everything. The others are folded.
  const ordered = [...groups].filter(([tlb]) => mapped(tlb) > 0).sort(([a], [b]) => mapped(b) - mapped(a));
  const parts = ordered.map(([tlb, group], i) => {
    const cpu = ordered.length > 1 ? `, CPU pages of ${listed(group.map(cpuName))}` : '';
    const part = ofResults(tlb, cpu);
    return i === 0 ? part : folded(`The same${cpu}`, part);
  });
  if (parts.length === 0) return [];
  const body = html`${paragraph(
    'Each TLB starts empty, replaces the least recently used entry in its set, and has a walk cache beside it. The tables are those of the workload, so combinations that refuse a request are not shown.',
  )}
${parts}`;
  return [{ id: 'tlb', title: 'How TLBs do', body }];
}

/** @param cpu - the CPU page sizes of these results, if there are others too. */
function ofResults(tlb: WorkloadStudy['tlb'], cpu: string): Html {
  const traces = [...new Set(tlb.map(({ trace }) => trace))];
  return html`${traces.map((trace) => {
    const results = tlb.flatMap((one) => (one.trace === trace ? [one.result] : []));
    const [title, text] = TRACES[trace];
    return html`<h3>${title}${cpu}</h3>
${paragraph(text)}
${tlbCharts(results).map(({ svg }) => figure(svg))}
${folded(`Every TLB: ${title.toLowerCase()}${cpu}`, rowsOf(results, `${title}${cpu}`))}`;
  })}`;
}

function rowsOf(results: readonly TlbResult[], caption: string): Html {
  return table(
    caption,
    COLUMNS,
    results.filter((result) => result.maps),
  );
}

const COLUMNS: readonly Column<TlbMeasured>[] = [
  {
    head: 'tables',
    cell: ({ combination: { tables } }) => (tables === undefined ? 'as given' : combinationText(tables)),
  },
  { head: 'entries', number: true, cell: ({ combination }) => count(combination.entries) },
  { head: 'ways', number: true, cell: ({ combination }) => combination.ways },
  { head: 'walk cache', number: true, cell: ({ combination }) => combination.walkCache || 'none' },
  { head: 'accesses', number: true, cell: ({ accesses }) => count(accesses) },
  {
    head: 'hits',
    number: true,
    cell: ({ hitRate }) => percent(hitRate, 2),
  },
  { head: 'walks', number: true, cell: ({ misses }) => count(misses) },
  { head: 'reads', number: true, cell: ({ fetches }) => count(fetches) },
  { head: 'a walk', number: true, cell: ({ fetchesPerWalk }) => fetchesPerWalk.toFixed(2) },
  { head: 'reach', number: true, cell: ({ bestReach }) => roughSize(bestReach) },
  { head: 'entries to hold all', number: true, cell: ({ workingSet }) => count(workingSet.entries) },
];
