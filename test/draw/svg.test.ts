/** The ground of all drawings: escaping, the stylesheet's colours, measured text. */
import { describe, expect, test } from 'vitest';
import { firstFitting, fitText, textWidth, wrapText } from '../../src/draw/measure.ts';
import { element, render, svgDocument } from '../../src/draw/svg.ts';
import { all, expectSound, HOSTILE, parseXml } from './check.ts';

describe('elements', () => {
  test('escape text and attributes, and round numbers', () => {
    const node = element('a', { title: `"<&'>`, x: 1 / 3, y: 2, none: undefined }, '<b>&', element('c', {}));
    expect(render(node)).toBe('<a title="&quot;&lt;&amp;&#39;&gt;" x="0.33" y="2">&lt;b&gt;&amp;<c/></a>');
  });

  test('have no way out for a hostile name', () => {
    const svg = svgDocument(100, 100, [element('text', { x: 1, y: 50, 'font-size': 1 }, HOSTILE)], {
      title: HOSTILE,
      desc: HOSTILE,
    });
    const root = parseXml(svg);
    expect(all(root, 'script')).toEqual([]);
    // What XML can't write is replaced, all else comes back as it was.
    const said = HOSTILE.replace('\u0000', '\ufffd').replace('\ud800', '\ufffd');
    expect(all(root, 'text')[0]!.text).toBe(said);
    expect(root.children[0]!.text).toBe(said);
    expect(root.attributes['aria-label']).toBe(said);
  });

  test('a pair of surrogates is a character', () => {
    expect(render('\u{1f600}\ud83d')).toBe('\u{1f600}\ufffd');
  });
});

describe('the test of drawings', () => {
  test.each([
    '<svg><a></svg></a>',
    '<svg><a></svg>',
    '<svg/><svg/>',
    '<svg a="1" a="2"/>',
    '<svg>&nbsp;</svg>',
    '<svg a=1/>',
    '<svg>a < b</svg>',
  ])('refuses %s', (source) => {
    expect(() => parseXml(source)).toThrow();
  });

  test('sees text outside and over other text', () => {
    const at = (x: number) => element('text', { x, y: 20, 'font-size': 10 }, 'some words');
    const said = { title: 'a', desc: 'b' };
    expectSound(svgDocument(200, 40, [at(10), at(100)], said));
    expect(() => expectSound(svgDocument(200, 40, [at(180)], said))).toThrow();
    expect(() => expectSound(svgDocument(200, 40, [at(10), at(30)], said))).toThrow();
    expect(() => expectSound(svgDocument(200, 40, [element('text', {}, 'url(x)')], said))).toThrow();
  });
});

