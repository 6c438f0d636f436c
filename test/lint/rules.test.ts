/** Every rule of the lint on a few literal words that break it, and on the same words mended: nothing. */

import { describe, expect, test } from 'vitest';
import type { Regime } from '../../src/arch/regimes.ts';
import { describeRegime } from '../../src/describe/index.ts';
import { lint, RULES } from '../../src/lint/index.ts';
import { createMachine } from '../../src/machine/machine.ts';
import { PhysicalMemory } from '../../src/memory/index.ts';
import { listSpace } from '../../src/space/space.ts';
import type { CpuModel } from '../../src/walker/index.ts';

/** PA and word. */
type Words = readonly (readonly [pa: bigint, word: bigint])[];

/** 4K, T0SZ 25: 39 bits from level 1; EPD1; 40 bits of output. MAIR: 0 is Write-Back, 1 Device-nGnRnE, 2 Non-cacheable. */
const TCR = 0x2_0080_0019n;
const MAIR = 0x44_00ffn;
const ROOT = 0x1000n;

function lintOf(
  words: Words,
  options: {
    regime?: Regime;
    registers?: Record<string, bigint>;
    cpu?: CpuModel;
    security?: 'non-secure' | 'secure' | 'realm' | 'root';
    /** The state that the walker is of, and says of its tables. */
    walked?: 'non-secure' | 'secure' | 'realm' | 'root';
  } = {},
) {
  const memory = new PhysicalMemory({ base: 0x1000n, size: 0x1_0000n });
  for (const [pa, word] of words) memory.write64(pa, word);
  const { regime = 'el1&0', registers = { ttbr0: ROOT, tcr: TCR, mair: MAIR }, cpu = 'cortex-a53' } = options;
  const { security, walked } = options;
  const translator = createMachine({
    memory,
    regime,
    registers,
    cpu: { model: cpu },
    ...(walked && { security: walked }),
  })();
  const { ranges } = listSpace(translator);
  const derivation = describeRegime(regime, registers, cpu);
  const input = { translator, ranges, derivation, ...(security && { security }) };
  return lint(input).findings.map(({ rule, message, first, count }) => ({
    rule,
    message,
    first,
    count,
  }));
}

const rulesOf = (words: Words, options = {}) => [...new Set(lintOf(words, options).map(({ rule }) => rule))];

/** Level 1 entry 0 leads to a level 2 table, whose entry 0 leads to a level 3 table. */
const TABLES: Words = [
  [0x1000n, 0x2003n],
  [0x2000n, 0x3003n],
];
/** Level 3: inner shareable, AF, UXN and PXN, nG; the PA in bits [47:12]. */
const PAGE = 0x60_0000_0000_0f03n;

