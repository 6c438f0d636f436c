/** Barriers, commands and accesses as steps of a trace: what is missing, what an invalidation misses and why, what an access may meet. */
import { describe, expect, test } from 'vitest';
import { judgeTrace, type TraceContext, TraceError, type TraceStep } from '../../src/bbm/index.ts';
import { parseCommand } from '../../src/smmu/index.ts';

const L3 = 0x4000_2000n;
const PAGE = 0x0060_0000_8000_0703n;
const OTHER = 0x0060_0000_9000_0703n;

function context(more: Partial<TraceContext> = {}): TraceContext {
  const words = new Map([
    [0x4000_0000n, 0x4000_1003n],
    [0x4000_1000n, L3 | 3n],
    [L3, more.stage === 2 ? 0x8000_07ffn : PAGE],
  ]);
  const initial = (pa: bigint) => words.get(pa) ?? 0n;
  const base = {
    stage: 1,
    granuleLog2: 12,
    iaBits: 39,
    root: 0x4000_0000n,
    asid: 5,
    barriers: true,
  } as const;
  return { ...base, initial, ...more };
}

/** One table of 16K. */
const SIXTEEN = { granuleLog2: 14, iaBits: 25, root: L3 } as const;

const dsb: TraceStep = { barrier: 'dsb ish' };
const stop: TraceStep = { write: L3, value: 0n };
const make: TraceStep = { write: L3, value: OTHER };
const tlbi: TraceStep = { tlbi: 'VALE1IS', operand: 0x5_0000_0000_0000n };
const command = (text: string): TraceStep => ({ command: parseCommand(text) });

/** The barriers that are missing: before which step, which, and for which. */
function missing(steps: readonly TraceStep[], more: Partial<TraceContext> = {}): string[] {
  const verdict = judgeTrace(steps, context(more));
  return [
    ...verdict.steps.flatMap((one) =>
      one.missing.map(({ barrier, step }) => `${one.index}: ${barrier} of ${step}`),
    ),
    ...verdict.owedBarriers.map(({ barrier, step }) => `end: ${barrier} of ${step}`),
  ];
}

describe('break-before-make on a PE (DDI 0487 D8.17.1 RDDMVT)', () => {
  const whole = [stop, dsb, tlbi, dsb, make, dsb, { barrier: 'isb' }];

  test('with every barrier is whole', () => {
    expect(missing(whole)).toEqual([]);
  });

  test.each<[number, string[]]>([
    [1, ['1: DSB ISHST of 0']],
    [3, ['3: DSB ISH of 2']],
    [5, ['end: DSB ISHST of 4', 'end: ISB of 3']],
    [6, ['end: ISB of 5']],
  ])('without step %i', (left, expected) => {
    const steps = whole.filter((_, i) => i !== left);
    // Without the last DSB, ISB still follows the one before.
    expect(missing(steps)).toEqual(left === 5 ? ['end: DSB ISHST of 4', 'end: ISB of 4'] : expected);
  });

  test('says that a DSB is too weak (RPSMWS)', () => {
    const weak = (barrier: string) => missing([stop, dsb, tlbi, { barrier }, make, dsb, { barrier: 'isb' }]);
    expect(weak('dsb ishst')).toEqual(['3: DSB ISH of 2', '4: DSB ISH of 2']);
    expect(weak('dsb nsh')).toEqual(['3: DSB ISH of 2', '4: DSB ISH of 2']);
    expect(weak('dmb ish')).toEqual(['4: DSB ISH of 2']);
    expect(weak('dsb')).toEqual([]);
    expect(weak('DSB SY')).toEqual([]);
  });

  test('knows DSB nXS: it completes operations with nXS alone', () => {
    const xs = (name: 'VALE1IS' | 'VALE1ISNXS', barrier: string) =>
      missing([
        stop,
        dsb,
        { tlbi: name, operand: 0x5_0000_0000_0000n },
        { barrier },
        make,
        dsb,
        { barrier: 'isb' },
      ]);
    expect(xs('VALE1ISNXS', 'dsb ishnxs')).toEqual([]);
    expect(xs('VALE1IS', 'dsb ishnxs')).toEqual(['3: DSB ISH of 2', '4: DSB ISH of 2']);
  });

  test('of a local TLBI needs DSB NSH', () => {
    const local: TraceStep = { tlbi: 'VALE1', operand: 0x5_0000_0000_0000n };
    expect(missing([stop, dsb, local, make])).toContain('3: DSB NSH of 2');
    expect(missing([stop, dsb, local, { barrier: 'dsb nsh' }, make, dsb, { barrier: 'isb' }])).toEqual([]);
  });

  test('is not judged unless it is asked for', () => {
    expect(missing([stop, tlbi, make], { barriers: false })).toEqual([]);
  });

  test.each(['dbs ish', 'dsb ihs', 'isb ish', 'dmb ishnxs', 'dsb ishstnxs', ''])(
    '%s is not a barrier',
    (barrier) => {
      expect(() => missing([{ barrier }])).toThrow(TraceError);
    },
  );
});

