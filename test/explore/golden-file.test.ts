/** Golden files that the explorer saves: `lpae check` accepts them, and what they can't say is told. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseRequest } from '../../src/cli/input/request.ts';
import { goldenFileOf, NoGoldenFileError } from '../../src/explore/golden-file.ts';
import { type Playground, play, timedOf } from '../../src/explore/playground.ts';
import { PRESETS, REQUESTS } from '../../src/explore/presets.ts';
import { lpae, lpaeJson, tempFile } from '../cli/run.ts';
import { rounds } from '../support/rounds.ts';
import { question } from './questions.ts';

interface Golden {
  readonly ops: readonly Record<string, unknown>[];
  readonly tables: readonly { entries: Record<string, string> }[];
  readonly translations: readonly { iova: string; pa: string | null }[];
  readonly config: Record<string, unknown>;
}

const golden = (json: object, count?: number) =>
  goldenFileOf(parseRequest(json, 'a request'), count) as Golden;
const preset = (name: string) => PRESETS.find((one) => one.name === name)!.playground;

async function expectAgrees(file: object): Promise<void> {
  const { code, out } = await lpae(['check', tempFile('golden.json', JSON.stringify(file))]);
  expect([code, code === 0 ? '' : out]).toEqual([0, '']);
}

test('random questions: lpae check agrees, or the file is refused where a golden file can not ask it', async () => {
  let saved = 0;
  await fc.assert(
    fc.asyncProperty(question, async (asked) => {
      try {
        await expectAgrees(goldenFileOf(timedOf(asked)));
        saved++;
      } catch (error) {
        if (!(error instanceof NoGoldenFileError)) throw error;
        expect(play(asked).error).toBeDefined();
        expect(asked.semantics).not.toBe('exact');
        expect(error.message).toMatch(/^ops\[0\]: golden files have Linux's map_sg alone, and .* refuses/);
      }
    }),
    { numRuns: rounds(50, 500) },
  );
  expect(saved).toBeGreaterThan(10);
}, 60_000);

test('requests of several operations, at every moment', async () => {
  for (const { request } of REQUESTS) {
    const { ops } = parseRequest(request, 'a request');
    for (let count = 0; count <= ops.length; count++) {
      const file = golden(request, count);
      expect(file.ops).toHaveLength(count);
      await expectAgrees(file);
    }
  }
});

test('one page, word by word; a wrong word is found', async () => {
  const file = golden({
    format: 'arm_64_lpae_s1',
    config: { pgsize_bitmap: '0x1000', ias: 39, oas: 40 },
    ops: [
      { op: 'map', iova: '0x1000', paddr: '0x90000000', size: '0x1000', prot: ['read'] },
      { op: 'map', iova: '0x1000', paddr: '0x90000000', size: '0x1000', prot: ['read'] },
      { op: 'unmap', iova: '0x2000', size: '0x1000' },
      { op: 'iova_to_phys', iova: '0x1234' },
    ],
  });
  expect(file).toMatchObject({ schema: 'pgtable-golden/1', kind: 'ops', producer: 'lpae' });
  expect(file.ops.map(({ ret }) => ret)).toEqual([0, -17, 0, '0x90000234']);
  expect(file.tables.map(({ entries }) => entries)).toEqual([
    { 0: '0x80001003' },
    { 0: '0x80002003' },
    { 1: '0x90000ec3' },
  ]);
  expect(file.translations).toEqual([
    { iova: '0x1000', pa: '0x90000000' },
    { iova: '0x1fff', pa: '0x90000fff' },
    { iova: '0x2000', pa: null },
    { iova: '0x1234', pa: '0x90000234' },
  ]);
  await expectAgrees(file);
  const wrong = JSON.stringify(file).replace('0x90000ec3', '0x90000e43');
  const { code, json } = await lpaeJson(['check', tempFile('wrong.json', wrong)]);
  expect(code).toBe(1);
  expect(JSON.stringify(json)).toContain('AP');
});

test('a list that is rounded to CPU pages is the calls that were made for it', async () => {
  const asked: Playground = preset('over-mapped');
  const { ops } = goldenFileOf(timedOf(asked)) as Golden;
  expect(ops.map(({ op, iova, size }) => [op, iova, size])).toEqual([
    ['map', '0x10000000', '0x10000'],
    ['map', '0x10010000', '0x20000'],
  ]);
});

test('where the CPU page size decided on the granule, the file says it', async () => {
  const map = { op: 'map', iova: '0x0', paddr: '0x90000000', size: '0x10000', prot: ['read'] };
  const config = { pgsize_bitmap: '0x11000', ias: 48, oas: 48 };
  const file = golden({ format: 'arm_64_lpae_s1', config, cpu_page_size: '0x10000', ops: [map] });
  expect(file.config.granule).toBe('0x10000');
  await expectAgrees(file);
});

describe('what a golden file can not say', () => {
  const config = { pgsize_bitmap: '0x1000', ias: 39, oas: 40 };
  const map = { op: 'map', iova: '0x1000', paddr: '0x90000000', size: '0x1000', prot: ['read'] };
  const good = { format: 'arm_64_lpae_s1', config, ops: [map] };
  const sg = { op: 'map_sg', iova: '0x0', sg: [['0x20000000000000', '0x1000']], prot: ['read'] };
  test.each<[string, object, RegExp]>([
    ['a regime', { ...good, config: { ...config, regime: 'el2' } }, /no regime, which is el2 here/],
    ['reserved ranges', { ...good, reserved: [['0x8000', '0x1000']] }, /no reserved ranges/],
    ['more than flags', { ...good, ops: [{ ...map, prot: { read: true, device: 'GRE' } }] }, /device is not/],
    [
      'little memory',
      { ...good, ram: { base: '0x80000000', size: '0x1000' } },
      /^ops\[0\]: memory for tables ran/,
    ],
    ['a high PA', { ...good, ops: [sg] }, /^ops\[0\]: its list has a PA from 2\^53 on/],
  ])('%s', (_, json, message) => {
    expect(() => golden(json)).toThrow(NoGoldenFileError);
    expect(() => golden(json)).toThrow(message);
  });
});