describe('a rule finds what breaks it, and nothing in what does not', () => {
  const good: Words = [...TABLES, [0x3000n, PAGE | 0x8000_0000n]];
  test('well-made tables', () => {
    expect(lintOf(good)).toEqual([]);
  });

  type Case = [rule: string, words: Words, message: RegExp, first: bigint | undefined];
  const cases: Case[] = [
    [
      'illegal-block',
      [...good, [0x3008n, 0x8000_1f01n]],
      /bits \[1:0\] = 0b01 are reserved at level 3/,
      0x1000n,
    ],
    [
      'reserved-bits',
      [...TABLES, [0x3000n, PAGE | (1n << 49n)]],
      /bits \[49:48\] are RES0, but they are 0x2/,
      0n,
    ],
    [
      'misaligned-output',
      [...good, [0x2008n, 0x8020_0000n | (PAGE & ~2n) | (1n << 17n)]],
      /^meant 0x80220000, hardware goes to 0x80200000: bits \[20:17\] are RES0, but they are 0x1 /,
      0x20_0000n,
    ],
    [
      'block-nt',
      [...good, [0x2008n, 0x8020_0000n | (PAGE & ~2n) | (1n << 16n)]],
      /^nT is set, .* if 0x80210000 was meant, hardware goes to 0x80200000$/,
      0x20_0000n,
    ],
    ['output-size', [...TABLES, [0x3000n, PAGE | (1n << 40n)]], /0x10000000000 has more than 40 bits/, 0n],
    [
      'output-size',
      [...good, [0x2008n, 0x100_0000_4003n]],
      /table address 0x10000004000 has more than 40 bits/,
      0x20_0000n,
    ],
    [
      'outside-ram',
      [...good, [0x2008n, 0x9_0000_0003n]],
      /there is no RAM where the entry should be/,
      0x20_0000n,
    ],
    ['cycle', [...good, [0x2008n, 0x2003n]], /level 3 table at 0x2000 leads to itself/, 0x20_0000n],
    [
      'level-mix',
      [...good, [0x2008n, 0x4003n], [0x4000n, PAGE], [0x1008n, 0x4003n]],
      /0x4000 is used at levels/,
      undefined,
    ],
    ['shared-table', [...good, [0x2008n, 0x3003n]], /level 3 table at 0x3000 is reached from 2 entries/, 0n],
    ['empty-table', TABLES, /level 3 table at 0x3000 has no valid entry/, 0n],
    ['access-flag', [...TABLES, [0x3000n, PAGE & ~0x400n]], /access flag is 0/, 0n],
    [
      'writable-executable',
      [...TABLES, [0x3000n, PAGE & ~(1n << 53n)]],
      /writable and executable, privileged$/,
      0n,
    ],
    [
      'device-executable',
      [...TABLES, [0x3000n, (PAGE & ~(3n << 53n)) | 0x84n]],
      /Device-nGnRnE, executable/,
      0n,
    ],
    [
      'alias-attributes',
      [...good, [0x3010n, PAGE | 0x8000_0008n]],
      /PA 0x80000000-0x80000fff is Normal/,
      0x2000n,
    ],
    // Page 0 is code; page 1 the same memory, writable.
    [
      'writable-alias',
      [...TABLES, [0x3000n, (PAGE & ~(1n << 53n)) | 0x8000_0080n], [0x3008n, PAGE | 0x8000_0000n]],
      /^executable, privileged; PA 0x80000000-0x80000fff is writable, privileged, at 0x1000$/,
      0n,
    ],
    [
      'execute-unreadable',
      [...TABLES, [0x3000n, (PAGE & ~(1n << 54n)) | 0x80n]],
      /^executable but not readable, unprivileged; execute-only$/,
      0n,
    ],
    // TCR: walks are Non-cacheable. The page is Write-Back, and holds the tables.
    [
      'walk-attributes',
      [...TABLES, [0x3000n, PAGE | 0x2000n]],
      /^walks of TTBR0_EL1 are Normal non-cacheable, outer-shareable; a table, the first at 0x2000, mapped as Normal write-back, inner-shareable$/,
      0n,
    ],
    ['table-writable', [...TABLES, [0x3000n, PAGE | 0x2000n]], /tables in writable memory/, 0n],
    ['table-writable-el0', [...TABLES, [0x3000n, PAGE | 0x2040n]], /tables in writable memory/, 0n],
  ];

  test.each(cases)('%s: %#', (rule, words, message, first) => {
    const found = lintOf(words).filter((one) => one.rule === rule);
    expect(found.length).toBeGreaterThan(0);
    expect(found[0]!.message).toMatch(message);
    if (first !== undefined) expect(found[0]!.first).toBe(first);
  });

  test('all rules but the one about frames have a case', () => {
    const apart = RULES.map(({ name }) => name).filter((name) =>
      /^register-|^unused-range$|^reserved-ones$|^gpt-|^granule-denied$|^no-access$|^reserved-permission$|^overlay-ineffective$/.test(
        name,
      ),
    );
    expect(
      [...new Set(cases.map(([rule]) => rule)), 'contiguous-run', 'unreachable-table', ...apart].sort(),
    ).toEqual(RULES.map(({ name }) => name).sort());
  });
});

