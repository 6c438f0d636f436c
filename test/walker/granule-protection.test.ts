/** Granule protection checks: every way to pass or fail one, on fetches of either stage and on the access itself. (FEAT_RME; DDI 0487 D9, Table D9-2.) */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { describeRegime } from '../../src/describe/index.ts';
import {
  type Access,
  createWalker,
  esr,
  type PaSpace,
  parEl1,
  type WalkerOptions,
} from '../../src/walker/index.ts';
import { memoryWith } from './table-builder.ts';

const read: Access = { access: 'read' };

/** GPC = 1, Inner Shareable, Write-Back, 4K granules, 40 bits, 1 GiB a level 0 entry; and the table at 0x4010_0000. */
const GPCCR = 0x1_3502n;
const GPTBR = 0x4_0100n;
/** Level 0 of 1024 entries at 0x4010_0000; level 1 of the second GiB at 0x4012_0000, of 128 KiB. */
const LEVEL1 = 0x4012_0000n;

const ROOT = 0xaaaa_aaaa_aaaa_aaaan;
const BLOCK = (gpi: bigint) => (gpi << 4n) | 1n;

/** Stage 1 off: the access alone is checked. */
function checked(
  words: Readonly<Record<string, bigint>>,
  own: Partial<WalkerOptions> & {
    readonly gpccr?: bigint;
    readonly gptbr?: bigint;
    readonly gpcbw?: bigint;
  } = {},
) {
  const { gpccr = GPCCR, gptbr = GPTBR, gpcbw = 0n, ...options } = own;
  return createWalker(memoryWith(words), {
    regime: 'el1&0',
    registers: { sctlr: 0n, gpccr, gptbr, gpcbw },
    ...options,
  });
}

/** `pass`, or what failed and where. */
const answer = (walker: ReturnType<typeof checked>, pa: bigint, access: Access = read) => {
  const result = walker.walk(pa, access);
  if (result.ok) return 'pass';
  const { kind, gpc, gptLevel, output } = result.fault;
  expect(kind).toBe('granule_protection');
  expect(output).toBe(true);
  return `${gpc} ${gptLevel}`;
};

const SPACES: readonly [PaSpace, Partial<WalkerOptions>][] = [
  ['non-secure', {}],
  ['secure', { security: 'secure' }],
  ['realm', { security: 'realm' }],
  ['root', { regime: 'el3', security: 'root' }],
];