describe('an invalid entry made valid', () => {
  const [first, second]: TraceStep[] = [{ write: L3 + 8n, value: OTHER }, { access: 0x1000n }];

  test('owes DSB and ISB at the end', () => {
    expect(missing([first!])).toEqual(['end: DSB ISHST of 0', 'end: ISB of 0']);
  });

  test('may not be seen by an access before the DSB; a fetch needs ISB too', () => {
    expect(missing([first!, second!])).toContain('1: DSB ISHST of 0');
    expect(missing([first!, dsb, second!])).toEqual(['end: ISB of 1']);
    expect(missing([first!, dsb, { access: 0x1000n, fetch: true }])).toContain('2: ISB of 1');
    expect(missing([first!, dsb, { barrier: 'isb' }, { access: 0x1000n, fetch: true }])).toEqual([]);
  });
});

describe('an access', () => {
  const outcomes = (steps: readonly TraceStep[], more: Partial<TraceContext> = {}) => {
    const last = judgeTrace(steps, context(more)).steps.at(-1)!;
    return last.kind === 'access' ? last.outcomes : undefined;
  };

  test('meets the tables, and stale entries', () => {
    const at: TraceStep = { access: 0x123n };
    expect(outcomes([at])).toEqual([{ from: 'memory', oa: 0x8000_0123n, step: -1 }]);
    expect(outcomes([stop, at])).toEqual([
      { from: 'memory', oa: undefined, step: -1 },
      { from: 'stale', oa: 0x8000_0123n, step: -1 },
    ]);
    expect(outcomes([stop, make, at])).toEqual([
      { from: 'memory', oa: 0x9000_0123n, step: 1 },
      { from: 'stale', oa: 0x8000_0123n, step: -1 },
    ]);
    expect(outcomes([stop, dsb, tlbi, dsb, make, at])).toEqual([
      { from: 'memory', oa: 0x9000_0123n, step: 4 },
    ]);
  });

  test('of the upper range, and outside the tables', () => {
    const upper = { upper: true };
    expect(outcomes([{ access: 0xffff_ff80_0000_0ff8n }], upper)).toMatchObject([{ oa: 0x8000_0ff8n }]);
    expect(() => outcomes([{ access: 0x1000n }], upper)).toThrow(
      /the tables are for 0xffffff8000000000 to 0xffff/,
    );
    expect(() => outcomes([{ access: 1n << 39n }])).toThrow(TraceError);
  });
});

