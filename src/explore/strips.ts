/** Input and output addresses as two strips, one above the other: what is mapped by which size of leaf, and where it leads. */

import { textWidth } from '../draw/measure.ts';
import type { HueName } from '../draw/palette.ts';
import { box, filled, label, legend, told } from '../draw/parts.ts';
import { element, type SvgNode, svgDocument } from '../draw/svg.ts';
import type { MappedRange } from '../space/ranges.ts';
import { counted, hex, shortSize, sizeText } from '../text/numbers.ts';
import type { Made, Span } from './made.ts';

const WIDTH = 880;
const SIDE = 16;
const ROOM = WIDTH - 2 * SIDE;
const HEIGHT = 34;
const TOP = 22;
const BELOW = 128;
/** Pixels that a hole takes, however large it is. */
const HOLE = 10;
/** More ranges than this are drawn without the ribbons between the strips. */
const MOST_RIBBONS = 160;

/** Leaf sizes in the order of their colours: the smallest of a picture has the first. */
const HUES: readonly HueName[] = ['yellow', 'violet', 'green', 'blue', 'pink', 'orange'];

/** The colour of each leaf size of an answer. */
export function huesOf({ leaves }: Pick<Made, 'leaves'>): ReadonlyMap<bigint, HueName> {
  const sizes = leaves.map(({ size }) => size).sort((a, b) => (a < b ? -1 : 1));
  return new Map(sizes.map((size, i) => [size, HUES[i % HUES.length]!]));
}

/** A range that is mapped, in input or output addresses. */
interface Piece extends Span {
  readonly range: MappedRange;
}

/** An SVG of both strips. @param zero - what to say when nothing is mapped. */
export function strips(played: Made, zero: string): string {
  const mapped = played.space.ranges.filter(({ result, pa }) => result.ok && pa !== undefined);
  const title = 'Input and output addresses';
  if (mapped.length === 0) {
    return svgDocument(WIDTH, 60, [label(SIDE, 36, zero, { faint: true })], { title, desc: zero });
  }
  const hues = huesOf(played);
  const inputs = mapped.map((range): Piece => ({ range, first: range.first, last: range.last }));
  const outputs = mapped
    .map((range): Piece => ({ range, first: range.pa!, last: range.pa! + (range.last - range.first) }))
    .sort((a, b) => (a.first < b.first ? -1 : 1));
  const [above, below] = [new Scale(inputs), new Scale(outputs)];
  const key = legend(legendOf(played, hues), SIDE, BELOW + HEIGHT + 46, ROOM);
  const nodes: SvgNode[] = [
    label(SIDE, TOP - 8, 'IOVA', { size: 11, bold: true }),
    ...(mapped.length <= MOST_RIBBONS ? inputs.map((piece) => ribbon(piece, above, below)) : []),
    ...inputs.map((piece) => drawn(piece, above, TOP, hues)),
    ...played.overMapped.map((span) => excess(span, above, TOP, 'IOVA')),
    label(SIDE, BELOW + HEIGHT + 16, 'PA', { size: 11, bold: true }),
    ...outputs.map((piece) => drawn(piece, below, BELOW, hues)),
    ...played.overMapped
      .flatMap((span) => outputOf(span, mapped))
      .map((span) => excess(span, below, BELOW, 'PA')),
    ...ends(above, TOP - 8),
    ...ends(below, BELOW + HEIGHT + 16),
    ...key.nodes,
  ];
  const desc = played.leaves
    .map(({ size, count }) => `${counted(count, 'leaf', 'leaves')} of ${sizeText(size)}`)
    .join(', ');
  return svgDocument(WIDTH, BELOW + HEIGHT + 46 + key.height, nodes, { title, desc });
}

/** Places addresses from left to right: bytes to scale, holes all alike. */
class Scale {
  readonly first: bigint;
  readonly last: bigint;
  readonly #starts: readonly { readonly at: bigint; readonly x: number }[];
  readonly #perByte: number;

