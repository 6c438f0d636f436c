/** The package: what its documents name is in it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const text = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const manifest = JSON.parse(text('package.json')) as {
  readonly version: string;
  readonly files: readonly string[];
  readonly scripts: Readonly<Record<string, string>>;
};

/** Whether a path is shipped: the file, a folder it is in, or a pattern. */
function isShipped(path: string): boolean {
  return manifest.files.some((pattern) => {
    const expression = pattern
      .replaceAll('.', '\\.')
      .split('**/')
      .map((part) => part.replaceAll('*', '[^/]*'))
      .join('(?:.+/)?');
    return new RegExp(`^${expression}(?:/.*)?$`).test(path);
  });
}

describe('the package', () => {
  test('has the fixtures that examples name', () => {
    const sources = ['src/cli', 'docs'].flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
        .filter((file) => /\.(ts|md)$/.test(file))
        .map((file) => join(folder, file)),
    );
    const named = ['README.md', ...sources].flatMap((file) =>
      [...text(file).matchAll(/fixtures\/[\w./*-]*[\w*]/g)].map(([path]) => path),
    );
    expect(named.length).toBeGreaterThan(10);
    const missing = named.filter((path) => !isShipped(path.replace(/\*.*$/, 'x')) && !isShipped(path));
    expect([...new Set(missing)]).toEqual([]);
    const gone = named.filter((path) => !path.includes('*') && !existsSync(join(ROOT, path)));
    expect([...new Set(gone)]).toEqual([]);
  });

  test('has the documents that README links to', () => {
    const linked = [...text('README.md').matchAll(/\]\(([\w./-]+\.md)(?:#[\w-]+)?\)/g)].map(
      ([, path]) => path!,
    );
    expect(linked.length).toBeGreaterThan(5);
    expect(linked.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    expect(linked.filter((path) => !isShipped(path))).toEqual([]);
  });

  test('is built when it is packed, not when it is installed', () => {
    expect(manifest.scripts.prepack).toContain('build');
    expect(Object.keys(manifest.scripts)).not.toEqual(expect.arrayContaining(['prepare']));
    expect(Object.keys(manifest.scripts).filter((name) => /^(pre|post)?install$/.test(name))).toEqual([]);
  });

  test('has a version that the changelog tells of, with its date', () => {
    expect(text('CHANGELOG.md')).toMatch(
      new RegExp(`^## ${manifest.version.replaceAll('.', '\\.')} - \\d{4}-\\d{2}-\\d{2}$`, 'm'),
    );
  });
});
