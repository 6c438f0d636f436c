/** The public API: every name is documented, and whatever a signature speaks of can be named by who uses it. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type EntryPoint, entryPoints, interfacesIn, ROOT, Sources } from '../support/public-api.ts';

const entries = entryPoints();
const sources = new Sources();

describe('the public API', () => {
  test('is found whole', () => {
    const names = (entry: string) => {
      const point = entries.find(({ name }) => name === entry);
      return point === undefined ? [] : sources.exportsOf(point).map(({ name }) => name);
    };
    expect(entries.length).toBeGreaterThan(20);
    expect(names('lpae')).toEqual(expect.arrayContaining(['IommuDomain', 'Prot', 'planSg']));
    expect(names('lpae/formats/arm-v7s')).toEqual(['armV7s']);
    expect(names('lpae/space')).toEqual(expect.arrayContaining(['diffMeaning', 'diffBits', 'listSpace']));
    expect(names('lpae/machine')).toContain('createMachine');
  });

  test.each(entries)('of $name has a TSDoc block for every name', (entry) => {
    const undocumented = sources
      .exportsOf(entry)
      .flatMap((each) => sources.undocumented(each).map((name) => `${each.file}: ${name}`));
    expect(undocumented).toEqual([]);
  });

  test('says one thing by one name: none but those that everybody needs are in two places', () => {
    const places = new Map<string, EntryPoint[]>();
    for (const entry of entries.filter(({ name }) => !name.startsWith('lpae/formats/'))) {
      for (const { file, name } of sources.exportsOf(entry)) {
        const at = `${file} ${name}`;
        places.set(at, [...(places.get(at) ?? []), entry]);
      }
    }
    const twice = [...places].filter(([, points]) => points.length > 1).map(([at]) => at.split(' ')[1]);
    expect(twice.sort()).toEqual(['EXTERNAL_ABORT', 'FrameAllocator', 'MemoryError', 'PhysicalMemory']);
  });

  test('names every interface and class that its declarations mention', () => {
    const folder = mkdtempSync(join(tmpdir(), 'lpae-declarations-'));
    const tsc = join(ROOT, 'node_modules/.bin/tsc');
    execFileSync(tsc, ['-p', 'tsconfig.build.json', '--emitDeclarationOnly', '--outDir', folder], {
      cwd: ROOT,
    });
    const declared = new Sources((file) =>
      readFileSync(join(folder, file.replace(/\.ts$/, '.d.ts')), 'utf8'),
    );
    const names = entries.flatMap((entry) => declared.exportsOf(entry));
    const known = new Set(names.map(({ file, name }) => `${file} ${name}`));
    const mentioned = names.flatMap((each) =>
      interfacesIn(declared, each).map((at) => ({ at, by: `${each.entry} ${each.name}` })),
    );
    expect(mentioned.length).toBeGreaterThan(200);
    expect(mentioned.filter(({ at }) => !known.has(at))).toEqual([]);
  }, 180_000);
});
