/** What a schema without its own message expects, in words. */
import * as v from 'valibot';

/** Valibot's names of types. */
const TYPES: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  boolean: 'true or false',
  Array: 'a list',
  Object: 'an object',
  null: 'null',
};

/** `must be a list`, `must be one of map, unmap`. */
export function expectation(issue: v.BaseIssue<unknown>): string {
  const { expected, type, path } = issue;
  // For a member of a plain object, valibot only gives the name.
  if (path?.at(-1)?.origin === 'key') return expected === 'never' ? 'is not known here' : 'is missing';
  if (type === 'integer') return 'must be a whole number';
  if (expected === null) return 'is not valid';
  const names = alternatives(expected);
  const quoted = names.every((name) => name.startsWith('"'));
  if (quoted) return `must be one of ${names.map((name) => name.slice(1, -1)).join(', ')}`;
  return `must be ${[...new Set(names.map((name) => TYPES[name] ?? name))].join(' or ')}`;
}

/** What a schema says about a missing member. */
export function expectationOf(schema: v.GenericSchema): string {
  const [issue] = v.safeParse(schema, undefined, { abortEarly: true, message: expectation }).issues ?? [];
  return issue?.path === undefined ? (issue?.message ?? 'is missing') : 'is missing';
}

/** `("a" | "b")` as its parts. */
function alternatives(expected: string): string[] {
  return expected.replace(/^\((.*)\)$/, '$1').split(' | ');
}