/** Custom properties of a scheme, as they stand in the stylesheet. */
function scheme(selector: string): Record<string, string> {
  const style = all(parseXml(svgDocument(1, 1, [], { title: 'a', desc: 'b' })), 'style')[0]!.text;
  const start = style.indexOf(selector);
  const block = style.slice(start + selector.length, style.indexOf('}', start));
  return Object.fromEntries(
    [...block.matchAll(/--lpae-([\w-]+):(#[0-9a-f]{6})/g)].map((m) => [m[1]!, m[2]!]),
  );
}

const SCHEMES = {
  light: scheme('.lpae-draw{'),
  dark: scheme('@media (prefers-color-scheme:dark){.lpae-draw{'),
};
const HUES = ['blue', 'orange', 'green', 'pink', 'yellow', 'violet', 'red', 'grey'];

function linear(colour: string): number[] {
  return [1, 3, 5].map((i) => {
    const c = Number.parseInt(colour.slice(i, i + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
}

/** WCAG 2's contrast ratio. */
function contrast(a: string, b: string): number {
  const [low, high] = [a, b]
    .map(linear)
    .map(([r, g, blue]) => 0.2126 * r! + 0.7152 * g! + 0.0722 * blue!)
    .sort((x, y) => x - y);
  return (high! + 0.05) / (low! + 0.05);
}

/** How colour-blind eyes see linear RGB, in full (Machado, Oliveira, Fernandes 2009). */
const EYES = {
  protan: [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998],
  deutan: [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881],
  tritan: [1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.3039],
  usual: [1, 0, 0, 0, 1, 0, 0, 0, 1],
};

function lab([r, g, b]: number[]): number[] {
  const f = (t: number) => (t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116);
  const x = f((0.4124 * r! + 0.3576 * g! + 0.1805 * b!) / 0.9505);
  const y = f(0.2126 * r! + 0.7152 * g! + 0.0722 * b!);
  const z = f((0.0193 * r! + 0.1192 * g! + 0.9505 * b!) / 1.089);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

function seen(colour: string, eye: number[]): number[] {
  const rgb = linear(colour);
  const mixed = [0, 1, 2].map((row) => rgb.reduce((sum, c, i) => sum + c * eye[row * 3 + i]!, 0));
  return lab(mixed.map((c) => Math.min(1, Math.max(0, c))));
}

describe.each(Object.entries(SCHEMES))('the %s scheme', (_, colours) => {
  test('has every colour', () => {
    const names = ['page', 'text', 'faint', 'line', ...HUES, ...HUES.map((hue) => `${hue}-ink`)];
    expect(Object.keys(colours).sort()).toEqual(names.sort());
  });

  test('can be read: 4.5 for text, on the page and on every fill', () => {
    expect(contrast(colours.text!, colours.page!)).toBeGreaterThan(7);
    expect(contrast(colours.faint!, colours.page!)).toBeGreaterThan(4.5);
    // Bits that mean nothing are faint, on grey.
    expect(contrast(colours.faint!, colours.grey!)).toBeGreaterThan(4.5);
    for (const hue of HUES) {
      expect(contrast(colours.text!, colours[hue]!), hue).toBeGreaterThan(4.5);
      expect(contrast(colours[`${hue}-ink`]!, colours.page!), hue).toBeGreaterThan(4.5);
    }
  });

  test.each(Object.entries(EYES))('keeps the colours of rights apart for %s eyes', (__, eye) => {
    const rights = ['blue', 'yellow', 'green', 'red', 'grey'].map((hue) => seen(colours[hue]!, eye));
    for (const [i, a] of rights.entries()) {
      for (const b of rights.slice(0, i)) {
        expect(Math.hypot(...a.map((v, k) => v - b[k]!))).toBeGreaterThan(10);
      }
    }
  });
});

test('a theme of the page overrides the reader', () => {
  expect(scheme('[data-theme=light] .lpae-draw{')).toEqual(SCHEMES.light);
  expect(scheme('[data-theme=dark] .lpae-draw{')).toEqual(SCHEMES.dark);
  expect(SCHEMES.light.page).not.toBe(SCHEMES.dark.page);
});

describe('measured text', () => {
  test('is at least as wide as in DejaVu Sans', () => {
    // Advances of that font at 1000 units an em, summed by hand.
    expect(textWidth('0x1f', 1000)).toBeGreaterThanOrEqual(636 + 592 + 636 + 352);
    expect(textWidth('WM', 1000)).toBeGreaterThanOrEqual(989 + 863);
    expect(textWidth('mw', 1000)).toBeGreaterThanOrEqual(974 + 818);
    expect(textWidth('abc', 10, { mono: true })).toBeGreaterThanOrEqual(3 * 6.02);
    expect(textWidth('abc', 10, { bold: true })).toBeGreaterThan(textWidth('abc', 10));
  });

  test('is cut with an ellipsis, or left out', () => {
    expect(fitText('a few words', 1000, 10)).toBe('a few words');
    expect(fitText('a few words', 40, 10)).toMatch(/^a f.*…$/);
    expect(textWidth(fitText('a few words', 40, 10), 10)).toBeLessThanOrEqual(40);
    expect(fitText('a few words', 5, 10)).toBe('');
    expect(firstFitting(['a long text', 'short'], 40, 10)).toBe('short');
    expect(firstFitting(['a long text'], 10, 10)).toBe('');
  });

  test('is wrapped at words', () => {
    const lines = wrapText('some words that need more than one line', 80, 10);
    expect(lines.length).toBeGreaterThan(2);
    expect(lines.join(' ')).toBe('some words that need more than one line');
    for (const line of lines) expect(textWidth(line, 10)).toBeLessThanOrEqual(80);
  });
});
