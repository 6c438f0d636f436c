/** Parts of a report: sections with headings, figures of drawings, sentences. */
import { withoutStyle } from '../../draw/svg.ts';
import type { Chart } from '../charts/chart.ts';
import { Html, html } from './html.ts';

export interface Section {
  /** The id of the heading, for links to it. */
  readonly id: string;
  readonly title: string;
  readonly body: Html;
}

/** A drawing, which has its own title. The page has its stylesheet. */
export function figure(svg: string, caption?: string): Html {
  return html`<figure tabindex="0">${new Html(withoutStyle(svg))}${caption !== undefined && html`<figcaption>${caption}</figcaption>`}</figure>`;
}

/** The charts whose names begin with one of `ids`, one below the other. */
export function figures(charts: readonly Chart[], ...ids: readonly string[]): Html[] {
  return charts.filter(({ id }) => ids.some((name) => id.startsWith(name))).map(({ svg }) => figure(svg));
}

export function paragraph(text: string): Html {
  return html`<p>${text}</p>`;
}

/** Details that many readers don't need, closed behind a summary line. */
export function folded(summary: string, body: Html): Html {
  return html`<details><summary>${summary}</summary>${body}</details>`;
}
