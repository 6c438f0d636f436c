/** How intentions are read: text as a dump prints it and as people write it, CSV, JSON; and what is said of those that can't be. */
import { describe, expect, test } from 'vitest';
import { type Intent, IntentError, parseIntent, type Want } from '../../src/verify/index.ts';

const only = (text: string): Intent['lines'][number] => {
  const { lines } = parseIntent(text);
  expect(lines).toHaveLength(1);
  return lines[0]!;
};
const wantOf = (text: string): Want => only(`0x1000+4K ${text}`).want;

function problemsOf(text: string): string[] {
  try {
    parseIntent(text);
  } catch (error) {
    expect(error).toBeInstanceOf(IntentError);
    return (error as IntentError).problems.map(({ line, message }) => `${line}: ${message}`);
  }
  return [];
}

describe('ranges', () => {
  test.each([
    ['0x1000+0x2000', 0x1000n, 0x2fffn],
    ['0x1000 + 8K', 0x1000n, 0x2fffn],
    ['4096+8192', 0x1000n, 0x2fffn],
    ['0x1000..0x3000', 0x1000n, 0x2fffn],
    ['0x1000 .. 12K', 0x1000n, 0x2fffn],
    ['0x1000-0x2fff', 0x1000n, 0x2fffn],
    ['0x1000 - 0x2FFF', 0x1000n, 0x2fffn],
    ['0x1000 8K', 0x1000n, 0x2fffn],
    ['0x1000 0x2000 -> identity', 0x1000n, 0x2fffn],
    ['0X1000-0x2fff   8K', 0x1000n, 0x2fffn],
    ['0x4000_0000+0x1000+4K', 0x4000_1000n, 0x4000_1fffn],
    ['0xffff_ffff_ffff_0000+64K', 0xffff_ffff_ffff_0000n, 0xffff_ffff_ffff_ffffn],
  ])('%s', (text, first, last) => {
    expect(only(text)).toMatchObject({ first, last, want: { state: 'mapped' } });
  });

  test('both ends are inside of a-b, and that is said where it looks otherwise', () => {
    expect(parseIntent('0x1000-0x2000').notes).toEqual([
      'line 1: 0x1000-0x2000 has both ends inside: 0x2000 too; up to, not with it, is 0x1000..0x2000',
    ]);
    expect(parseIntent('0x1000-0x1fff').notes).toEqual([]);
  });
});

describe('where it leads', () => {
  test.each([
    ['-> 0x8000_1000', 0x8000_0000n],
    ['=> 2G+4K', 0x8000_0000n],
    ['→ 0x80001000', 0x8000_0000n],
    ['0x80001000', 0x8000_0000n],
    ['-> 4096', 0n],
    ['identity', 0n],
    ['-> Identity', 0n],
    ['-> identity+0x1000', 0x1000n],
    ['-> identity + 4K', 0x1000n],
    ['identity-0x1000', -0x1000n],
    ['-> -', undefined],
    ['', undefined],
  ])("'%s'", (text, offset) => {
    expect(wantOf(text)).toEqual({ state: 'mapped', ...(offset !== undefined && { outputOffset: offset }) });
  });

  test.each([
    ['unmapped', { state: 'unmapped' }],
    ['-> unmapped', { state: 'unmapped' }],
    ['not mapped', { state: 'unmapped' }],
    ['any', { state: 'any' }],
    ['mapped', { state: 'mapped' }],
    [
      '-> 0x2000  4K  access flag fault, stage 1, level 3',
      {
        state: 'fault',
        fault: 'access flag fault, stage 1, level 3',
        outputOffset: 0x1000n,
        leafSize: 0x1000n,
      },
    ],
    ['permission fault', { state: 'fault', fault: 'permission fault' }],
    [
      'page fault (A or D is clear), level 3',
      { state: 'fault', fault: 'page fault (a or d is clear), level 3' },
    ],
  ] as [string, object][])('%s', (text, want) => {
    expect(wantOf(text)).toEqual(want);
  });
});

