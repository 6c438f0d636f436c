/** `lpae explain` knows the names that answers use: kinds, events, bits of global faults, features in the declarations, commands, what fault outputs name. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseFaults } from '../../src/glossary/faults/parse.ts';
import { nextSteps } from '../../src/glossary/faults/words.ts';
import { lookUp } from '../../src/glossary/topics.ts';

const SOURCES = join(import.meta.dirname, '../../src');
const isKnown = (name: string) => lookUp([name]).unknown.length === 0;

test('every feature that the sources name', () => {
  const names = new Set<string>();
  for (const file of readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts')) continue;
    const text = readFileSync(join(SOURCES, file), 'utf8');
    for (const [name] of text.matchAll(/\bFEAT_[A-Z0-9]{2,}(?:_PERM)?\b/g)) names.add(name);
  }
  expect(names.size).toBeGreaterThan(40);
  expect([...names].filter((name) => !isKnown(name))).toEqual([]);
});

test('what faults of every source suggest to explain', () => {
  const posts = readFileSync(join(import.meta.dirname, '../../fixtures/faults/posts.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .flatMap((line) => parseFaults((JSON.parse(line) as { text: string }).text));
  const topics = posts
    .flatMap(nextSteps)
    .map((step) => /^lpae explain '?(.*?)'?$/.exec(step)?.[1])
    .filter((name) => name !== undefined);
  expect(topics.length).toBeGreaterThan(50);
  expect(topics.filter((name) => !isKnown(name))).toEqual([]);
});

test.each([
  'GERROR',
  'CMDQ_ERR',
  'CERROR_ILL',
  'CERROR_ABT',
  'CERROR_ATC_INV_SYNC',
  'CMDQ_CONS',
  'CMD_TLBI_NH_VA',
  'CMD_CFGI_STE',
  'CMD_SYNC',
  'TLBI VAE1',
  'TLBI IPAS2E1',
  'VAE1IS',
  'SMCF',
  'USF',
  'IOVA',
  'IPA',
  'granule',
  'context bank',
  'printed walk',
  'unidentified stream fault',
  'DACR',
  'HPFAR',
  'IDS',
  'AET',
  'GPCSC',
])('%s', (name) => {
  expect(lookUp([name]).topics).not.toEqual([]);
});