describe('GPI values', () => {
  // By hand from D9.6.5: which of Non-secure, Secure, Realm, Root accesses pass.
  test.each<[bigint, string]>([
    [0b0000n, ''],
    [0b1000n, 'secure'],
    [0b1001n, 'non-secure'],
    [0b1010n, 'root'],
    [0b1011n, 'realm'],
    [0b1111n, 'non-secure secure realm root'],
  ])('%i in a Block descriptor', (gpi, passing) => {
    const words = { '0x40100010': BLOCK(gpi) };
    const found = SPACES.filter(([, options]) => answer(checked(words, options), 0x8000_0000n) === 'pass');
    expect(found.map(([space]) => space).join(' ')).toBe(passing);
    for (const [space, options] of SPACES) {
      if (!passing.includes(space)) expect(answer(checked(words, options), 0xbfff_ffffn)).toBe('fail 0');
    }
  });

  test.each([1n, 2n, 3n, 4n, 5n, 6n, 7n, 12n, 13n, 14n])('%i is reserved', (gpi) => {
    expect(answer(checked({ '0x40100010': BLOCK(gpi) }), 0x8000_0000n)).toBe('walk 0');
  });

  test('Secure is reserved on a PE that has FEAT_RME without FEAT_SEL2', () => {
    const words = { '0x40100010': BLOCK(8n) };
    expect(answer(checked(words, { cpu: { rme: true } }), 0x8000_0000n)).toBe('walk 0');
    expect(answer(checked(words, { cpu: { rme: true, sel2: true } }), 0x8000_0000n)).toBe('fail 0');
  });

  test('Non-secure only (FEAT_RME_GPC2, NSO): from Non-secure and Root state', () => {
    const words = { '0x40100010': BLOCK(13n) };
    const own = { gpccr: GPCCR | (1n << 19n), cpu: { rmeGpc2: true } };
    expect(answer(checked(words, own), 0x8000_0000n)).toBe('pass');
    expect(answer(checked(words, { ...own, security: 'secure' }), 0x8000_0000n)).toBe('fail 0');
    expect(answer(checked(words, { ...own, gpccr: GPCCR }), 0x8000_0000n)).toBe('walk 0');
    expect(answer(checked(words, { ...own, cpu: 'max' }), 0x8000_0000n)).toBe('walk 0');
    // A Non-secure access of EL3: NS in its descriptor.
    const tables = { ...words, '0x40000000': 0x8000_0721n, '0x40100008': BLOCK(10n) };
    const registers = { ttbr0: 0x4000_0000n, tcr: 0x5_0019n, mair: 0xffn, gpccr: own.gpccr, gptbr: GPTBR };
    const root = createWalker(memoryWith(tables), { ...own, regime: 'el3', security: 'root', registers });
    expect(root.walk(0n, read)).toMatchObject({ ok: true, paSpace: 'non-secure' });
    const two = createWalker(memoryWith(tables), {
      ...own,
      regime: 'el1&0',
      security: 'secure',
      registers: { ...registers, tcr: 0x5_0080_0019n, gpccr: own.gpccr },
    });
    // Its table is in Root memory: already the fetch is denied.
    expect(two.walk(0n, read)).toMatchObject({ fault: { gpc: 'fail', gptLevel: 0, level: 1, stage: 1 } });
  });

  test.each([
    [4n, 25n],
    [5n, 26n],
    [6n, 27n],
    [7n, 28n],
  ])('%i of FEAT_RME_GDI is no access, where GPCCR_EL3[%i] is set', (gpi, enable) => {
    const words = { '0x40100010': BLOCK(gpi) };
    const gpccr = GPCCR | (1n << enable);
    expect(answer(checked(words, { gpccr, cpu: { rmeGdi: true } }), 0x8000_0000n)).toBe('fail 0');
    expect(answer(checked(words, { cpu: { rmeGdi: true } }), 0x8000_0000n)).toBe('walk 0');
    expect(answer(checked(words, { gpccr }), 0x8000_0000n)).toBe('walk 0');
  });
});

describe('level 1', () => {
  const TABLE = { '0x40100008': LEVEL1 | 3n };

  test('a Granules descriptor: the GPI of PA[15:12]', () => {
    // Of 0x5234_0000: bits [29:16] of the PA, 0x1234, times 8.
    const walker = checked({ ...TABLE, '0x401291a0': 0x9999_9999_9b99_9990n });
    const found = [0x5234_0000n, 0x5234_1fffn, 0x5234_6abcn, 0x5234_7000n].map((pa) => answer(walker, pa));
    expect(found).toEqual(['fail 1', 'pass', 'fail 1', 'pass']);
  });

  test.each<[string, bigint, bigint, bigint]>([
    ['16K: PA[17:14]', 0x1_b502n, 0x5234_8000n, 0x4012_2468n],
    ['64K: PA[19:16]', 0x1_7502n, 0x5232_0000n, 0x4012_0918n],
  ])('%s', (_, gpccr, pa, address) => {
    // GPI 2 of the entry is Non-secure alone.
    const words = { ...TABLE, [`0x${address.toString(16)}`]: (ROOT & ~0xf00n) | 0x900n };
    expect(answer(checked(words, { gpccr }), pa)).toBe('pass');
    expect(answer(checked(words, { gpccr }), pa + (gpccr === 0x1_b502n ? 0x4000n : 0x1_0000n))).toBe(
      'fail 1',
    );
  });

  test.each<[string, bigint, string]>([
    ['a Contiguous descriptor of 2 MiB', 0x191n, 'pass'],
    ['of 512 MiB, Root', 0x3a1n, 'fail 1'],
    ['Contig 0 is reserved', 0x091n, 'walk 1'],
    ['a reserved GPI', 0x121n, 'walk 1'],
    ['RES0 bits', 0x591n, 'walk 1'],
    ['one reserved GPI of 16, though another granule is asked', 0x2999_9999_9999_9999n, 'walk 1'],
  ])('%s', (_, entry, wanted) => {
    expect(answer(checked({ ...TABLE, '0x401291a0': entry }), 0x5234_0000n)).toBe(wanted);
  });

  test('FEAT_RME_GDI: entries are valid in pairs', () => {
    const words = { ...TABLE, '0x401291a0': 0x9999_9999_9999_9999n, '0x401291a8': 2n };
    expect(answer(checked(words), 0x5234_0000n)).toBe('pass');
    expect(answer(checked(words, { cpu: { rmeGdi: true } }), 0x5234_0000n)).toBe('walk 1');
  });

  test('no RAM where the table should be', () => {
    expect(answer(checked({ '0x40100008': 0x9000_0003n }), 0x5234_0000n)).toBe('external 1');
  });
});

