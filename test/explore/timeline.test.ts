/** Operations step by step: the words that each wrote, in order, add up to the tables; what is owed is what lpae bbm says. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseRequest } from '../../src/cli/input/request.ts';
import { play, timedOf } from '../../src/explore/playground.ts';
import { PRESETS, REQUESTS } from '../../src/explore/presets.ts';
import { tablesAfter, timelineOf } from '../../src/explore/timeline.ts';
import { IommuError } from '../../src/pagetable/errors.ts';
import { lpaeJson, tempFile } from '../cli/run.ts';
import { rounds } from '../support/rounds.ts';

const timed = (name: string) => parseRequest(REQUESTS.find((one) => one.name === name)!.request, name);

test('a page mapped anew: each word at its place, in the order of the stores', () => {
  const { ops } = timelineOf(timed('mapped anew'), false);
  expect(ops.map(({ words }) => words.map(({ pa, before, after }) => [pa, before, after]))).toEqual([
    [
      [0x8000_0000n, 0n, 0x8000_1003n],
      [0x8000_1000n, 0n, 0x8000_2003n],
      [0x8000_2400n, 0n, 0x8000_3003n],
      [0x8000_3000n, 0n, 0x9_0000_0e43n],
      [0x8000_3008n, 0n, 0x9_0000_1e43n],
      [0x8000_3010n, 0n, 0x9_0000_2e43n],
    ],
    [[0x8000_3008n, 0x9_0000_1e43n, 0n]],
    [[0x8000_3008n, 0n, 0x9_4000_0e43n]],
    [
      [0x8000_3000n, 0x9_0000_0e43n, 0n],
      [0x8000_3008n, 0x9_4000_0e43n, 0n],
      [0x8000_3010n, 0x9_0000_2e43n, 0n],
    ],
  ]);
});

test('an invalidation is owed from the unmap on, unless Linux makes it', () => {
  const owed = (sync: boolean) =>
    timelineOf(timed('mapped anew'), sync).ops.map(({ owed }) =>
      owed.map(({ from, size, tlbi }) => [from, size, tlbi[0]!.operation]),
    );
  expect(owed(false)).toEqual([
    [],
    [[0x1000_1000n, 0x1000n, 'VALE1IS']],
    [[0x1000_1000n, 0x1000n, 'VALE1IS']],
    [[0x1000_0000n, 0x3000n, 'RVALE1IS']],
  ]);
  expect(owed(true)).toEqual([[], [], [], []]);
});

test('a block is split from the inside: the table is whole before a walk can get to it', () => {
  const { words } = timelineOf(timed('a block is split'), false).ops[1]!;
  expect(words).toHaveLength(512);
  expect(words.at(-1)).toEqual({ pa: 0x8000_2400n, before: 0x9_4000_0e41n, after: 0x8000_3003n });
  expect(words.some(({ pa }) => pa === 0x8000_3000n + 0x80n * 8n)).toBe(false);
});

test('formats of other descriptors have words, and a reason why nothing judges them', () => {
  const { ops, unjudged } = timelineOf(
    parseRequest(
      {
        format: 'arm_v7s',
        config: { pgsize_bitmap: '0x01111000', ias: 32, oas: 32 },
        ops: [{ op: 'map', iova: '0x100000', paddr: '0x80000000', size: '0x1000', prot: ['read'] }],
      },
      'a request',
    ),
    false,
  );
  expect(unjudged).toContain('VMSAv8-64');
  expect(ops[0]!.words.length).toBeGreaterThan(0);
  expect(ops[0]!.verdicts).toEqual([]);
});

test('the playground is a request of one operation, which leads to the same tables', () => {
  for (const { playground } of PRESETS) {
    const { error, tables } = play(playground);
    expect(tablesAfter(timedOf(playground), 0).counts.leaves).toBe(0);
    if (error === undefined) expect(tablesAfter(timedOf(playground), 1).tables).toEqual(tables);
  }
});

test('a configuration that its format refuses is refused', () => {
  const request = parseRequest(
    { format: 'arm_64_lpae_s1', config: { pgsize_bitmap: '0x8000', ias: 48, oas: 48 }, ops: [] },
    'a request',
  );
  expect(() => timelineOf(request, false)).toThrow(IommuError);
});

test('break-before-make is what lpae bbm says', async () => {
  for (const sync of [false, true]) {
    const { request } = REQUESTS.find(({ name }) => name === 'tables come and go')!;
    const { ops, judge } = timelineOf(parseRequest(request, 'a request'), sync);
    const file = tempFile('request.json', JSON.stringify(request));
    const { json } = await lpaeJson(['bbm', file, ...(sync ? ['--sync'] : [])]);
    expect((json.steps as unknown[]).length).toBe(ops.flatMap(({ verdicts }) => verdicts).length);
    expect((json.owed as unknown[]).length).toBe(judge!.owed().length);
  }
});

describe("Linux's own operations, step by step", () => {
  const folder = 'fixtures/linux';
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
  const golden = files.flatMap((file) => {
    const json = JSON.parse(readFileSync(`${folder}/${file}`, 'utf8')) as { kind?: string };
    return json.kind === 'ops' ? [{ file, json }] : [];
  });

  test('the words of all steps, written to empty memory, are its tables', () => {
    expect(golden.length).toBeGreaterThan(100);
    const every = golden.length / rounds(24, golden.length);
    for (const [i, { file, json }] of golden.entries()) {
      if (Math.floor(i % every) > 0) continue;
      const request = parseRequest(json, file);
      // Hundreds of thousands of pages one by one are the matter of other tests.
      if (request.ops.some((op) => 'size' in op && op.size > BigInt(rounds(2 ** 21, 2 ** 30)))) continue;
      const { ops } = timelineOf(request, false);
      const memory = new Map<bigint, bigint>();
      const wrong: string[] = [];
      for (const { pa, before, after } of ops.flatMap(({ words }) => words)) {
        if ((memory.get(pa) ?? 0n) !== before) wrong.push(`${pa} was ${before}`);
        memory.set(pa, after);
      }
      const { domain, tables } = tablesAfter(request, ops.length);
      const wide = domain.format.entries.wordsPerEntry === 2;
      for (const { pa, entries } of tables) {
        for (const { index, descriptor } of entries) {
          const at = pa + BigInt(index) * (wide ? 8n : 4n);
          const word = memory.get(at & ~7n) ?? 0n;
          const written = wide ? word : (word >> (8n * (at & 4n))) & 0xffff_ffffn;
          if (written !== descriptor) wrong.push(`${at} is ${descriptor}`);
        }
      }
      expect([file, wrong]).toEqual([file, []]);
    }
  });
});
