/** Objects of golden files. Every member must be known: a schema checks it, it is information only, or it is refused with the reason. */
import * as v from 'valibot';
import { checkedFirst, missing } from '../json/schemas.ts';
import { distance } from '../memory/near-names.ts';
import { hex } from '../pagetable/errors.ts';

/** Words, each with the reason why it is not compared, or what that would need. */
export type Words = Readonly<Record<string, string>>;

/** What an object may hold besides the members that are compared. */
export interface Beside {
  /** Members that say nothing about an answer, and why. They are allowed. */
  readonly information: Words;
  /** Members whose claim can't be compared yet, and what it is about. A file that has one is refused. */
  readonly notYet: Words;
}

/** What is wrong, and the value where it shows. */
export function withValue(message: string, value: unknown): string {
  const text = JSON.stringify(typeof value === 'bigint' ? hex(value) : value) ?? String(value);
  return `${message}; its value is ${text.length > 40 ? `${text.slice(0, 40)}…` : text}`;
}

/** An object with these members and the extra ones. `what` names one such object in words. */
export function members<T extends v.ObjectEntries>(entries: T, what: string, beside: Beside) {
  const information = Object.keys(beside.information);
  const known = new Set([...Object.keys(entries), ...information]);
  const schema = checkedFirst(v.object(entries, missing(entries)), (json) => {
    for (const key in json) {
      if (known.has(key)) continue;
      return { key, message: withValue(refusal(key, what, [...known], beside.notYet), json[key]) };
    }
    return undefined;
  });
  return Object.assign(schema, { information });
}

/** One of several words. */
export function oneOf(what: string, known: readonly string[], notYet: Words) {
  return v.pipe(
    v.string(),
    knowing(
      known,
      v.check<string, (issue: v.CheckIssue<string>) => string>(
        (word) => known.includes(word),
        ({ input }) => withValue(refusal(input, what, known, notYet), input),
      ),
    ),
  );
}

/** A check with the words that it accepts, which a JSON Schema lists. */
export function knowing<T extends object>(known: readonly string[], check: T): T {
  return Object.assign(check, { known });
}

/** Why `word` is not allowed there: not modelled yet, or not known at all, with the name that was probably meant. */
export function refusal(word: string, what: string, known: readonly string[], notYet: Words): string {
  if (Object.hasOwn(notYet, word)) return `not modelled yet: ${notYet[word]}`;
  const near = nearName(word, [...known, ...Object.keys(notYet)]);
  const hint = near === undefined ? `known are ${known.join(', ')}` : `did you mean ${near}?`;
  return `${JSON.stringify(word)} is no ${what}; ${hint}`;
}

/** The known name that equals this one without its exception level, or else the most similar one, if it differs in few letters. */
function nearName(word: string, names: readonly string[]): string | undefined {
  const plain = word.toLowerCase().replace(/_el\d+$/, '');
  const near = names
    .map((name) => ({ name, cost: Math.min(distance(plain, name), distance(word.toLowerCase(), name)) }))
    .filter(({ name, cost }) => cost <= Math.max(1, Math.floor(name.length / 3)))
    .sort((a, b) => a.cost - b.cost);
  return near[0]?.name;
}
