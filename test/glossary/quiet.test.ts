/** What is no fault (fixtures/faults/quiet*.jsonl): register dumps, memory dumps, boot logs, prose. Nothing is invented in any of them, however they are printed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { parseFaults } from '../../src/glossary/faults/parse.ts';

const FOLDER = join(import.meta.dirname, '../../fixtures/faults');

interface Text {
  readonly name: string;
  readonly text: string;
}

const textsOf = (lines: string): Text[] =>
  lines
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
const texts = textsOf(readFileSync(join(FOLDER, 'quiet.jsonl'), 'utf8'));
/** Whole boots: too long to print again in other forms. */
const boots = textsOf(gunzipSync(readFileSync(join(FOLDER, 'quiet-boots.jsonl.gz'))).toString('utf8'));

test('there are texts', () => {
  expect(texts.length).toBeGreaterThanOrEqual(80);
  expect(boots.length).toBeGreaterThanOrEqual(160);
});

test.each([...texts, ...boots])('$name', ({ text }) => {
  expect(parseFaults(text)).toEqual([]);
});

/** The 64-bit words of a memory dump of QEMU. */
function wordsOf(text: string): string[] {
  return text
    .split('\n')
    .flatMap(
      (line) => /^[0-9a-f]{16}: ((?:0x[0-9a-f]{16} ?)+)$/.exec(line.trim())?.[1]?.trim().split(' ') ?? [],
    )
    .map((word) => word.slice(2));
}

const dumps = texts
  .map(({ name, text }) => ({ name, words: wordsOf(text) }))
  .filter(({ words }) => words.length >= 16);

function rows(words: readonly string[], many: number): string[][] {
  return Array.from({ length: Math.floor(words.length / many) }, (_, i) =>
    words.slice(i * many, (i + 1) * many),
  );
}

const halves = (word: string) => `${word.slice(8)} ${word.slice(0, 8)}`;
const HOW: Readonly<Record<string, (words: readonly string[]) => string[]>> = {
  'as a stack of Linux on arm': (words) =>
    rows(words, 4).map(
      (row, i) =>
        `[    3.8492${String(i).padStart(2, '0')}] ${(0x1da0 + i * 32).toString(16)}: ${row.map(halves).join(' ')}`,
    ),
  'as a stack of Xen': (words) => rows(words, 4).map((row) => `(XEN)    ${row.join(' ')}`),
  'as words alone': (words) => rows(words, 4).map((row) => row.map((word) => `0x${word}`).join(' ')),
  'as words of 32 bits alone': (words) => rows(words, 4).map((row) => row.map(halves).join(' ')),
  'as registers': (words) =>
    rows(words, 3).map((row, i) => row.map((word, n) => `x${i * 3 + n}: ${word}`).join(' ')),
};

describe.each(Object.keys(HOW))('memory printed %s', (how) => {
  test.each(dumps)('$name', ({ words }) => {
    expect(parseFaults(HOW[how]!(words).join('\n'))).toEqual([]);
  });
});

test('a crash of Xen is one, though it dumps registers as well', () => {
  const dump = [
    '----[ Xen-4.17.5  arm64  debug=n ]----',
    'CPU:    0',
    'ESR_EL2: 96000045',
    'FAR_EL2: 0000000000001000',
  ];
  const text = (head: string) => [head, ...dump].map((line) => `(XEN) ${line}`).join('\n');
  expect(parseFaults(text('*** Dumping CPU0 host state: ***'))).toEqual([]);
  expect(parseFaults(text('CPU0: Unexpected Trap: Data Abort'))).toMatchObject([{ kind: 'translation' }]);
});

test('more than 300 texts in all', () => {
  expect(texts.length + boots.length + dumps.length * Object.keys(HOW).length).toBeGreaterThan(300);
});