describe('blocks whose address does not fit them (DDI 0487 D8.3.1.2)', () => {
  const block = (address: bigint): Words => [...TABLES, [0x3000n, PAGE], [0x2008n, (PAGE & ~2n) | address]];
  test('nT that is set by accident is named', () => {
    const [found] = lintOf(block(0x4407_0000n));
    expect(found).toMatchObject({ rule: 'misaligned-output', first: 0x20_0000n });
    expect(found?.message).toMatch(/^meant 0x44070000, hardware goes to 0x44000000: /);
    expect(found?.message).toMatch(/bit 16 of it is nT, which keeps the block out of TLBs$/);
  });
  test('bits below 64K', () => {
    expect(lintOf(block(0x4000_1000n))[0]?.message).toMatch(
      /^meant 0x40001000, hardware goes to 0x40000000: bits \[15:12\] are RES0, but they are 0x1 /,
    );
  });
  test('a page of 16K at an address of a 4K one', () => {
    // TG0 = 2: 16K; T0SZ 28: 36 bits, from level 2.
    const registers = { ttbr0: 0x4000n, tcr: 0x2_0080_801cn, mair: MAIR };
    const words: Words = [
      [0x4000n, 0x8003n],
      [0x8000n, PAGE | 0x8000_1000n],
    ];
    expect(lintOf(words, { registers })[0]).toMatchObject({ rule: 'misaligned-output', first: 0n });
  });
});

describe('what is reserved in one regime and a field in another (DDI 0487 D8.3.1, Table D8-52)', () => {
  /** EL2: one range, 40 bits of output; 39 bits of input, from level 1. */
  const el2 = { regime: 'el2', registers: { ttbr0: ROOT, tcr: 0x8082_0019n, mair: MAIR } } as const;
  const of = (page: bigint, options: Parameters<typeof lintOf>[1]) =>
    lintOf([...TABLES, [0x3000n, page | 0x8000_0000n]], options)
      .filter(({ rule }) => rule.startsWith('reserved'))
      .map(({ rule, message }) => `${rule}: ${message}`);
  /** XN, AF, inner shareable. */
  const XN = 0x40_0000_0000_0703n;

  test('PXN and nG are RES0, and AP[1] is RES1, with one privilege level', () => {
    expect(of(XN | 0x40n, el2)).toEqual([]);
    expect(of(XN, el2)).toEqual([
      'reserved-ones: bit [6] is RES1, but it is 0 (one privilege level: no AP[1])',
    ]);
    expect(of(XN | 0x40n | (1n << 53n), el2)).toEqual([
      'reserved-bits: bit [53] is RES0, but it is 1 (one privilege level: XN covers all accesses)',
    ]);
    expect(of(XN | 0x840n, el2)).toEqual([
      'reserved-bits: bit [11] is RES0, but it is 1 (one privilege level: all entries are global)',
    ]);
    expect(of(PAGE, {})).toEqual([]);
  });

  test.each([
    ['el1&0', undefined, 0],
    ['el1&0', 'non-secure', 1],
    ['el1&0', 'realm', 1],
    ['el1&0', 'secure', 0],
    ['el2', 'realm', 0],
    ['el2', 'non-secure', 1],
    ['el3', 'root', 0],
  ] as const)('NS in %s, %s state', (regime, security, findings) => {
    const registers = regime === 'el1&0' ? {} : { registers: el2.registers };
    const page = regime === 'el1&0' ? PAGE : XN | 0x40n;
    expect(of(page | 0x20n, { regime, ...registers, ...(security && { security }) })).toHaveLength(findings);
  });
});

describe('rights (DDI 0487 D8.4)', () => {
  const CODE = PAGE & ~(1n << 53n);
  const pages = (...words: bigint[]): Words => [
    ...TABLES,
    ...words.map((word, i) => [0x3000n + BigInt(i) * 8n, word] as const),
  ];
  test('EL1 may write what EL0 executes; nobody else may', () => {
    const user = (PAGE & ~(1n << 54n)) | 0x80c0n | 0x9000_0000n;
    expect(rulesOf(pages(user, PAGE | 0x9000_8000n))).toEqual([]);
    expect(rulesOf(pages(user, PAGE | 0x9000_8040n))).toEqual(['writable-alias']);
    // What EL0 writes EL1 does not execute through the same mapping, but through another.
    expect(rulesOf(pages(CODE | 0x9000_8080n, PAGE | 0x9000_8040n))).toEqual(['writable-alias']);
  });
  test('kernel text and data without UXN', () => {
    const message = (word: bigint) =>
      lintOf(pages(word | 0x9000_0000n)).find(({ rule }) => rule === 'execute-unreadable')?.message;
    expect(message((CODE & ~(1n << 54n)) | 0x80n)).toMatch(/privileged software executes it too$/);
    expect(message(PAGE & ~(1n << 54n))).toMatch(/privileged software writes it$/);
    expect(message((PAGE & ~(1n << 54n)) | 0xc0n)).toBeUndefined();
  });
});