describe('an SMMU', () => {
  const stage2 = { stage: 2, vmid: 1, combined: false, machine: 'smmu' } as const;
  const illegal = (steps: readonly TraceStep[], more: Partial<TraceContext> = stage2) =>
    judgeTrace(steps, context(more)).illegal.smmu[0];
  const change = (text: string): TraceStep[] => [
    stop,
    dsb,
    command(text),
    command('CMD_SYNC'),
    { write: L3, value: 0x9000_07ffn },
  ];

  test.each<[string, number]>([
    ['CMD_TLBI_S2_IPA VMID=1 Addr=0x0 Leaf=1', 0],
    ['CMD_TLBI_S2_IPA VMID=2 Addr=0x0 Leaf=1', 1],
    ['CMD_TLBI_S2_IPA VMID=1 Addr=0x1000 Leaf=1', 1],
    ['CMD_TLBI_S2_IPA VMID=1 Addr=0x0 TG=1 NUM=3 SCALE=0', 0],
    ['CMD_TLBI_S2_IPA VMID=1 Addr=0x0 TG=1 TTL=3 NUM=3', 0],
    ['CMD_TLBI_S2_IPA VMID=1 Addr=0x0 TG=1 TTL=2 NUM=3', 1],
    ['CMD_TLBI_S2_IPA VMID=1 Addr=0x0 TG=3 NUM=3', 1],
    ['CMD_TLBI_S12_VMALL VMID=1', 0],
    ['CMD_TLBI_NSNH_ALL', 0],
    ['CMD_TLBI_NH_ALL VMID=1', 1],
    ['CMD_TLBI_EL2_ALL', 1],
    ['CMD_CFGI_ALL', 1],
  ])('after %s: %i illegal steps', (text, expected) => {
    expect(illegal(change(text))).toBe(expected);
  });

  test.each<[string, number]>([
    ['CMD_TLBI_NH_VA VMID=0 ASID=5 Addr=0x0 Leaf=1', 0],
    ['CMD_TLBI_NH_VA VMID=0 ASID=6 Addr=0x0 Leaf=1', 1],
    ['CMD_TLBI_NH_VAA VMID=0 Addr=0x0', 0],
    ['CMD_TLBI_NH_ASID VMID=0 ASID=5', 0],
    ['CMD_TLBI_NH_ASID VMID=1 ASID=5', 1],
  ])('at stage 1, after %s: %i', (text, expected) => {
    const steps = [...change(text).slice(0, -1), { write: L3, value: OTHER | 0x800n }];
    const nonGlobal = (pa: bigint) => (pa === L3 ? PAGE | 0x800n : context().initial!(pa));
    expect(illegal(steps, { machine: 'smmu', initial: nonGlobal })).toBe(expected);
  });

  test.each<[string, number]>([
    ['CMD_TLBI_NH_ALL VMID=1', 0],
    ['CMD_TLBI_NH_ALL VMID=2', 1],
    ['CMD_TLBI_NH_VAA VMID=1 Addr=0x0', 1],
    ['CMD_TLBI_EL2_ALL', 1],
    ['CMD_TLBI_NSNH_ALL', 0],
  ])('entries of both stages, after CMD_TLBI_S2_IPA and %s: %i (IHI 0070 4.4.3.1)', (text, expected) => {
    const steps = change('CMD_TLBI_S2_IPA VMID=1 Addr=0x0 Leaf=1');
    steps.splice(4, 0, command(text), command('CMD_SYNC'));
    expect(illegal(steps, { ...stage2, combined: true })).toBe(expected);
  });

  test.each<[string, Partial<TraceContext>, number, string | undefined]>([
    ['Addr=0x1000 TG=1 TTL=2 NUM=1', {}, 1, 'which addresses are invalidated is UNPREDICTABLE'],
    ['Addr=0x0 TG=1 TTL=3 TTL128=1', {}, 1, 'descriptors of 128 bits'],
    ['Addr=0x0 TG=1 TTL128=1 NUM=1', {}, 0, undefined],
    // Level 1 of 16K, a level without leaves, is Reserved without SMMU_IDR5.DS: it counts as no level.
    ['Addr=0x0 TG=2 TTL=1 NUM=1', SIXTEEN, 0, undefined],
    ['Addr=0x0 TG=2 TTL=1 NUM=1', { ...SIXTEEN, oa52: true }, 1, undefined],
    ['Addr=0x1000 TG=2 NUM=1', SIXTEEN, 1, 'aligned to 0x4000'],
    // 6 bits of SCALE with DS alone.
    ['Addr=0x0 TG=1 NUM=1 SCALE=32', {}, 0, undefined],
    ['Addr=0x0 TG=1', {}, 1, 'Reserved'],
  ])('a range: CMD_TLBI_S2_IPA %s with %o: %i (IHI 0070 4.4.1.1)', (range, more, expected, why) => {
    const steps = change(`CMD_TLBI_S2_IPA VMID=1 ${range}`);
    expect(illegal(steps, { ...stage2, ...more })).toBe(expected);
    const said = judgeTrace(steps, context({ ...stage2, ...more })).steps[2]!;
    if (why === undefined) expect(said).not.toHaveProperty('nothing');
    else expect(said).toMatchObject({ nothing: expect.stringContaining(why) });
  });

  test('a range from the lower half does not go on into the upper one (IHI 0070 4.4.1.1)', () => {
    const steps = (text: string) => [...change(text).slice(0, -1), { write: L3, value: OTHER }];
    const upper = { machine: 'smmu', upper: true } as const;
    expect(illegal(steps('CMD_TLBI_NH_VAA VMID=0 Addr=0x0 TG=1 NUM=31 SCALE=31'), upper)).toBe(1);
    expect(illegal(steps('CMD_TLBI_NH_VAA VMID=0 Addr=0xffffff8000000000 TG=1 NUM=31 SCALE=31'), upper)).toBe(
      0,
    );
  });

  test('needs a barrier before the command, and CMD_SYNC after it (IHI 0070 3.21.2, 4.8)', () => {
    const [, , own, sync, after] = change('CMD_TLBI_S2_IPA VMID=1 Addr=0x0 Leaf=1');
    const found = (steps: readonly TraceStep[]) =>
      missing(steps, stage2).filter((one) => !one.startsWith('end'));
    expect(found([stop, dsb, own!, sync!, after!])).toEqual([]);
    expect(found([stop, own!, sync!, after!])).toEqual(['1: DSB ISHST of 0']);
    expect(found([stop, dsb, own!, after!])).toEqual(['3: CMD_SYNC of 2']);
    expect(found([stop, dsb, own!, dsb, after!])).toEqual(['4: CMD_SYNC of 2']);
  });

  test('has commands that do nothing for a PE', () => {
    const steps = change('CMD_TLBI_S2_IPA VMID=1 Addr=0x0 Leaf=1');
    expect(judgeTrace(steps, context({ ...stage2, machine: 'pe' })).illegal.pe[0]).toBe(1);
  });
});

