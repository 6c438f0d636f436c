/** An address space in a terminal of 80 columns: one line per row, with a bar whose length is the logarithm of the size. */
import type { MachineRegime } from '../arch/regimes.ts';
import { columns, visibleWidth } from '../text/columns.ts';
import { hex, shortSize } from '../text/numbers.ts';
import type { Style } from '../text/style.ts';
import { glyphLegend, lookOf, RIGHTS, type Share, shorterSays } from './look.ts';
import { type DrawnSpace, type MappedRow, rowOutput, spacePanels } from './space-rows.ts';

const WIDTH = 80;
const BAR = 10;
const MAX_ROWS = 24;

/**
 * What an address space maps, as lines of at most 80 columns.
 *
 * @param space - the result of `listSpace(walker)`.
 * @param regime - the walker's.
 * @param style - of {@link makeStyle}.
 * @param maxRows - the most mapped rows in each window. Default: 24.
 */
export function addressSpaceText(
  space: DrawnSpace,
  regime: MachineRegime,
  style: Style,
  maxRows = MAX_ROWS,
): string[] {
  const panels = spacePanels(space, regime, maxRows);
  if (panels.length === 0) return ['The registers translate no address.'];
  const lines = panels.flatMap((panel, i) => {
    const digits = panel.last.toString(16).length;
    const rows = panel.rows.map((row) => {
      const address = hex(row.first, digits);
      if (row.kind === 'mapped')
        return [address, barText(row, style), shortSize(row.bytes), saysText(row), rowOutput(row)];
      return [style.faint(address), style.faint(`⋮  ${shortSize(row.last - row.first + 1n)} ${row.text}`)];
    });
    const title = style.title(`${panel.title}  ${regime}`);
    return [...(i > 0 ? [''] : []), title, style.faint(panel.summary), ...fitted(rows)];
  });
  const looks = space.ranges.map(({ result }) => lookOf(result, regime));
  return [...lines, '', ...glyphLegend(looks, style, WIDTH)];
}

/** Aligns cells in columns. If a line is still too long, its last cells are left out. */
function fitted(rows: readonly string[][]): string[] {
  // Holes have few cells, so their text may extend over columns.
  const mapped = columns(
    rows.filter((row) => row.length > 2),
    { right: [2] },
  );
  let next = 0;
  return rows.map((row) => {
    const line = row.length > 2 ? mapped[next++]! : row.join('  ');
    return visibleWidth(line) <= WIDTH ? line : cut(row);
  });
}

function cut(row: readonly string[]): string {
  let line = '';
  for (const cell of row) {
    const longer = line === '' ? cell : `${line}  ${cell}`;
    if (visibleWidth(longer) > WIDTH) break;
    line = longer;
  }
  return line;
}

/** Columns for the rights of a row: the most that fit in 80 with every other cell at its widest. */
const SAYS = 13;

function saysText({ look, ranges }: MappedRow): string {
  if (look === undefined) return `${ranges.length} ranges`;
  if (look.rights === 'fault')
    return look.text
      .split(',')[0]!
      .replace(/ fault$/, '')
      .slice(0, SAYS);
  return shorterSays(look.text).find((text) => text.length <= SAYS) ?? look.text.slice(0, SAYS);
}

/** A bar of 1 column for a page up to the full width for a terabyte, split by rights. */
function barText({ bytes, shares }: MappedRow, style: Style): string {
  const log = Math.log2(Number(bytes)) - 12;
  const length = Math.min(BAR, Math.max(1, Math.round(1 + (log * (BAR - 1)) / 28)));
  return splitBar(shares, length)
    .map(({ rights, amount }) => style.nth(RIGHTS[rights].nth)(RIGHTS[rights].glyph.repeat(amount)))
    .join('');
}

/** Divides `length` columns in proportion to the shares. A column goes to the share at its middle. */
function splitBar(shares: readonly Share[], length: number): Share[] {
  const whole = shares.reduce((sum, { amount }) => sum + amount, 0);
  let [done, used] = [0, 0];
  return shares.map(({ rights, amount }) => {
    done += amount;
    const until = Math.round((done / whole) * length);
    const part = until - used;
    used = until;
    return { rights, amount: part };
  });
}
