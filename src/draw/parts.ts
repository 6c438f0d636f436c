/** The parts that drawings share: text, boxes, hatching, break marks and legends. */
import { fitText, type TextLook, textWidth } from './measure.ts';
import type { HueName } from './palette.ts';
import { type Attributes, type Element, element, rounded, type SvgNode } from './svg.ts';

export interface LabelLook extends TextLook {
  /** Font size in pixels. Default: 12. */
  readonly size?: number;
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly faint?: boolean;
}

/** Text with its baseline at `y`. */
export function label(x: number, y: number, text: string, look: LabelLook = {}): Element {
  const { size = 12, anchor = 'start', faint, mono, bold } = look;
  const names = [mono && 'lpae-mono', bold && 'lpae-bold', faint && 'lpae-faint'].filter(Boolean).join(' ');
  return element(
    'text',
    {
      x,
      y,
      'font-size': size,
      'text-anchor': anchor === 'start' ? undefined : anchor,
      class: names || undefined,
    },
    text,
  );
}

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export function box({ x, y, width, height }: Box, names: string, more: Attributes = {}): Element {
  return element('rect', { x, y, width, height, class: names, ...more });
}

/** A group with a tooltip. */
export function told(text: string, ...children: readonly SvgNode[]): Element {
  return element('g', {}, element('title', {}, text), ...children);
}

/** Slanting lines across a box, as one path, because a pattern would need a unique id. */
export function hatch({ x, y, width, height }: Box, step = 7): Element {
  const parts: string[] = [];
  for (let d = step; d < width + height; d += step) {
    // Each line goes from the left or bottom edge up to the top or right edge.
    const from = d <= height ? [x, y + d] : [x + d - height, y + height];
    const to = d <= width ? [x + d, y] : [x + width, y + d - width];
    parts.push(`M${from.map(rounded).join(' ')}L${to.map(rounded).join(' ')}`);
  }
  return element('path', { d: parts.join('') || `M${rounded(x)} ${rounded(y)}`, class: 'lpae-hatch' });
}

/** A zigzag where the scale leaves something out. */
export function breakMark(x: number, y: number, width: number): Element {
  const step = 6;
  const count = Math.max(2, Math.floor(width / step));
  const points = Array.from({ length: count + 1 }, (_, i) => {
    return `${rounded(x + (i * width) / count)},${rounded(y + (i % 2 === 0 ? 3 : -3))}`;
  });
  return element('polyline', { points: points.join(' '), class: 'lpae-line' });
}

/** A heading, with lines of faint text below it. */
export function heading(
  title: string,
  under: readonly string[],
  width: number,
): { nodes: Element[]; height: number } {
  const left = 16;
  const room = width - 2 * left;
  const nodes = [label(left, 28, fitText(title, room, 17, { bold: true }), { size: 17, bold: true })];
  under.forEach((line, i) => {
    nodes.push(label(left, 48 + i * 17, fitText(line, room, 12), { faint: true }));
  });
  return { nodes, height: 40 + under.length * 17 };
}

export interface LegendItem {
  readonly text: string;
  /** Draws the sample in a box. */
  readonly sample: (sample: Box) => readonly SvgNode[];
}

export function filled(hue: HueName): LegendItem['sample'] {
  return (sample) => [box(sample, `lpae-f-${hue}`)];
}

/** Items side by side, in as many lines as they need. */
export function legend(
  items: readonly LegendItem[],
  x: number,
  y: number,
  width: number,
): { nodes: SvgNode[]; height: number } {
  const nodes: SvgNode[] = [];
  const size = 12;
  const swatch = { width: 22, height: 14 };
  let [left, top] = [x, y];
  for (const { text, sample } of items) {
    const shown = fitText(text, width - swatch.width - 8, size);
    const taken = swatch.width + 6 + textWidth(shown, size) + 18;
    if (left > x && left + taken - 18 > x + width) {
      left = x;
      top += 22;
    }
    nodes.push(
      ...sample({ x: left, y: top, ...swatch }),
      label(left + swatch.width + 6, top + 11, shown, { size }),
    );
    left += taken;
  }
  return { nodes, height: items.length === 0 ? 0 : top - y + 22 };
}
