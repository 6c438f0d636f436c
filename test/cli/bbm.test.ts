/** `lpae bbm`: traces and recorded requests, text and JSON, exit codes, and what it refuses. */
import { describe, expect, test } from 'vitest';
import { asText, lpae, lpaeJson, tempFile } from './run.ts';

const bbm = (input: unknown, ...args: string[]) => lpae(['bbm', '-', ...args], { stdin: asText(input) });
const bbmJson = (input: unknown, ...args: string[]) =>
  lpaeJson(['bbm', '-', ...args], { stdin: asText(input) });

/** A 2M block at IA 0, split into a table with a single page. */
const SPLIT = {
  schema: 'lpae.trace/1',
  granule: '4K',
  ias: 39,
  root: '0x40000000',
  asid: 5,
  barriers: 'assumed',
  memory: [
    ['0x40000000', '0x40001003'],
    ['0x40001000', '0x80000f01'],
  ],
  steps: [
    { write: '0x40002000', value: '0x80000f03' },
    { write: '0x40001000', value: '0x40002003' },
    { barrier: 'dsb ish' },
    { tlbi: 'vae1is', operand: '0x0005000000000000' },
  ],
};

test('a trace: each step, its verdict and what it needs', async () => {
  const { code, out, err } = await bbm(SPLIT);
  expect({ code, err }).toEqual({ code: 1, err: '' });
  expect(out).toBe(`stdin  el1&0 stage 1, granule 4K, 39 bits in, root 0x40000000 of level 1

[0]        0x40002000  0x0000000080000f03  not reachable
[1]        0x40001000  L2 IA 0x0  block 0x80000000 -> table 0x40002000  illegal: PE 0 1, SMMU 0 1
             PE 0: the size changes, and FEAT_BBM is not implemented (DDI 0487 D8.17.2)
             PE 1: the size changes without nT in the block, at FEAT_BBM level 1 (DDI 0487 D8.17.2)
             SMMU 0: the size changes, and FEAT_BBM is not implemented (IHI 0070 3.21.1.1)
             SMMU 1: the size changes without nT in the block, at FEAT_BBM level 1 (IHI 0070 3.21.1.2)
             before: write 0; TLBI VALE1IS, Xt=0x5000000000000; DSB ISH
             before: write 0; CMD_TLBI_NH_VA VMID=0 ASID=5 Addr=0x0 Leaf=1; CMD_SYNC
             after: TLBI VALE1IS, Xt=0x5000000000000; DSB ISH
             after: CMD_TLBI_NH_VA VMID=0 ASID=5 Addr=0x0 Leaf=1; CMD_SYNC
[2]        dsb ish
[3]        TLBI VAE1IS, Xt=0x5000000000000

Illegal steps, by FEAT_BBM level (BBML for an SMMU)
        0  1  2
  PE    1  1  0
  SMMU  1  1  0

Nothing is missing at the end

PE and SMMU of level 0: 1 step illegal
`);
});

test.each([
  [[], 1],
  [['--bbm', '1'], 1],
  [['--bbm', '2'], 0],
  [['--machine', 'smmu', '--bbm', '2'], 0],
  [['--machine', 'pe'], 1],
] as const)('%j chooses what counts: exit code %i', async (args, code) => {
  expect((await bbm(SPLIT, ...args)).code).toBe(code);
});

test('--machine smmu names its commands and rules alone', async () => {
  const { out } = await bbm(SPLIT, '--machine', 'smmu', '--bbm', '1');
  expect(out).toContain('after: CMD_TLBI_NH_VA');
  expect(out).not.toMatch(/after: TLBI|DDI 0487/);
  expect(out).toContain('SMMU of level 1: 1 step illegal');
});

