/** What versions of Linux do differently, on the command line: choices of a map request, dirty state, and the list that formats shows. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ROOT } from '../support/public-api.ts';
import { asText, lpae, lpaeJson, tempFile } from './run.ts';

const S1 = { format: 'arm_64_lpae_s1', config: { pgsize_bitmap: '0x40201000', ias: 39, oas: 48 } };
const map = (request: unknown) => lpae(['map', '-'], { stdin: asText(request) });
const mapJson = (request: unknown) => lpaeJson(['map', '-'], { stdin: asText(request) });

const PART = [
  { op: 'map', iova: '2M', paddr: '4M', size: '2M' },
  { op: 'unmap', iova: '2M', size: '4K' },
];
const taken = async (request: object) => {
  const { json } = await mapJson({ ...S1, ops: PART, ...request });
  return [(json.ops as { ret: string }[])[1]!.ret, (json.config as { partial_unmap: string }).partial_unmap];
};

test('linux and partial_unmap, in config or beside it; the more specific choice wins', async () => {
  const { config } = S1;
  expect(await taken({})).toEqual(['0x1000', 'split']);
  expect(await taken({ linux: '6.12' })).toEqual(['0x1000', 'split']);
  expect(await taken({ linux: '7.3' })).toEqual(['0x0', 'refuse']);
  expect(await taken({ config: { ...config, linux: '7.3' } })).toEqual(['0x0', 'refuse']);
  expect(await taken({ config: { ...config, partial_unmap: 'whole' } })).toEqual(['0x200000', 'whole']);
  expect(await taken({ linux: '7.3', partial_unmap: 'split' })).toEqual(['0x1000', 'split']);
  expect(await taken({ linux: '7.3', config: { ...config, partial_unmap: 'split' } })).toEqual([
    '0x1000',
    'split',
  ]);
});

test('two answers to one question are refused', async () => {
  const { code, err } = await map({
    ...S1,
    ops: PART,
    linux: '7.3',
    config: { ...S1.config, linux: '6.12' },
  });
  expect(code).toBe(3);
  expect(err).toContain('linux is 7.3, but config.linux is 6.12: give one of them');
});

test('a version without a row, and a quirk that the named version lacks', async () => {
  expect((await map({ ...S1, ops: [], linux: '5.15' })).err).toContain('linux must be one of 6.12, 7.3');
  const fwb = { ...S1, format: 'arm_64_lpae_s2', ops: [], config: { ...S1.config, quirks: ['arm_s2fwb'] } };
  expect((await map(fwb)).code).toBe(0);
  expect((await map({ ...fwb, linux: '7.3' })).code).toBe(0);
  const { code, out } = await map({ ...fwb, linux: '6.12' });
  expect(code).toBe(1);
  expect(out).toContain('EINVAL: Linux 6.12 has no quirk arm_s2fwb; it knows arm_ns, no_perms');
});

test('concatenation: where the root of stage 2 begins', async () => {
  const root = async (more: object) => {
    const config = { pgsize_bitmap: '0x40201000', ias: 40, oas: 44, ...more };
    const { json } = await mapJson({ format: 'arm_64_lpae_s2', config, ops: [] });
    const [{ level }] = json.tables as [{ level: number }];
    return [level, (json.config as { concatenation: string }).concatenation];
  };
  expect(await root({})).toEqual([1, 'possible']);
  expect(await root({ linux: '7.3' })).toEqual([0, 'mandatory']);
  expect(await root({ concatenation: 'mandatory' })).toEqual([0, 'mandatory']);
});

test('quirk arm_s2fwb: MemAttr 0b0110 for cached memory, and HCR_EL2.FWB; no_warn: nothing', async () => {
  const leaf = async (format: string, quirks: string[]) => {
    const config = { pgsize_bitmap: '0x1000', ias: 32, oas: 40, quirks };
    const ops = [{ op: 'map', iova: 0, paddr: '0x90000000', size: '4K', prot: ['read', 'cache'] }];
    const { json } = await mapJson({ format, config, ops });
    const tables = json.tables as { entries: Record<string, string> }[];
    const { regime, registers } = json.hardware as { regime: string; registers: Record<string, string> };
    return [tables.at(-1)!.entries[0], regime, registers.hcr];
  };
  const plain = '0x000000009000077f';
  const forced = '0x000000009000075b';
  expect(await leaf('arm_64_lpae_s2', ['no_warn'])).toEqual([plain, 'el1&0-s2', undefined]);
  expect(await leaf('arm_64_lpae_s2', ['arm_s2fwb'])).toEqual([forced, 'el1&0-s2', '0x0000400000001001']);
  expect(await leaf('arm_32_lpae_s2', ['no_warn'])).toEqual([plain, 'pl1&0-s2', undefined]);
  // AArch32 has no forced Write-Back: the context is an AArch64 one.
  expect(await leaf('arm_32_lpae_s2', ['arm_s2fwb'])).toEqual([forced, 'el1&0-s2', '0x0000400000001001']);
});

const DIRTY = {
  format: 'arm_64_lpae_s1',
  config: { pgsize_bitmap: '0x40201000', ias: 39, oas: 48, quirks: ['arm_hd'] },
  ops: [
    { op: 'map', iova: '0x10000', paddr: '1M', size: '16K' },
    { op: 'dirty', iova: '0x10000', size: '8K', clear: false, ret: 0, ranges: [['0x10000', '8K']] },
    { op: 'dirty', iova: '0x11000', size: '4K', ret: 0 },
    {
      op: 'dirty',
      iova: '0x10000',
      size: '16K',
      ranges: [
        ['0x10000', '4K'],
        ['0x12000', '8K'],
      ],
    },
    { op: 'dirty', iova: '0x10000', size: '16K', ranges: [] },
    { op: 'map', iova: '0x20000', paddr: '2M', size: '4K' },
    { op: 'dirty', iova: '0x20000', size: '8K', ret: -22, ranges: [['0x20000', '4K']] },
  ],
};

test('dirty: what was written to since it was last cleared, and what was found before a hole', async () => {
  const { code, out } = await map(DIRTY);
  expect(code).toBe(0);
  expect(out).toContain('dirty  IOVA 0x10000, 8K, not cleared  = 0\n  dirty: 0x10000 (8K)\n');
  expect(out).toContain('dirty  IOVA 0x10000, 16K  = 0\n  dirty: 0x10000 (4K), 0x12000 (8K)\n');
  expect(out).toContain('  dirty: nothing\n');
  expect(out).toMatch(/= -22\n {2}dirty: 0x20000 \(4K\)\n {2}EINVAL: nothing is mapped at IOVA 0x21000/);
  const { json } = await mapJson(DIRTY);
  expect((json.ops as object[])[3]).toMatchObject({
    ret: 0,
    ok: true,
    ranges: [
      ['0x10000', '0x1000'],
      ['0x12000', '0x2000'],
    ],
  });
});

test('dirty: other ranges than wanted are no success', async () => {
  const ops = DIRTY.ops.slice(0, 2).map((op) => (op.op === 'dirty' ? { ...op, ranges: [] } : op));
  const { code, out } = await map({ ...DIRTY, ops });
  expect(code).toBe(1);
  expect(out).toContain('dirty: 0x10000 (8K); wanted nothing');
});

test('formats lists the choices of each version', async () => {
  const { out } = await lpae(['formats']);
  const lines = out.replace(/ +/g, ' ').split('\n');
  expect(lines).toContain(
    ' 6.12 (default) split possible arm_ns no_perms arm_mtk_ext arm_mtk_ttbr_ext arm_ttbr1 arm_outer_wbwa arm_hd',
  );
  expect(lines).toContain(' 7.3 refuse mandatory these, arm_s2fwb no_warn');
  const { json } = await lpaeJson(['formats']);
  expect(json.linux).toMatchObject([
    { version: '6.12', partial_unmap: 'split', concatenation: 'possible' },
    { version: '7.3', partial_unmap: 'refuse', concatenation: 'mandatory' },
  ]);
});

describe('tables that hardware of their size can not walk', () => {
  const request = (pgsize_bitmap: string, ias: number, oas: number, more = {}) => ({
    format: 'arm_64_lpae_s2',
    config: { pgsize_bitmap, ias, oas, ...more },
    ops: [{ op: 'map', iova: 0, paddr: '0x90000000', size: '64K' }],
  });

  test.each<[string, number, number, RegExp]>([
    ['0x4000', 40, 40, /SL0 = 0x2: .*; with concatenation "mandatory" the walk would start at level 2, /],
    ['0x1000', 44, 42, /T0SZ = 0x14: .*; with ias 42 and concatenation "mandatory" .* level 1, /],
    ['0x1000', 48, 40, /T0SZ = 0x10: .*; with ias 40 and concatenation "mandatory" .* level 1, /],
  ])(
    'pages of %s, %i bits in and %i out: a warning of map, with the rule and what would do',
    async (...row) => {
      const [size, ias, oas, message] = row;
      const { code, err } = await map(request(size, ias, oas));
      expect(code).toBe(0);
      expect(err).toMatch(/^lpae: warning: hardware of 4[02] PA bits can't walk these tables: VTCR_EL2\./);
      expect(err).toMatch(message);
      const { json } = await mapJson(request(size, ias, oas));
      expect(json.hardware).toMatchObject({ output_bits: oas, pa_bits: oas });
      expect(json.warnings).toMatchObject([{ section: expect.stringContaining('DDI 0487 D8.') }]);
    },
  );

  test('nothing is said where it can', async () => {
    expect((await map(request('0x4000', 40, 40, { linux: '7.3' }))).err).toBe('');
    const { json } = await mapJson(request('0x1000', 40, 40));
    expect(json.warnings).toEqual([]);
  });

  test('walk and lint take the size too; check takes larger hardware, and says so', async () => {
    const file = tempFile('request.json', asText(request('0x4000', 40, 40)));
    expect((await lpae(['walk', file, '0'])).out).toContain(
      'FAULT translation fault, stage 2, level 0, IPA 0x0',
    );
    const { out } = await lpae(['lint', file]);
    expect(out).toContain('register-fault: a register value that stops all translation');
    const larger = 'fixtures/linux73/arm_64_lpae_s2-00206.json';
    const checked = await lpae(['check', larger]);
    expect(checked.code).toBe(0);
    expect(checked.out).toMatch(
      /^ok 1 - .*\n {2}---\n {2}warnings:\n {4}- "hardware of 32 PA bits can't walk these tables: VTCR_EL2\.T0SZ = 0x15/m,
    );
    const { json } = await lpaeJson(['check', larger]);
    expect(json.files).toMatchObject([{ ok: true, warnings: [expect.stringContaining('43 IPA bits')] }]);
  });
});

describe('--profile', () => {
  const ops = [
    { op: 'map', iova: '0', paddr: '1M', size: '64K' },
    { op: 'unmap', iova: '0', size: '4K' },
  ];
  const run = async (profile: string, request: object = { ...S1, ops }) =>
    JSON.parse((await lpae(['map', '-', '--json', '--profile', profile], { stdin: asText(request) })).out);

  test('of a version of Linux is the same as linux', async () => {
    const { json } = await mapJson({ ...S1, ops: PART, linux: '7.3' });
    expect(await run('7.3', { ...S1, ops: PART })).toEqual(json);
    // What the request says itself counts.
    expect((await run('7.3', { ...S1, ops: PART, linux: '6.12' })).config.partial_unmap).toBe('split');
  });

  test('generic_pt: contiguous runs, LPA2, and whole leaves unmapped', async () => {
    const { config, ops: answers, cost } = await run('generic_pt');
    expect(config).toMatchObject({
      pgsize_bitmap: '0x8442211000',
      features: ['contiguous', 'lpa2'],
      partial_unmap: 'whole',
    });
    expect(answers[1].ret).toBe('0x10000');
    expect(cost.leaves).toBe(0);
    const stage2 = await run('generic_pt', { ...S1, format: 'arm_64_lpae_s2', ops: [] });
    expect(stage2.config.concatenation).toBe('mandatory');
    const wide = { ...S1, config: { ...S1.config, pgsize_bitmap: '0x10000' }, ops: [] };
    expect((await run('generic_pt', wide)).config.features).toEqual(['contiguous']);
  });

  test('generic_pt has no format for others', async () => {
    const request = { format: 'arm_v7s', config: { pgsize_bitmap: '0x1000', ias: 32, oas: 32 }, ops: [] };
    const { code, err } = await lpae(['map', '-', '--profile', 'generic_pt'], { stdin: asText(request) });
    expect(code).toBe(2);
    expect(err).toContain('--profile generic_pt is for arm_64_lpae_s1 and arm_64_lpae_s2');
  });
});

describe('docs/linux.md', () => {
  const [, ...sections] = readFileSync(join(ROOT, 'docs/linux.md'), 'utf8').split(/^## /m);
  const spaced = (text: string) => text.replace(/ +/g, ' ');

  test('has a request for each step, or says that there is none', () => {
    expect(sections.length).toBeGreaterThan(20);
    const without = sections.filter((text) => !text.includes('```json map-request'));
    expect(without.filter((text) => !text.includes('No request shows'))).toEqual([]);
  });

  test('goes from version to version', () => {
    const versions = sections.flatMap((text) => {
      const [, major, minor] = /^(?:Between )?(\d)\.(\d+)/.exec(text) ?? [];
      return major === undefined ? [] : [Number(major) * 100 + Number(minor)];
    });
    expect(versions.length).toBeGreaterThan(18);
    expect(versions).toEqual(versions.toSorted((a, b) => a - b));
  });

  test('shows what lpae map prints', async () => {
    let shown = 0;
    for (const text of sections) {
      for (const [, request, lines] of text.matchAll(
        /^```json map-request\n([^`]*)^```\n\n```text\n([^`]*)^```/gm,
      )) {
        const { out } = await lpae(['map', '-'], { stdin: request! });
        for (const line of lines!.trim().split('\n')) expect(spaced(out)).toContain(spaced(line));
        shown++;
      }
    }
    expect(shown).toBeGreaterThan(10);
  });
});
