/** SVG as text: elements with escaped text and rounded numbers, and a standalone document of them that loads nothing. */
import { stylesheet } from './palette.ts';

export type Attributes = Readonly<Record<string, string | number | undefined>>;

export interface Element {
  readonly name: string;
  readonly attributes: Attributes;
  readonly children: readonly SvgNode[];
}

/** A string is text, never markup. */
export type SvgNode = Element | string;

/** An element. Attributes that are undefined are left out; numbers are rounded to hundredths. */
export function element(name: string, attributes: Attributes, ...children: readonly SvgNode[]): Element {
  return { name, attributes, children };
}

/** Markup of a node and all in it. */
export function render(node: SvgNode): string {
  if (typeof node === 'string') return escapeXml(node);
  const { name, attributes, children } = node;
  const given = Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [` ${key}="${typeof value === 'number' ? rounded(value) : escapeXml(value)}"`],
  );
  const open = `<${name}${given.join('')}`;
  if (children.length === 0) return `${open}/>`;
  return `${open}>${children.map(render).join('')}</${name}>`;
}

export function rounded(value: number): string {
  return String(Math.round(value * 100) / 100);
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

// What XML 1.0 has no way to write: control characters, halves of pairs, U+FFFE and U+FFFF.
const UNWRITABLE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it looks for.
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Text as markup, of XML and of HTML. */
export function escapeXml(text: string): string {
  return text.replace(UNWRITABLE, '\ufffd').replace(/[&<>"']/g, (c) => ENTITIES[c]!);
}

/** What a drawing says of itself to those who don't see it. */
export interface Described {
  readonly title: string;
  readonly desc: string;
}

/**
 * A standalone SVG, that can as well be put into an HTML page: it shrinks with the page, and its names begin with `lpae-`.
 * @param width - and `height`: of the drawing, in pixels of its natural size.
 */
export function svgDocument(
  width: number,
  height: number,
  children: readonly SvgNode[],
  { title, desc }: Described,
): string {
  const root = element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      class: 'lpae-draw',
      role: 'img',
      'aria-label': title,
      width,
      height,
      viewBox: `0 0 ${rounded(width)} ${rounded(height)}`,
      style: 'max-width:100%;height:auto',
    },
    element('title', {}, title),
    element('desc', {}, desc),
    element('style', {}, stylesheet()),
    element('rect', { class: 'lpae-page', width, height }),
    ...children,
  );
  return `${render(root)}\n`;
}

const STYLE = /<style>[^<]*<\/style>/;

/** A drawing without its stylesheet, for a page, or a drawing around it, that has it already. */
export function withoutStyle(drawing: string): string {
  return drawing.replace(STYLE, '');
}
