/** The beginning of a report: the workload in numbers, and the conclusions in sentences. */
import { ABOUT, type Conclusion } from '../../study/conclusions.ts';
import { sizeOf } from '../../study/workload.ts';
import type { WorkloadStudy } from '../../study/workload-study.ts';
import { count, roughSize, sizeText } from '../../text/numbers.ts';
import { listed } from '../../text/sentence.ts';
import { type Html, html } from './html.ts';

/** Requests, entries and bytes, for each CPU page size if they differ. */
export function factsOf(studies: readonly WorkloadStudy[]): Html {
  const sizes = studies.map(({ workload }) => sizeOf(workload));
  const said = (texts: readonly string[]) => [...new Set(texts)].join(' / ');
  const facts: readonly (readonly [string, string])[] = [
    ['CPU pages', listed(studies.map(({ workload }) => sizeText(workload.cpuPageSize)))],
    ['requests', said(sizes.map(({ requests }) => count(requests)))],
    ['entries', said(sizes.map(({ entries }) => count(entries)))],
    ['bytes', said(sizes.map(({ bytes }) => roughSize(bytes)))],
    ['combinations', count(studies.reduce((sum, { results }) => sum + results.length, 0))],
  ];
  return html`<ul class="facts">${facts.map(([what, text]) => html`<li><b>${text}</b>${what}</li>`)}</ul>`;
}

/** @param lists - how many CPU page sizes there are. A conclusion that holds for all of them needs no label. */
export function summary(conclusions: readonly Conclusion[], lists: number): Html {
  return html`<section aria-labelledby="conclusions">
<h2 id="conclusions">Conclusions</h2>
${conclusions.length === 0 ? html`<p>Nothing was measured.</p>` : listOf(conclusions, lists)}
</section>`;
}

function listOf(conclusions: readonly Conclusion[], lists: number): Html {
  const kinds = [...new Set(conclusions.map(({ kind }) => kind))];
  const rows = kinds.map((kind) => {
    const own = conclusions.filter((one) => one.kind === kind);
    return html`<li><span class="about">${ABOUT[kind]}</span><div>${own.map((one) => sentence(one, lists))}</div></li>\n`;
  });
  return html`<ul class="conclusions">\n${rows}</ul>`;
}

function sentence({ cpuPageSizes, text }: Conclusion, lists: number): Html {
  const some = cpuPageSizes.length < lists;
  return html`<p>${some && html`<b>CPU pages of ${listed(cpuPageSizes.map((bytes) => sizeText(bytes)))}.</b> `}${text}</p>`;
}