test('--json', async () => {
  const { code, json } = await bbmJson(SPLIT, '--bbm', '2');
  expect(code).toBe(0);
  expect(json).toMatchObject({
    schema: 'lpae.bbm/1',
    name: 'stdin',
    ok: true,
    machines: ['pe', 'smmu'],
    bbm: 2,
    tables: {
      stage: 1,
      regime: 'el1&0',
      granule: '4K',
      ias: 39,
      root: '0x40000000',
      level: 1,
      asid: 5,
      vmid: 0,
    },
    illegal: { pe: [1, 1, 0], smmu: [1, 1, 0] },
    owed: [],
  });
  const steps = json.steps as Record<string, unknown>[];
  expect(steps[1]).toMatchObject({
    index: 1,
    write: '0x40001000',
    before: '0x0000000080000f01',
    value: '0x0000000040002003',
    places: [{ level: 2, ia: '0x0', size: '0x200000', live: true }],
    changes: ['size'],
    legal: { pe: [false, false, true], smmu: [false, false, true] },
    break_first: true,
    needs_after: [
      {
        from: '0x0',
        size: '0x200000',
        leaf: true,
        global: false,
        operations: 1,
        tlbi: [{ operation: 'VALE1IS', operand: '0x5000000000000' }, { operation: 'DSB ISH' }],
        commands: [
          { command: 'CMD_TLBI_NH_VA', fields: { VMID: 0, ASID: 5, Addr: '0x0', Leaf: 1 } },
          { command: 'CMD_SYNC', fields: {} },
        ],
      },
    ],
  });
  expect(steps[0]).toMatchObject({ places: [], changes: ['unreachable'], legal: { pe: [true, true, true] } });
  expect(steps[2]).toEqual({ index: 2, barrier: 'dsb ish' });
  expect(steps[3]).toEqual({ index: 3, tlbi: 'VAE1IS', operand: '0x5000000000000' });
});

test('registers in place of geometry, and an invalidation by address', async () => {
  const registers = { ttbr0: '0x0005000040000000', tcr: '0x1500803519', mair: '0xff' };
  const { granule: _g, ias: _i, root: _r, asid: _a, steps, ...rest } = SPLIT;
  const mended = [
    steps[0],
    { write: '0x40001000', value: '0' },
    { invalidate: '0', size: '2M', leaf: true },
    steps[1],
  ];
  const found = await bbmJson({ ...rest, registers, steps: mended });
  expect(found.code).toBe(0);
  expect(found.json).toMatchObject({ tables: { ias: 39, root: '0x40000000', asid: 5 }, owed: [] });
  const again = await bbmJson({ ...rest, registers, steps: steps.slice(0, 2) });
  expect([again.code, (again.json.owed as unknown[]).length]).toEqual([1, 1]);
});

const REQUEST = {
  format: 'arm_64_lpae_s1',
  config: { pgsize_bitmap: '0x40201000', ias: 48, oas: 48 },
  ops: [
    { op: 'map', iova: '4M', paddr: '0x10000000', size: '64K' },
    { op: 'unmap', iova: '4M', size: '64K' },
    { op: 'map', iova: '4M', paddr: '0x20000000', size: '64K' },
    { op: 'iova_to_phys', iova: '4M' },
  ],
};

