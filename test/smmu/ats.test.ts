/** Devices with ATS by hand: what their cache may hold, which order of commands empties it, and what the SMMU refuses. (IHI 0070 3.9.1, 4.5.1, 5.2 EATS.) */
import { describe, expect, test } from 'vitest';
import { PhysicalMemory } from '../../src/memory/index.ts';
import {
  judgeSmmuTrace,
  needsOf,
  outcomeText,
  parseCommand,
  SmmuDevice,
  type SmmuDeviceOptions,
} from '../../src/smmu/index.ts';
import { parseSmmuTrace } from '../../src/trace/index.ts';

const STRTAB = 0x4100_0000n;
const CD = 0x4102_0000n;
const TABLE = 0x4300_0000n;
const QUEUE = 0x4200_0000n;
const EVENTS = 0x4201_0000n;
const LEAF = TABLE + 0x2000n;
const IOVA = 0x8020_0018n;
/** ATS, no split-stage ATS (NS1ATS). */
const IDS = { idr0: 0xd44_1c1bn, idr1: 0x273_0010n, idr3: 0x1414n, idr5: 0x74n };
/** STE.EATS = 1, in word 1. */
const EATS = 1n << 28n;
/** Two pages of memory as leaves: A to begin with, B afterwards. */
const A = 0x4400_0f43n;
const B = 0x4400_1f43n;

/** An SMMU that is on. StreamID 8: stage 1 with ASID 7, page A at 0x8020_0000, full ATS. */
function machine(options: Partial<SmmuDeviceOptions> = {}, cr0 = 0xdn) {
  const memory = new PhysicalMemory({ base: 0x4000_0000n, size: 0x800_0000n });
  const words: [bigint, bigint][] = [
    [STRTAB + 512n, CD | 0xbn],
    [STRTAB + 520n, EATS],
    [CD, 0x7_6204_c000_3519n],
    [CD + 8n, TABLE],
    [CD + 24n, 0xffn],
    [TABLE + 16n, (TABLE + 0x1000n) | 3n],
    [TABLE + 0x1008n, LEAF | 3n],
    [LEAF, A],
  ];
  for (const [pa, word] of words) memory.write64(pa, word);
  const smmu = new SmmuDevice(memory, { ...IDS, streams: [8], ...options });
  smmu.mmioWrite('STRTAB_BASE', STRTAB);
  smmu.mmioWrite('STRTAB_BASE_CFG', 5n);
  smmu.mmioWrite('CMDQ_BASE', QUEUE | 4n);
  smmu.mmioWrite('EVENTQ_BASE', EVENTS | 4n);
  smmu.mmioWrite('CR0', cr0);
  let written = 0;
  /** Commands in one go; then the driver waits. */
  const commands = (...texts: string[]) => {
    for (const text of texts.map(parseCommand)) {
      for (const [i, word] of text.entries()) smmu.write64(QUEUE + BigInt(written * 16 + i * 8), word);
      written++;
    }
    smmu.barrier();
    smmu.mmioWrite('CMDQ_PROD', BigInt(written));
    smmu.mmioRead('CMDQ_CONS');
  };
  const write = (pa: bigint, word: bigint) => {
    smmu.write64(pa, word);
    smmu.barrier();
  };
  const transaction = { streamId: 8, ia: IOVA, access: 'read', ats: true } as const;
  const said = (more: object = {}) =>
    smmu
      .answersTo({ ...transaction, ...more })
      .map(({ outcome }) => [outcomeText(outcome), ...(outcome.by ?? [])].join(' '));
  const record = () => [0n, 8n, 16n, 24n].map((at) => memory.read64(EVENTS + at));
  return { smmu, commands, write, transaction, said, record };
}

const NEW = 'pa 0x44001018';
const OLD = 'pa 0x44000018';
const TLBI = 'TLBI_NH_VA vmid=0 asid=7 va=0x80200000 leaf=1';
const INV = 'ATC_INV sid=8 va=0x80200000 size=0';
const SYNC = 'CMD_SYNC';