describe('attributes of walks (DDI 0487 D8.2, RXGXKR)', () => {
  const words: Words = [
    ...TABLES,
    [0x3000n, PAGE | 0x80n],
    [0x3008n, PAGE | 0x1080n],
    [0x3010n, PAGE | 0x2080n],
  ];
  test.each([
    ['Write-Back, inner shareable: as they are mapped', 0x3500n, []],
    ['Write-Back, outer shareable', 0x2500n, ['walk-attributes']],
    ['Write-Through', 0x3a00n, ['walk-attributes']],
    ['Non-cacheable', 0x3000n, ['walk-attributes']],
  ])('%s', (_, tcr, rules) => {
    const registers = { ttbr0: ROOT, tcr: TCR | tcr, mair: MAIR };
    expect(rulesOf(words, { registers })).toEqual(rules);
  });
});

describe('registers', () => {
  const told = (tcr: bigint, ttbr1 = 0n) =>
    lintOf(good, { registers: { ttbr0: ROOT, ttbr1, tcr, mair: MAIR } }).map(
      ({ rule, message }) => `${rule} ${message.split(/[:,]/)[0]}`,
    );
  const good: Words = [...TABLES, [0x3000n, PAGE | 0x8000_0000n]];

  test('a TCR that translates nothing is an error', () => {
    expect(told(0x2_0080_0000n)).toEqual(['register-fault TCR_EL1.T0SZ = 0x0']);
    expect(told(TCR, 0n)).toEqual([]);
  });
  test('a reserved TG1, and a range that nobody uses', () => {
    // EPD1 = 0, T1SZ 25, TG1 0.
    expect(told(0x2_0019_0019n, 0xdead_0000n)).toEqual([
      'outside-ram there is no RAM where the entry should be',
      'register-unpredictable TCR_EL1.TG1 = 0x0',
      'unused-range walks of TTBR1_EL1 (0xdead0000) are enabled',
      'empty-table the level 1 table at 0xdead0000 has no valid entry',
    ]);
    expect(told(0x2_0080_0019n | (1n << 37n))).toEqual([]);
  });
  test('a field that has no effect is worth knowing', () => {
    expect(told(TCR | (1n << 39n))).toEqual(['register-ignored TCR_EL1.HA = 0x1']);
  });
});

test('neighbours in memory are no aliases, whatever their types', () => {
  const pages = (second: bigint): Words => [
    ...TABLES,
    [0x3000n, PAGE | 0x8000_0000n],
    [0x3010n, PAGE | second | 8n],
  ];
  expect(rulesOf(pages(0x8000_1000n))).toEqual([]);
  expect(rulesOf(pages(0x8000_0000n))).toEqual(['alias-attributes']);
});

