/** HTML as text: a template that escapes its values, unless they are HTML themselves. */

import { escapeXml } from '../../draw/svg.ts';
/** Markup that goes into a page as it is. */
export class Html {
  readonly markup: string;

  constructor(markup: string) {
    this.markup = markup;
  }
}

/** Strings and numbers are text, never markup. A list is its parts in order. `false` and undefined are nothing. */
export type HtmlPart = Html | string | number | false | undefined | readonly HtmlPart[];

/** `` html`<p>${text}</p>` `` */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlPart[]): Html {
  return new Html(parts.map((part, i) => part + markupOf(values[i])).join(''));
}

function markupOf(part: HtmlPart): string {
  if (part === undefined || part === false) return '';
  if (part instanceof Html) return part.markup;
  if (typeof part === 'object') return part.map(markupOf).join('');
  return escapeXml(String(part));
}
