/**
 * A line of an intention: a range of input addresses, where it leads, and what is wanted of the leaves, as a dump prints it or as people
 * write it: `0x8000_0000+16M -> identity r-x WB ISH`.
 */
import { RANGE_FORMS, type ReadRange, rangeOf, readAddress, readRange } from '../text/addresses.ts';
import { hex, sizeText } from '../text/numbers.ts';
import type { IntentLine, Want, WantedTerms } from './intent.ts';
import { type Complain, TermCollector } from './words.ts';

/** What a line of a dump says by not naming it. */
const UNNAMED: WantedTerms = { global: true, contiguous: false, guarded: false };

/** Words that are several, as one. */
const PHRASES: readonly (readonly [RegExp, string])[] = [
  [/→|=>|⇒/g, '->'],
  [/\(.* with stage 1 off\)/i, ''],
  [/\bAttrIndx (\d+) \(no MAIR given\)/i, 'attrindx=$1'],
  [/\bnot[- ]?mapped\b/gi, 'unmapped'],
  [/\b(inner|outer|non)[- ]shareable\b/gi, '$1-shareable'],
  [/\b(level|leaf)\s*=?\s*(?=-?\d)/gi, '$1='],
  [/\s*([×*])\s*(?=\d)/g, ' $1'],
];

/** A leaf that no access reaches, in a dump's words. */
const FAULT =
  /\b(?:(?:translation|access flag|permission|address size|domain) fault|(?:synchronous )?external abort|(?:page|access) fault)\b.*$/i;
const WHOLE_FAULT =
  /^[a-z ]+(?: \([a-z ]+\))?(?:, stage [12])?(?:, level -?\d)?(?:, on the fetch of [a-z0-9 -]+)?$/i;

const SIZE = /^(?:\d[\d_]*)[kmgtp]$/i;
const IDENTITY = /^(?:identity|ident|id|same|flat|1:1)(?:([+-])(.+))?$/i;

type Read = Omit<IntentLine, 'line' | 'label'>;

/** @param exact - it stands in a dump: a flag that is not named must not be set. */
export function readLine(
  text: string,
  exact: boolean,
  complain: Complain,
  note: (text: string) => void,
): Read | undefined {
  const fault = FAULT.exec(text)?.[0];
  let plain = fault === undefined ? text : text.slice(0, text.length - fault.length);
  for (const [pattern, word] of PHRASES) plain = plain.replace(pattern, word);
  if (fault !== undefined && !WHOLE_FAULT.test(fault)) {
    complain(
      `'${fault}' is not understood`,
      'a fault is said as in a dump: access flag fault, stage 1, level 3',
    );
    return undefined;
  }
  const [left = '', right, ...more] = plain.split('->');
  if (more.length > 0) complain(`there is more than one '->'`);
  const words = new Words(joined(left), right === undefined ? undefined : joined(right));
  const range = readInput(words, complain, note);
  if (range === undefined) return undefined;
  const outputOffset = readOutput(words, range.first, complain);
  const leafSize = readLeafSize(words);
  const known = {
    ...(outputOffset !== undefined && { outputOffset }),
    ...(leafSize !== undefined && { leafSize }),
  };
  const { terms, state, rounded } = readTerms(words.rest(), complain);
  const { first, last } = range;
  const said = Object.keys({ ...known, ...terms }).length > 0;
  if (fault !== undefined) {
    if (Object.keys(terms).length > 0) complain('a leaf that faults has no rights and no memory type');
    return { first, last, want: { state: 'fault', fault: faultOf(fault), ...known }, ...rounded };
  }
  if (state === 'unmapped' || state === 'any') {
    if (said) complain(`'${state}' goes with nothing else`);
    return { first, last, want: { state }, ...rounded };
  }
  const want: Want = { state: 'mapped', ...(exact ? UNNAMED : {}), ...known, ...terms };
  return { first, last, want: exact ? exactly(want) : want, ...rounded };
}

function faultOf(text: string): string {
  const plain = text.trim().replace(/\s+/g, ' ').toLowerCase();
  return plain.replace(
    /^(?:synchronous )?external abort(?: on the walk)?/,
    'synchronous external abort on the walk',
  );
}

/** In a dump the memory type is the usual one of its name, and the level follows from the size, where nothing else is said. */
function exactly(want: Extract<Want, { state: 'mapped' }>): Want {
  const { memory, leafSize, level } = want;
  const named = memory !== undefined && memory.attr === undefined && memory.attrIndx === undefined;
  return {
    ...want,
    ...(named && { memory: { tagged: false, ...(memory.tagged ? {} : { attr: 'usual' }), ...memory } }),
    ...(leafSize !== undefined && level === undefined && { level: 'of its size' }),
  };
}

