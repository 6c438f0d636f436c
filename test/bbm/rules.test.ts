/** Every rule as a trace of literal descriptors, by machine and FEAT_BBM level. (DDI 0487 D8.17.1, D8.17.2, D8.7.1.1; IHI 0070 3.21.1.) */
import { describe, expect, test } from 'vitest';
import { judgeTrace, type TraceContext, type TraceStep, type WriteVerdict } from '../../src/bbm/index.ts';

// Level 1 at 0x4000_0000, level 2 at 0x4000_1000, level 3 at 0x4000_2000; free tables at 0x4000_3000 and 0x4000_4000.
const L2 = 0x4000_1000n;
const L3 = 0x4000_2000n;
const FREE = 0x4000_3000n;
const TABLE_L3 = 0x4000_2003n;
const TABLE_FREE = 0x4000_3003n;
const BLOCK = 0x8000_0f01n; // nG, AF, SH 3
const PAGE = 0x8000_0f03n;
const NT = 1n << 16n;
const CONT = 1n << 52n;
const HIDE_AP = 1n << 62n;

const words = new Map([
  [0x4000_0000n, 0x4000_1003n],
  [L2, TABLE_L3],
  [L2 + 8n, BLOCK + 0x20_0000n],
  [L3, PAGE],
  [L3 + 8n, PAGE + 0x1000n],
]);
const context = (over: ReadonlyMap<bigint, bigint> = new Map()): TraceContext => ({
  stage: 1,
  granuleLog2: 12,
  iaBits: 39,
  root: 0x4000_0000n,
  asid: 5,
  hierarchical: true,
  initial: (pa) => over.get(pa) ?? words.get(pa) ?? 0n,
});

const w = (write: bigint, value: bigint): TraceStep => ({ write, value });
const tlbi = (invalidate: bigint, size = 0x1000n, leaf = false): TraceStep => ({ invalidate, size, leaf });
const fill = (base: bigint, edit: (word: bigint, i: number) => bigint = (word) => word): TraceStep[] =>
  Array.from({ length: 512 }, (_, i) =>
    w(base + BigInt(i) * 8n, edit(PAGE + 0x20_0000n + BigInt(i) * 0x1000n, i)),
  );

/** The last write's verdict as `PE SMMU` with a 1 for each level where it is legal. */
function last(steps: readonly TraceStep[], over?: ReadonlyMap<bigint, bigint>) {
  const writes = judgeTrace(steps, context(over)).steps.filter(
    (one): one is WriteVerdict => one.kind === 'write',
  );
  const { judgements, ...rest } = writes.at(-1)!;
  const of = (machine: string) =>
    judgements.filter((one) => one.machine === machine).map(({ legal }) => (legal ? '1' : '0'));
  return { ...rest, judgements, grid: `${of('pe').join('')} ${of('smmu').join('')}` };
}

