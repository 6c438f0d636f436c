/** The list of mutants stays true: every text stands where it is said to, once, and every test file is there. `npm run mutants` runs them. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { MUTANTS } from './list/index.ts';
import { mutated } from './mutant.ts';

const pathOf = (file: string) => new URL(`../../${file}`, import.meta.url);

test.each(MUTANTS)('$name', (mutant) => {
  const source = readFileSync(pathOf(mutant.file), 'utf8');
  expect(mutated(source, mutant)).not.toBe(source);
  expect(mutant.tests.length).toBeGreaterThan(0);
  for (const file of mutant.tests) expect(existsSync(pathOf(file)), file).toBe(true);
  expect(mutant.breaks).toMatch(/^[A-Z].*\.$/);
});

test('names are unique', () => {
  const names = MUTANTS.map(({ name }) => name);
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  for (const name of names) expect(name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
});

test('a text that is not there, or there twice, is an error', () => {
  const mutant = { ...MUTANTS[0]!, name: 'some', file: 'some.ts', find: 'a', replace: 'c' };
  expect(mutated('bab', mutant)).toBe('bcb');
  expect(() => mutated('b', mutant)).toThrow('some: its text occurs 0 times in some.ts, not once');
  expect(() => mutated('aa', mutant)).toThrow('occurs 2 times');
});