describe('an invalidation that removes nothing says why', () => {
  const missOf = (step: TraceStep, more: Partial<TraceContext> = {}) => {
    const verdict = judgeTrace([stop, dsb, step], context(more)).steps[2]!;
    return verdict.kind === 'invalidation' ? verdict.miss : undefined;
  };
  const nonGlobal = (pa: bigint) => (pa === L3 ? PAGE | 0x800n : context().initial!(pa));

  test.each<[string, TraceStep, object, Partial<TraceContext>]>([
    [
      'TTL of 64K',
      { tlbi: 'VAAE1IS', operand: 0xf_0000_0000_0000n >> 4n },
      { property: 'granule', operation: '64K', entry: '4K' },
      {},
    ],
    [
      'TTL of another level',
      { tlbi: 'VAAE1IS', operand: 0x6000_0000_0000n },
      { property: 'level', operation: '2', entry: '3' },
      {},
    ],
    [
      'another ASID',
      { tlbi: 'VAE1IS', operand: 0xf_0000_0000_0000n },
      { property: 'ASID', operation: '0xf', entry: '0x5' },
      { initial: nonGlobal },
    ],
    [
      'another address',
      { tlbi: 'VAAE1IS', operand: 0x8_0000n },
      { property: 'address', operation: '0x80000000', entry: '0x0 to 0xfff' },
      {},
    ],
    ['another regime', { tlbi: 'ALLE2' }, { property: 'regime', operation: 'el2', entry: 'el1&0' }, {}],
    [
      'another stage',
      { tlbi: 'IPAS2E1IS' },
      { property: 'stage', operation: 'stage 2', entry: 'stage 1' },
      {},
    ],
    ['another VMID', command('CMD_TLBI_NH_ALL VMID=3'), { property: 'VMID', operation: '3', entry: '0' }, {}],
  ])('%s', (_, step, why, more) => {
    expect(missOf(step, more)).toEqual({ ia: 0n, level: 3, kind: 'leaf', why: [why] });
  });

  test('but not where it removes something, or nothing is stale', () => {
    expect(missOf(tlbi)).toBeUndefined();
    expect(judgeTrace([{ tlbi: 'ALLE2' }], context()).steps[0]).not.toHaveProperty('miss');
  });
});
