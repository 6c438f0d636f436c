/**
 * Break-before-make where permissions are indirect: literal pages, and writes of PIR, PIRE0, S2PIR and overlays.
 * (DDI 0487 D8.17 R_VNRFW, D8.17.1 RWHZWS; D8.4 R_FBQWG, I_SKPNZ, R_ZCKWH, R_LJKKX.)
 */
import { describe, expect, test } from 'vitest';
import { arm64LpaeS1 } from '../../formats/index.ts';
import { bbm, judgeTrace, recordWrites, TraceError, traceContext } from '../../src/bbm/index.ts';
import { IommuDomain, PhysicalMemory } from '../../src/index.ts';

/** 4K, 39 bits from level 1, EPD1. PIIndex 0: EL1 reads and writes; 1: reads; 15: all write. */
const REGISTERS = {
  ttbr0: 0x4000_0000n,
  tcr: 0x2_0080_0019n,
  mair: 0xff44n,
  tcr2: 2n,
  pir: 0xc000_0000_0000_008cn,
  pire0: 0x5000_0000_0000_0000n,
};
const L3 = 0x4000_2000n;
const words = new Map([
  [0x4000_0000n, 0x4000_1003n],
  [0x4000_1000n, 0x4000_2003n],
  [L3, 0x8000_0f03n], // PIIndex 0
  [L3 + 8n, 0x8000_1f43n], // PIIndex 1
  [L3 + 16n, 0x8000_2f43n], // PIIndex 1
]);
const context = (registers: Record<string, bigint> = REGISTERS) => ({
  ...traceContext({ regime: 'el1&0', registers }),
  initial: (pa: bigint) => words.get(pa) ?? 0n,
});
const page = { ...context(), level: 3, bbml: 0 } as const;
const DIRTY_OFF = 0x80n;

describe('one page', () => {
  test.each<[string, bigint, bigint, boolean, string[]]>([
    ['PIIndex', 0x8000_0f03n, 0x8000_0f43n, true, ['other']],
    ['nDirty', 0x8000_0f03n, 0x8000_0f83n, true, ['other']],
    ['PIIndex 3, bit 54, which was UXN', 0x8000_0f03n, (1n << 54n) | 0x8000_0f03n, true, ['other']],
    ['POIndex', 0x8000_0f03n, (3n << 60n) | 0x8000_0f03n, true, ['other']],
    ['another address, writable by PIR', 0x8000_0f03n, 0x9000_0f03n, false, ['oa']],
    ['another address, read-only by PIR, same contents', 0x8000_0f43n, 0x9000_0f43n, true, ['other']],
    [
      'another address, clean, same contents',
      0x8000_0f03n | DIRTY_OFF,
      0x9000_0f03n | DIRTY_OFF,
      true,
      ['other'],
    ],
    ['what AP[2] would call read-only', 0x8000_0f43n | DIRTY_OFF, 0x9000_0f43n | DIRTY_OFF, true, ['other']],
  ])('%s', (_, before, after, legal, changes) => {
    expect(bbm(before, after, { ...page, sameContents: true })).toMatchObject({ legal, changes });
  });

  test('with hardware updates of the dirty state what is clean may be written', () => {
    const verdict = bbm(0x8000_0f83n, 0x9000_0f83n, { ...page, sameContents: true, hd: true });
    expect(verdict).toMatchObject({ legal: false, changes: ['oa'] });
  });

  test('AttrIndx[3] chooses MAIR2: another type is a change, the same type is none', () => {
    const aie = context({ ...REGISTERS, tcr2: 0x12n, mair2: 0x44n });
    const at = { ...aie, level: 3, bbml: 0 } as const;
    const other = 1n << 59n;
    expect(bbm(0x8000_0f03n, 0x8000_0f03n | other, at)).toMatchObject({ legal: true, changes: ['other'] });
    expect(bbm(0x8000_0f07n, 0x8000_0f03n | other, at)).toMatchObject({ legal: false, changes: ['memory'] });
    expect(bbm(0x8000_0f03n, 0x8000_0f03n | other, page).changes).toEqual(['other']);
  });

  test('permissions of tables are off, so that they may change in place', () => {
    expect(context().hierarchical).toBe(false);
    expect(context({ ...REGISTERS, tcr2: 0n }).hierarchical).toBe(true);
  });
});

