/** A study in a terminal, with conclusions grouped by subject, and as JSON. */
import { ABOUT, bestCombination } from '../../study/conclusions.ts';
import type { Conclusion, ConclusionKind, WorkloadStudy } from '../../study/index.ts';
import { sizeOf } from '../../study/workload.ts';
import { wrap } from '../../text/columns.ts';
import { counted, roughSize, sizeText } from '../../text/numbers.ts';
import type { Style } from '../../text/style.ts';
import { comparisonJson } from './compare-text.ts';
import { resultJson } from './tlb-text.ts';

const LINE = 96;

export function studyLines(
  studies: readonly WorkloadStudy[],
  conclusions: readonly Conclusion[],
  style: Style,
): string[] {
  const [first] = studies;
  if (first === undefined) return ['nothing measured'];
  const { name, question } = first.workload;
  const lists = studies.map(({ workload }) => {
    const { requests, entries, bytes } = sizeOf(workload);
    return `  CPU pages of ${sizeText(workload.cpuPageSize)}: ${counted(entries, 'entry', 'entries')} in ${counted(requests, 'request')}, ${roughSize(bytes)}`;
  });
  const lines = [style.title(name), ...wrap(question, LINE).map((line) => `  ${line}`), ...lists];
  let last: ConclusionKind | undefined;
  for (const { kind, cpuPageSizes, text } of conclusions) {
    if (kind !== last) lines.push('', style.title(ABOUT[kind]));
    last = kind;
    const whose =
      cpuPageSizes.length < studies.length
        ? `CPU pages of ${cpuPageSizes.map((bytes) => sizeText(bytes)).join(', ')}: `
        : '';
    lines.push(...wrap(`${whose}${text}`, LINE - 2).map((line, i) => `${i === 0 ? '- ' : '  '}${line}`));
  }
  return lines;
}

export function studyJson(
  studies: readonly WorkloadStudy[],
  conclusions: readonly Conclusion[],
  interrupted: boolean,
): object {
  return {
    interrupted,
    conclusions: conclusions.map(({ kind, cpuPageSizes, text }) => ({
      about: kind,
      cpu_page_sizes: cpuPageSizes.map(BigInt),
      text,
    })),
    comparison: comparisonJson(studies),
    lists: studies.map((study) => {
      const best = bestCombination(study)?.combination;
      return {
        cpu_page_size: BigInt(study.workload.cpuPageSize),
        ...(best && { best: { granule: BigInt(best.granule), sizes: best.sizes, stage: best.stage } }),
        tlb: study.tlb.map(({ trace, result }) => ({ trace, ...resultJson(result) })),
      };
    }),
  };
}
