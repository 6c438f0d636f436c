/** The sections on the comparison: what maps, what tables and misses cost, and how the meanings of map_sg and the DMA layer differ. */

import { combinationText } from '../../study/combination-words.ts';
import type { CombinationResult } from '../../study/compare.ts';
import type { WorkloadStudy } from '../../study/workload-study.ts';
import { count, pageSizes, roughSize, sizeText } from '../../text/numbers.ts';
import type { Chart } from '../charts/chart.ts';
import { cpuName } from '../words.ts';
import { html } from './html.ts';
import { figures, folded, paragraph, type Section } from './section.ts';
import { type Column, table } from './table.ts';

export function costSections(studies: readonly WorkloadStudy[], charts: readonly Chart[]): Section[] {
  const meanings = figures(charts, 'compare-semantics', 'compare-padding');
  const cost = html`${paragraph(
    'A leaf is what one TLB entry can hold: a page, a block, or a run of entries with the contiguous hint. A miss reads a descriptor at every level. When nested, it also reads those of stage 2 for each one of stage 1.',
  )}
${figures(charts, 'compare-leaves', 'compare-tables', 'compare-misses')}
${studies.map((study) => folded(`Every combination, CPU pages of ${cpuName(study)}`, everything(study)))}`;
  const tooMuch = html`${paragraph(
    'Linux maps a list exactly or not at all. Other meanings of map_sg round entries to pages, and a DMA layer maps whole pages around each buffer. Then everything maps, but a device may reach memory that was never handed to it.',
  )}
${meanings.length > 0 ? meanings : paragraph('For this workload they all map the same, and nothing too much.')}`;
  return [
    { id: 'maps', title: 'Does it map?', body: html`${figures(charts, 'compare-maps')}` },
    { id: 'cost', title: 'What it costs', body: cost },
    { id: 'too-much', title: 'What map_sg means, and what the DMA layer does', body: tooMuch },
  ];
}

function everything({ workload, results }: WorkloadStudy) {
  return table(`CPU pages of ${sizeText(workload.cpuPageSize)}`, COLUMNS, results);
}

const COLUMNS: readonly Column<CombinationResult>[] = [
  {
    head: 'granule, sizes, stage',
    cell: ({ combination }) => combinationText(combination),
  },
  { head: 'page sizes', cell: ({ pgsizeBitmap }) => pageSizes(pgsizeBitmap) },
  {
    head: 'maps',
    cell: ({ maps, refusedRequests }) =>
      maps
        ? html`<span class="yes">✓ yes</span>`
        : html`<span class="no">✗ ${count(refusedRequests)} refused</span>`,
  },
  {
    head: 'leaves',
    cell: ({ counts }) =>
      counts.byLeaf
        .map(({ level, run, leaves }) => `L${level}${run > 1 ? `×${run}` : ''} ${count(leaves)}`)
        .join(', ') || '–',
  },
  { head: 'descriptors', number: true, cell: ({ counts }) => count(counts.descriptors) },
  { head: 'tables', number: true, cell: ({ counts }) => (counts.leaves > 0 ? count(counts.tables) : '–') },
  {
    head: 'bytes',
    number: true,
    cell: ({ counts }) => (counts.leaves > 0 ? roughSize(counts.tableBytes) : '–'),
  },
  {
    head: 'levels',
    number: true,
    cell: ({ levels, stage2Levels }) => (stage2Levels === undefined ? levels : `${levels}+${stage2Levels}`),
  },
  {
    head: 'reads per miss',
    number: true,
    cell: ({ misses }) => misses.map(({ accesses }) => accesses).join(', ') || '–',
  },
];
