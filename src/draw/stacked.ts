/** Several drawings in one SVG, one below the other, under a heading. */
import { wrapText } from './measure.ts';
import { heading } from './parts.ts';
import { type Described, rounded, svgDocument, withoutStyle } from './svg.ts';

const WIDTH = 880;
const GAP = 28;

/** The root element of a drawing, as `svgDocument` writes it: no attribute has a bare `>`. */
const ROOT = /^<svg [^>]*? width="([\d.]+)" height="([\d.]+)"[^>]*>/;

/**
 * Joins several drawings into one SVG. Each keeps its title and description.
 * @param drawings - SVGs made by the functions of this module.
 * @param described - its title is drawn at the top, with `subtitle` below it.
 */
export function stacked(drawings: readonly string[], described: Described, subtitle: string): string {
  const head = heading(described.title, wrapText(subtitle, WIDTH - 32, 12), WIDTH);
  let [width, y] = [WIDTH, head.height];
  const groups = drawings.map((drawing) => {
    const [root = '', ownWidth, ownHeight] = ROOT.exec(drawing) ?? [];
    const top = y + GAP;
    width = Math.max(width, Number(ownWidth));
    y = top + Number(ownHeight);
    // The outer drawing has the stylesheet.
    const within = withoutStyle(drawing.slice(root.length, drawing.lastIndexOf('</svg>')));
    return `<g transform="translate(0 ${rounded(top)})">${within}</g>`;
  });
  const whole = svgDocument(width, y + 16, head.nodes, described);
  const end = whole.lastIndexOf('</svg>');
  return whole.slice(0, end) + groups.join('') + whole.slice(end);
}
