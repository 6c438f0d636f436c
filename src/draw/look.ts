/** How drawings show the rights and memory type of a leaf: a colour or a glyph for the rights, a stroke for the memory. */

import type { MachineRegime } from '../arch/regimes.ts';
import type { Answer } from '../machine/machine.ts';
import { visibleWidth } from '../text/columns.ts';
import { faultText } from '../text/fault.ts';
import { leafCode } from '../text/leaf.ts';
import type { Style } from '../text/style.ts';
import type { HueName } from './palette.ts';
import { type Box, box, filled, hatch, type LegendItem } from './parts.ts';
import { element, type SvgNode } from './svg.ts';

/** The most that any privilege level may do. `wx`: write and execute. `none`: nothing. `fault`: every access faults. */
export type Rights = 'ro' | 'rw' | 'rx' | 'wx' | 'none' | 'fault' | 'unknown';
export type MemoryKind = 'cached' | 'uncached' | 'device' | 'unknown';

/** What decides the colours of a leaf. */
export interface LookKind {
  readonly rights: Rights;
  readonly memory: MemoryKind;
}

export interface Look extends LookKind {
  /** `rw- rw- WB ISH nG`, or the fault. */
  readonly text: string;
}

/** The look of a leaf, from the walker's answer. @param regime - the walker's. It decides how many privilege levels there are. */
export function lookOf(result: Answer, regime: MachineRegime): Look {
  if (!result.ok) return { rights: 'fault', memory: 'unknown', text: faultText(result.fault, regime) };
  const { permissions, attributes } = result;
  const levels = [permissions.privileged, permissions.unprivileged];
  const some = (right: 'read' | 'write' | 'execute') => levels.some((level) => level[right]);
  const rights = levels.some(({ write, execute }) => write && execute)
    ? 'wx'
    : some('write')
      ? 'rw'
      : some('execute')
        ? 'rx'
        : some('read')
          ? 'ro'
          : 'none';
  const cached = attributes.type === 'normal' && attributes.inner.policy !== 'non-cacheable';
  const memory = attributes.type === 'device' ? 'device' : cached ? 'cached' : 'uncached';
  return { rights, memory, text: leafCode(result, regime) };
}

interface RightsLook {
  readonly hue: HueName;
  /** Fills a leaf in a terminal: the more rights, the denser. */
  readonly glyph: string;
  /** The colour in a terminal, as a number for `Style.nth`. */
  readonly nth: number;
  readonly text: string;
}

export const RIGHTS: Readonly<Record<Rights, RightsLook>> = {
  ro: { hue: 'blue', glyph: '░', nth: 4, text: 'read only' },
  rx: { hue: 'yellow', glyph: '▒', nth: 1, text: 'execute, no write' },
  rw: { hue: 'green', glyph: '▓', nth: 2, text: 'write, no execute' },
  wx: { hue: 'red', glyph: '█', nth: 5, text: 'write and execute' },
  none: { hue: 'grey', glyph: '·', nth: 3, text: 'no rights' },
  fault: { hue: 'grey', glyph: '×', nth: 3, text: 'faults' },
  unknown: { hue: 'grey', glyph: '▪', nth: 0, text: 'leaf of stage 2' },
};

const ORDER = Object.keys(RIGHTS) as Rights[];

/** A part of a whole. All parts have the same unit. */
export interface Share {
  readonly rights: Rights;
  readonly amount: number;
}

/** The total amount for each of the rights, in their fixed order. */
export function sharesOf(parts: readonly Share[]): Share[] {
  return ORDER.flatMap((rights) => {
    const amount = parts.reduce((sum, part) => sum + (part.rights === rights ? part.amount : 0), 0);
    return amount > 0 ? [{ rights, amount }] : [];
  });
}

