/** Every piece of advice in a study, with its gain. */
import { type Advice, gainText } from '../../study/advice.ts';
import { combinationText } from '../../study/combination-words.ts';
import type { CombinationResult } from '../../study/compare.ts';
import type { WorkloadStudy } from '../../study/workload-study.ts';
import { sizeText } from '../../text/numbers.ts';
import { html } from './html.ts';
import { folded, paragraph, type Section } from './section.ts';
import { type Column, table } from './table.ts';

interface Piece {
  readonly advice: Advice;
  readonly result: CombinationResult;
}

/** One section, or none if there is no advice. */
export function adviceSection(studies: readonly WorkloadStudy[]): Section[] {
  const parts = studies.flatMap(({ workload, results }) => {
    const pieces = results.flatMap((result) => result.advice.map((advice) => ({ advice, result })));
    const title = `CPU pages of ${sizeText(workload.cpuPageSize)}`;
    return pieces.length === 0 ? [] : [folded(title, table(`Advice, ${title}`, COLUMNS, pieces))];
  });
  if (parts.length === 0) return [];
  const body = html`${paragraph(
    'Each piece of advice stands alone: it is for the combination beside it. Its gain was worked out by the rules of map_sg, and is exact. The gains of several pieces do not add up.',
  )}
${parts}`;
  return [{ id: 'advice', title: 'All advice', body }];
}

const COLUMNS: readonly Column<Piece>[] = [
  {
    head: 'combination',
    cell: ({ result }) => combinationText(result.combination),
  },
  { head: 'advice', cell: ({ advice }) => advice.text },
  { head: 'gain', cell: ({ advice, result }) => gainText(result, advice.gain) },
];