describe('level 0', () => {
  test.each<[string, bigint, string]>([
    ['an invalid entry', 0n, 'walk 0'],
    ['a type that there is not', 0x92n, 'walk 0'],
    ['RES0 bits of a Block', 0x191n, 'walk 0'],
    ['a Table that is not aligned to its size', LEVEL1 | 0x1_0003n, 'walk 0'],
    ['RES0 bits [11:4] of a Table', LEVEL1 | 0x13n, 'walk 0'],
    ['RES0 bits [63:52] of a Table', LEVEL1 | (1n << 52n) | 3n, 'walk 0'],
    ['a Table beyond PPS', (1n << 40n) | 3n, 'address_size 0'],
  ])('%s', (_, entry, wanted) => {
    expect(answer(checked({ '0x40100010': entry }), 0x8000_0000n)).toBe(wanted);
  });

  test('its base beyond PPS, and where there is no RAM', () => {
    expect(answer(checked({}, { gptbr: 1n << 28n }), 0n)).toBe('address_size 0');
    expect(answer(checked({}, { gptbr: 0x9_0000n }), 0n)).toBe('external 0');
  });

  test('its base is aligned to its size', () => {
    // 52 bits of 1 GiB are 4M entries: 32 MiB.
    const words = { '0x40000010': BLOCK(9n) };
    const own = { gpccr: 0x1_3506n, gptbr: 0x4_1fffn };
    expect(answer(checked(words, own), 0x8000_0000n)).toBe('pass');
  });

  test('a protected address space no larger than an entry has one', () => {
    const own = { gpccr: 0x91_3501n };
    expect(answer(checked({ '0x40100000': BLOCK(9n) }, own), 0xf_ffff_f000n)).toBe('pass');
  });

  test('L0GPTSZ: 16 GiB an entry, and its tables are larger', () => {
    const own = { gpccr: GPCCR | (4n << 20n) };
    expect(answer(checked({ '0x40100008': BLOCK(9n) }, own), 0x4_0000_0000n)).toBe('pass');
    expect(answer(checked({ '0x40100008': LEVEL1 | 3n }, own), 0x4_0000_0000n)).toBe('walk 0');
  });
});

