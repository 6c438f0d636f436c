/** Which members of a document its schema does not declare. The schemas of outputs let others pass; the tests do not. */
import * as v from 'valibot';

type Schema = v.GenericSchema & {
  readonly entries?: Readonly<Record<string, v.GenericSchema>>;
  readonly item?: v.GenericSchema;
  readonly wrapped?: v.GenericSchema;
  readonly options?: readonly v.GenericSchema[];
  readonly value?: v.GenericSchema;
};

/** The paths of members that `schema` has no entry for, items of lists as `[]`. */
export function undeclared(schema: v.GenericSchema, json: unknown, path = ''): string[] {
  const { type, entries, item, wrapped, options = [], value } = schema as Schema;
  if (wrapped !== undefined) return json === null ? [] : undeclared(wrapped, json, path);
  if (type === 'union' || type === 'variant') {
    const found = options
      .filter((one) => v.safeParse(one, json).success)
      .map((one) => undeclared(one, json, path));
    return found.toSorted((a, b) => a.length - b.length)[0] ?? [];
  }
  if (Array.isArray(json))
    return item === undefined ? [] : [...new Set(json.flatMap((one) => undeclared(item, one, `${path}[]`)))];
  if (typeof json !== 'object' || json === null) return [];
  return Object.entries(json).flatMap(([name, member]) => {
    const at = path === '' ? name : `${path}.${name}`;
    const known = entries === undefined ? value : entries[name];
    return known === undefined ? [at] : undeclared(known, member, at);
  });
}
