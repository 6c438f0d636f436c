/** What is said of an icicle's cells: labels, tooltips, summaries; the same in an SVG and in a terminal. */
import { counted, hex, roughSize, sizeText } from '../text/numbers.ts';
import { type Cell, sharesWithin } from './icicle-layout.ts';
import type { IciclePanel } from './icicle-tree.ts';
import { type LookKind, RIGHTS, shorterSays } from './look.ts';

type CellItem = Cell['item'];

/** `[3]`, `[3-5]`. */
export function indexText({ first, last }: CellItem): string {
  return first === last ? `[${first}]` : `[${first}-${last}]`;
}

/** What a cell's second line may be, the most telling first: for one that fits. The first line is its index. */
export function cellSays(item: CellItem): readonly string[] {
  switch (item.kind) {
    case 'leaf':
      return shorterSays(item.look.text || item.leaf);
    case 'gap':
      return item.text === 'not zero, but not valid'
        ? [item.text, 'not valid']
        : [sizeText(item.size), roughSize(item.size)];
    case 'mixed':
      return [];
    case 'table': {
      const times = item.last - item.first + 1;
      if (item.missing !== '') return [item.missing, '…'];
      return times > 1
        ? [`${times} alike tables`, `${times} tables`]
        : [`table ${hex(item.pa)}`, hex(item.pa), 'table'];
    }
  }
}

/** Everything about a cell: place, addresses, where it leads, what it allows. */
export function cellTip(item: CellItem): string {
  const times = item.last - item.first + 1;
  const place = `level ${item.level} ${indexText(item)}`;
  const span = `IA ${hex(item.ia)}-${hex(item.ia + item.size - 1n)}, ${sizeText(item.size)}`;
  switch (item.kind) {
    case 'leaf': {
      const what = item.leaf === 'not readable' ? item.leaf : counted(times, item.leaf);
      const more = times === 1 ? '' : item.contiguous ? ', contiguous' : ' and other places';
      const output = item.leaf === 'not readable' ? [] : [`-> ${hex(item.output)}${more}`];
      return [`${place}: ${what}`, span, ...output, item.look.text].filter(Boolean).join('\n');
    }
    case 'gap':
      return [`${place}: ${item.text}`, span].join('\n');
    case 'mixed':
      return [`${place}: ${counted(item.items.length, 'piece')}`, span, shareText(item)]
        .filter(Boolean)
        .join('\n');
    case 'table': {
      const to = `${times > 1 ? `${times} alike tables, the first` : 'table'} at ${hex(item.pa)}`;
      return [`${place}: ${to}`, span, item.missing, shareText(item)].filter(Boolean).join('\n');
    }
  }
}

function shareText(item: CellItem): string {
  return sharesWithin(item)
    .map(({ rights, amount }) => `${counted(amount, 'leaf', 'leaves')}: ${RIGHTS[rights].text}`)
    .join('\n');
}

/** `54 tables, 1,024 leaves; IA 0x0-0xffffffffffff`. */
export function panelSummary({ tables, leaves, root }: IciclePanel): string {
  const last = root.ia + root.size - 1n;
  return `${counted(tables, 'table')}, ${counted(leaves, 'leaf', 'leaves')}; IA ${hex(root.ia)}-${hex(last)}`;
}

/** Every look that occurs. */
export function looksOf(cells: readonly Cell[]): LookKind[] {
  return cells.flatMap(({ item }): LookKind[] => {
    if (item.kind === 'leaf') return [item.look];
    if (item.kind !== 'mixed') return [];
    return sharesWithin(item).map(({ rights }) => ({ rights, memory: 'unknown' }));
  });
}

/** Where addresses are worth writing down: starts of what holds something, the very first and the higher levels first. */
export function landmarks(cells: readonly Cell[]): Cell[] {
  return cells
    .filter(({ item }) => item.kind !== 'gap')
    .sort(
      (a, b) => Number(b.x === 0) - Number(a.x === 0) || a.item.level - b.item.level || b.width - a.width,
    );
}