describe('one entry', () => {
  test.each<[string, TraceStep[], string, string[]]>([
    ['a page made', [w(L3 + 16n, PAGE)], '111 111', ['made_valid']],
    ['a page unmade', [w(L3, 0n)], '111 111', ['made_invalid']],
    ['the same again', [w(L3, PAGE)], '111 111', []],
    ['invalid words', [w(L3 + 16n, 0x10n)], '111 111', []],
    ['an address in place', [w(L3, PAGE + 0x10_0000n)], '000 000', ['oa']],
    ['permissions in place', [w(L3, PAGE | 0x80n)], '111 111', ['other']],
    ['a memory type in place', [w(L3, PAGE | 4n)], '000 000', ['memory']],
    ['global in place', [w(L3, PAGE & ~0x800n)], '000 000', ['global']],
    ['a contiguous bit', [w(L3, PAGE | CONT)], '011 011', ['contiguous']],
    [
      'AF 0: never cached',
      [w(L3 + 16n, PAGE & ~0x400n), w(L3 + 16n, PAGE + 0x9000n)],
      '111 111',
      ['made_valid'],
    ],
    ['APTable in place', [w(L2, TABLE_L3 | HIDE_AP)], '000 000', ['hierarchy']],
    ['an unreachable table', [w(FREE, PAGE)], '111 111', ['unreachable']],
    ['break, no TLBI, make elsewhere', [w(L3, 0n), w(L3, PAGE + 0x10_0000n)], '000 000', ['oa']],
    ['break, no TLBI, make again', [w(L3, 0n), w(L3, PAGE)], '111 111', ['made_valid']],
    ['break, TLBI, make', [w(L3, 0n), tlbi(0n), w(L3, PAGE + 0x10_0000n)], '111 111', ['made_valid']],
    [
      'break, TLBI of the neighbour, make',
      [w(L3, 0n), tlbi(0x1000n), w(L3, PAGE + 0x10_0000n)],
      '000 000',
      ['oa'],
    ],
    ['TLBI before the break', [tlbi(0n), w(L3, 0n), w(L3, PAGE + 0x10_0000n)], '000 000', ['oa']],
    [
      'an older entry than the last counts too',
      [w(L3, PAGE | 0x80n), w(L3, 0n), w(L3, PAGE + 0x10_0000n)],
      '000 000',
      ['oa'],
    ],
    [
      'TLBI of another ASID',
      [w(L3, 0n), { tlbi: 'VAE1IS', operand: 6n << 48n }, w(L3, PAGE + 0x10_0000n)],
      '000 000',
      ['oa'],
    ],
    [
      'TLBI of the ASID',
      [w(L3, 0n), { tlbi: 'VALE1IS', operand: 5n << 48n }, w(L3, PAGE + 0x10_0000n)],
      '111 111',
      ['made_valid'],
    ],
    [
      'ASIDE1',
      [w(L3, 0n), { tlbi: 'ASIDE1', operand: 5n << 48n }, w(L3, PAGE + 0x1_0000n)],
      '111 111',
      ['made_valid'],
    ],
    ['TLBI of stage 2', [w(L3, 0n), { tlbi: 'IPAS2E1IS' }, w(L3, PAGE + 0x1_0000n)], '000 000', ['oa']],
    ['TLBI of EL2', [w(L3, 0n), { tlbi: 'ALLE2IS' }, w(L3, PAGE + 0x1_0000n)], '000 000', ['oa']],
    ['a barrier alone', [w(L3, 0n), { barrier: 'dsb ish' }, w(L3, PAGE + 0x10_0000n)], '000 000', ['oa']],
    ['all', [w(L3, 0n), { invalidate: 'all' }, w(L3, PAGE + 0x10_0000n)], '111 111', ['made_valid']],
  ])('%s', (_, steps, grid, changes) => {
    expect(last(steps)).toMatchObject({ grid, changes });
  });
});