describe('a Translation Request (3.9.1.2)', () => {
  test('is translated; without permission the device is denied, and no event is left', () => {
    const { smmu, said, transaction } = machine();
    expect(said()).toEqual([OLD]);
    expect(said({ ia: 0x8020_1000n })).toEqual(['denied']);
    smmu.access({ ...transaction, ia: 0x8020_1000n });
    expect(smmu.mmioRead('EVENTQ_PROD')).toBe(0n);
  });

  test('for writes, of a page that is read-only', () => {
    const { write, said, commands } = machine();
    // AP[2].
    write(LEAF, A | 0x80n);
    commands(TLBI, SYNC, INV, SYNC);
    expect([said(), said({ access: 'write' })]).toEqual([[OLD], ['denied']]);
  });

  test('is refused with EATS = 0: F_BAD_ATS_TREQ', () => {
    const { smmu, write, said, commands, transaction, record } = machine({}, 0xcn);
    write(STRTAB + 520n, 0n);
    smmu.mmioWrite('CR0', 0xdn);
    expect(said()).toEqual(['F_BAD_ATS_TREQ']);
    smmu.access(transaction);
    expect(record()).toEqual([0x8_0000_0005n, 0n, 0n, 0n]);
    // Config = 0: refused without an event.
    write(STRTAB + 512n, 1n);
    commands('CFGI_STE sid=8 leaf=1', SYNC);
    expect(said()).toEqual(['abort']);
  });

  test('is aborted where the configuration is at fault, without an event', () => {
    const { smmu, write, commands, said, transaction } = machine();
    write(CD, 0n);
    commands('CFGI_CD sid=8 leaf=1', SYNC, 'TLBI_NH_ALL vmid=0', SYNC, INV, SYNC);
    expect(said()).toEqual(['abort']);
    smmu.access(transaction);
    expect(smmu.mmioRead('EVENTQ_PROD')).toBe(0n);
  });

  test('split-stage ATS is said not to be modelled', () => {
    // NS1ATS = 0 and ATSCHK = 1; EATS = 2 needs both stages.
    const { smmu, write, said } = machine({ idr0: 0xd44_141bn }, 0x1cn);
    write(STRTAB + 512n, CD | 0xfn);
    write(STRTAB + 520n, 2n << 28n);
    write(STRTAB + 528n, 0x000c_0059_0000_0000n);
    write(STRTAB + 536n, TABLE);
    smmu.mmioWrite('CR0', 0x1dn);
    expect(() => said()).toThrow(/split-stage ATS, which is not modelled \(IHI 0070 5\.2\)/);
  });
});

describe("the device's cache holds what a request may have been answered", () => {
  test('until its entry is invalidated, behind that of the SMMU', () => {
    const { write, said, commands } = machine();
    write(LEAF, B);
    expect(said()).toEqual([NEW, `${OLD} tlb`]);
    commands(TLBI, SYNC);
    expect(said()).toEqual([NEW, `${OLD} atc`]);
    commands(INV);
    expect(said()).toEqual([NEW, `${OLD} atc`]);
    commands(SYNC);
    expect(said()).toEqual([NEW]);
  });

  test.each([
    ['TLBI, SYNC, ATC_INV, SYNC', [TLBI, SYNC, INV, SYNC], [NEW]],
    ['ATC_INV before the TLBI', [INV, SYNC, TLBI, SYNC], [NEW, `${OLD} atc`]],
    // The TLBI may be done after the ATC_INV, and the device ask in between.
    ['no SYNC between TLBI and ATC_INV', [TLBI, INV, SYNC], [NEW, `${OLD} atc`]],
    ['no SYNC behind ATC_INV', [TLBI, SYNC, INV], [NEW, `${OLD} atc`]],
    ['another stream', [TLBI, SYNC, 'ATC_INV sid=9 va=0x80200000', SYNC], [NEW, `${OLD} atc`]],
    ['another page', [TLBI, SYNC, 'ATC_INV sid=8 va=0x80201000', SYNC], [NEW, `${OLD} atc`]],
    ['a span of 8K around it', [TLBI, SYNC, 'ATC_INV sid=8 va=0x80201000 size=1', SYNC], [NEW]],
    ['the whole address space', [TLBI, SYNC, 'ATC_INV sid=8 size=52', SYNC], [NEW]],
    ['with a PASID', [TLBI, SYNC, 'ATC_INV sid=8 ssid=0 ssv=1 va=0x80200000', SYNC], [NEW, `${OLD} atc`]],
    ['Size = 53: which span is UNKNOWN', [TLBI, SYNC, 'ATC_INV sid=8 size=53', SYNC], [NEW, `${OLD} atc`]],
  ] as const)('%s', (_, sequence, outcomes) => {
    const { write, said, commands } = machine();
    write(LEAF, B);
    commands(...sequence);
    expect(said()).toEqual(outcomes);
  });

  test('an unmapped page: the device may still reach what was there', () => {
    const { write, said, commands } = machine();
    write(LEAF, 0n);
    commands(TLBI, SYNC);
    expect(said()).toEqual(['denied', `${OLD} atc`]);
    expect(said({ ats: false })).toEqual(['F_TRANSLATION s2=0 class=in']);
  });

  test('nothing that came only after ATS was closed to the stream', () => {
    const { write, said, commands } = machine({}, 0x1dn);
    write(STRTAB + 520n, 0n);
    commands('CFGI_STE sid=8 leaf=1', SYNC);
    write(LEAF, B);
    expect(said()).toEqual(['F_BAD_ATS_TREQ', 'F_TRANSL_FORBIDDEN atc']);
  });

  test('what is needed: the SMMU first, then the device', () => {
    const { smmu, write, commands, transaction } = machine();
    write(LEAF, B);
    expect(needsOf(smmu, transaction)).toEqual([TLBI, SYNC, INV, SYNC]);
    commands(TLBI, SYNC);
    expect(needsOf(smmu, transaction)).toEqual([INV, SYNC]);
  });
});