describe('before the table', () => {
  const PASS = { '0x40100010': BLOCK(9n) };

  // Priority 1 of Table D9-2: any of these, whatever the address.
  test.each<[string, bigint]>([
    ['PPS 7 is 56 bits of FEAT_RME_GPC3', GPCCR | 7n],
    ['PGS 3', GPCCR | (3n << 14n)],
    ['L0GPTSZ 1', GPCCR | (1n << 20n)],
    ['SH 1', (GPCCR & ~0x3000n) | 0x1000n],
    ['Non-cacheable fetches that are not Outer Shareable', GPCCR & ~0xf00n],
  ])('%s: a walk fault, and a problem', (_, gpccr) => {
    expect(answer(checked(PASS, { gpccr }), 0x8000_0000n)).toBe('walk 0');
    expect(answer(checked(PASS, { gpccr }), 1n << 50n)).toBe('walk 0');
    const { granuleProtection } = describeRegime('el1&0', { gpccr, gptbr: GPTBR });
    expect(granuleProtection).toMatchObject({ invalid: true, problems: [{ effect: 'fault' }] });
  });

  test('Non-cacheable fetches that are Outer Shareable', () => {
    expect(answer(checked(PASS, { gpccr: 0x1_2002n }), 0x8000_0000n)).toBe('pass');
  });

  test('PPS beyond the implemented size', () => {
    expect(answer(checked(PASS, { cpu: { paBits: 36 } }), 0x8000_0000n)).toBe('walk 0');
    expect(answer(checked(PASS, { gpccr: GPCCR - 1n, cpu: { paBits: 36 } }), 0x8000_0000n)).toBe('pass');
  });

  test('addresses beyond PPS: Non-secure ones pass', () => {
    const pa = 1n << 40n;
    expect(SPACES.map(([, options]) => answer(checked({}, options), pa))).toEqual([
      'pass',
      'fail 0',
      'fail 0',
      'fail 0',
    ]);
    const all = { gpccr: GPCCR | (1n << 24n), cpu: { rmeGpc2: true } };
    expect(SPACES.map(([, options]) => answer(checked({}, { ...all, ...options }), pa))).toEqual(
      Array(4).fill('pass'),
    );
    expect(answer(checked({}, { ...all, cpu: 'max', security: 'realm' }), pa)).toBe('fail 0');
  });

  test('SPAD, NSPAD and RLPAD (FEAT_RME_GPC2)', () => {
    const words = { '0x40100010': BLOCK(15n) };
    const own = { gpccr: GPCCR | 0xe0n };
    const found = (more: Partial<WalkerOptions>) =>
      SPACES.map(([, options]) => answer(checked(words, { ...own, ...more, ...options }), 0x8000_0000n));
    expect(found({ cpu: { rmeGpc2: true } })).toEqual(['fail 0', 'fail 0', 'fail 0', 'pass']);
    expect(found({})).toEqual(Array(4).fill('pass'));
  });

  test('bypass windows (FEAT_RME_GPC3)', () => {
    // 1 GiB at 0x8000_0000, and again after each 1 TiB.
    const own = { gpccr: (GPCCR & ~7n) | 5n | (1n << 29n), gpcbw: 2n, cpu: { rmeGpc3: true } };
    expect(answer(checked({}, own), 0x8000_0000n)).toBe('pass');
    expect(answer(checked({}, own), (1n << 40n) | 0xbfff_f000n)).toBe('pass');
    expect(answer(checked({}, own), 0xc000_0000n)).toBe('walk 0');
    expect(answer(checked({}, { ...own, cpu: 'max' }), 0x8000_0000n)).toBe('walk 0');
    // 2 GiB from 1 GiB on is not aligned; a base beyond the stride is none.
    expect(answer(checked({}, { ...own, gpcbw: (1n << 37n) | 1n }), 0x4000_0000n)).toBe('walk 0');
    expect(answer(checked({}, { ...own, gpcbw: 1n << 10n }), 0x4000_0000n)).toBe('walk 0');
  });

  test('GPC = 0: nothing is checked, and nothing described', () => {
    expect(answer(checked({}, { gpccr: GPCCR & ~(1n << 16n) }), 0x8000_0000n)).toBe('pass');
    expect(describeRegime('el1&0', { gpccr: 0x3502n }).granuleProtection).toBeUndefined();
  });
});

