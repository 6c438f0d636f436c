/** The examples of the public API and of README.md: those of entry points run and print what they say, all others type-check. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { format } from 'node:util';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import {
  allExamples,
  examplesIn,
  examplesOfPage,
  moduleOf,
  promised,
  publicNames,
} from '../support/examples.ts';
import { entryPoints, ROOT } from '../support/public-api.ts';

const folder = mkdtempSync(join(tmpdir(), 'lpae-examples-'));
const names = publicNames();
const examples = [
  ...allExamples(),
  ...examplesOfPage('README.md'),
  ...examplesOfPage('docs/check-your-tables.md'),
  ...examplesOfPage('docs/smmu-traces.md').map((example) => ({ ...example, whole: true })),
].map((example, index) => ({
  ...example,
  path: join(folder, `${index}.ts`),
  where: `${example.title} (${example.file})`,
}));
/** What the compiler says, by file. */
let said: readonly string[] = [];

beforeAll(() => {
  for (const example of examples) writeFileSync(example.path, moduleOf(example, names));
  const tsconfig = {
    extends: join(ROOT, 'tsconfig.json'),
    compilerOptions: {
      noUnusedLocals: false,
      rewriteRelativeImportExtensions: false,
      typeRoots: [join(ROOT, 'node_modules/@types')],
    },
    include: ['*.ts'],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(tsconfig));
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  const tsc = join(ROOT, 'node_modules/.bin/tsc');
  const { stdout } = spawnSync(tsc, ['-p', folder, '--pretty', 'false'], { cwd: folder, encoding: 'utf8' });
  said = stdout.split('\n').filter((line) => line !== '');
}, 120_000);

describe('examples', () => {
  test('are found: with and without a line of their own, up to the next tag', () => {
    expect(examplesIn('What.\n\n@example\na;\n  b;\n@throws never')).toEqual(['a;\n  b;']);
    expect(examplesIn('@example one(1)\n@example\ntwo(2);')).toEqual(['one(1)', 'two(2);']);
    expect(examplesIn('None.')).toEqual([]);
    expect(examples.filter(({ whole }) => !whole).length).toBeGreaterThan(20);
    expect(examples.filter(({ file }) => file === 'README.md').length).toBeGreaterThan(1);
  });

  test('are there for every entry point, of 5 to 15 lines', () => {
    const lines = entryPoints().map(({ name }) => {
      const of = examples.filter(({ whole, entry }) => whole && entry.name === name);
      return { name, lines: of.map(({ code }) => code.split('\n').length) };
    });
    expect(lines.filter(({ lines: [one = 0] }) => one < 5 || one > 15)).toEqual([]);
  });

  test('are all seen by the compiler', () => {
    const known = new Set(examples.map(({ path }) => basename(path)));
    expect(said.filter((line) => !known.has(line.split('(')[0]!))).toEqual([]);
  });

  test.each(examples)('of $where type-check', ({ path }) => {
    const errors = said.filter((line) => line.startsWith(`${basename(path)}(`));
    const lines = readFileSync(path, 'utf8').split('\n');
    // Each with the line that it is about.
    const told = errors.map((error) => `${lines[Number(/\((\d+)/.exec(error)![1]) - 1]} <- ${error}`);
    expect(told).toEqual([]);
  });

  test.each(examples.filter(({ whole }) => whole))(
    'of $where print what they say',
    async ({ path, code }) => {
      const printed: string[] = [];
      const log = vi
        .spyOn(console, 'log')
        .mockImplementation((...values) => void printed.push(format(...values)));
      await import(/* @vite-ignore */ pathToFileURL(path).href).finally(() => log.mockRestore());
      expect(printed.length).toBeGreaterThan(0);
      expect(printed).toEqual(promised(code));
    },
  );
});
