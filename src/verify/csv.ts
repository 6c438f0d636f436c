/**
 * Rows of a memory map in CSV: address, length, type, label; or the columns that a header names. A row maps to its own addresses
 * (identity) if no column says where it maps to.
 */
import { RANGE_FORMS, rangeOf, readAddress } from '../text/addresses.ts';
import type { IntentLine } from './intent.ts';
import { type Complain, TermCollector } from './words.ts';

type Column = 'first' | 'length' | 'last' | 'end' | 'output' | 'terms' | 'label';

const COLUMNS: Readonly<Record<string, Column>> = {
  address: 'first',
  addr: 'first',
  base: 'first',
  start: 'first',
  va: 'first',
  ia: 'first',
  iova: 'first',
  ipa: 'first',
  virtual: 'first',
  length: 'length',
  size: 'length',
  len: 'length',
  last: 'last',
  end: 'end',
  pa: 'output',
  oa: 'output',
  output: 'output',
  physical: 'output',
  type: 'terms',
  memory: 'terms',
  attributes: 'terms',
  attrs: 'terms',
  attr: 'terms',
  rights: 'terms',
  permissions: 'terms',
  access: 'terms',
  perms: 'terms',
  shareability: 'terms',
  sh: 'terms',
  flags: 'terms',
  pas: 'terms',
  label: 'label',
  name: 'label',
  comment: 'label',
  description: 'label',
};

const USUAL: readonly string[] = ['address', 'length', 'type', 'label'];

/** Types in memory maps other than memory types. */
const TYPES: Readonly<Record<string, string>> = {
  code: 'normal r-x',
  text: 'normal r-x',
  ro_data: 'normal r--',
  rodata: 'normal r--',
  rw_data: 'normal rw-',
  data: 'normal rw-',
  ram: 'normal',
  dram: 'normal',
  memory: 'normal',
  peripheral: 'device',
  periph: 'device',
  io: 'device',
};

const plain = (cell: string) => cell.toLowerCase().replaceAll(/["'\s]/g, '');
const columnOf = (cell: string): Column | undefined =>
  Object.hasOwn(COLUMNS, plain(cell)) ? COLUMNS[plain(cell)] : undefined;

/** The cells of a row, if it is one: it begins with an address, or is a header. */
export function cellsOf(line: string): string[] | undefined {
  const cells = (line.match(/(?:"[^"]*"|[^,])+|(?<=,)(?=,|$)/g) ?? []).map((cell) =>
    cell.trim().replace(/^"(.*)"$/, '$1'),
  );
  if (cells.length < 2) return undefined;
  return readAddress(cells[0]!) !== undefined || isCsvHeader(cells) ? cells : undefined;
}

export function isCsvHeader(cells: readonly string[]): boolean {
  return (
    cells.some((cell) => columnOf(cell) === 'first') && cells.every((cell) => /^[a-z _"-]*$/i.test(cell))
  );
}

export function readCsvRow(
  cells: readonly string[],
  header: readonly string[] = USUAL,
  complain: Complain,
): Omit<IntentLine, 'line'> | undefined {
  const of = (column: Column) =>
    header.flatMap((name, i) => (columnOf(name) === column && cells[i] ? [cells[i]] : []));
  if (cells.length > header.length)
    complain(`a row has ${cells.length} cells, and there are ${header.length} columns`);
  const unknown = header.filter((name, i) => columnOf(name) === undefined && cells[i]);
  if (unknown.length > 0)
    complain(`there is no column '${unknown[0]}'`, `columns are ${Object.keys(COLUMNS).join(', ')}`);
  const number = (column: Column): bigint | undefined => {
    const [text] = of(column);
    if (text === undefined || text === '-') return undefined;
    const value = readAddress(text);
    if (value === undefined) complain(`'${text}' is no address and no size`, RANGE_FORMS);
    return value;
  };
  const first = number('first');
  const last = number('last');
  const end = number('end');
  const length = number('length') ?? (first === undefined ? undefined : lengthTo(first, last, end));
  if (first === undefined || length === undefined) {
    complain(
      'a row needs an address, and a length or an end',
      'the columns are address, length, type, label',
    );
    return undefined;
  }
  const range = rangeOf(first, length);
  if (!range.ok) {
    complain(range.problem);
    return undefined;
  }
  const words = of('terms').flatMap((cell) => {
    const type = plain(cell);
    return (Object.hasOwn(TYPES, type) ? TYPES[type]! : cell).split(/[\s;|]+/);
  });
  const label = of('label')[0];
  const unmapped = words.some((word) => /^unmapped$/i.test(word));
  const collector = new TermCollector(complain);
  if (!unmapped) for (const word of words) if (word !== '-' && word !== '') collector.add(word);
  const [leads] = of('output');
  const identity = leads === undefined || /^identity$/i.test(leads);
  const output = identity ? first : number('output');
  return {
    first: range.first,
    last: range.last,
    want: unmapped
      ? { state: 'unmapped' }
      : {
          state: 'mapped',
          ...(output !== undefined && { outputOffset: output - first }),
          ...collector.terms,
        },
    ...(label !== undefined && label !== '-' && { label }),
  };
}

/** `end` is the first address after the range or, if it is odd, the last one in it. */
function lengthTo(first: bigint, last: bigint | undefined, end: bigint | undefined): bigint | undefined {
  if (last !== undefined) return last - first + 1n;
  if (end === undefined) return undefined;
  return end % 2n === 1n ? end - first + 1n : end - first;
}