describe('sizes', () => {
  test.each<[string, TraceStep[], string, string[]]>([
    ['a block into the same pages', [...fill(FREE), w(L2 + 8n, TABLE_FREE)], '001 001', ['size']],
    [
      'a block into pages of which one is elsewhere',
      [...fill(FREE, (word, i) => (i === 99 ? word + 0x800_0000n : word)), w(L2 + 8n, TABLE_FREE)],
      '000 000',
      ['size', 'oa'],
    ],
    ['a block into an empty table', [w(L2 + 8n, TABLE_FREE)], '001 001', ['size']],
    [
      'nT, TLBI, table',
      [w(L2 + 8n, BLOCK + 0x20_0000n + NT), tlbi(0x20_0000n), ...fill(FREE), w(L2 + 8n, TABLE_FREE)],
      '011 011',
      ['size'],
    ],
    [
      'nT, no TLBI, table',
      [w(L2 + 8n, BLOCK + 0x20_0000n + NT), ...fill(FREE), w(L2 + 8n, TABLE_FREE)],
      '001 001',
      ['size'],
    ],
    ['break, no TLBI, table', [w(L2 + 8n, 0n), ...fill(FREE), w(L2 + 8n, TABLE_FREE)], '001 001', ['size']],
    [
      'break, TLBI of one address of the block, table',
      [w(L2 + 8n, 0n), tlbi(0x2f_f000n, 0x1000n, true), ...fill(FREE), w(L2 + 8n, TABLE_FREE)],
      '111 111',
      ['made_valid'],
    ],
    ['a table into a block', [w(L2, BLOCK)], '001 001', ['size']],
    ['a table into a block elsewhere', [w(L2, BLOCK + 0x4000_0000n)], '000 000', ['size', 'oa']],
    ['a table into a block with nT', [w(L2, BLOCK + NT)], '011 011', ['size']],
    [
      'nT block, TLBI of all of it, nT off',
      [w(L2, BLOCK + NT), tlbi(0n, 0x20_0000n), w(L2, BLOCK)],
      '111 111',
      ['other', 'nt'],
    ],
    ['nT block, no TLBI, nT off', [w(L2, BLOCK + NT), w(L2, BLOCK)], '001 001', ['other', 'size', 'nt']],
    [
      'break, TLBI of a page, block: the other page is still cached',
      [w(L2, 0n), tlbi(0n), w(L2, BLOCK)],
      '001 001',
      ['size'],
    ],
    [
      'break, leaf TLBI of all, block: the table descriptor is cached, and pages by it',
      [w(L2, 0n), tlbi(0n, 0x20_0000n, true), w(L2, BLOCK)],
      '001 001',
      ['size'],
    ],
    ['break, TLBI of all, block', [w(L2, 0n), tlbi(0n, 0x20_0000n), w(L2, BLOCK)], '111 111', ['made_valid']],
  ])('%s', (_, steps, grid, changes) => {
    const found = last(steps);
    expect(found.grid).toBe(grid);
    expect(new Set(found.changes)).toEqual(new Set(changes));
  });

  test('two levels apart: a 1G block over pages', () => {
    const root = 0x4000_0000n;
    const block = 0x8000_0f01n;
    expect(last([w(root, block)])).toMatchObject({ grid: '001 001' });
    const elsewhere = last([w(root, block + 0x4000_0000n)]);
    expect(elsewhere.grid).toBe('000 000');
    expect(elsewhere.changes).toContain('oa');
    expect(last([w(root, 0n), { invalidate: 'all' }, w(root, block)]).grid).toBe('111 111');
  });
});

describe('tables', () => {
  test.each<[string, TraceStep[], string, string[]]>([
    [
      'another table with the same pages',
      [w(FREE, PAGE), w(FREE + 8n, PAGE + 0x1000n), w(L2, TABLE_FREE)],
      '111 111',
      ['table'],
    ],
    [
      'another table with another page',
      [w(FREE, PAGE + 0x5000n), w(L2, TABLE_FREE)],
      '000 000',
      ['table', 'oa'],
    ],
    [
      'a page of the replaced table, which a walk cache still leads to',
      [w(FREE, PAGE), w(L2, TABLE_FREE), w(L3 + 16n, PAGE)],
      '000 000',
      ['reuse'],
    ],
    ['making the replaced table empty', [w(FREE, PAGE), w(L2, TABLE_FREE), w(L3, 0n)], '111 111', []],
    ['a freed table as data', [w(L2, 0n), w(L3 + 16n, 0xdead_bee0n)], '111 111', []],
    ['a freed table as another table, no TLBI', [w(L2, 0n), w(L3 + 16n, PAGE)], '000 000', ['reuse']],
    [
      'a freed table as another table, leaf TLBI',
      [w(L2, 0n), tlbi(0n, 0x20_0000n, true), w(L3 + 16n, PAGE)],
      '000 000',
      ['reuse'],
    ],
    [
      'a freed table as another table, TLBI',
      [w(L2, 0n), tlbi(0n), w(L3 + 16n, PAGE)],
      '111 111',
      ['unreachable'],
    ],
    [
      'a freed table linked elsewhere, pages cached',
      [w(L2, 0n), tlbi(0n, 0x20_0000n), w(L2 + 16n, TABLE_L3)],
      '111 111',
      ['made_valid'],
    ],
    ['table gone and back', [w(L2, 0n), w(L2, TABLE_L3)], '111 111', ['made_valid']],
  ])('%s', (_, steps, grid, changes) => {
    const found = last(steps);
    expect(found.grid).toBe(grid);
    expect(new Set(found.changes)).toEqual(new Set(changes));
  });

  test('a table in two places: a write is judged in both', () => {
    const both = new Map([[L2 + 16n, TABLE_L3]]);
    const { places, needsAfter } = last([w(L3, 0n)], both);
    expect(places.map(({ level, ia }) => [level, ia])).toEqual([
      [3, 0n],
      [3, 0x40_0000n],
    ]);
    expect(needsAfter.map(({ from, size }) => [from, size])).toEqual([
      [0n, 0x1000n],
      [0x40_0000n, 0x1000n],
    ]);
  });
});