/** A box in the colour of its rights, with a stroke at its lower edge for uncached memory. */
export function lookBox(look: LookKind, place: Box): SvgNode[] {
  const { hue } = RIGHTS[look.rights];
  const nodes: SvgNode[] = [box(place, `lpae-f-${hue} lpae-cell`)];
  if (look.rights === 'fault' && place.width >= 6) nodes.push(hatch(place));
  nodes.push(...memoryStroke(look.memory, place));
  return nodes;
}

function memoryStroke(memory: MemoryKind, { x, y, width, height }: Box): SvgNode[] {
  if (memory !== 'device' && memory !== 'uncached') return [];
  const at = y + height - 3;
  return [
    element('path', {
      d: `M${x + 0.5} ${at}H${x + Math.max(1, width - 0.5)}`,
      class: memory === 'device' ? 'lpae-s-violet' : 'lpae-s-pink',
      'stroke-width': 4,
      'stroke-dasharray': memory === 'uncached' ? '4 3' : undefined,
    }),
  ];
}

/** Several rights in one box, sized by their shares. @param direction - `down` stacks them, `across` lays them side by side. */
export function sharesBox(shares: readonly Share[], place: Box, direction: 'down' | 'across'): SvgNode[] {
  const whole = shares.reduce((sum, { amount }) => sum + amount, 0);
  let done = 0;
  return shares.flatMap(({ rights, amount }) => {
    const [from, part] = [done / whole, amount / whole];
    done += amount;
    const { x, y, width, height } = place;
    const piece: Box =
      direction === 'down'
        ? { x, width, y: y + from * height, height: part * height }
        : { y, height, x: x + from * width, width: part * width };
    const colour = box(piece, `lpae-f-${RIGHTS[rights].hue}`);
    return rights === 'fault' && piece.width >= 6 ? [colour, hatch(piece)] : [colour];
  });
}

/** The legend of the looks in a drawing. */
export function lookLegend(looks: readonly LookKind[]): LegendItem[] {
  const items: LegendItem[] = ORDER.filter((rights) => looks.some((look) => look.rights === rights)).map(
    (rights) => ({
      text: RIGHTS[rights].text,
      sample: (place) => lookBox({ rights, memory: 'unknown' }, place),
    }),
  );
  const strokes = [
    ['device', 'Device memory'],
    ['uncached', 'Normal, non-cacheable'],
  ] as const;
  for (const [memory, text] of strokes) {
    if (!looks.some((look) => look.memory === memory)) continue;
    items.push({ text, sample: (place) => [...filled('grey')(place), ...memoryStroke(memory, place)] });
  }
  return items;
}

/** `rw- rwx WB ISH`, `rw- rwx WB`, `rw- rwx`: shorter and shorter, but always with the rights of both privilege levels. */
export function shorterSays(text: string): string[] {
  const words = text.split(' ');
  const rights = words.filter((word) => /^[r-][w-][x-]$/.test(word)).length;
  const least = Math.max(1, rights);
  return Array.from({ length: words.length - least + 1 }, (_, i) =>
    words.slice(0, words.length - i).join(' '),
  );
}

/** The legend of glyphs in a terminal, in lines of at most `width` columns. @param more - items to put first. */
export function glyphLegend(
  looks: readonly LookKind[],
  style: Style,
  width: number,
  more: readonly string[] = [],
): string[] {
  const items = ORDER.filter((rights) => looks.some((look) => look.rights === rights)).map((rights) => {
    const { glyph, nth, text } = RIGHTS[rights];
    return `${style.nth(nth)(glyph.repeat(2))} ${text}`;
  });
  return packed([...more, ...items], width);
}

/** Puts items side by side in lines, without breaking any. */
function packed(items: readonly string[], width: number): string[] {
  const lines: string[] = [];
  for (const item of items) {
    const longer = `${lines.at(-1) ?? ''}   ${item}`;
    if (lines.length > 0 && visibleWidth(longer) <= width) lines[lines.length - 1] = longer;
    else lines.push(item);
  }
  return lines;
}
