/** A study as one page of HTML: the question, conclusions, tables and pictures; it loads nothing, and says so to the browser. */

import { conclusionsOf } from '../../study/conclusions.ts';
import type { WorkloadStudy } from '../../study/workload-study.ts';
import { comparisonCharts } from '../charts/compare-charts.ts';
import { adviceSection } from './advice.ts';
import { costSections } from './costs.ts';
import { Html, html } from './html.ts';
import { methodSection } from './method.ts';
import { picturesSection } from './pictures.ts';
import type { Section } from './section.ts';
import { reportStyle } from './style.ts';
import { factsOf, summary } from './summary.ts';
import { tlbSection } from './tlb.ts';

/** What a report says beside the study itself. */
export interface ReportOptions {
  /** What to type for the same report; the last section shows it. */
  readonly command: string;
  /** Some of what was asked for is not measured; so many of how many parts are. */
  readonly interrupted?: { readonly done: number; readonly total: number };
}

/** Nothing may be loaded, whatever the page holds: a browser is told to see to that. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/**
 * The page, as a document of its own.
 * @param studies - one for each CPU page size, at least one; of each something is measured.
 */
export function reportPage(studies: readonly WorkloadStudy[], options: ReportOptions): string {
  const { name, question } = studies[0]!.workload;
  const charts = comparisonCharts(studies);
  const sections: readonly Section[] = [
    ...costSections(studies, charts),
    ...tlbSection(studies),
    ...adviceSection(studies),
    ...picturesSection(studies),
    methodSection(options.command),
  ];
  const title = `${name}: granules, page sizes and stages`;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>${title}</title>
<style>${new Html(reportStyle())}</style>
</head>
<body>
<header>
<h1>${name}</h1>
<p class="question">${question}</p>
${factsOf(studies)}
${options.interrupted && interruptedText(options.interrupted)}
<nav aria-label="Contents"><ul>
<li><a href="#conclusions">Conclusions</a></li>
${sections.map(({ id, title: of }) => html`<li><a href="#${id}">${of}</a></li>\n`)}</ul></nav>
</header>
<main>
${summary(conclusionsOf(studies), studies.length)}
${sections.map(({ id, title: of, body }) => html`<section aria-labelledby="${id}">\n<h2 id="${id}">${of}</h2>\n${body}\n</section>\n`)}</main>
<footer><p>Made by lpae, which writes real descriptors and reads them back with a hardware-style walker.</p></footer>
</body>
</html>
`;
  return page.markup;
}

function interruptedText({ done, total }: { readonly done: number; readonly total: number }): Html {
  return html`<p class="warn">Interrupted: ${done} of ${total} measurements were done. What follows is of those.</p>`;
}
