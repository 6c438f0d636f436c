import { mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { asText, lpae, lpaeJson, tempFile } from './run.ts';

const NAME = 'arm_64_lpae_s1-4k-sg-64k-cpu-0003';
const FILE = `fixtures/linux/${NAME}.json`;
const golden = () =>
  JSON.parse(readFileSync(FILE, 'utf8')) as { ops: { ret: unknown }[]; translations: object[] };

test('a file that agrees', async () => {
  const { code, out, err } = await lpae(['check', FILE]);
  expect(code).toBe(0);
  expect(out).toMatch(new RegExp(`^TAP version 14\n1\\.\\.1\nok 1 - ${NAME} # \\d+ facts\n$`));
  expect(err).toMatch(/^lpae: 1 file agrees; \d+ facts compared in \d+\.\d s\n$/);
});

test('every golden file of Linux agrees', async () => {
  const { code, out } = await lpae(['check', 'fixtures/linux']);
  const files = readdirSync('fixtures/linux').length;
  expect(out).not.toContain('not ok');
  expect(out.match(/^ok /gm)).toHaveLength(files);
  expect(code).toBe(0);
});

test('a file that differs: the place, what was wanted and what was got', async () => {
  const changed = golden();
  changed.ops[0]!.ret = -22;
  const file = tempFile('changed.json', asText(changed));
  const { code, out, err } = await lpae(['check', FILE, file]);
  expect(code).toBe(1);
  expect(out).toContain(`ok 1 - ${NAME} # `);
  expect(out).toMatch(new RegExp(`^not ok 2 - ${NAME} # \\d+ facts\n {2}---\n {2}message: `, 'm'));
  expect(out).toMatch(/ {4}- where: .*ops\[0\].*\n {6}wanted: .*-22.*\n {6}got: .*0x250000/);
  expect(out.endsWith('  ...\n')).toBe(true);
  expect(err).toMatch(/^lpae: 1 file agrees, 1 file differs; /);
});

test('many differences are cut at ten', async () => {
  const changed = golden();
  changed.translations = Array.from({ length: 13 }, (_, i) => ({ iova: `0x${i}000`, pa: '0x123000' }));
  const { out } = await lpae(['check', tempFile('changed.json', asText(changed))]);
  expect(out.match(/- where:/g)).toHaveLength(10);
  expect(out).toMatch(/# … and \d+ more/);
});

test.each<[string, string | Uint8Array, string]>([
  ['cut off', readFileSync(FILE, 'utf8').slice(0, 300), 'not JSON'],
  ['half a gzip', gzipSync(readFileSync(FILE)).subarray(0, 100), 'incomplete or damaged gzip data'],
  ['not golden', '{}', 'kind: undefined is not a kind'],
  ['a wrong type', asText({ ...golden(), ops: 7 }), 'ops'],
  [
    'an image with a member that nobody would judge',
    readFileSync('fixtures/arm/mte-el1-0-4k.json', 'utf8').replace('"ttbr0"', '"ttbr0_hi":"0x1","ttbr0"'),
    'registers.ttbr0_hi: not modelled yet: 128-bit descriptors (FEAT_D128)',
  ],
  ['an unknown format', asText({ ...golden(), format: 'arm_v9' }), 'arm_v9'],
])('exit code 3, and the others are checked: %s', async (_, content, reason) => {
  const file = tempFile('bad.json', content);
  const { code, out, err } = await lpae(['check', file, FILE]);
  expect(code).toBe(3);
  expect(out).toContain(`not ok 1 - ${file}\n  ---\n  message: `);
  expect(out).toContain(reason);
  expect(out).toContain(`\nok 2 - ${NAME}`);
  expect(err).toContain("1 file can't be checked");
});

test('3 wins over 1', async () => {
  const changed = golden();
  changed.ops[0]!.ret = -22;
  const { code } = await lpae(['check', tempFile('changed.json', asText(changed)), '/nowhere.json']);
  expect(code).toBe(3);
});

test('gzip, stdin, and directories, whose other files are not passed over in silence', async () => {
  const zipped = gzipSync(readFileSync(FILE));
  const file = tempFile('a.json.gz', zipped);
  const folder = dirname(file);
  mkdirSync(join(folder, 'deeper'));
  writeFileSync(join(folder, 'deeper', 'b.json'), readFileSync(FILE));
  writeFileSync(join(folder, 'README.md'), '');
  const { code, out, err } = await lpae(['check', folder, '-'], { stdin: zipped });
  expect(code).toBe(0);
  expect(out).toContain('1..3\n');
  expect(err).toContain('1 file without .json or .json.gz left out');
  expect((await lpae(['check', join(folder, 'deeper'), '/nowhere'])).code).toBe(3);
});

test('a directory without golden files is no success', async () => {
  const folder = dirname(tempFile('notes.txt', ''));
  expect((await lpae(['check', folder])).code).toBe(3);
});

test('--json', async () => {
  const changed = golden();
  changed.ops[0]!.ret = -22;
  const file = tempFile('changed.json', asText(changed));
  const { code, json } = await lpaeJson(['check', FILE, file, '/nowhere.json']);
  expect(code).toBe(3);
  expect(json).toMatchObject({
    schema: 'lpae.check/1',
    agree: 1,
    differ: 1,
    unsupported: 1,
    files: [
      { file: FILE, name: NAME, ok: true, differences: [] },
      { file, name: NAME, ok: false },
      { file: '/nowhere.json', ok: false, reason: '/nowhere.json: no such file' },
    ],
  });
});

test('a file of gigabytes is refused by its size, and the others are checked', async () => {
  const file = tempFile('large.json', '{');
  truncateSync(file, 1_700_000_000);
  const { code, out } = await lpae(['check', file, FILE]);
  expect(code).toBe(3);
  expect(out).toMatch(
    /message: ".*large\.json: this file has 1\.7 GB; a JSON document of at most \d+(\.\d+)? .iB is read/,
  );
  expect(out).toContain(`ok 2 - ${NAME}`);
});

test('more leaves than memory holds: a message, and exit code 3', async () => {
  const many = {
    ...golden(),
    ops: [{ op: 'map', iova: '0x0', paddr: '0x1000', size: '0x800000000000', prot: ['read'], ret: 0 }],
  };
  const { code, out } = await lpae(['check', tempFile('many.json', asText(many))]);
  expect(code).toBe(3);
  expect(out).toMatch(
    /message: "ops: they make [\d,]+ leaves, more than memory holds here: about [\d,]+ can be compared"/,
  );
});

test('a known difference from Linux is named beside the difference', async () => {
  const { config, ...file } = golden() as unknown as { config: object };
  const ops = [
    { op: 'map', iova: '0x0', paddr: '0x200000', size: '0x200000', prot: ['read'], ret: 0 },
    { op: 'unmap', iova: '0x0', size: '0x40000000', ret: '0x0' },
  ];
  const changed = { ...file, config: { ...config, ias: 30 }, ops, translations: [] };
  const { code, out } = await lpae(['check', tempFile('known.json', asText(changed))]);
  expect(code).toBe(1);
  expect(out).toContain(
    '      known: "ops[1] unmap: Linux answers 0x0 here since it chooses a page size that the table has no level for"',
  );
});