describe('a map request', () => {
  test('is recorded: its operations, and their writes folded', async () => {
    const { code, out } = await bbm(REQUEST);
    expect(code).toBe(1);
    expect(out).toContain(
      [
        'unmap  IOVA 0x400000, 64K',
        '[19-34]    0x80003000  L3 IA 0x400000  page 0x10000000 -> invalid ×16  legal',
        '             after: TLBI RVALE1IS, Xt=0x438000000400; DSB ISH (or 16 operations of one address)',
      ].join('\n'),
    );
    expect(out).toContain('invalid -> page 0x20000000 ×16  illegal: PE 0 1 2, SMMU 0 1 2');
    expect(out).toContain('iova_to_phys  IOVA 0x400000\nwrites nothing');
    expect(out).toContain('PE and SMMU of level 0: 16 steps illegal');
  });

  test('--sync invalidates as Linux does', async () => {
    const { code, out } = await bbm(REQUEST, '--sync');
    expect(code).toBe(0);
    expect(out).toContain('invalidate 0x400000 +64K, leaves and tables');
    expect(out).toContain('Nothing is missing at the end');
  });

  test('--sync flushes a table that a block takes the place of', async () => {
    const ops = [...REQUEST.ops.slice(0, 2), { op: 'map', iova: '4M', paddr: '0x20000000', size: '2M' }];
    expect((await bbm({ ...REQUEST, ops }, '--sync')).code).toBe(0);
    expect((await bbm({ ...REQUEST, ops })).code).toBe(1);
  });

  test('a split is illegal below level 2, with --sync too; whole and refuse are not', async () => {
    const ops = [
      { op: 'map', iova: '2M', paddr: '4M', size: '2M' },
      { op: 'unmap', iova: '2M', size: '4K' },
    ];
    const codes = async (...args: string[]) => {
      const all = ['split', 'whole', 'refuse'].map((partial_unmap) =>
        bbm({ ...REQUEST, partial_unmap, ops }, '--sync', ...args),
      );
      return (await Promise.all(all)).map(({ code }) => code);
    };
    expect(await codes('--bbm', '1')).toEqual([1, 0, 0]);
    expect(await codes('--bbm', '2')).toEqual([0, 0, 0]);
  });

  test('a refused request leaves nothing mapped', async () => {
    const ops = [
      { op: 'map', iova: '0x403000', paddr: '0x10000000', size: '4K' },
      {
        op: 'map_sg',
        iova: '0x401000',
        sg: [
          ['0x20000000', '8K'],
          ['0x50000000', '8K'],
        ],
      },
      { op: 'map', iova: '0x401000', paddr: '0x30000000', size: '4K' },
    ];
    expect((await bbm({ ...REQUEST, ops })).code).toBe(1);
    expect((await bbm({ ...REQUEST, ops }, '--sync')).code).toBe(0);
  });

  test('stage 2', async () => {
    const { out } = await bbm({
      ...REQUEST,
      format: 'arm_64_lpae_s2',
      config: { ...REQUEST.config, ias: 40 },
    });
    expect(out).toContain('after: TLBI RIPAS2LE1IS, Xt=0x438000000400; DSB ISH; TLBI VMALLE1IS; DSB ISH');
    expect(out).toContain(
      'after: CMD_TLBI_S2_IPA VMID=0 Addr=0x400000 Leaf=1 TG=1 SCALE=0 NUM=15; CMD_SYNC\n',
    );
  });
});

test.each<[string, unknown, string]>([
  ['another schema', { ...SPLIT, schema: 'lpae.trace/2' }, 'schema must be one of lpae.trace/1'],
  ['an unknown member', { ...SPLIT, vendor: 1 }, 'vendor is not known here'],
  ['no granule', { ...SPLIT, granule: undefined }, 'granule must be an address or size'],
  ['a granule of none', { ...SPLIT, granule: '8K' }, 'granule must be 4K, 16K or 64K'],
  ['geometry and registers', { ...SPLIT, registers: {} }, 'granule is given by the registers already'],
  ['a level that does not fit', { ...SPLIT, level: 0 }, 'it takes one of level 1'],
  ['not steps', { ...SPLIT, steps: {} }, 'steps must be a list'],
  [
    'a step of nothing',
    { ...SPLIT, steps: [{}] },
    'steps[0] must be a write, a tlbi, an invalidate or a barrier',
  ],
  [
    'a member too many',
    { ...SPLIT, steps: [{ write: 0, value: 0, size: 8 }] },
    'steps[0].size is not known here',
  ],
  ['no value', { ...SPLIT, steps: [{ write: '0x1000' }] }, 'steps[0].value must be an address or size'],
  [
    'an unaligned write',
    { ...SPLIT, steps: [{ write: 4, value: 0 }] },
    'steps[0] is impossible: a write to 0x4',
  ],
  [
    'a TLBI of no name',
    { ...SPLIT, steps: [{ tlbi: 'vae9' }] },
    "steps[0] is impossible: TLBI has no operation 'VAE9'",
  ],
  [
    'an empty range',
    { ...SPLIT, steps: [{ invalidate: '0', size: 0 }] },
    'steps[0] is impossible: an invalidation of 0',
  ],
  ['memory of no pairs', { ...SPLIT, memory: [['0x0']] }, 'memory[0] must be a pair'],
  ['memory unaligned', { ...SPLIT, memory: [['0x4', '0x0']] }, 'memory[0][0] must be a multiple of 8'],
  ['an ASID too large', { ...SPLIT, asid: 65536 }, 'asid must be a whole number from 0 to 65535'],
  [
    'short descriptors',
    { ...REQUEST, format: 'arm_v7s', config: { pgsize_bitmap: '0x1000', ias: 32, oas: 32 } },
    'VMSAv8-64',
  ],
  ['nothing', [], 'the document must be an object'],
])('garbage: %s', async (_, input, message) => {
  const { code, out, err } = await bbm(input);
  expect(err).toContain(message);
  expect([code, out]).toEqual([3, '']);
});

