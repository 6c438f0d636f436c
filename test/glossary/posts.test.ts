/** Faults as people posted them (fixtures/faults/posts.jsonl): every plain fact, and what the words must say. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { faultLines, walkOnlyLines } from '../../src/cli/text/fault-text.ts';
import { countFaults, parsePost } from '../../src/glossary/faults/parse.ts';
import { makeStyle } from '../../src/text/style.ts';

interface Post {
  readonly id: string;
  readonly form: string;
  readonly text: string;
  readonly faults: number;
  /** Of the first fault. Addresses are strings. */
  readonly first: Readonly<Record<string, string | number | boolean>>;
  /** Members that the report does not give, or gives and is not to be believed. */
  readonly absent: readonly string[];
  readonly says: readonly string[];
}

const FILE = join(import.meta.dirname, '../../fixtures/faults/posts.jsonl');
const posts: Post[] = readFileSync(FILE, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));

/** As it is printed, with one blank for any white space. */
function outputOf(text: string): string {
  const { faults, walks } = parsePost(text);
  const style = makeStyle(false);
  const lines = [
    ...countFaults(faults).flatMap((fault) => faultLines(fault, style)),
    ...walks.flatMap((walk) => walkOnlyLines(walk, style)),
  ];
  return lines.join(' ').replaceAll(/\s+/g, ' ');
}

test('there are posts', () => {
  expect(posts).toHaveLength(165);
});

describe.each(posts)('$id $form', ({ text, faults, first, absent, says }) => {
  const found = countFaults(parsePost(text).faults);

  test('its faults, and every plain fact of the first', () => {
    expect(found).toHaveLength(faults);
    const fault = (found[0]?.fault ?? {}) as Record<string, unknown>;
    const plain = Object.keys(first).map((key) => {
      const value = fault[key];
      return [key, typeof value === 'bigint' ? `0x${value.toString(16)}` : value];
    });
    expect(Object.fromEntries(plain)).toEqual(first);
    for (const key of absent) expect(fault[key]).toBeUndefined();
  });

  test('what the words say', () => {
    const output = outputOf(text);
    for (const words of says) expect(output).toContain(words);
  });
});
