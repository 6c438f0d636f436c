/** Random edits of a JSON document: members added, renamed, dropped, set to null, or of another type or value. */
import type { Random } from '../support/random.ts';

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
type Container = Json[] | { [name: string]: Json };

/** What an edit did, for a message: `translations.3.pa dropped`. */
export interface Edited {
  readonly json: unknown;
  readonly what: string;
}

/** Every place in a document that holds something, as the way to it. */
function* places(json: Json, way: readonly string[] = []): Generator<readonly string[]> {
  if (typeof json !== 'object' || json === null) return;
  for (const [name, value] of Object.entries(json)) {
    yield [...way, name];
    yield* places(value, [...way, name]);
  }
}

/** A place, chosen so that every kind of member is met as often, however long the lists are. */
function randomPlace(random: Random, json: Json): readonly string[] | undefined {
  const byKind = new Map<string, (readonly string[])[]>();
  for (const way of places(json)) {
    const kind = way.map((name) => (/^\d+$/.test(name) ? '[]' : name)).join('.');
    const found = byKind.get(kind);
    if (found === undefined) byKind.set(kind, [way]);
    else found.push(way);
  }
  const kinds = [...byKind.values()];
  return kinds.length === 0 ? undefined : random.pick(random.pick(kinds));
}

const ODD: readonly Json[] = [
  null,
  true,
  false,
  0,
  1,
  -1,
  1.5,
  64,
  1e21,
  '',
  'wibble',
  '0x',
  '0xg',
  '12',
  '0x1_000',
  '0xffffffffffffffff',
  '0x1ffffffffffffffff',
  '__proto__',
  [],
  {},
  [[]],
  [null],
  { pa: '0x0' },
  ['0x0', '0x1'],
];
const NEW_NAMES = [
  'wibble',
  'pas',
  'fault',
  'note',
  '__proto__',
  'constructor',
  'toString',
  'ttbr9',
  '',
  'registers',
  'pa',
  '0',
  'ssid',
  'ipas',
  'features',
];

function otherValue(random: Random, value: Json): Json {
  if (random.chance(0.4)) return structuredClone(random.pick(ODD));
  if (typeof value === 'string' && /^0x[0-9a-f]+$/i.test(value)) {
    const flipped = BigInt(value) ^ (1n << BigInt(random.between(0, 63)));
    return random.chance(0.8) ? `0x${flipped.toString(16)}` : BigInt(value).toString();
  }
  if (typeof value === 'string') return random.chance(0.5) ? value.slice(1) : `${value}x`;
  if (typeof value === 'number') return value + random.pick([1, -1, 2, 8, 0.5]);
  if (typeof value === 'boolean') return !value;
  if (Array.isArray(value))
    return random.chance(0.5) ? value.slice(1) : [...value, structuredClone(value[0] ?? null)];
  return random.pick<Json>([{}, [], null]);
}

function containerOf(json: Json, way: readonly string[]): Container {
  let at: Json = json;
  for (const name of way.slice(0, -1)) at = (at as Record<string, Json>)[name]!;
  return at as Container;
}

/** One edit of `document`, which stays as it is. */
export function edited(random: Random, document: unknown): Edited {
  const json = structuredClone(document) as Json;
  const way = randomPlace(random, json);
  if (way === undefined) return { json: structuredClone(random.pick(ODD)), what: 'all of it' };
  const container = containerOf(json, way);
  const name = way.at(-1)!;
  const members = container as Record<string, Json>;
  const value = members[name]!;
  const where = way.join('.');
  const put = (key: string, other: Json) =>
    Object.defineProperty(members, key, {
      value: other,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  switch (random.between(0, 4)) {
    case 0: {
      const added = random.pick(NEW_NAMES);
      put(added, structuredClone(random.pick(ODD)));
      return { json, what: `${added} added beside ${where}` };
    }
    case 1:
      if (Array.isArray(container)) container.splice(Number(name), 1);
      else delete members[name];
      return { json, what: `${where} dropped` };
    case 2: {
      const other = random.pick([`${name}s`, name.slice(1), name.toUpperCase(), `${name}_el9`]);
      if (!Array.isArray(container)) {
        delete members[name];
        put(other, value);
      }
      return { json, what: `${where} renamed to ${other}` };
    }
    case 3:
      put(name, null);
      return { json, what: `${where} null` };
    default: {
      const other = otherValue(random, value);
      put(name, other);
      return { json, what: `${where} = ${JSON.stringify(other)}` };
    }
  }
}
