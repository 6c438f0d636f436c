/** Parts of a report: sections with headings, figures of drawings, sentences. */
import { withoutStyle } from '../../draw/svg.ts';
import type { Chart } from '../charts/chart.ts';
import { Html, html } from './html.ts';

export interface Section {
  /** Of the heading, for links to it. */
  readonly id: string;
  readonly title: string;
  readonly body: Html;
}

/** A drawing, which says itself what it shows. Its stylesheet is the page's. */
export function figure(svg: string, caption?: string): Html {
  return html`<figure tabindex="0">${new Html(withoutStyle(svg))}${caption !== undefined && html`<figcaption>${caption}</figcaption>`}</figure>`;
}

/** The charts whose names begin like that, one below the other. */
export function figures(charts: readonly Chart[], ...ids: readonly string[]): Html[] {
  return charts.filter(({ id }) => ids.some((name) => id.startsWith(name))).map(({ svg }) => figure(svg));
}

export function paragraph(text: string): Html {
  return html`<p>${text}</p>`;
}

/** What many don't need, behind a line that opens it. */
export function folded(summary: string, body: Html): Html {
  return html`<details><summary>${summary}</summary>${body}</details>`;
}