describe('contiguous runs', () => {
  const CONTIGUOUS = 1n << 52n;
  const run = (change: (i: number, word: bigint) => bigint): Words => [
    ...TABLES,
    ...Array.from(
      { length: 16 },
      (_, i) =>
        [
          0x3000n + BigInt(i) * 8n,
          change(i, PAGE | CONTIGUOUS | (0x8000_0000n + BigInt(i) * 0x1000n)),
        ] as const,
    ),
  ];

  test('16 entries that keep the promise, AF apart', () => {
    expect(rulesOf(run((_, word) => word))).toEqual([]);
    expect(rulesOf(run((i, word) => (i === 3 ? word & ~0x400n : word)))).toEqual(['access-flag']);
    // With DBM AP[2] is the dirty state, which hardware keeps for each entry.
    const DBM = 1n << 51n;
    expect(rulesOf(run((i, word) => word | DBM | (i === 9 ? 0x80n : 0n)))).toEqual([]);
  });

  /** DDI 0487 D8.7.1.1 IPGVGZ: each invalid, or valid with the bit. */
  test('entries that are not valid are no misprogramming, nor bits that hardware ignores', () => {
    expect(rulesOf(run((i, word) => (i === 15 ? 0n : word)))).toEqual([]);
    expect(rulesOf(run((i, word) => (i === 7 ? word : 0n)))).toEqual([]);
    expect(rulesOf(run((i, word) => (i === 4 ? word | (0xfn << 55n) : word)))).toEqual([]);
  });

  test('the dirty state may differ where DBM is set, and only there', () => {
    const clean = (dbm: bigint) => run((i, word) => word | dbm | (i === 6 ? 0x80n : 0n));
    expect(rulesOf(clean(1n << 51n))).toEqual([]);
    expect(rulesOf(clean(0n))).toEqual(['contiguous-run']);
  });

  test('a table among blocks of a run', () => {
    const block = (i: number): Words[number] => [
      0x2000n + BigInt(i) * 8n,
      ((PAGE | CONTIGUOUS) & ~2n) | (0x8000_0000n + BigInt(i) * 0x20_0000n),
    ];
    const blocks = Array.from({ length: 16 }, (_, i) => block(i));
    expect(rulesOf([[0x1000n, 0x2003n], ...blocks])).toEqual([]);
    const [found] = lintOf([[0x1000n, 0x2003n], ...blocks.slice(1), [0x2000n, 0x3003n], [0x3000n, PAGE]]);
    expect(found).toMatchObject({ rule: 'contiguous-run', first: 0n });
    expect(found?.message).toMatch(/only 15 of the 16 entries/);
  });

  test('a run that is larger than the input addresses (DDI 0487 D8.7.1.3)', () => {
    // T0SZ 32: four entries of level 1.
    const registers = { ttbr0: ROOT, tcr: 0x2_0080_0020n, mair: MAIR };
    const words: Words = [0n, 1n, 2n, 3n].map((i) => [
      0x1000n + i * 8n,
      ((PAGE | CONTIGUOUS) & ~2n) | (0x4_0000_0000n + i * 0x4000_0000n),
    ]);
    const [found, ...more] = lintOf(words, { registers });
    expect(found?.message).toBe('a run of 16 entries in a table of 4 is larger than the input addresses');
    expect(more).toEqual([]);
  });

  test.each<[string, (i: number, word: bigint) => bigint, RegExp]>([
    [
      'one without the bit',
      (i, w) => (i === 5 ? w & ~CONTIGUOUS : w),
      /only 15 of the 16 entries from index 0/,
    ],
    [
      'one of the others without the bit',
      (i, w) => (i === 5 ? w & ~CONTIGUOUS : i > 9 ? 0n : w),
      /only 9 of the 10 valid/,
    ],
    ['an output elsewhere', (i, w) => (i === 2 ? w ^ 0x10_0000n : w), /output of entry 2 does not follow/],
    ['other rights', (i, w) => (i === 9 ? w ^ 0x80n : w), /attributes of entry 9 differ/],
    ['an output that is not aligned', (_, w) => w + 0x1000n, /not aligned to its 16 entries/],
  ])('%s', (_, change, message) => {
    const [found, ...more] = lintOf(run(change)).filter(({ rule }) => rule === 'contiguous-run');
    expect(found?.message).toMatch(message);
    expect(found?.first).toBe(0n);
    expect(more).toEqual([]);
  });
});

test('alike findings that follow each other are one', () => {
  const pages = Array.from({ length: 8 }, (_, i) => [0x3000n + BigInt(i) * 8n, PAGE & ~(1n << 53n)] as const);
  // Eight pages of the same PA: eight ranges, one finding.
  expect(lintOf([...TABLES, ...pages]).filter(({ rule }) => rule === 'writable-executable')).toEqual([
    { rule: 'writable-executable', message: 'writable and executable, privileged', first: 0n, count: 8 },
  ]);
});

