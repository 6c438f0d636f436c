/** For every member of golden files: a change of it changes an answer or a message. Through the program's entry. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lpae, tempFile } from '../cli/run.ts';
import type { Random } from '../support/random.ts';

const FIXTURES = join(import.meta.dirname, '../../fixtures');

/** Small files that have every member between them, and addresses of interest. */
export const FILES: readonly string[] = [
  'qemu/qemu-s1-4k-cortex-a53-02.json',
  'qemu/qemu-nested-4k-max-00.json',
  'qemu/qemu11-secure-el1-0-16k-00.json',
  'qemu/qemu10-smmuv3-config-4k-00.json',
  'arm/xs-nested-4k-4k-00.json',
  'arm/device-fetch-el1-0-4k.json',
  'linux/arm_64_lpae_s1-4k-sg-coalesce-0001.json',
  'linux/arm_v7s-4k-quirk-no_perms-0001.json',
  'linux/creation.json',
];

/** Rows that are kept of each file: as many as show everything. */
const ROWS = 24;
const CREATIONS = 30;

type Json = Record<string, unknown>;

export function load(name: string): unknown {
  const json = JSON.parse(readFileSync(join(FIXTURES, name), 'utf8')) as Json | unknown[];
  // Of every sort some: the list is sorted by format.
  if (Array.isArray(json)) return json.filter((_, i) => i % Math.floor(json.length / CREATIONS) === 0);
  const { translations } = json as { translations: unknown[] };
  return { ...json, translations: translations.slice(0, ROWS) };
}

const file = tempFile('told.json', '');

/** Everything that is printed of a golden file, but for how long it took. */
export async function observe(json: unknown): Promise<string> {
  writeFileSync(file, JSON.stringify(json));
  const isImage = (json as { kind?: unknown }).kind === 'image';
  const lines = isImage
    ? [
        ['check', file],
        ['dump', file],
      ]
    : [['check', file]];
  let said = '';
  for (const line of lines) {
    const { out, err, code } = await lpae([...line, '--json']);
    said += `${code} ${out} ${err.replace(/ in [\d.]+ s/, '')}\n`;
  }
  return said;
}

/** The way to a member, and its kind: the same with any index of a list, or offset of a word. */
export interface Place {
  readonly way: readonly string[];
  readonly kind: string;
}

/** Every member and item, by kind. */
export function placesByKind(json: unknown): Map<string, Place[]> {
  const kinds = new Map<string, Place[]>();
  const visit = (value: unknown, way: readonly string[]) => {
    if (typeof value !== 'object' || value === null) return;
    for (const [name, member] of Object.entries(value)) {
      const below = [...way, name];
      const kind = below.map((one) => (/^\d+$/.test(one) ? '[]' : one)).join('.');
      kinds.set(kind, [...(kinds.get(kind) ?? []), { way: below, kind }]);
      visit(member, below);
    }
  };
  visit(json, []);
  return kinds;
}

const WORDS: readonly string[] = [
  'read',
  'write',
  'execute',
  'nonsecure',
  'secure',
  'realm',
  'in',
  'tt',
  'max',
  'cortex-a53',
  'el1&0',
  'el2&0',
  'translation',
  'permission',
  'map',
  'unmap',
  'noexec',
  'priv',
];

/** Another value for a member: of the same type mostly, so that it is not refused for that. */
export function otherValue(random: Random, value: unknown): unknown {
  if (random.chance(0.1)) return undefined;
  if (typeof value === 'string' && value.startsWith('0x')) {
    return `0x${(BigInt(value) ^ (1n << BigInt(random.pick([0, 3, 8, 12, 13, 16, 21, 30, 40])))).toString(16)}`;
  }
  if (typeof value === 'string') return random.pick(WORDS.filter((word) => word !== value));
  if (typeof value === 'number') return Math.abs(value + random.pick([1, -1, 2]));
  if (typeof value === 'boolean') return !value;
  if (!Array.isArray(value)) return random.pick([null, {}]);
  // A quirk, where there is a list of them.
  return value.length === 0 ? ['ttbr1'] : value.slice(1);
}

/** A copy of a document in which one member has another value, or (undefined) is gone. */
export function withMember(json: unknown, way: readonly string[], value: unknown): unknown {
  const copy = structuredClone(json);
  const parent = way.slice(0, -1).reduce((at, name) => (at as Json)[name], copy) as Json;
  const name = way.at(-1)!;
  if (value !== undefined) parent[name] = value;
  else if (Array.isArray(parent)) parent.splice(Number(name), 1);
  else delete parent[name];
  return copy;
}

/** Edits that are tried of one kind of member before it counts as passed over. */
const TRIES = 8;

/** Whether a message about the whole document names the member: `el1&0 does not read dacr`. */
function isNamed(name: string, said: string): boolean {
  return new RegExp(
    `(not read|not used|not compared|is compared|UNKNOWN)[^"\\n]*\\b${name}\\b|\\b${name}\\b[^"\\n]*(not used|not compared|UNKNOWN)`,
  ).test(said);
}

/** Kinds of members of a file, each with whether a change of it was told: by another answer, by a refusal, by a note that names it. */
export async function told(random: Random, json: unknown): Promise<Map<string, boolean>> {
  const before = await observe(json);
  const kinds = new Map<string, boolean>();
  for (const [kind, places] of placesByKind(json)) {
    let seen = isNamed(places[0]!.way.at(-1)!, before);
    for (let n = 0; n < TRIES && !seen; n++) {
      const { way } = random.pick(places);
      const value = way.reduce((at, name) => (at as Json)[name], json as unknown);
      const other = n === 0 ? undefined : otherValue(random, value);
      seen = (await observe(withMember(json, way, other))) !== before;
    }
    kinds.set(kind, seen);
  }
  return kinds;
}
