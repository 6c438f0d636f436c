/** `--svg` and `--picture` of studies: charts instead of the table, and options that can't be combined. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { all, expectSound } from '../draw/check.ts';
import { lpae, lpaeJson } from './run.ts';

const COMPARE = ['compare', '--workload', 'fragmented', '--size', '1M', '--cpu', '4K,64K'];
const TLB = ['tlb', '--accesses', '2000', '--footprint', '4M', '--entries', '16,64', '--granule', '4K'];
const STUDIES = [
  [COMPARE, 'fragmented', 'Does it map?'],
  [TLB, 'TLB hits and walks', 'How often does the TLB miss? 4K granule.'],
] as const;
let directory: string;
let files = 0;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'lpae-charts-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const newFile = () => join(directory, `${++files}.svg`);

test.each(STUDIES)('%j --svg FILE writes all charts in place of text', async (args, title, first) => {
  const file = newFile();
  const ran = await lpae([...args, '--svg', file]);
  expect(ran).toEqual({ code: 0, out: '', err: `lpae: wrote ${file}\n` });
  const root = expectSound(readFileSync(file, 'utf8'));
  expect(root.children[0]!.text).toBe(title);
  const charts = all(root, 'g').filter(({ children }) => children[1]?.name === 'desc');
  expect(charts[0]!.children[0]!.text).toBe(first);
  expect(charts.length).toBeGreaterThan(2);
  expect(await lpae([...args, '--svg', '-'])).toEqual({ code: 0, err: '', out: readFileSync(file, 'utf8') });
});

test.each(STUDIES)('%j --picture prints them in 80 columns', async (args, title, first) => {
  const plain = await lpae([...args, '--picture']);
  expect([plain.code, plain.err]).toEqual([0, '']);
  const lines = plain.out.split('\n');
  expect(lines[0]).toBe(title);
  expect(lines).toContain(first);
  expect(lines.filter((line) => [...line].length > 80)).toEqual([]);
  expect((await lpae([...args, '--picture'], { tty: true })).out).toContain('\u001b[');
});

test.each(STUDIES)('%j --json and --svg FILE go together', async (args) => {
  const file = newFile();
  const { json, code } = await lpaeJson([...args, '--svg', file]);
  expect([code, json.interrupted]).toEqual([0, false]);
  expectSound(readFileSync(file, 'utf8'));
});

test.each(STUDIES)('%j: what does not go together is said before any work', async (args) => {
  const refused = async (...more: string[]) => {
    const { code, out, err } = await lpae([...args, ...more]);
    expect([code, out]).toEqual([2, '']);
    return err;
  };
  expect(await refused('--svg', '-', '--json')).toContain('--svg - and --json both want stdout');
  expect(await refused('--picture', '--json')).toContain('--picture needs stdout for itself');
  expect(await refused('--picture', '--svg', '-')).toContain('--picture needs stdout for itself');
  expect(await refused('--force')).toContain('--force overwrites the file of --svg');
});

test('a list that no combination maps gives exit code 1, and the charts say why', async () => {
  const { code, out } = await lpae([
    'compare',
    '--workload',
    'odd-start',
    '--size',
    '1M',
    '--cpu',
    '4K',
    '--picture',
  ]);
  expect(code).toBe(1);
  expect(out).toMatch(/\(1\) +Request 0: EINVAL: entry 0 /);
});

test('one combination makes no charts of TLBs, which is said', async () => {
  const args = [
    'tlb',
    '--accesses',
    '2000',
    '--granule',
    '4K',
    '--sizes',
    'pages',
    '--stages',
    's1',
    '--entries',
    '16',
  ];
  const file = newFile();
  const ran = await lpae([...args, '--svg', file, '--picture']);
  expect(ran.code).toBe(0);
  expect(ran.err).toContain('there is nothing to compare in charts');
  expectSound(readFileSync(file, 'utf8'));
  expect(existsSync(file)).toBe(true);
});
