/** `lpae study`: conclusions, JSON, a report that is written, and what is refused. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lpae, lpaeJson } from './run.ts';

const SMALL = [
  '--workload',
  'gpu',
  '--size',
  '4M',
  '--stages',
  's1',
  '--entries',
  '16,64',
  '--accesses',
  '1K',
];

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'lpae-study-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test('prints conclusions, and exits with 0 where something maps', async () => {
  const { code, out, err } = await lpae(['study', ...SMALL]);
  expect([code, err]).toEqual([0, '']);
  expect(out).toMatch(/^gpu\n {2}Do large buffers/);
  expect(out).toContain('Does it map?\n- The request maps on a granule of 4K, 16K and 64K.\n');
  expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(96);
});

test('reads numbers as they are read everywhere', async () => {
  const { code, json } = await lpaeJson(['study', ...SMALL, '--traces', 'random', '--seed', '1K']);
  expect([code, json.interrupted]).toEqual([0, false]);
});

test('exits with 1 where nothing maps everything', async () => {
  const { code, out } = await lpae(['study', '--workload', 'odd-start', '--size', '1M', '--cpu', '4K']);
  expect(code).toBe(1);
  expect(out).toContain('A granule of 4K refuses all');
});

test('as JSON: conclusions, the comparison, TLBs', async () => {
  const { code, json } = await lpaeJson([
    'study',
    ...SMALL,
    '--granule',
    '4K',
    '--sizes',
    'blocks',
    '--cpu',
    '4K',
  ]);
  expect(code).toBe(0);
  expect(json).toMatchObject({
    schema: 'lpae.study/1',
    interrupted: false,
    comparison: { workload: 'gpu', lists: [{ cpu_page_size: '0x1000', combinations: [{ stage: 's1' }] }] },
    lists: [
      {
        cpu_page_size: '0x1000',
        best: { granule: '0x1000', sizes: 'blocks', stage: 's1' },
        tlb: [
          { trace: 'device', tlb: { entries: 16 }, accesses: 1024 },
          { trace: 'device', tlb: { entries: 64 } },
          { trace: 'random', tlb: { entries: 16 } },
          { trace: 'random', tlb: { entries: 64 } },
        ],
      },
    ],
  });
  expect(json.conclusions).toContainEqual({
    about: 'maps',
    cpu_page_sizes: ['0x1000'],
    text: 'The request maps on a granule of 4K.',
  });
});

describe('--report', () => {
  test('writes a page, and says so', async () => {
    const file = join(directory, 'gpu.html');
    const { code, err } = await lpae(['study', ...SMALL, '--report', file]);
    expect([code, err]).toEqual([0, `lpae: wrote ${file}\n`]);
    const page = readFileSync(file, 'utf8');
    expect(page).toMatch(/^<!doctype html>\n<html lang="en">/);
    expect(page).toContain('The request maps on a granule of 4K, 16K and 64K.');
    expect(page).toContain(
      `lpae study --workload gpu --size 4M --stages s1 --entries 16,64 --accesses 1K --report ${file}`,
    );
    // Addresses of the web are names of things at most, never loaded.
    expect([...page.matchAll(/\b(?:src|href)="([^"#][^"]*)"/g)].map(([, url]) => url)).toEqual([]);
  });

  test('to stdout, and nothing else there', async () => {
    const { code, out, err } = await lpae(['study', ...SMALL, '--report', '-']);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/^<!doctype html>.*<\/html>\n$/s);
    const both = await lpae(['study', ...SMALL, '--report', '-', '--json']);
    expect(both).toMatchObject({ code: 2, out: '' });
  });

  test('of a file, whose name can be anything', async () => {
    const file = join(directory, "a 'b' <c>.json");
    const sg = [['0x900000000', '2M']];
    const request = {
      format: 'arm_64_lpae_s1',
      config: { pgsize_bitmap: '0x1000', ias: 48, oas: 48 },
      iova: '0x10000000',
      sg,
    };
    writeFileSync(file, JSON.stringify(request));
    const report = join(directory, 'file.html');
    expect(await lpae(['study', file, '--stages', 's1', '--report', report])).toMatchObject({ code: 0 });
    const page = readFileSync(report, 'utf8');
    expect(page).not.toContain('<c>');
    expect(page).toContain('a &#39;\\&#39;&#39;b&#39;\\&#39;&#39; &lt;c&gt;.json&#39;');
  });

  test('not over a file that is there, and nothing is measured for it', async () => {
    const file = join(directory, 'there.html');
    writeFileSync(file, 'mine');
    const refused = await lpae(['study', ...SMALL, '--report', file]);
    expect(refused).toMatchObject({ code: 2, out: '' });
    expect(refused.err).toContain('already exists');
    expect(readFileSync(file, 'utf8')).toBe('mine');
    expect(await lpae(['study', ...SMALL, '--report', file, '--force'])).toMatchObject({ code: 0 });
    expect(readFileSync(file, 'utf8')).toContain('<!doctype html>');
  });

  test('of lists that map no byte, beside one that does', async () => {
    const file = join(directory, 'empty.json');
    const ops = [
      { op: 'map_sg', iova: '0x10000000', sg: [['0x900000000', '8K']] },
      { op: 'map_sg', iova: '0x10001000', sg: [0, 0, 0].map(() => ['0x900000000', '0']) },
    ];
    const config = { pgsize_bitmap: '0x1000', ias: 48, oas: 48 };
    writeFileSync(file, JSON.stringify({ format: 'arm_64_lpae_s1', config, ops }));
    const report = join(directory, 'empty.html');
    const { code, err } = await lpae(['study', file, '--granule', '4K', '--report', report]);
    expect([code, err]).toEqual([0, `lpae: wrote ${report}\n`]);
    expect(readFileSync(report, 'utf8')).toContain('What the tables look like');
  });

  test('nowhere', async () => {
    const file = join(directory, 'no', 'where.html');
    const { code, out, err } = await lpae(['study', ...SMALL, '--report', file]);
    expect([code, out, existsSync(file)]).toEqual([2, '', false]);
    expect(err).toContain('its directory must exist');
    expect((await lpae(['study', ...SMALL, '--report', directory])).err).toContain('it is a directory');
    expect((await lpae(['study', ...SMALL, '--report', ''])).err).toContain('takes the name of a file');
  });
});

test.each([
  [['study'], 'give either a file or --workload'],
  [['study', ...SMALL, '--traces', 'sideways'], "'sideways' is not one of device, sequential, random"],
  [['study', ...SMALL, '--stages', 's3'], "'s3' is not one of s1, s2, nested"],
  [['study', ...SMALL, '--force'], '--report, which is not given'],
  [['study', ...SMALL, '--seed', 'x'], "'x' is not a whole number"],
  [['study', ...SMALL, '--entries', '6'], '6 entries of 4 ways'],
])('%j is wrong usage', async (args, says) => {
  const { code, out, err } = await lpae(args);
  expect([code, out]).toEqual([2, '']);
  expect(err).toContain(says);
});