describe('writes of a register', () => {
  const of = (register: 'pir' | 'pire0' | 'por' | 'por0', value: bigint) =>
    judgeTrace([{ register, value }], context());

  test('PIR: the leaves that choose a changed field have to go', () => {
    // Field 1 becomes read and execute.
    const { steps, owed, illegal } = of('pir', 0xc000_0000_0000_00acn);
    expect(steps[0]).toMatchObject({ kind: 'register', before: REGISTERS.pir, indexes: [1], cached: true });
    expect(owed).toMatchObject([{ from: 0x1000n, size: 0x2000n, leaf: true, operations: 2 }]);
    expect(illegal.pe).toEqual([0, 0, 0]);
  });

  test('once they are invalidated nothing is missing; a part of it is not enough', () => {
    const write = { register: 'pir', value: 0xc000_0000_0000_00acn } as const;
    const owedAfter = (from: bigint, size: bigint) =>
      judgeTrace([write, { invalidate: from, size, leaf: true }], context()).owed.map((one) => one.from);
    expect(owedAfter(0x1000n, 0x2000n)).toEqual([]);
    expect(owedAfter(0x1000n, 0x1000n)).toEqual([0x2000n]);
  });

  test.each<['pir' | 'pire0' | 'por' | 'por0', bigint, number[]]>([
    ['pir', REGISTERS.pir, []],
    ['pire0', 0x5000_0000_0000_0100n, [2]],
    ['por', 0x7n, [0]],
    ['por0', 0x70n, [1]],
  ])('%s = %#: nothing in these tables is concerned', (register, value, indexes) => {
    const { steps, owed } = of(register, value);
    expect(steps[0]).toMatchObject({ indexes, cached: register.startsWith('pir'), needsAfter: [] });
    expect(owed).toEqual([]);
  });

  test('what became writable counts as such when its address changes', () => {
    const steps = [
      { register: 'pir', value: 0xc000_0000_0000_00ccn },
      { write: L3 + 8n, value: 0x9000_1f43n },
    ] as const;
    const { illegal } = judgeTrace(steps, { ...context(), sameContents: true });
    expect(illegal.pe).toEqual([1, 1, 1]);
    expect(judgeTrace(steps.slice(1), { ...context(), sameContents: true }).illegal.pe).toEqual([0, 0, 0]);
  });

  test('a register of the other stage, and registers of direct permissions, are refused', () => {
    expect(() => judgeTrace([{ register: 's2pir', value: 0n }], context())).toThrow(TraceError);
    const direct = context({ ...REGISTERS, tcr2: 0n });
    expect(() => judgeTrace([{ register: 'pir', value: 0n }], direct)).toThrow(/permissions .* are direct/);
  });
});

test('stage 2 with S2PIR', () => {
  const registers = { vttbr: 0x4000_0000n, vtcr: (1n << 36n) | 0x8002_0059n, s2pir: 0x8cn };
  const stage2 = { ...traceContext({ regime: 'el1&0-s2', registers }), initial: context().initial };
  const { steps, owed } = judgeTrace([{ register: 's2pir', value: 0x88n }], stage2);
  expect(steps[0]).toMatchObject({ indexes: [0], cached: true });
  expect(owed.map(({ from, size }) => [from, size])).toEqual([[0n, 0x1000n]]);
});

test('tables of the driver side with indirect permissions are judged', () => {
  const memory = new PhysicalMemory({ base: 0x8000_0000n, size: 1n << 30n });
  const recording = recordWrites(memory);
  const options = { pgsizeBitmap: 0x4020_1000n, ias: 39, oas: 48, features: ['s1pie', 's1poe'] } as const;
  const domain = new IommuDomain(memory, arm64LpaeS1, options);
  domain.map(0x1000n, 0x9000_0000n, 0x1000n, { read: true, poIndex: 1 });
  domain.unmap(0x1000n, 0x1000n);
  domain.map(0x1000n, 0xa000_0000n, 0x1000n, { read: true });
  const at = { ...traceContext(domain.registers.hardware), initial: recording.initial };
  expect(judgeTrace(recording.steps, at).illegal.pe).toEqual([1, 1, 1]);
});