describe('what is wanted of a leaf', () => {
  const rwx = (text: string) => ({
    read: text.includes('r'),
    write: text.includes('w'),
    execute: text.includes('x'),
  });
  test.each([
    ['rw-', { privileged: rwx('rw') }],
    ['RW- ---', { privileged: rwx('rw'), unprivileged: rwx('') }],
    ['rx', { privileged: rwx('rx') }],
    ['ro', { privileged: rwx('r') }],
    ['rwx - r-x', { privileged: rwx('rwx'), unprivileged: rwx('rx') }],
    ['u:rw', { unprivileged: rwx('rw') }],
    ['el0:--- el1:r-x', { unprivileged: rwx(''), privileged: rwx('rx') }],
    ['xn', { privileged: { execute: false }, unprivileged: { execute: false } }],
    ['r-- UXN', { privileged: rwx('r'), unprivileged: { execute: false } }],
    ['device', { memory: { type: 'device' } }],
    ['DEVICE-nGnRE', { memory: { type: 'device', device: 'nGnRE' } }],
    ['ngnrne', { memory: { type: 'device', device: 'nGnRnE' } }],
    ['Normal', { memory: { type: 'normal' } }],
    ['normal wb', { memory: { type: 'normal', inner: 'write-back', outer: 'write-back' } }],
    ['NC/WT', { memory: { type: 'normal', inner: 'non-cacheable', outer: 'write-through' } }],
    [
      'write-back tagged',
      { memory: { type: 'normal', inner: 'write-back', outer: 'write-back', tagged: true } },
    ],
    ['attr=0xee', { memory: { attr: 0xee } }],
    ['AttrIndx 3 (no MAIR given)', { memory: { attrIndx: 3 } }],
    ['ISH', { shareability: 'inner' }],
    ['outer shareable', { shareability: 'outer' }],
    ['non-shareable', { shareability: 'non' }],
    ['global', { global: true }],
    ['nG', { global: false }],
    ['C GP', { contiguous: true, guarded: true }],
    ['not-contiguous !gp', { contiguous: false, guarded: false }],
    ['-> - 2M ×3 block', { leafSize: 0x20_0000n, kind: 'block' }],
    ['leaf=64K', { leafSize: 0x1_0000n }],
    ['level 2', { level: 2 }],
    ['level=-1', { level: -1 }],
    ['L3 page', { level: 3, kind: 'page' }],
    ['pas=secure', { pas: 'secure' }],
    ['Non-secure', { pas: 'non-secure' }],
    ['pas=ns', { pas: 'non-secure' }],
    ['AF', { fields: [{ name: 'AF', value: 1n }] }],
    ['AF=0', { fields: [{ name: 'AF', value: 0n }] }],
    ['bits[58:55]=0x3', { fields: [{ name: 'bits[58:55]', bits: [58, 55], value: 3n }] }],
    [
      'bit55=1 SW=0b10',
      {
        fields: [
          { name: 'bit55', bits: [55, 55], value: 1n },
          { name: 'SW', value: 2n },
        ],
      },
    ],
  ] as [string, object][])('%s', (text, terms) => {
    expect(wantOf(text)).toEqual({ state: 'mapped', ...terms });
  });

  test('rounded is of a line, or of all', () => {
    expect(only('0x1000+0x234 identity rounded')).toMatchObject({
      rounded: true,
      want: { outputOffset: 0n },
    });
    expect(parseIntent('rounded\n0x1000+1\n0x8000+1').lines.map(({ rounded }) => rounded)).toEqual([
      true,
      true,
    ]);
  });
});