test('wrong usage', async () => {
  expect((await bbm(SPLIT, '--bbm', '3')).code).toBe(2);
  expect((await bbm(SPLIT, '--machine', 'gpu')).code).toBe(2);
  const { code, err } = await bbm(SPLIT, '--sync');
  expect([code, err]).toEqual([2, expect.stringContaining('a trace has its own')]);
});

test('a file, and its name', async () => {
  const file = tempFile('trace.json', asText({ ...SPLIT, name: 'a split' }));
  expect((await lpae(['bbm', file])).out).toMatch(/^a split {2}el1&0 stage 1/);
  expect((await lpae(['bbm', '--help'])).out).toContain('lpae bbm trace.json --machine smmu --bbm 2');
});

/** A page at IA 0 of a stage 2, replaced by another. */
const stage2 = (...between: object[]) => ({
  granule: '4K',
  stage: 2,
  ias: 39,
  root: '0x40000000',
  vmid: 1,
  combined: false,
  memory: [
    ['0x40000000', '0x40001003'],
    ['0x40001000', '0x40002003'],
    ['0x40002000', '0x800007ff'],
  ],
  steps: [
    { write: '0x40002000', value: '0x0' },
    ...between,
    { write: '0x40002000', value: '0x900007ff' },
    { barrier: 'dsb ish' },
  ],
});
const dsb = { barrier: 'dsb ish' };
const sync = { command: 'CMD_SYNC' };

describe('commands of an SMMU', () => {
  test('as text, as words, and by the name of a TLBI with the tags of the trace', async () => {
    for (const command of [
      { command: 'CMD_TLBI_S2_IPA VMID=1 Addr=0x0 Leaf=1' },
      { command: ['0x10000002a', '0x1'] },
      { tlbi: 'cmd_tlbi_s2_ipa', operand: '0x1' },
    ]) {
      const { code, out, err } = await bbm(stage2(dsb, command, sync));
      expect([code, err]).toEqual([0, 'lpae: the trace has commands of an SMMU, and is judged for one\n']);
      expect(out).toContain('[2]        CMD_TLBI_S2_IPA Address=0x0 Leaf=1 VMID=1\n[3]        CMD_SYNC\n');
      expect(out).toContain('Nothing is missing at the end\n\nSMMU of level 0: legal\n');
    }
  });

  test('of another VMID miss, and say why; for a PE they do nothing', async () => {
    const wrong = stage2(dsb, { command: 'TLBI_S2_IPA vmid=2 ipa=0x0' }, sync);
    const { code, out } = await bbm(wrong, '--machine', 'smmu');
    expect(code).toBe(1);
    expect(out).toContain(
      'removes nothing: the stale entry of level 3 at IA 0x0 is not in scope: VMID 2, the entry has 1',
    );
    expect(out).toContain('before: CMD_TLBI_S2_IPA VMID=1 Addr=0x0 Leaf=1; CMD_SYNC');
    const right = stage2(dsb, { command: 'TLBI_S2_IPA vmid=1 ipa=0x0' }, sync);
    expect((await bbm(right, '--machine', 'pe')).code).toBe(1);
  });

  test('without a barrier before and CMD_SYNC after', async () => {
    const { code, out } = await bbm(stage2({ command: 'CMD_TLBI_S2_IPA VMID=1' }));
    expect(code).toBe(1);
    expect(out).toContain(
      'missing: DSB ISHST: CMD_TLBI_S2_IPA may act before the SMMU can observe the write of step 0',
    );
    expect(out).toContain(
      'missing: CMD_SYNC: CMD_TLBI_S2_IPA of step 1 is not complete before the new entry',
    );
    expect(out).toContain('SMMU of level 0: legal, 2 barriers missing\n');
  });

  test.each([
    [
      { command: 'CMD_TLBI_S2_IPO' },
      /steps\[1\] is impossible: 'CMD_TLBI_S2_IPO' is not a command .* did you mean CMD_TLBI_S2_IPA/,
    ],
    [{ command: 5 }, /steps\[1\].command must be a command as text/],
    [{ tlbi: 'cmd_nonsuch' }, /steps\[1\] is impossible: 'cmd_nonsuch' is not a command/],
    [
      { barrier: 'dbs ish' },
      /steps\[1\] is impossible: 'dbs ish' is not a barrier .* did you mean dsb ish\?/,
    ],
    [
      { access: '0x8000000000' },
      /steps\[1\] is impossible: an access at 0x8000000000: the tables are for 0x0 to/,
    ],
  ])('%j is refused', async (step, message) => {
    const { code, err } = await bbm(stage2(step));
    expect([code, err]).toEqual([3, expect.stringMatching(message)]);
  });
});