/** Sums and ranges may have spaces around their signs. */
function joined(text: string): string[] {
  return text
    .replace(/^(\s*0x[\da-f_]+)\s+-\s+(?=0x)/i, '$1-')
    .replace(/\s*(\.\.|\+)\s*(?=[\da-z])/gi, '$1')
    .split(/[\s|;]+/)
    .filter(Boolean);
}

/** The words before and behind the arrow, taken one after the other. */
class Words {
  readonly #left: string[];
  readonly #right: string[];
  readonly arrow: boolean;

  constructor(left: string[], right: string[] | undefined) {
    this.#left = left;
    this.#right = right ?? [];
    this.arrow = right !== undefined;
  }

  /** Before the arrow. */
  peek(): string | undefined {
    return this.#left[0];
  }

  take(): string | undefined {
    return this.#left.shift();
  }

  /** From here on words come from behind the arrow. @returns what is left before it. */
  cross(): string[] {
    return this.arrow ? this.#left.splice(0, Number.POSITIVE_INFINITY, ...this.#right) : [];
  }

  rest(): string[] {
    return this.#left;
  }
}

function readInput(
  words: Words,
  complain: Complain,
  note: (text: string) => void,
): { readonly first: bigint; readonly last: bigint } | undefined {
  const from = words.take() ?? '';
  const single = readAddress(from);
  const plain = single !== undefined && !from.includes('+');
  let range: ReadRange = plain ? { ok: false, problem: `'${from}' is one address` } : readRange(from);
  const size = words.peek();
  const length = size === undefined ? undefined : readAddress(size);
  if (plain && length !== undefined) {
    words.take();
    range = rangeOf(single, length);
  }
  if (!range.ok) {
    const isWord = /^[a-z]/i.test(from) && !plain;
    complain(
      isWord ? `'${from}' is not understood` : range.problem,
      isWord ? `a line begins with a range, or is rest, regime, never, only or rounded` : RANGE_FORMS,
    );
    return undefined;
  }
  const { first, last } = range;
  if (/^[^+.]*-/.test(from) && last % 0x1000n === 0n && last > first)
    note(`${from} has both ends inside: ${hex(last)} too; up to, not with it, is ${from.replace('-', '..')}`);
  // The column of a dump, which must fit.
  const column = words.peek();
  if (column !== undefined && (SIZE.test(column) || (words.arrow && /^\d|^0x/i.test(column)))) {
    words.take();
    const bytes = last - first + 1n;
    if (readAddress(column) !== bytes)
      complain(
        `${from} has ${sizeText(bytes)}, not ${column}`,
        `the size behind a range must be the range's; a leaf's is leaf=${column}`,
      );
  }
  return { first, last };
}

/** What the output is more than the input. */
function readOutput(words: Words, first: bigint, complain: Complain): bigint | undefined {
  const between = words.cross().filter((word) => word !== '-');
  if (between.length > 0)
    complain(`'${between.join(' ')}' stands before '->'`, 'what is wanted stands behind it');
  const word = words.peek();
  if (word === undefined) return undefined;
  if (word === '-' && words.arrow) {
    words.take();
    return undefined;
  }
  const [identity, sign, distance = '0'] = IDENTITY.exec(word) ?? [];
  const to = identity === undefined ? outputAddress(word, words.arrow) : readAddress(distance);
  if (to === undefined) {
    if (identity !== undefined) complain(`'${word}' is not understood`, 'identity, identity+0x1000');
    return undefined;
  }
  words.take();
  const offset = identity === undefined ? to - first : sign === '-' ? -to : to;
  if (first + offset < 0n || (first + offset) >> 64n) complain(`${word} leads outside of 64 bits`);
  return offset;
}

function outputAddress(word: string, arrow: boolean): bigint | undefined {
  return arrow || /^0x/i.test(word) ? readAddress(word) : undefined;
}

/** `4K ×2`: of a dump. */
function readLeafSize(words: Words): bigint | undefined {
  const word = words.peek() ?? '';
  const [, size = '', times] = /^(\d+[kmgtp])(?:[×x*]([\d,]+))?$/i.exec(word) ?? [];
  if (size === '') return undefined;
  words.take();
  if (times === undefined && /^[×x*][\d,]+$/i.test(words.peek() ?? '')) words.take();
  return readAddress(size);
}

function readTerms(words: readonly string[], complain: Complain) {
  const collector = new TermCollector(complain);
  let state: 'mapped' | 'unmapped' | 'any' = 'mapped';
  let rounded = {};
  for (const word of words) {
    const plain = word.replace(/,$/, '');
    const lower = plain.toLowerCase();
    if (lower === '-' || lower === '') continue;
    if (lower === 'unmapped' || lower === 'any') state = lower;
    else if (lower === 'rounded') rounded = { rounded: true };
    else if (lower !== 'mapped') collector.add(plain);
  }
  return { terms: collector.terms, state, rounded };
}