describe('fetches of tables', () => {
  /** Stage 1, 4K, 39 bits: a table at 0x4000_0000 to one at 0x4001_0000, a block at 0x8000_0000. */
  const TABLES = {
    '0x40000000': 0x4001_0003n,
    '0x40010000': 0x8000_0701n,
    '0x40100008': LEVEL1 | 3n,
    '0x40100010': BLOCK(9n),
    // 0x4000_0000 and 0x4001_0000: granules of 4K, all of them Non-secure.
    '0x40120000': 0x9999_9999_9999_9999n,
    '0x40120008': 0x9999_9999_9999_9999n,
    '0x40120010': 0x9999_9999_9999_9999n,
  };
  const REGISTERS = { ttbr0: 0x4000_0000n, tcr: 0x5_0080_0019n, mair: 0xffn, gpccr: GPCCR, gptbr: GPTBR };
  const walk = (words: Readonly<Record<string, bigint>>, options: Partial<WalkerOptions> = {}) =>
    createWalker(memoryWith({ ...TABLES, ...words }), {
      regime: 'el1&0',
      registers: REGISTERS,
      ...options,
    }).walk(0x1234n, read);

  test('all pass', () => {
    expect(walk({})).toMatchObject({ ok: true, pa: 0x8000_1234n });
  });

  test.each<[number, string, bigint]>([
    [1, '0x40120000', 0x4000_0000n],
    [2, '0x40120008', 0x4001_0000n],
  ])('the level %i descriptor', (level, at, pa) => {
    expect(walk({ [at]: ROOT })).toMatchObject({
      fault: {
        kind: 'granule_protection',
        stage: 1,
        level,
        gpc: 'fail',
        gptLevel: 1,
        gpi: 10,
        pa,
        paSpace: 'non-secure',
        descriptorAddress: pa,
      },
      steps:
        level === 1
          ? [{ kind: 'granule_protection', level: 1 }]
          : [{ kind: 'table' }, { kind: 'granule_protection' }],
    });
  });

  test('a fault of translation comes before one of the access', () => {
    expect(walk({ '0x40010000': 0n, '0x40100010': 0n })).toMatchObject({ fault: { kind: 'translation' } });
    expect(walk({ '0x40100010': 0n })).toMatchObject({ fault: { gpc: 'walk', output: true } });
  });

  test('with and without steps, by translate and in bulk', () => {
    const walker = createWalker(memoryWith({ ...TABLES, '0x40100010': BLOCK(10n) }), {
      regime: 'el1&0',
      registers: REGISTERS,
    });
    expect(walker.translate(0x1234n)).toBeUndefined();
    expect(walker.walk(0x1234n, { ...read, trace: false }).ok).toBe(false);
    const pas = new Float64Array(1);
    expect(walker.translateMany(Float64Array.of(0x1234), pas)).toBe(0);
    // As an address translation instruction: the output is not checked, fetches are.
    expect(walker.walk(0x1234n, { ...read, gpc: 'fetches' })).toMatchObject({ ok: true, pa: 0x8000_1234n });
    expect(walker.walk(0x1234n, { ...read, gpc: 'none' })).toMatchObject({ ok: true });
    const denied = createWalker(memoryWith({ ...TABLES, '0x40120000': ROOT }), {
      regime: 'el1&0',
      registers: REGISTERS,
    });
    expect(denied.walk(0x1234n, { ...read, gpc: 'fetches' }).ok).toBe(false);
    expect(denied.walk(0x1234n, { ...read, gpc: 'none' })).toMatchObject({ pa: 0x8000_1234n });
  });

  const NESTED = {
    regime: 'el1&0-nested',
    registers: { ...REGISTERS, hcr: 1n, vtcr: 0x2_0059n, vttbr: 0x4002_0000n },
  } as const;
  /** Stage 2: IPA 0x4000_0000 and 0x8000_0000 as they are. */
  const STAGE2 = { '0x40020008': 0x4000_07fdn, '0x40020010': 0x8000_07fdn };

  test('of stage 2, on the way to a table of stage 1 and to the output', () => {
    expect(walk(STAGE2, NESTED)).toMatchObject({ ok: true, pa: 0x8000_1234n });
    const denied = walk({ ...STAGE2, '0x40120010': ROOT }, NESTED);
    expect(denied).toMatchObject({
      fault: { stage: 2, level: 1, ptw: true, s1Level: 1, ipa: 0x4000_0000n, pa: 0x4002_0008n },
    });
    // PAR_EL1: FST 0b100101, PTW and S.
    expect(parEl1(denied)).toBe(0xb4bn);
  });

  test('it is the PA that is checked, not the IPA', () => {
    const words = { ...STAGE2, '0x40020010': 0xc000_07fdn, '0x40100010': BLOCK(10n) };
    expect(walk({ ...words, '0x40100018': BLOCK(9n) }, NESTED)).toMatchObject({ ok: true, pa: 0xc000_1234n });
    expect(walk(words, NESTED)).toMatchObject({
      fault: { gpc: 'walk', output: true, stage: 1, pa: 0xc000_1234n },
    });
  });

  test('the fetch of stage 1 below stage 2 is one of stage 1', () => {
    expect(walk({ ...STAGE2, '0x40120008': ROOT }, NESTED)).toMatchObject({
      fault: { stage: 1, level: 2, gpc: 'fail', pa: 0x4001_0000n },
    });
  });

  test('Secure state reads its tables in the Secure space, below NSTable in the Non-secure one', () => {
    const secure = { security: 'secure' } as const;
    expect(walk({}, secure)).toMatchObject({ fault: { level: 1, paSpace: 'secure', gpi: 9 } });
    const words = {
      '0x40120000': 0x8888_8888_8888_8888n,
      '0x40000000': (1n << 63n) | 0x4001_0003n,
    };
    expect(walk(words, secure)).toMatchObject({ ok: true, paSpace: 'non-secure' });
    expect(walk({ '0x40120000': 0x8888_8888_8888_8888n }, secure)).toMatchObject({
      fault: { level: 2, paSpace: 'secure' },
    });
  });
});