describe('contiguous runs', () => {
  const run = new Map(
    Array.from({ length: 16 }, (_, i) => [L3 + BigInt(i) * 8n, (PAGE | CONT) + BigInt(i) * 0x1000n] as const),
  );
  const part = (i: number, word = 0n) => w(L3 + BigInt(i) * 8n, word);
  test.each<[string, TraceStep[], string]>([
    ['the hint of one entry goes', [part(3, PAGE + 0x3000n)], '011 011'],
    ['an entry goes', [part(3)], '111 111'],
    [
      'an entry goes and comes back without hint',
      [part(3), tlbi(0x3000n), part(3, PAGE + 0x3000n)],
      '011 011',
    ],
    [
      'an entry goes and moves: its neighbours still speak for it',
      [part(3), tlbi(0x3000n), part(3, PAGE + 0x90_0000n)],
      '000 000',
    ],
    [
      'all go, TLBI of all, one comes elsewhere',
      [...Array.from({ length: 16 }, (_, i) => part(i)), tlbi(0n, 0x1_0000n), part(3, PAGE + 0x90_0000n)],
      '111 111',
    ],
    [
      'all go, TLBI of all but one, one comes elsewhere',
      [...Array.from({ length: 16 }, (_, i) => part(i)), tlbi(0x1000n, 0xf000n), part(3, PAGE + 0x90_0000n)],
      '000 000',
    ],
  ])('%s', (_, steps, grid) => {
    expect(last(steps, run).grid).toBe(grid);
  });

  test('the first entry of a run made from nothing is legal, a member with another address is not', () => {
    const at = (i: number, word: bigint) => w(L3 + BigInt(16 + i) * 8n, word);
    const first = at(0, (PAGE | CONT) + 0x1_0000n);
    expect(last([first]).grid).toBe('111 111');
    expect(last([first, at(1, (PAGE | CONT) + 0x1_1000n)]).grid).toBe('111 111');
    const off = last([first, at(1, (PAGE | CONT) + 0x9_1000n)]);
    expect(off).toMatchObject({ grid: '000 000', changes: ['oa'], needsBefore: [] });
    expect(off.judgements[0]).toMatchObject({ section: 'DDI 0487 D8.7.1.1' });
  });
});

test('rule and section, break first and what was needed', () => {
  const { judgements, breakFirst, needsBefore, needsAfter } = last([w(L3, PAGE + 0x10_0000n)]);
  expect(judgements.map(({ machine, bbml, section }) => `${machine} ${bbml} ${section}`)).toEqual([
    'pe 0 DDI 0487 D8.17.1',
    'pe 1 DDI 0487 D8.17.1',
    'pe 2 DDI 0487 D8.17.1',
    'smmu 0 IHI 0070 3.21.1.1',
    'smmu 1 IHI 0070 3.21.1.1',
    'smmu 2 IHI 0070 3.21.1.1',
  ]);
  expect(breakFirst).toBe(true);
  expect(needsBefore).toEqual(needsAfter);
  expect(last([w(L3, 0n), w(L3, PAGE + 0x10_0000n)])).toMatchObject({ breakFirst: false, needsAfter: [] });
});

test('a legal change of size may end in a TLB conflict on a PE, until it is invalidated', () => {
  const { judgements } = last([...fill(FREE), w(L2 + 8n, TABLE_FREE)]);
  const at2 = judgements.filter(({ bbml }) => bbml === 2);
  expect(at2.map(({ machine, conflict }) => [machine, conflict])).toEqual([
    ['pe', true],
    ['smmu', false],
  ]);
});

test('read-only pages may move to a copy on a PE', () => {
  const readOnly = new Map([[L3, PAGE | 0x80n]]);
  const steps = [w(L3, (PAGE | 0x80n) + 0x10_0000n)];
  const { steps: verdicts } = judgeTrace(steps, { ...context(readOnly), sameContents: true });
  const legal = verdicts.flatMap((one) => (one.kind === 'write' ? one.judgements.map((j) => j.legal) : []));
  expect(legal).toEqual([true, true, true, false, false, false]);
});
