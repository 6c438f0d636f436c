/** JSON Schemas of the documents that people write and commands print: as generated, true of every fixture, and of every example in docs/. */
import { readdirSync, readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { FILES } from '../../schemas/files.ts';
import { allSchemas } from '../../schemas/json-schema.ts';
import { OUTPUTS } from '../../schemas/outputs.ts';
import { lpae, lpaeJson, tempFile } from '../cli/run.ts';
import { undeclared } from '../support/undeclared.ts';

const ROOT = join(import.meta.dirname, '../..');
const FOLDER = join(ROOT, 'schemas');
const published = readdirSync(FOLDER).filter((file) => file.endsWith('.schema.json'));

const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, strictTypes: false });
const validators = new Map<string, ValidateFunction>(
  published.map((file) => [
    file.replace('.schema.json', ''),
    ajv.compile(JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as object),
  ]),
);

/** What the published schema says is wrong: nothing, where the document is of the kind. */
function problems(kind: string, json: unknown): string[] {
  const validate = validators.get(kind)!;
  validate(json);
  return (validate.errors ?? []).slice(0, 3).map((one) => `${one.instancePath} ${one.message}`);
}

function load(path: string): unknown {
  const bytes = readFileSync(isAbsolute(path) ? path : join(ROOT, path));
  return JSON.parse((path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8'));
}

test('the published schemas are those that npm run schemas writes', () => {
  const generated = allSchemas();
  expect(published.toSorted()).toEqual([...generated.keys()].toSorted());
  for (const [file, text] of generated) expect(readFileSync(join(FOLDER, file), 'utf8')).toBe(text);
});

describe('every fixture', () => {
  const documents = ['linux', 'dma', 'qemu', 'arm', 'real'].flatMap((folder) =>
    readdirSync(join(ROOT, 'fixtures', folder))
      .filter((file) => /\.json(\.gz)?$/.test(file))
      .map((file) => `fixtures/${folder}/${file}`),
  );
  const kindsOf = (json: unknown, path: string): string[] => {
    if (Array.isArray(json)) return ['golden-creation'];
    const { kind, schema } = json as { kind?: string; schema?: string };
    if (schema === 'pgtable-scatterlists/1') return ['scatterlists'];
    if (kind === 'image') return ['golden-image', 'register-file'];
    if (kind === 'dma') return ['golden-dma'];
    if (kind === 'ops') return ['golden-ops', 'map-request'];
    return [path];
  };

  test('is valid under the schema of its kind', () => {
    const seen = new Map<string, number>();
    for (const path of documents) {
      const json = load(path);
      for (const kind of kindsOf(json, path)) {
        expect([path, problems(kind, json)]).toEqual([path, []]);
        seen.set(kind, (seen.get(kind) ?? 0) + 1);
      }
    }
    expect([...seen.keys()].toSorted()).toEqual([
      'golden-creation',
      'golden-dma',
      'golden-image',
      'golden-ops',
      'map-request',
      'register-file',
      'scatterlists',
    ]);
    expect(seen.get('golden-ops')).toBeGreaterThan(50);
    expect(seen.get('golden-image')).toBeGreaterThan(70);
  });
});

/** Blocks ```json KIND of the pages. */
const examples = readdirSync(join(ROOT, 'docs'))
  .filter((file) => file.endsWith('.md'))
  .flatMap((file) =>
    [...readFileSync(join(ROOT, 'docs', file), 'utf8').matchAll(/^```json (\S+)\n([\s\S]*?)^```/gm)].map(
      ([, kind = '', text = '']) => ({ file, kind, json: JSON.parse(text) as unknown }),
    ),
  );

describe('the examples in docs/', () => {
  test('show every kind of file', () => {
    expect([...new Set(examples.map(({ kind }) => kind))].toSorted()).toEqual(
      FILES.map(({ name }) => name).toSorted(),
    );
  });

  test.each(examples)('$file: $kind is valid, by the schema and by the validator', ({ kind, json }) => {
    expect(problems(kind, json)).toEqual([]);
    const { schema } = FILES.find(({ name }) => name === kind)!;
    expect(v.safeParse(schema, json).issues?.map(({ message }) => message)).toBeUndefined();
  });

  const ofKind = (wanted: string) =>
    examples
      .filter(({ kind }) => kind === wanted)
      .map(({ json }) => tempFile('example.json', JSON.stringify(json)));

  test('golden files agree', async () => {
    const { code, out } = await lpae([
      'check',
      ...ofKind('golden-ops'),
      ...ofKind('golden-image'),
      ...ofKind('golden-dma'),
      ...ofKind('golden-creation'),
    ]);
    expect([code, out]).toEqual([0, expect.stringContaining('1..4')]);
  });

  test('map requests do what they expect', async () => {
    for (const file of ofKind('map-request')) expect((await lpae(['map', file])).code).toBe(0);
  });

  test('traces and scatterlists are read', async () => {
    const [first = '', second = ''] = ofKind('bbm-trace');
    expect((await lpae(['bbm', first])).code).toBe(0);
    expect((await lpae(['bbm', second])).code).toBe(0);
    for (const file of ofKind('access-trace'))
      expect((await lpae(['tlb', '--trace', file, '--granule', '4K', '--stages', 's1'])).code).toBe(0);
    for (const file of ofKind('scatterlists')) expect((await lpae(['replay', file])).code).toBe(0);
  });
});

test('what a validator accepts, its JSON Schema accepts: examples with a member changed, dropped or nulled', () => {
  const VALUES: unknown[] = [null, 0, -1, 3, '0x8', '4K', '', true, [], {}, ['0x0', '0x0'], [{}]];
  let accepted = 0;
  for (const { kind, json } of examples) {
    const { schema } = FILES.find(({ name }) => name === kind)!;
    for (const path of pathsIn(json)) {
      for (const value of [undefined, ...VALUES]) {
        const changed = JSON.parse(JSON.stringify(withMember(json, path, value))) as unknown;
        if (!v.safeParse(schema, changed).success) continue;
        accepted++;
        expect([kind, path, value, problems(kind, changed)]).toEqual([kind, path, value, []]);
      }
    }
  }
  expect(accepted).toBeGreaterThan(300);
});

/** The way to each member and item. */
function pathsIn(json: unknown): string[][] {
  if (typeof json !== 'object' || json === null) return [];
  return Object.entries(json).flatMap(([key, value]) => [
    [key],
    ...pathsIn(value).map((path) => [key, ...path]),
  ]);
}

/** A copy in which the member at `path` has another value. */
function withMember(json: unknown, path: readonly string[], value: unknown): unknown {
  const copy = structuredClone(json) as Record<string, unknown>;
  const parent = path.slice(0, -1).reduce((at, key) => at[key] as Record<string, unknown>, copy);
  parent[path.at(-1)!] = value;
  return copy;
}

describe('what is wrong is seen by the schema as well', () => {
  const changed = (kind: string, change: (json: Record<string, unknown>) => void, index = 0) => {
    const json = structuredClone(examples.filter((one) => one.kind === kind)[index]!.json);
    change(json as Record<string, unknown>);
    return problems(kind, json);
  };
  test.each<[string, (json: Record<string, unknown>) => void]>([
    ['map-request', (json) => Object.assign(json, { wibble: 1 })],
    ['map-request', (json) => Object.assign(json, { semantics: 'exactly' })],
    ['map-request', (json) => Object.assign(json, { sg: [['0x1000']] })],
    ['map-request', (json) => Reflect.deleteProperty(json, 'config')],
    ['golden-ops', (json) => Object.assign(json, { tables: [] })],
    ['golden-ops', (json) => Object.assign(json, { kind: 'image' })],
    ['golden-image', (json) => Object.assign(json, { wibble: 1 })],
    ['golden-image', (json) => Object.assign(json, { regime: 'el9' })],
    ['golden-image', (json) => Object.assign(json, { registers: { miar: '0x0' } })],
    ['golden-image', (json) => Object.assign(json, { cpu: { model: 'max', features: ['FEAT_WIBBLE'] } })],
    ['golden-image', (json) => Object.assign(json, { memory: [{ pa: '0x0', words64: { '0x': '0x1' } }] })],
    ['golden-image', (json) => Object.assign(json, { memory: [['0x0']] })],
    ['golden-image', (json) => Object.assign(json, { elsewhere: 'ones' })],
    ['golden-image', (json) => Object.assign(json, { translations: [{ va: 0, access: 'read' }] })],
    ['bbm-trace', (json) => Object.assign(json, { steps: [{ wirte: '0x0', value: '0x0' }] })],
    ['bbm-trace', (json) => Object.assign(json, { stage: 3 })],
    ['access-trace', (json) => Object.assign(json, { addresses: [true] })],
    ['scatterlists', (json) => Object.assign(json, { requests: [{ sg: [] }] })],
    ['register-file', (json) => Object.assign(json, { TCR_EL2: true })],
    ['register-file', (json) => Object.assign(json, { regime: 'el9' })],
  ])('%s: %s', (kind, change) => {
    expect(changed(kind, () => {})).toEqual([]);
    expect(changed(kind, change)).not.toEqual([]);
  });
});

describe('--json', () => {
  const REAL = join(ROOT, 'fixtures/real');
  const UBOOT = join(REAL, 'uboot-arm64-el2.json');
  const OPS = join(ROOT, 'fixtures/linux/arm_64_lpae_s1-4k-exist-beyond-oas-0001.json');
  const example = (kind: string) =>
    tempFile('example.json', JSON.stringify(examples.find((one) => one.kind === kind)!.json));
  const small = ['--granule', '4K', '--stages', 's1'];
  test.each<[string, readonly string[]]>([
    ['map', ['map', OPS]],
    [
      'map',
      [
        'map',
        tempFile(
          'refused.json',
          JSON.stringify({ format: 'arm_v7s', config: { pgsize_bitmap: '4K', ias: 60, oas: 32 }, ops: [] }),
        ),
      ],
    ],
    ['walk', ['walk', UBOOT, '0x40000000', '0x7fff00000000']],
    ['walk', ['walk', UBOOT, '--row', '0']],
    ['dump', ['dump', UBOOT, '--tree']],
    ['dump', ['dump', join(REAL, 'uboot-arm64-el2.ram.gz@0x4000_0000'), '--registers', UBOOT]],
    ['verify', ['verify', tempFile('want.map', '0x0+2M identity r-x\nnever wx'), UBOOT]],
    ['verify', ['verify', tempFile('want.csv', '0x4010000000,256M,DEVICE,PCIe\nrest any'), UBOOT]],
    ['decode', ['decode', '0x0060000040000f47']],
    ['explain', ['explain', 'AF', 'nonsuch']],
    ['explain', ['explain']],
    ['fault', ['fault', 'fsr=0x402, iova=0xffc00000, fsynr=0x11, cb=2']],
    ['fault', ['fault', 'ESR=0x96000007 FAR=0x7fff00000000', '--tables', UBOOT]],
    ['fault', ['fault', '[ffff800012345678] pgd=100000008ffff003, p4d=100000008ffff003, pud=0']],
    ['lint', ['lint', UBOOT]],
    ['lint-rules', ['lint', '--rules']],
    ['lint-spaces', ['lint', UBOOT, join(REAL, 'linux61-a72-rodata-on.json.gz')]],
    ['diff', ['diff', UBOOT, join(REAL, 'linux61-a72-rodata-on.json.gz')]],
    ['compare', ['compare', example('scatterlists'), ...small]],
    ['tlb', ['tlb', '--trace', example('access-trace'), ...small]],
    ['study', ['study', example('scatterlists'), ...small]],
    ['bbm', ['bbm', example('bbm-trace')]],
    ['smmu', ['smmu', example('smmu-trace'), '--minimal']],
    ['check', ['check', OPS, UBOOT, example('scatterlists')]],
    ['replay', ['replay', example('scatterlists')]],
    ['formats', ['formats']],
  ])('of lpae %s: %j', async (kind, args) => {
    const { json } = await lpaeJson([...args]);
    expect(json.schema).toBe(`lpae.${kind}/1`);
    expect(problems(`output-${kind}`, json)).toEqual([]);
  });

  test('of a walk has no member that its schema does not declare, whatever the walk ends in', async () => {
    const seen = new Set<string>();
    const answers = new Set<string>();
    for (const folder of ['arm', 'qemu']) {
      const files = readdirSync(join(ROOT, 'fixtures', folder)).filter((file) => file.endsWith('.json'));
      for (const file of files) {
        const kind = file.replace(/(-\d+k|-\d\d)*\.json$/, '');
        if (seen.has(kind)) continue;
        seen.add(kind);
        const path = join(ROOT, 'fixtures', folder, file);
        const { translations } = load(path) as { translations: { va: string; streamid?: number }[] };
        const addresses = translations.slice(0, 20).map(({ va }) => va);
        const how = translations[0]?.streamid === undefined ? addresses : ['--row', '0'];
        const { json } = await lpaeJson(['walk', path, ...how, '--access', 'write', '--unprivileged']);
        for (const walk of json.walks as { fault?: { kind: string } }[])
          answers.add(walk.fault?.kind ?? 'none');
      }
    }
    expect(seen.size).toBeGreaterThan(30);
    expect([...answers].toSorted()).toEqual(expect.arrayContaining(['none', 'permission', 'translation']));
  });

  test('a member that the schema does not declare is found, however deep it is', () => {
    const { schema } = OUTPUTS.find(({ name }) => name === 'output-walk')!;
    const step = {
      stage: 1,
      level: 3,
      table: '0x0',
      index: 0,
      address: '0x0',
      descriptor: null,
      kind: 'page',
    };
    const walk = { ia: '0x0', access: 'read', privileged: true, ok: true, steps: [{ ...step, wibble: 1 }] };
    const derivation = { pa_bits: 40, stages: [] };
    const json = {
      schema: 'lpae.walk/1',
      name: '',
      regime: '',
      notes: [],
      derivation,
      walks: [walk],
      more: 0,
    };
    expect(undeclared(schema, json)).toEqual(['walks[].steps[].wibble', 'more']);
    expect(undeclared(schema, { ...json, walks: [{ ...walk, steps: [step] }] })).toEqual(['more']);
  });

  test('of every command has a schema and a line in docs/json-output.md', () => {
    const page = readFileSync(join(ROOT, 'docs/json-output.md'), 'utf8');
    for (const { name } of OUTPUTS) expect(page).toContain(`schemas/${name}.schema.json`);
  });
});
