/** Building blocks for schemas of JSON documents: objects that refuse unknown members, choices of shapes, numbers. */
import * as v from 'valibot';
import { nearest } from '../memory/near-names.ts';
import { expectation, expectationOf } from './words.ts';

const NO_OBJECT: { readonly key?: string; readonly message: string } = { message: 'must be an object' };

/** A JSON value that has members. */
type JsonObject = Readonly<Record<string, unknown>>;

/**
 * An object of exactly these members: an unknown one is usually a spelling mistake.
 * @param wrong - what is wrong with the object as a whole, if anything is: it is reported before any member is checked.
 */
export function members<const T extends v.ObjectEntries>(
  entries: T,
  wrong: (json: JsonObject) => string | undefined = () => undefined,
) {
  return checkedFirst(v.strictObject(entries, missing(entries)), (json) => {
    for (const key in json) {
      if (!Object.hasOwn(entries, key)) return { key, message: unknownMember(key, Object.keys(entries)) };
    }
    const message = wrong(json);
    return message === undefined ? undefined : { message };
  });
}

/** An object of which only these members are read. Others are ignored. */
export function atLeast<const T extends v.ObjectEntries>(entries: T) {
  return checkedFirst(v.object(entries, missing(entries)));
}

/** These members, and `rest` for every other one. */
export function andOthers<const T extends v.ObjectEntries, R extends v.GenericSchema>(entries: T, rest: R) {
  return checkedFirst(v.objectWithRest(entries, rest, missing(entries)));
}

/** Values by names that the document chooses. */
export function record<K extends v.GenericSchema<string, string>, V extends v.GenericSchema>(
  key: K,
  value: V,
) {
  return checkedFirst(v.record(key, value));
}

/** One of several objects, distinguished by the member `key`. */
export function tagged<const K extends string, const T extends v.VariantOptions<K>>(key: K, options: T) {
  return checkedFirst(v.variant(key, options));
}

/** A member that may be absent or null, which mean the same. */
export function maybe<T extends v.GenericSchema>(schema: T) {
  return v.nullish(schema, () => undefined);
}

/**
 * {@link maybe} for lists of many objects that have few of their members: one that is absent stays absent in what is read, and its schema does
 * not run. `in` must not ask for it.
 */
export function seldom<T extends v.GenericSchema>(schema: T) {
  const known = maybe(schema);
  return Object.assign(known, {
    default: undefined,
    '~run': (dataset: v.UnknownDataset, config: v.Config<v.BaseIssue<unknown>>) => {
      if (isSaid(dataset.value)) return schema['~run'](dataset, config);
      return Object.assign(dataset, { typed: true as const, value: undefined });
    },
  }) as unknown as typeof known;
}

/** A whole number. */
export function whole(min: number, max: number) {
  const message = `must be a whole number from ${min} to ${max}`;
  return v.pipe(v.number(message), v.integer(message), v.minValue(min, message), v.maxValue(max, message));
}

/** A list of two values, read as an object: `items` names them, in their order. */
export function pair<const T extends Readonly<Record<string, v.GenericSchema>>>(items: T) {
  const names = Object.keys(items);
  const tuple = v.strictTuple(Object.values(items));
  const text = names.map((name) => `"0x<${name}>"`).join(', ');
  return v.pipe(
    oneShapeOf(
      [tuple],
      (json) => (Array.isArray(json) && json.length === names.length ? tuple : undefined),
      `must be a pair: [${text}]`,
    ),
    v.transform(
      (values) =>
        Object.fromEntries(names.map((name, i) => [name, values[i]])) as {
          readonly [K in keyof T]: v.InferOutput<T[K]>;
        },
    ),
  );
}

/**
 * One of several shapes. `choose` picks the intended one from the JSON, so that complaints are about that shape only. It
 * returns undefined if no shape fits.
 */
export function oneShapeOf<const T extends v.UnionOptions>(
  shapes: T,
  choose: (json: unknown) => T[number] | undefined,
  message: string,
) {
  const schema = v.union(shapes, message);
  return Object.assign(schema, {
    '~run': (dataset: v.UnknownDataset, config: v.Config<v.BaseIssue<unknown>>) => {
      const chosen = choose(dataset.value);
      if (chosen !== undefined) return chosen['~run'](dataset, config);
      v._addIssue(schema, 'type', dataset, config);
      return dataset;
    },
  }) as typeof schema;
}

/** An object whose members are absent where those of `T` are undefined. */
type Present<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** A copy of an object without its undefined members. */
export function present<T extends object>(object: T): Present<T> {
  const said: Partial<T> = {};
  for (const key in object) if (object[key] !== undefined) said[key] = object[key];
  return said as unknown as Present<T>;
}

/** True if a member has a value: null counts as absent. */
export function isSaid(json: unknown): boolean {
  return json !== undefined && json !== null;
}

/** True if a JSON value is an object with members. */
export function isObject(json: unknown): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

/**
 * `schema` after two checks of the JSON: that it is an object (valibot accepts lists too), and `check`, which is about the object
 * or one of its members.
 */
export function checkedFirst<T extends v.GenericSchema & { readonly expects: string }>(
  schema: T,
  check: (json: JsonObject) => { readonly key?: string; readonly message: string } | undefined = () =>
    undefined,
): T {
  const run = schema['~run'].bind(schema);
  return Object.assign(schema, {
    '~run': (dataset: v.UnknownDataset, config: v.Config<v.BaseIssue<unknown>>) => {
      const json = dataset.value;
      const wrong = isObject(json) ? check(json) : NO_OBJECT;
      if (wrong === undefined) return run(dataset, config);
      const { key, message } = wrong;
      const path = key === undefined || !isObject(json) ? {} : { path: memberPath(json, key) };
      v._addIssue({ ...schema, message }, 'object', dataset, config, path);
      return dataset;
    },
  });
}

/** The path to a member of the object that is checked. */
export function memberPath(json: object, key: string): [v.ObjectPathItem] {
  const input = json as Record<string, unknown>;
  return [{ type: 'object', origin: 'key', input, key, value: input[key] }];
}

/** The message of an object's schema for a member that is missing: what it must be. */
export function missing(entries: v.ObjectEntries) {
  return (issue: v.BaseIssue<unknown>): string => {
    const key = issue.path?.at(-1)?.key;
    const schema = typeof key === 'string' ? entries[key] : undefined;
    return schema === undefined ? expectation(issue) : expectationOf(schema as v.GenericSchema);
  };
}

function unknownMember(key: string, known: readonly string[]): string {
  const meant = nearest(key, known);
  const names = known.join(', ');
  return meant === undefined
    ? `is not known here; known are ${names}`
    : `is not known here; did you mean ${meant}? Known are ${names}`;
}