describe('a Translated transaction (3.9.1.3)', () => {
  test('passes unchecked with ATSCHK = 0, and by EATS with ATSCHK = 1', () => {
    for (const [cr0, outcome] of [
      [0xdn, `${OLD} atc`],
      [0x1dn, 'F_TRANSL_FORBIDDEN atc'],
    ] as const) {
      const { write, said, commands } = machine({}, cr0);
      write(STRTAB + 520n, 0n);
      commands('CFGI_STE sid=8 leaf=1', SYNC);
      expect(said()).toEqual(['F_BAD_ATS_TREQ', outcome]);
    }
  });

  test('with the STE that may be cached, before the CFGI is complete', () => {
    const { write, said } = machine({}, 0x1dn);
    write(STRTAB + 520n, 0n);
    expect(said()).toEqual(['F_BAD_ATS_TREQ', 'F_TRANSL_FORBIDDEN ste', `${OLD} ste`]);
  });

  test('is refused with SMMUEN = 0, and CMD_ATC_INV does nothing then (4.5.1)', () => {
    const { smmu, said, write, commands } = machine();
    smmu.mmioWrite('CR0', 0xcn);
    expect(said()).toEqual(['F_BAD_ATS_TREQ', 'F_TRANSL_FORBIDDEN atc']);
    write(LEAF, B);
    commands(TLBI, SYNC, INV, SYNC);
    smmu.mmioWrite('CR0', 0xdn);
    expect(said()).toEqual([NEW, `${OLD} atc`]);
  });
});

describe('a device that does not answer (3.9.1.4)', () => {
  test('CERROR_ATC_INV_SYNC: CONS stays at the CMD_SYNC; the invalidation counts when it is answered', () => {
    let answers = false;
    const { smmu, write, said, commands } = machine({ atcAnswers: () => answers });
    write(LEAF, B);
    commands(TLBI, SYNC, INV, SYNC);
    expect(smmu.mmioRead('CMDQ_CONS')).toBe(0x300_0003n);
    expect(smmu.mmioRead('GERROR')).toBe(1n);
    smmu.mmioWrite('GERRORN', 1n);
    expect(smmu.mmioRead('CMDQ_CONS') & 0xf_ffffn).toBe(4n);
    expect(said()).toEqual([NEW, `${OLD} atc`]);
    answers = true;
    commands(INV, SYNC);
    expect(said()).toEqual([NEW]);
  });
});

test('a trace with ATS', () => {
  const hex = (value: bigint) => `0x${value.toString(16)}`;
  const words = [
    [STRTAB + 512n, CD | 0xbn],
    [STRTAB + 520n, EATS],
    [CD, 0x7_6204_c000_3519n],
    [CD + 8n, TABLE],
    [CD + 24n, 0xffn],
    [TABLE + 16n, (TABLE + 0x1000n) | 3n],
    [TABLE + 0x1008n, LEAF | 3n],
    [LEAF, A],
  ] as const;
  const registers = [
    ['STRTAB_BASE', STRTAB],
    ['STRTAB_BASE_CFG', 5n],
    ['CR0', 1n],
  ] as const;
  const ids = Object.fromEntries(
    Object.entries({ ...IDS, aidr: 1n }).map(([name, value]) => [name, hex(value)]),
  );
  const trace = parseSmmuTrace({
    schema: 'pgtable-trace/1',
    kind: 'smmuv3',
    name: 'ATS',
    machine: { ...ids, ram: { base: '0x40000000', size: '0x8000000' } },
    memory: words.map(([pa, word]) => ({ pa: hex(pa), words64: { 0: hex(word) } })),
    steps: [
      ...registers.map(([mmio, value]) => ({ mmio, value: hex(value) })),
      { write64: hex(LEAF), value: '0x0' },
      { barrier: true },
      {
        access: { sid: 8, iova: hex(IOVA), rw: 'read', size: 4, ats: true },
        arm: [{ denied: true }, { pa: '0x44000018', by: ['tlb'] }],
      },
    ],
  });
  const [access] = judgeSmmuTrace(trace).accesses;
  expect(access!.answers.map(({ outcome }) => outcomeText(outcome))).toEqual(['denied', OLD]);
  expect(access!.needs).toEqual([TLBI, SYNC, INV, SYNC]);
});
