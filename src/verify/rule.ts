/** Rules of an intention: `never 0x0+64K`, `never pa 0x0e00_0000+16M`, `never wx`, `never el0`, `never device x`. */
import type { AddressRange } from '../space/address-range.ts';
import { RANGE_FORMS, readRange } from '../text/addresses.ts';
import type { IntentRule, RuleRights } from './intent.ts';
import { type Complain, TermCollector } from './words.ts';

const NAMES = { r: 'read', w: 'write', x: 'execute' } as const;
const UNPRIVILEGED = /^(?:el0|u|user|unpriv|unprivileged)(?::([rwx-]*))?$/i;

/** @param text - the text after `never`; `whole`: the line as it was written. */
export function readRule(
  text: string,
  whole: string,
  line: number,
  complain: Complain,
): IntentRule | undefined {
  const words = text
    .replace(/\s*(\.\.|\+)\s*(?=[\da-z])/gi, '$1')
    .split(/[\s,]+/)
    .filter(Boolean);
  if (words.length === 0) {
    complain('never what?', 'never 0x0+64K, never pa 0x0e00_0000+16M, never wx, never el0');
    return undefined;
  }
  const collector = new TermCollector(complain);
  const found: { input?: AddressRange; output?: AddressRange; rights?: RuleRights } = {};
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const isOutput = /^(?:pa|oa|output)$/i.test(word);
    const range = isOutput ? (words.shift() ?? '') : word;
    if (isOutput || /^\d/.test(word)) {
      const read = readRange(range);
      if (read.ok) found[isOutput ? 'output' : 'input'] = { first: read.first, last: read.last };
      else complain(read.problem, RANGE_FORMS);
      continue;
    }
    const rights = rightsOf(word);
    if (rights === undefined) collector.add(word);
    else if (found.rights === undefined) found.rights = rights;
    else complain(`'${word}': a rule is about one set of rights`);
  }
  const { terms } = collector;
  return { line, text: whole, ...found, ...(Object.keys(terms).length > 0 && { terms }) };
}

/** `wx`, `r-x` (which asks no more than `rx`), `el0`, `el0:w`. */
function rightsOf(word: string): RuleRights | undefined {
  const [unprivileged, own] = UNPRIVILEGED.exec(word) ?? [];
  const text = unprivileged === undefined ? word : (own ?? '');
  if (unprivileged === undefined && !/^(?=.*[rwx])r?-?w?-?x?-?$/i.test(word)) return undefined;
  const letters = [...text.toLowerCase()].filter((one) => one in NAMES) as (keyof typeof NAMES)[];
  return {
    who: unprivileged === undefined ? 'anyone' : 'unprivileged',
    letters: letters.map((one) => NAMES[one]),
  };
}