  constructor(pieces: readonly Span[]) {
    this.first = pieces[0]!.first;
    this.last = pieces.reduce((most, { last }) => (last > most ? last : most), this.first);
    const islands: { first: bigint; last: bigint }[] = [];
    for (const { first, last } of pieces) {
      const open = islands.at(-1);
      if (open !== undefined && first <= open.last + 1n) open.last = last > open.last ? last : open.last;
      else islands.push({ first, last });
    }
    const bytes = islands.reduce((sum, { first, last }) => sum + Number(last - first + 1n), 0);
    const hole = Math.min(HOLE, ROOM / (2 * islands.length));
    this.#perByte = (ROOM - hole * (islands.length - 1)) / bytes;
    let x = SIDE;
    this.#starts = islands.map(({ first, last }) => {
      const start = { at: first, x };
      x += Number(last - first + 1n) * this.#perByte + hole;
      return start;
    });
  }

  x(address: bigint): number {
    let [low, high] = [0, this.#starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#starts[middle]!.at <= address) low = middle;
      else high = middle - 1;
    }
    const { at, x } = this.#starts[low]!;
    return x + Number(address - at) * this.#perByte;
  }

  /** From the first byte to behind the last one, at least half a pixel. */
  span({ first, last }: Span): { readonly x: number; readonly width: number } {
    const x = this.x(first);
    return { x, width: Math.max(0.5, Number(last - first + 1n) * this.#perByte) };
  }
}

function drawn(
  { first, last, range }: Piece,
  scale: Scale,
  y: number,
  hues: ReadonlyMap<bigint, HueName>,
): SvgNode {
  const { x, width } = scale.span({ first, last });
  const { leafSize, leaves, pa } = range;
  const text = `${sizeText(leafSize)}${leaves > 1 ? ` ×${leaves}` : ''}`;
  const fits = textWidth(text, 11) + 8 < width;
  return told(
    `IOVA ${hex(range.first)} -> PA ${hex(pa!)}, ${shortSize(last - first + 1n)}: ${counted(leaves, 'leaf', 'leaves')} of ${sizeText(leafSize)}`,
    box(
      { x, y, width, height: HEIGHT },
      `lpae-f-${hues.get(leafSize) ?? 'grey'}${width > 3 ? ' lpae-cell' : ''}`,
    ),
    ...(fits ? [label(x + 4, y + 21, text, { size: 11 })] : []),
  );
}

function ribbon({ first, last, range }: Piece, above: Scale, below: Scale): SvgNode {
  const from = above.span({ first, last });
  const to = below.span({ first: range.pa!, last: range.pa! + (last - first) });
  const [y, end, middle] = [TOP + HEIGHT, BELOW, (TOP + HEIGHT + BELOW) / 2];
  const [a, b, c, d] = [from.x, from.x + from.width, to.x + to.width, to.x];
  return element('path', {
    class: 'lpae-f-grey',
    'fill-opacity': 0.6,
    d: `M${r(a)} ${y}C${r(a)} ${middle} ${r(d)} ${middle} ${r(d)} ${end}H${r(c)}C${r(c)} ${middle} ${r(b)} ${middle} ${r(b)} ${y}Z`,
  });
}

const r = (value: number) => Math.round(value * 10) / 10;

function excess(span: Span, scale: Scale, y: number, what: string): SvgNode {
  const { x, width } = scale.span(span);
  const text = `${what} ${hex(span.first)}-${hex(span.last)}: mapped, and nobody asked for it`;
  return told(text, box({ x, y, width, height: HEIGHT }, 'lpae-i-red', { 'data-excess': what }));
}

/** Where over-mapped input addresses lead. */
function outputOf(span: Span, mapped: readonly MappedRange[]): Span[] {
  return mapped.flatMap(({ first, last, pa }) => {
    const from = span.first > first ? span.first : first;
    const to = span.last < last ? span.last : last;
    return from > to ? [] : [{ first: pa! + (from - first), last: pa! + (to - first) }];
  });
}

function ends(scale: Scale, y: number): SvgNode[] {
  const look = { size: 11, mono: true, faint: true } as const;
  return [
    label(SIDE + 40, y, hex(scale.first), look),
    label(WIDTH - SIDE, y, hex(scale.last), { ...look, anchor: 'end' }),
  ];
}

function legendOf({ leaves, overMapped }: Made, hues: ReadonlyMap<bigint, HueName>) {
  const items = leaves.map(({ size, count }) => ({
    text: `${sizeText(size)}: ${counted(count, 'leaf', 'leaves')}`,
    sample: filled(hues.get(size) ?? 'grey'),
  }));
  if (overMapped.length === 0) return items;
  return [
    ...items,
    {
      text: 'nobody asked for it',
      sample: (sample: Parameters<typeof box>[0]) => [box(sample, 'lpae-i-red')],
    },
  ];
}
