/** `--svg` and `--picture` of the command line: where pictures go, what is refused, what else is written. */
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { asText, lpae, lpaeJson, REQUEST, tempFile } from '../cli/run.ts';
import { all, expectSound } from './check.ts';

const request = tempFile('request.json', asText(REQUEST));
const newFile = () => join(mkdtempSync(join(tmpdir(), 'lpae-')), 'out.svg');
const title = (svg: string) => expectSound(svg).children[0]!.text;

test.each([
  [['dump', request], /^Address space of /],
  [['dump', request, '--tree'], /^Tables of /],
  [
    ['decode', '0x0060000040000f47', '--stage', '1', '--level', '3', '--granule', '4K'],
    /^0x0060000040000f47: arm_64_lpae_s1$/,
  ],
])('%j --svg FILE writes it in place of text', async (args, wanted) => {
  const file = newFile();
  const ran = await lpae([...args, '--svg', file]);
  expect(ran).toEqual({ code: 0, out: '', err: `lpae: wrote ${file}\n` });
  expect(title(readFileSync(file, 'utf8'))).toMatch(wanted);
  const toStdout = await lpae([...args, '--svg', '-']);
  expect(toStdout).toEqual({ code: 0, err: '', out: readFileSync(file, 'utf8') });
});

test('a file is not overwritten without --force', async () => {
  const file = newFile();
  writeFileSync(file, 'mine');
  const refused = await lpae(['dump', request, '--svg', file]);
  expect(refused).toEqual({
    code: 2,
    out: '',
    err: `lpae: ${file} already exists\n      --force overwrites it\n`,
  });
  expect(readFileSync(file, 'utf8')).toBe('mine');
  expect((await lpae(['dump', request, '--svg', file, '--force'])).code).toBe(0);
  expectSound(readFileSync(file, 'utf8'));
});

test.each([
  [['dump', request, '--svg', '-', '--json'], '--svg - and --json both want stdout'],
  [['dump', request, '--picture', '--json'], '--picture needs stdout for itself'],
  [['dump', request, '--picture', '--svg', '-'], '--picture needs stdout for itself'],
  [['dump', request, '--force'], '--force overwrites the file of --svg, which is not given'],
  [['decode', '0x1', '0x2', '--svg', '-'], '--svg draws one descriptor, not 2'],
  [
    ['decode', '0x100000000', '--format', 'arm_v7s', '--svg', '-'],
    '0x0000000100000000 is wider than an entry of this format',
  ],
  [['dump', request, '--svg', join(tmpdir(), 'no-such-directory', 'a.svg')], "can't be written (ENOENT)"],
  [['dump', request, '--svg', tmpdir(), '--force'], "can't be written (EISDIR)"],
])('%j is wrong usage', async (args, message) => {
  const { code, out, err } = await lpae(args);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toContain(message);
  expect(err.trim().split('\n').length).toBeLessThanOrEqual(2);
});

test('--json and --svg FILE go together', async () => {
  const file = newFile();
  const { json } = await lpaeJson(['dump', request, '--svg', file]);
  expect(json).toMatchObject({ ranges: [{ first: '0x10000000' }, { first: '0x1000c000' }] });
  expectSound(readFileSync(file, 'utf8'));
  const tree = newFile();
  expect((await lpaeJson(['dump', request, '--tree', '--svg', tree])).json).toHaveProperty('tables');
  expect(title(readFileSync(tree, 'utf8'))).toMatch(/^Tables/);
});

test('what --has and --reverse leave out is not drawn as unmapped, and exit codes stay', async () => {
  const { out } = await lpae(['dump', request, '--svg', '-', '--reverse', '0x940002000']);
  expect(out).toContain('not listed');
  expect(out).not.toContain('not mapped');
  const none = await lpae(['dump', request, '--svg', newFile(), '--reverse', '0x1000']);
  expect(none.code).toBe(1);
});

test('--range draws a part', async () => {
  const { out } = await lpae(['dump', request, '--picture', '--range', '0x1000_0000..0x1000_2000']);
  expect(out.split('\n').slice(0, 3)).toEqual([
    '0x10000000-0x10001fff  el1&0',
    '1 range, 8.00 KiB mapped',
    '0x10000000  █  8K  rw- rwx WB  -> 0x900000000',
  ]);
});

test('--picture in a terminal has colours, and both kinds fit 80 columns', async () => {
  const plain = await lpae(['dump', request, '--tree', '--picture']);
  expect(plain.out).toContain('L3  ');
  const coloured = await lpae(['dump', request, '--tree', '--picture'], { tty: true });
  expect(coloured.out).toContain('\u001b[');
  for (const line of plain.out.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
});

test('of several readings the likeliest is drawn, and that is said; an invalid one has exit code 1', async () => {
  const many = await lpae(['decode', '0x0060000040000f47', '--svg', '-']);
  expect(many.code).toBe(0);
  expect(many.err).toMatch(
    /^lpae: the drawing shows the likeliest of \d+ readings: stage 1 level 3 page, 4K granule\n$/,
  );
  const invalid = await lpae([
    'decode',
    '0x0',
    '--level',
    '3',
    '--stage',
    '1',
    '--granule',
    '4K',
    '--svg',
    '-',
  ]);
  expect(invalid.code).toBe(1);
  expectSound(invalid.out);
});

test('MAIR says the memory type in the picture too', async () => {
  const { out } = await lpae([
    'decode',
    '0x40000000000f45',
    '--granule',
    '64K',
    '--mair',
    '0xff440c0400',
    '--svg',
    '-',
  ]);
  const said = all(expectSound(out), 'text').map(({ text }) => text);
  expect(said.join(' ')).toMatch(/0x04, Device/);
});

test('nothing is written where the input is not there', async () => {
  const file = newFile();
  expect((await lpae(['dump', '/no/such/file', '--svg', file])).code).toBe(3);
  expect(existsSync(file)).toBe(false);
});
