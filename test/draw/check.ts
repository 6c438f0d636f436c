/** A strict reader of the XML that drawings are, and what holds for every one of them: it is well-formed, loads nothing, and fits. */
import { expect } from 'vitest';

export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  /** Its own text and that of all within. */
  readonly text: string;
}

const TAG = /<(\/?)([A-Za-z][\w-]*)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>|([^<]+)/y;
const ENTITY = /&(amp|lt|gt|quot|#39);/g;
const CHARACTERS: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };

function plainText(text: string): string {
  const plain = text.replace(ENTITY, '');
  if (plain.includes('&')) throw new Error(`a bare & in ${text}`);
  return text.replace(ENTITY, (_, name: string) => CHARACTERS[name]!);
}

/** @throws Error for anything but elements, attributes in double quotes, the five entities and text. */
export function parseXml(source: string): XmlElement {
  interface Open {
    name: string;
    attributes: Record<string, string>;
    children: XmlElement[];
    text: string;
  }
  const top: Open = { name: '', attributes: {}, children: [], text: '' };
  const open = [top];
  const close = () => {
    const done = open.pop()!;
    const parent = open.at(-1)!;
    parent.children.push(done);
    parent.text += done.text;
  };
  TAG.lastIndex = 0;
  while (TAG.lastIndex < source.length) {
    const at = TAG.lastIndex;
    const found = TAG.exec(source);
    if (found === null) throw new Error(`not well-formed at ${at}: ${source.slice(at, at + 60)}`);
    const [, ending, name, attributeText = '', empty, text] = found;
    if (text !== undefined) open.at(-1)!.text += plainText(text);
    else if (ending) {
      if (open.length < 2 || open.at(-1)!.name !== name) throw new Error(`</${name}> ends nothing at ${at}`);
      close();
    } else {
      const attributes: Record<string, string> = {};
      for (const [, key, value] of attributeText.matchAll(/([\w:-]+)="([^"]*)"/g)) {
        if (key! in attributes) throw new Error(`${key} twice at ${at}`);
        attributes[key!] = plainText(value!);
      }
      open.push({ name: name!, attributes, children: [], text: '' });
      if (empty) close();
    }
  }
  if (open.length !== 1 || top.children.length !== 1) throw new Error('not one element that ends');
  return top.children[0]!;
}

export function all(root: XmlElement, name?: string): XmlElement[] {
  const found = root.children.flatMap((child) => all(child, name));
  return name === undefined || root.name === name ? [root, ...found] : found;
}

/** Boxes of elements of that class, from left to right. */
export function boxesOf(root: XmlElement, name: string): Rect[] {
  return all(root, 'rect')
    .filter(({ attributes }) => attributes.class?.split(' ').includes(name))
    .map(rectOf);
}

/** The same with what groups are moved by added to the places of what is within. */
function unmoved(element: XmlElement, down = 0): XmlElement {
  const { transform, ...attributes } = element.attributes;
  const found = /^translate\(0 ([\d.]+)\)$/.exec(transform ?? 'translate(0 0)');
  if (found === null) throw new Error(`${transform} moves otherwise than down`);
  const own = down + Number(found[1]);
  const y = attributes.y === undefined ? {} : { y: String(Number(attributes.y) + own) };
  const moved = element.name === 'rect' ? { y: String(own), ...y } : y;
  return {
    ...element,
    attributes: { ...attributes, ...moved },
    children: element.children.map((child) => unmoved(child, own)),
  };
}

export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function rectOf({ attributes }: XmlElement): Rect {
  const [x, y, width, height] = ['x', 'y', 'width', 'height'].map((name) => Number(attributes[name] ?? 0));
  return { x: x!, y: y!, width: width!, height: height! };
}

/** Advance widths in em of DejaVu Sans Mono, and roughly those of DejaVu Sans, the widest of common fonts. */
const MONO = 0.602;

function sansWidth(text: string): number {
  let em = 0;
  for (const c of text)
    em += /[ijl.,:;|!' ]/.test(c) ? 0.3 : /[ftr/()[\]-]/.test(c) ? 0.38 : /[mwMW]/.test(c) ? 0.85 : 0.6;
  return em;
}

function textBox({ attributes, text }: XmlElement): Rect & { text: string } {
  const size = Number(attributes['font-size']);
  const mono = attributes.class?.includes('lpae-mono') ?? false;
  const width = size * (mono ? [...text].length * MONO : sansWidth(text));
  const anchor = attributes['text-anchor'];
  const x = Number(attributes.x) - (anchor === 'middle' ? width / 2 : anchor === 'end' ? width : 0);
  return { x, y: Number(attributes.y) - 0.75 * size, width, height: 0.95 * size, text };
}

function overlap(a: Rect, b: Rect): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

/** Well-formed, self-contained, described; every box and text inside, no text over another. */
export function expectSound(svg: string): XmlElement {
  const root = unmoved(parseXml(svg));
  expect(root.name).toBe('svg');
  expect(root.attributes).toMatchObject({
    xmlns: 'http://www.w3.org/2000/svg',
    role: 'img',
    class: 'lpae-draw',
  });
  expect(root.children.slice(0, 2).map(({ name }) => name)).toEqual(['title', 'desc']);
  expect(root.children[0]!.text).not.toBe('');
  expect(root.children[1]!.text).not.toBe('');
  expect(all(root, 'style')).toHaveLength(1);

  const rest = svg.replace('xmlns="http://www.w3.org/2000/svg"', '');
  for (const word of [
    'http',
    'url(',
    '<script',
    '<image',
    'xlink',
    'href',
    '@import',
    'NaN',
    'Infinity',
    'undefined',
  ]) {
    expect(rest, word).not.toContain(word);
  }
  for (const { attributes } of all(root)) {
    expect(attributes.id).toBeUndefined();
    for (const name of attributes.class?.split(' ') ?? []) expect(name).toMatch(/^lpae-/);
    expect(Object.keys(attributes).filter((name) => name.startsWith('on'))).toEqual([]);
  }

  const [, , width, height] = root.attributes.viewBox!.split(' ').map(Number);
  const within = ({ x, y, width: w, height: h }: Rect) =>
    x >= -0.1 && y >= -0.1 && w >= 0 && h >= 0 && x + w <= width! + 0.1 && y + h <= height! + 0.1;
  expect(
    all(root, 'rect')
      .map(rectOf)
      .filter((rect) => !within(rect)),
  ).toEqual([]);
  const texts = all(root, 'text').map(textBox);
  expect(texts.filter((text) => !within(text))).toEqual([]);
  const pairs = texts.flatMap((a, i) => texts.slice(i + 1).flatMap((b) => (overlap(a, b) ? [[a, b]] : [])));
  expect(pairs).toEqual([]);
  return root;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences start with one.
const ESCAPES = /\u001b\[[0-9;]*m/g;

/** At most 80 columns; the same with colours as without. */
export function expectTerminal(plain: readonly string[], coloured: readonly string[]): void {
  expect(plain.filter((line) => [...line].length > 80)).toEqual([]);
  expect(plain.join('\n')).not.toMatch(ESCAPES);
  expect(coloured.join('\n')).toMatch(ESCAPES);
  expect(coloured.map((line) => line.replace(ESCAPES, ''))).toEqual([...plain]);
}

export const HOSTILE = `</text><script>alert("1")</script>'&amp;\u0000\ud800]]>`;
