/** Who may import whom. The walker is a verification only while it shares no code with the driver side. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');

function sourcesUnder(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => [folder, ...file.split(sep)].join('/'));
}

/** Every module specifier of a source: static, re-exported, for side effects, dynamic; types too. */
function specifiers(source: string): string[] {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  const found = [...code.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*)(['"`])([^'"`]+)\1/g)];
  return found.map((match) => match[2]!);
}

/** What a file of this project imports from this project, as paths from its root. */
function importsOf(file: string): string[] {
  if (!existsSync(join(ROOT, file))) return [];
  return specifiers(readFileSync(join(ROOT, file), 'utf8'))
    .filter((specifier) => specifier.startsWith('.') || specifier.startsWith('lpae'))
    .map((specifier) =>
      specifier.startsWith('.')
        ? relative(ROOT, resolve(ROOT, dirname(file), specifier))
            .split(sep)
            .join('/')
        : specifier,
    );
}

/** `file` and all that it pulls in. */
function reachableFrom(files: readonly string[]): Set<string> {
  const seen = new Set(files);
  for (const file of seen) for (const imported of importsOf(file)) seen.add(imported);
  return seen;
}

/** Groups of files that all reach each other. */
function cyclesIn(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const behind = new Map<string, Set<string>>();
  for (const [file, imported] of graph) {
    const reached = new Set(imported);
    for (const next of reached) for (const further of graph.get(next) ?? []) reached.add(further);
    behind.set(file, reached);
  }
  const groups = [...graph.keys()]
    .filter((file) => behind.get(file)!.has(file))
    .map((file) =>
      [...behind.get(file)!]
        .filter((other) => behind.get(other)?.has(file))
        .sort()
        .join(' '),
    );
  return [...new Set(groups)].sort().map((group) => group.split(' '));
}

function outside(files: Iterable<string>, allowed: readonly string[]): string[] {
  return [...files].filter((file) => !allowed.some((prefix) => file.startsWith(prefix))).sort();
}

const folders = readdirSync(join(ROOT, 'src'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => `src/${entry.name}`);

describe('imports', () => {
  test('are found in every form that a source can have', () => {
    const source = [
      "import a from './a.ts';",
      "import type { B } from './b.ts';",
      "export * from './c.ts';",
      "import './d.ts';",
      "const e = await import('./e.ts');",
      "type F = import('./f.ts').F;",
      "import {\n  g,\n} from './g.ts';",
      "// import h from './h.ts';",
      "/** from './i.ts' */",
    ].join('\n');
    expect(specifiers(source).sort()).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((x) => `./${x}.ts`));
    expect(importsOf('formats/index.ts')).toContain('formats/arm-64-lpae-s1.ts');
  });

  test('of all sources lead to files that exist', () => {
    const all = new Set([...sourcesUnder('src'), ...sourcesUnder('formats')]);
    expect(all.size).toBeGreaterThan(30);
    expect([...reachableFrom([...all])].filter((file) => !all.has(file))).toEqual([]);
  });

  test('never lead back to where they began, types included', () => {
    const made = { a: ['b', 'c'], b: ['c'], c: ['b', 'd'], d: ['d'], e: ['a'] };
    expect(cyclesIn(new Map(Object.entries(made)))).toEqual([['b', 'c'], ['d']]);
    const files = ['src', 'formats'].flatMap(sourcesUnder);
    expect(cyclesIn(new Map(files.map((file) => [file, importsOf(file)])))).toEqual([]);
  });

  test.each(
    folders.filter((folder) =>
      ['src/walker', 'src/smmu', 'src/tlb', 'src/bbm', 'src/arch', 'src/describe', 'src/machine'].includes(
        folder,
      ),
    ),
  )('of %s, the hardware side, never reach the driver side', (folder) => {
    const files = sourcesUnder(folder);
    expect(files.length).toBeGreaterThan(1);
    const allowed = [
      'src/arch/',
      'src/walker/',
      'src/smmu/',
      'src/tlb/',
      'src/bbm/',
      'src/describe/',
      'src/machine/',
      'src/memory/',
    ];
    expect(outside(reachableFrom(files), allowed)).toEqual([]);
  });

  test('of the driver side never reach the hardware side', () => {
    const files = ['src/iommu', 'src/dma', 'src/pagetable', 'src/descriptor', 'formats'].flatMap(
      sourcesUnder,
    );
    const reached = [...reachableFrom(files)].filter((file) =>
      /^src\/(arch|walker|smmu|tlb|bbm|describe|machine|image|lint)\//.test(file),
    );
    expect(reached).toEqual([]);
  });

  test('of formats are the descriptor tables, the format interface, the errors and their own folder', () => {
    const imported = sourcesUnder('formats').flatMap(importsOf);
    const allowed = ['formats/', 'src/descriptor/', 'src/pagetable/format.ts', 'src/pagetable/errors.ts'];
    expect(imported.length).toBeGreaterThan(5);
    expect(outside(imported, allowed)).toEqual([]);
  });

  test('of the library never reach the command line', () => {
    const library = [...folders.filter((folder) => folder !== 'src/cli'), 'formats'].flatMap(sourcesUnder);
    expect(library.length).toBeGreaterThan(200);
    expect([...reachableFrom(library)].filter((file) => file.startsWith('src/cli/'))).toEqual([]);
  });

  test('of the library are for browsers too: no module of Node, but where a stub is talked to', () => {
    const library = folders.filter((folder) => !['src/cli', 'src/gdb'].includes(folder));
    const files = [...library, 'formats'].flatMap(sourcesUnder);
    const named = files.filter((file) =>
      specifiers(readFileSync(join(ROOT, file), 'utf8')).some((one) => /^node:|^(fs|zlib|util)$/.test(one)),
    );
    expect(named).toEqual([]);
    expect([...reachableFrom(files)].filter((file) => file.startsWith('src/gdb/'))).toEqual([]);
  });

  test("of the explorer's page are for browsers: of Node what its worker stands in for, and of commander", () => {
    const page = sourcesUnder('src/cli/page');
    expect(page.length).toBeGreaterThan(5);
    const instead = ['src/cli/machine/live.ts', 'src/cli/run/dma.ts'];
    const reached = new Set(page);
    for (const file of reached) {
      for (const imported of importsOf(file))
        if (!instead.includes(imported) && !imported.startsWith('src/gdb/')) reached.add(imported);
    }
    const named = new Set(
      [...reached].flatMap((file) =>
        specifiers(existsSync(join(ROOT, file)) ? readFileSync(join(ROOT, file), 'utf8') : ''),
      ),
    );
    expect([...named].filter((one) => one.startsWith('node:')).sort()).toEqual([
      'node:fs',
      'node:path',
      'node:v8',
    ]);
  });

  test('of src/memory, src/descriptor and src/arch stay within them', () => {
    expect(outside(reachableFrom(sourcesUnder('src/arch')), ['src/arch/'])).toEqual([]);
    expect(outside(reachableFrom(sourcesUnder('src/memory')), ['src/memory/'])).toEqual([]);
    expect(outside(reachableFrom(sourcesUnder('src/descriptor')), ['src/descriptor/'])).toEqual([]);
  });

  test('of src/pagetable are memory and descriptors: no format, no API, no walker', () => {
    const allowed = ['src/pagetable/', 'src/memory/', 'src/descriptor/'];
    expect(outside(reachableFrom(sourcesUnder('src/pagetable')), allowed)).toEqual([]);
  });

  test('of src/iommu and src/dma name no format', () => {
    expect(
      [...reachableFrom(['src/iommu', 'src/dma'].flatMap(sourcesUnder))].filter((f) =>
        f.startsWith('formats/'),
      ),
    ).toEqual([]);
  });

  const formatFiles = readdirSync(join(ROOT, 'formats')).filter((f) => f.endsWith('.ts') && f !== 'index.ts');
  test.each(formatFiles)('of formats/%s pull in no other format', (file) => {
    const reached = [...reachableFrom([`formats/${file}`])];
    expect(reached.filter((f) => /^formats\/[^/]+\.ts$/.test(f))).toEqual([`formats/${file}`]);
  });

  test('of formats/index.ts take in every format', () => {
    const imported = importsOf('formats/index.ts').filter((f) => /^formats\/[^/]+\.ts$/.test(f));
    expect(imported.sort()).toEqual(formatFiles.map((f) => `formats/${f}`).sort());
  });
});