describe('as registers show it', () => {
  const fault = { kind: 'granule_protection', level: 3, stage: 1, gpc: 'fail', gptLevel: 1 } as const;
  const output = { ...fault, level: 0, output: true } as const;

  test.each<[string, Parameters<typeof esr>, number]>([
    ['an abort on a fetch', [fault, { access: 'read', fromLower: true }], 0x9200_0027],
    ['an abort on the access', [output, { access: 'write', fromLower: false }], 0x9600_0068],
    [
      'an abort at level -1',
      [
        { ...fault, level: -1 },
        { access: 'read', fromLower: false },
      ],
      0x9600_0023,
    ],
    ['SCR_EL3.GPF: EC 0x1e', [output, { access: 'write', fromLower: true, gpf: true }], 0x7a03_4068],
    [
      'a GPT walk fault at level 0 of a fetch, by an instruction',
      [
        { ...fault, gpc: 'walk', gptLevel: 0 },
        { access: 'execute', fromLower: true },
      ],
      0x7a11_0027,
    ],
    [
      'a GPT address size fault, of stage 2 for stage 1',
      [
        { ...fault, gpc: 'address_size', gptLevel: 0, stage: 2, ptw: true },
        { access: 'read', fromLower: true },
      ],
      0x7a20_00a7,
    ],
    [
      'an external abort on a GPT fetch at level 1',
      [
        { ...output, gpc: 'external' },
        { access: 'read', fromLower: true },
      ],
      0x7a05_4028,
    ],
  ])('%s', (_, parameters, value) => {
    expect(esr(...parameters).toString(16)).toBe(value.toString(16));
  });
});

test('a check agrees with what was written, granule by granule', () => {
  const gpis = [0n, 8n, 9n, 10n, 11n, 15n] as const;
  const owner: Readonly<Record<string, PaSpace | 'all' | 'none'>> = {
    0: 'none',
    8: 'secure',
    9: 'non-secure',
    10: 'root',
    11: 'realm',
    15: 'all',
  };
  const granules = fc.array(fc.constantFrom(...gpis), { minLength: 32, maxLength: 32 });
  const state = fc.constantFrom(...SPACES);
  fc.assert(
    fc.property(granules, state, fc.nat(31), fc.nat(4095), (list, [space, options], granule, offset) => {
      const word = (from: number) =>
        list.slice(from, from + 16).reduce<bigint>((sum, gpi, i) => sum | (gpi << BigInt(4 * i)), 0n);
      // A first GPI of 0b0001 would be a Contiguous descriptor: none of these is.
      const walker = checked(
        { '0x40100008': LEVEL1 | 3n, '0x40120800': word(0), '0x40120808': word(16) },
        options,
      );
      const pa = 0x4100_0000n + BigInt(granule * 4096 + offset);
      const wanted = owner[String(list[granule])]!;
      expect(answer(walker, pa)).toBe(wanted === 'all' || wanted === space ? 'pass' : 'fail 1');
    }),
  );
});
