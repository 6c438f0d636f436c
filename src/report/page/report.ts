/** A study as one HTML page: the question, conclusions, tables and pictures. It loads nothing, and its policy tells the browser so. */

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

/** What a report needs besides the study itself. */
export interface ReportOptions {
  /** The command that makes the same report. The last section shows it. */
  readonly command: string;
  /** Set if the study was cut short: how many parts of how many were measured. */
  readonly interrupted?: { readonly done: number; readonly total: number };
}

/** Makes the browser refuse to load anything, whatever the page holds. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/**
 * The page, as a document of its own.
 * @param studies - one for each CPU page size, at least one, each with some result.
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
  return html`<p class="warn">Interrupted: ${done} of ${total} measurements were done. The rest of the page covers only those.</p>`;
}