test('directives, rules and comments', () => {
  const text = `
    # everything
    regime EL1, vhe
    security secure
    rest any
    only 0x0+4G
    0x1000+4K  identity rw-   # the stack
    never wx
    never 0x0 + 64K
    never pa 0x0e00_0000..0x0f00_0000
    never el0
    never el0:x device
  `;
  const { regimes, security, rest, only: scope, lines, rules } = parseIntent(text);
  expect({ regimes, security, rest, scope }).toEqual({
    regimes: ['el1&0', 'el2&0'],
    security: 'secure',
    rest: 'any',
    scope: [{ first: 0n, last: 0xffff_ffffn }],
  });
  expect(lines.map(({ line, label }) => [line, label])).toEqual([[7, 'the stack']]);
  expect(rules.map(({ line, text: _, ...rule }) => rule)).toEqual([
    { rights: { who: 'anyone', letters: ['write', 'execute'] } },
    { input: { first: 0n, last: 0xffffn } },
    { output: { first: 0xe00_0000n, last: 0xeff_ffffn } },
    { rights: { who: 'unprivileged', letters: [] } },
    { rights: { who: 'unprivileged', letters: ['execute'] }, terms: { memory: { type: 'device' } } },
  ]);
});

test('regime smmuv3: streams with any stages, in text and JSON', () => {
  const streams = ['smmuv3-s1', 'smmuv3-s2', 'smmuv3-nested'];
  expect(parseIntent('regime smmuv3\n0x0+4K unmapped').regimes).toEqual(streams);
  const json = { schema: 'lpae.intent/1', regime: 'SMMUv3', ranges: [] };
  expect(parseIntent(JSON.stringify(json)).regimes).toEqual(streams);
  expect(parseIntent('regime el1, smmu-s2').regimes).toEqual(['el1&0', 'smmuv3-s2']);
});

test('under the heading of a dump, a line says all of its flags', () => {
  const line = '  0x1000-0x1fff  4K  -> 0x8000  4K  r-x ---  WB  ISH';
  const exact = { global: true, contiguous: false, guarded: false, level: 'of its size' };
  const memory = { type: 'normal', inner: 'write-back', outer: 'write-back' };
  expect(only(line).want).toMatchObject({ memory });
  expect(only(line).want).not.toHaveProperty('global');
  const { lines, regimes, security } = parseIntent(
    `[0x0000, 0xffff]  el1&0\n${line}  nG\n${line.replaceAll('1', '2').replace('0x8000', '-')}\n  2 ranges, 2 leaves, 8.00 KiB mapped\n`,
  );
  expect(regimes).toEqual(['el1&0']);
  expect(security).toBe('non-secure');
  expect(lines[0]?.want).toMatchObject({
    ...exact,
    global: false,
    memory: { ...memory, tagged: false, attr: 'usual' },
  });
  expect(lines[1]?.want).toMatchObject(exact);
  expect(parseIntent('[0x0, 0xffffffff]  el3, Secure state').security).toBe('secure');
  expect(parseIntent('[0x8000, 0xffff]  el2, in part').only).toEqual([{ first: 0x8000n, last: 0xffffn }]);
});

test('CSV: address, length, type, label; or as a header says', () => {
  const usual = parseIntent('0x1C090000,4K,DEVICE,PL011 UART\n0x80000000, 2G, NORMAL, "DRAM, all of it"\n');
  expect(usual.lines).toMatchObject([
    {
      first: 0x1c09_0000n,
      last: 0x1c09_0fffn,
      label: 'PL011 UART',
      want: { outputOffset: 0n, memory: { type: 'device' } },
    },
    {
      first: 0x8000_0000n,
      last: 0xffff_ffffn,
      label: 'DRAM, all of it',
      want: { memory: { type: 'normal' } },
    },
  ]);
  const named = parseIntent(
    'Start,End,PA,Rights,Memory,Name\n0x1000,0x3000,0x9000,r-x,WB,code\n0x4000,0x4fff,-,-,-,\n',
  );
  expect(named.lines).toMatchObject([
    {
      first: 0x1000n,
      last: 0x2fffn,
      label: 'code',
      want: { outputOffset: 0x8000n, privileged: { execute: true } },
    },
    { first: 0x4000n, last: 0x4fffn, want: { state: 'mapped' } },
  ]);
  expect(named.lines[1]?.want).not.toHaveProperty('outputOffset');
  const types = parseIntent('0x0,4K,CODE,a\n0x1000,4K,RO_DATA,b\n0x2000,4K,RW_DATA,c\nrest any\n').lines;
  expect(types.map(({ want }) => want.state === 'mapped' && want.privileged)).toEqual([
    { read: true, write: false, execute: true },
    { read: true, write: false, execute: false },
    { read: true, write: true, execute: false },
  ]);
});