test('a page that is mapped owes its barriers at the end', async () => {
  const { steps: _, ...tables } = stage2();
  const mapped = { ...tables, steps: [{ write: '0x40002008', value: '0x900007ff' }, { access: '0x1000' }] };
  const { code, out } = await bbm(mapped, '--machine', 'pe');
  expect(code).toBe(1);
  expect(out).toContain(
    '[1]        access 0x1000: 0x90000000\n             missing: DSB ISHST: the walk may not see the write of step 0',
  );
  expect(out).toMatch(/Missing at the end: 2 barriers\n {2}DSB ISHST: .*RSPVBD\)\n {2}ISB: /);
  const { json } = await bbmJson(mapped, '--machine', 'pe');
  expect(json).toMatchObject({
    ok: false,
    missing: 1,
    owed_barriers: [{ barrier: 'DSB ISHST' }, { barrier: 'ISB' }],
  });
});

test('a TLBI that removes nothing says what its operand means', async () => {
  const { out } = await bbm({
    ...stage2({ tlbi: 'ipas2e1is', operand: '0xf00000000000' }),
  });
  expect(out).toContain('Xt: TTL = 64K level 3, IPA[51:12] = 0x0\n');
  expect(out).toContain('is not in scope: granule 64K, the entry has 4K');
});

describe('the Security state and TGE of a trace', () => {
  /** A page of IA 0, which gets another NS; the regime has three levels of 4K. */
  const trace = (more: object, ...last: object[]) => ({
    granule: '4K',
    ias: 39,
    root: '0x40000000',
    barriers: 'assumed',
    memory: [
      ['0x40000000', '0x40001003'],
      ['0x40001000', '0x40002003'],
      ['0x40002000', '0x80000f03'],
    ],
    steps: [{ write: '0x40002000', value: '0x80000f23' }, ...last],
    ...more,
  });

  test.each([
    [{}, 1],
    [{ security: 'nonsecure' }, 0],
    [{ security: 'secure' }, 1],
    [{ security: 'realm' }, 0],
    [{ security: 'realm', regime: 'el2' }, 1],
    [{ security: 'root', regime: 'el3' }, 1],
  ])('%j: exit code %i', async (more, code) => {
    expect((await bbm(trace(more))).code).toBe(code);
  });

  test('SCR_EL3 among the registers says it, and a state that the regime has not is refused', async () => {
    const registers = { ttbr0: '0x40000000', tcr: '0x80080019', mair: '0xff' };
    const { granule, ias, root, ...rest } = trace({});
    expect((await bbm({ ...rest, registers: { ...registers, scr: '0x1' } })).code).toBe(0);
    expect((await bbm({ ...rest, registers: { ...registers, scr: '0x0' } })).code).toBe(1);
    const refused = await bbm(trace({ security: 'root' }));
    expect(refused.code).toBe(3);
    expect(refused.err).toContain('only EL3 is in Root state');
  });

  test('with TGE = 1 E1 operations of a host leave the guest alone', async () => {
    const broken = (tge: object) => ({
      ...trace(tge, { tlbi: 'vmalle1is' }),
      steps: [{ write: '0x40002000', value: '0x0' }, { tlbi: 'vmalle1is' }],
    });
    expect((await bbm(broken({ tge: false }))).out).toContain('Nothing is missing at the end');
    const left = (await bbm(broken({ tge: true }))).out;
    expect(left).not.toContain('Nothing is missing at the end');
    expect(left).toContain('regime');
    expect((await bbm(broken({ regime: 'el2&0', tge: false }))).out).not.toContain('Nothing is missing');
    expect((await bbm(broken({ regime: 'el2&0' }))).out).toContain('Nothing is missing');
  });
});
