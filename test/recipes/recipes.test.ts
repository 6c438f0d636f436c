/** Recipes of docs/recipes.md that need nothing but Node: a firmware's map in CSV, and a test with vitest. */
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { entryPoints, ROOT } from '../support/public-api.ts';
import { Recipe } from './recipe.ts';

test("a firmware's memory map in CSV", () => {
  const recipe = new Recipe("A firmware's memory map in CSV");
  copyFileSync(join(ROOT, 'fixtures/real/tfa-optee-cortex-a57-el3.json'), join(recipe.folder, 'image.json'));
  expect(recipe.run()).toMatchObject({ code: 0, out: expect.stringContaining('yes: 6 ranges as meant') });
  recipe.replace('map.csv', '212K,RW_DATA', '212K,CODE');
  const { code, out } = recipe.run();
  expect(code).toBe(1);
  expect(out).toContain('no: 1 of 6 ranges is not as meant');
});

test('a JavaScript project', () => {
  const recipe = new Recipe('A JavaScript project');
  // What is installed as lpae is this checkout's sources.
  const sources = new Map(entryPoints().map(({ name, file }) => [name, join(ROOT, file)]));
  const text = recipe
    .read('tables.test.ts')
    .replace(/'(lpae\/\w+)'/g, (_, name: string) => `'${sources.get(name)}'`);
  expect(text).not.toContain("'lpae/");
  recipe.write('tables.test.ts', text);
  recipe.write('vitest.config.mjs', 'export default {};\n');
  const run = () => recipe.shell(`node '${ROOT}/node_modules/vitest/vitest.mjs' run --root . --no-color`);
  expect(run()).toMatchObject({ code: 0, out: expect.stringContaining('1 passed') });
  recipe.replace('tables.test.ts', '+2G -> identity', '+3G -> identity');
  const { code, out } = run();
  expect(code).toBe(1);
  expect(out).toContain('differs  mapped, not unmapped');
});

test('every recipe of the page is run by a test', () => {
  const page = readFileSync(join(ROOT, 'docs/recipes.md'), 'utf8');
  const tests = ['recipes.test.ts', 'live-recipes.test.ts']
    .map((file) => readFileSync(join(import.meta.dirname, file), 'utf8'))
    .join('\n');
  const titles = [...page.matchAll(/^## (.*)$/gm)].map(([, title]) => title!);
  expect(titles.length).toBe(6);
  for (const title of titles) expect(tests).toMatch(new RegExp(`new Recipe\\(["']${title}["']\\)`));
});