test('JSON: of dumps, and by hand', () => {
  const { rest, rules, lines } = parseIntent(
    JSON.stringify({
      schema: 'lpae.intent/1',
      regime: 'el1',
      rest: 'any',
      never: ['wx'],
      ranges: [
        { range: '0x1000+8K', pa: 'identity', terms: 'rw- --- WB AF=1', label: 'stack' },
        { first: '0x8000', size: 4096, state: 'unmapped' },
      ],
    }),
  );
  expect(rest).toBe('any');
  expect(rules.map(({ text }) => text)).toEqual(['never wx']);
  expect(lines).toMatchObject([
    {
      line: 0,
      first: 0x1000n,
      last: 0x2fffn,
      label: 'stack',
      want: { outputOffset: 0n, fields: [{ name: 'AF' }] },
    },
    { line: 1, first: 0x8000n, last: 0x8fffn, want: { state: 'unmapped' } },
  ]);
});

describe('what is not understood is told, all of it, with its line', () => {
  test.each([
    ['0x1000+4K identity rw- WBB ISHH', ["1: 'WBB' is not understood", "1: 'ISHH' is not understood"]],
    ['wibble', ["1: 'wibble' is not understood"]],
    ['0x3000..0x1000', ["1: '0x3000..0x1000' is empty"]],
    ['0x1000+0', ['1: 0x1000+0x0 is empty or leaves 64 bits']],
    ['0x1000', ["1: '0x1000' is one address"]],
    ['0x1000+4K 8K -> 0x8000', ['1: 0x1000+4K has 4K, not 8K']],
    ['0x1000+4K rw- --- r--', ["1: 'r--': there are rights for EL1 and for EL0 already"]],
    ['0x1000+4K WB NC', ["1: 'NC' contradicts what stands before it"]],
    ['0x1000+4K global nG', ["1: 'nG' contradicts what stands before it"]],
    ['0x1000+4K unmapped rw-', ["1: 'unmapped' goes with nothing else"]],
    ['0x1000+4K -> identity-0x2000', ['1: identity-0x2000 leads outside of 64 bits']],
    ['0x1000+4K attr=0x100', ['1: attr=0x100: attr is a byte of MAIR: attr=0xff']],
    [
      '0x1000+4K strange fault, stage 1',
      [
        "1: 'strange' is not understood",
        "1: 'fault' is not understood",
        "1: 'stage' is not understood",
        "1: '1' is not understood",
      ],
    ],
    ['0x1000+4K access flag fault, stage 7', ["1: 'access flag fault, stage 7' is not understood"]],
    ['rest perhaps', ["1: rest is unmapped or any, not 'perhaps'"]],
    ['regime el9', ["1: there is no regime 'el9'"]],
    [
      '[0x0, 0xff]  el1&0\n[0x0, 0xff]  el3',
      ['2: it is for el3 here, and for el1&0 above', '2: the state is secure here, and nonsecure above'],
    ],
    ['never', ['1: never what?']],
    ['never 0x0..0x0', ["1: '0x0..0x0' is empty"]],
    ['0x1000,4K', []],
    ['0x1000,4K,DEVICE,uart,more', ['1: a row has 5 cells, and there are 4 columns']],
    ['{"ranges": 3}', ['0: ranges must be a list, but is 3']],
    ['{"ranges": [{"first": "0x0"}]}', ['0: ranges[0]: needs range, or first and last, or first and size']],
    [
      '{"ranges": [{"range": "0x0+4K", "wibble": 1}]}',
      [expect.stringMatching(/^0: ranges\[0\]\.wibble is not known here/)],
    ],
    ['{"ranges"', [expect.stringMatching(/^0: is no JSON: /)]],
    [
      'el3  44 physical address bits\nstage 1  AArch64',
      ['0: what a dump says of registers, and no heading with ranges below it'],
    ],
  ] as [string, string[]][])('%s', (text, problems) => {
    expect(problemsOf(text)).toEqual(problems);
  });
});
