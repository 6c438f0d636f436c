/** SVG as text: elements with escaped text and rounded numbers, and standalone documents that load nothing. */
import { stylesheet } from './palette.ts';

export type Attributes = Readonly<Record<string, string | number | undefined>>;

export interface Element {
  readonly name: string;
  readonly attributes: Attributes;
  readonly children: readonly SvgNode[];
}

/** A node. A string is always text, never markup. */
export type SvgNode = Element | string;

/** Makes an element. Undefined attributes are left out, and numbers are rounded to hundredths. */
export function element(name: string, attributes: Attributes, ...children: readonly SvgNode[]): Element {
  return { name, attributes, children };
}

/** The markup of a node and everything in it. */
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

// Characters that XML 1.0 can't represent: control characters, lone surrogates, U+FFFE and U+FFFF.
const UNWRITABLE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it looks for exactly these.
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Escapes text for XML and HTML. */
export function escapeXml(text: string): string {
  return text.replace(UNWRITABLE, '\ufffd').replace(/[&<>"']/g, (c) => ENTITIES[c]!);
}

/** The text alternative of a drawing. */
export interface Described {
  readonly title: string;
  readonly desc: string;
}

/**
 * A standalone SVG that can also be put into an HTML page: it shrinks with the page, and its names begin with `lpae-`.
 * @param width - with `height`, the natural size of the drawing in pixels.
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

/** A drawing without its stylesheet, for a page or an outer drawing that already has it. */
export function withoutStyle(drawing: string): string {
  return drawing.replace(STYLE, '');
}