test('frames that no entry leads to', () => {
  const memory = new PhysicalMemory({ base: 0x1000n, size: 0x1_0000n });
  for (const [pa, word] of [...TABLES, [0x3000n, PAGE] as const]) memory.write64(pa, word);
  const translator = createMachine({
    memory,
    regime: 'el1&0',
    registers: { ttbr0: ROOT, tcr: TCR, mair: MAIR },
  })();
  const { findings } = lint({ translator, ranges: [], frames: [0x1000n, 0x2000n, 0x3000n, 0x9000n] });
  expect(findings.map(({ rule, at }) => [rule, at])).toEqual([['unreachable-table', 0x9000n]]);
});

test('a table that holds itself, at every level, ends', () => {
  const words = Array.from({ length: 512 }, (_, i) => [0x1000n + BigInt(i) * 8n, 0x1003n] as const);
  const found = lintOf(words);
  expect(found.find(({ rule }) => rule === 'cycle')).toBeDefined();
});

test('frames of a guest are known by their PAs, its tables by IPAs', () => {
  const memory = new PhysicalMemory({ base: 0x1000n, size: 0x1_0000n });
  // Stage 2: IPA 0x40000000 is PA 0. Stage 1: level 1 at IPA 0x40001000, level 2 at 0x40002000.
  const words: Words = [
    [0x8008n, 0x9003n],
    [0x9000n, 0x7fdn],
    [0x1000n, 0x4000_2003n],
    [0x2000n, (PAGE & ~2n) | 0x4000_0000n],
  ];
  for (const [pa, word] of words) memory.write64(pa, word);
  const registers = {
    ttbr0: 0x4000_1000n,
    tcr: TCR,
    mair: MAIR,
    vttbr: 0x8000n,
    vtcr: 0x8002_3559n,
    hcr: 1n,
  };
  const translator = createMachine({ memory, regime: 'el1&0-nested', registers })();
  const { findings } = lint({
    translator,
    ranges: [],
    frames: [0x1000n, 0x2000n, 0x3000n, 0x8000n, 0x9000n],
  });
  expect(findings.filter(({ rule }) => rule === 'unreachable-table').map(({ at }) => at)).toEqual([0x3000n]);
});

describe('one PA in two address spaces is two places (DDI 0487 D8.4.6)', () => {
  const NS = 0x20n;
  const NON_CACHEABLE = 0x08n;
  // Two pages with one PA, whose memory types differ; the second in Non-secure memory.
  const pages = (bits: bigint): Words => [
    ...TABLES,
    [0x3000n, PAGE | 0x8000_0000n],
    [0x3008n, PAGE | 0x8000_0000n | NON_CACHEABLE | bits],
  ];

  test('an alias is one within a space', () => {
    expect(rulesOf(pages(NS), { walked: 'secure' })).toEqual([]);
    expect(lintOf(pages(0n), { walked: 'secure' })).toMatchObject([
      { rule: 'alias-attributes', message: expect.stringMatching(/^Secure PA 0x80000000-0x80000fff is /) },
    ]);
    expect(rulesOf(pages(NS), { walked: 'non-secure' })).toEqual(['reserved-bits', 'alias-attributes']);
  });

  test('tables lie in the own space', () => {
    const writable = (bits: bigint): Words => [...TABLES, [0x3000n, PAGE | 0x1000n | bits]];
    expect(rulesOf(writable(0n), { walked: 'secure' })).toEqual(['walk-attributes', 'table-writable']);
    expect(rulesOf(writable(NS), { walked: 'secure' })).toEqual([]);
  });

  test('NS is reserved where the walker is known to be Non-secure', () => {
    const page: Words = [...TABLES, [0x3000n, PAGE | 0x8000_0000n | NS]];
    expect(rulesOf(page, { walked: 'non-secure' })).toEqual(['reserved-bits']);
    expect(rulesOf(page, { walked: 'secure' })).toEqual([]);
    expect(rulesOf(page)).toEqual([]);
  });
});
