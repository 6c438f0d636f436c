/** What a golden file says and nothing is compared with: told, or refused where it can't be so. */
import { describe, expect, test } from 'vitest';
import { checkImage } from '../../src/golden/image.ts';
import { checkGolden } from '../../src/golden/index.ts';

type Json = Record<string, unknown>;

const ROW = { va: '0x201234', access: 'read', el: 1, pa: '0x50000234' };
const IMAGE: Json = {
  schema: 'pgtable-golden/1',
  kind: 'image',
  name: 'a page',
  regime: 'el1&0',
  cpu: { model: 'max', pa_bits: 40 },
  ram: { base: '0x40000000', size: '0x10000' },
  registers: { ttbr0: '0x40000000', tcr: '0x200800019', mair: '0xff', sctlr: '0x1' },
  memory: [
    ['0x40000000', '0x40001003'],
    ['0x40001008', '0x40002003'],
    ['0x40002008', '0x50000783'],
  ],
};
const image = (row: Json, more: Json = {}) => ({ ...IMAGE, ...more, translations: [{ ...ROW, ...row }] });
const STREAM = {
  regime: 'smmuv3-s1',
  registers: { ste0: '0x0', idr0: '0xd44101b', idr1: '0x2730010', idr3: '0x0', idr5: '0x74' },
};

describe('what is not compared is told', () => {
  test.each<[string, Json, Json, string]>([
    [
      'NS in Non-secure state',
      { ns: 1 },
      {},
      'ns: PAR_EL1.NS is UNKNOWN in Non-secure state (D24.2.142) (1 row)',
    ],
    [
      "the producer's answer beside arm",
      { pa: '0x1', arm: { pa: '0x50000234' } },
      {},
      "pa and fault beside arm are the producer's own answer, which arm corrects (1 row)",
    ],
    [
      'RAM of a file that is zero elsewhere',
      {},
      { elsewhere: 'zero' },
      'ram is not used: memory is zero elsewhere',
    ],
    [
      'SCR_EL3 beside security',
      {},
      { security: 'nonsecure', registers: { ...(IMAGE.registers as Json), scr_el3: '0x1' } },
      'only SIF and EEL2 of scr_el3 are read: security says whose accesses they are',
    ],
    [
      'registers of another regime',
      {},
      { registers: { ...(IMAGE.registers as Json), vttbr: '0x1', dacr: '0x1' } },
      'el1&0 does not read vttbr, dacr',
    ],
    [
      'SCTLR that is not given',
      {},
      { registers: { ttbr0: '0x40000000', tcr: '0x200800019', mair: '0xff' } },
      'SCTLR_EL1 is not given: stage 1 is taken to be on (M = 1), tables to be little-endian (EE = 0)',
    ],
    [
      'the stage of a configuration fault',
      { el: undefined, pa: undefined, fault: { kind: 'c_bad_ste', stage: 1, level: null } },
      STREAM,
      'stage: the fault of a configuration has none (1 row)',
    ],
    [
      'the model of an SMMU',
      { el: undefined, pa: undefined, fault: { kind: 'c_bad_ste' } },
      STREAM,
      'cpu.model is not used: an SMMU says in its IDR registers what it has',
    ],
  ])('%s', (_, row, more, note) => {
    const { differences, notes } = checkImage(image(row, more));
    expect([differences, notes]).toEqual([[], expect.arrayContaining([note])]);
  });

  test('and a file of which everything is compared has no notes', () => {
    expect(checkImage(image({}))).toMatchObject({ claims: 1, differences: [], notes: [] });
    expect(checkImage(image({ attr: '0xff', level: 3 })).claims).toBe(3);
  });
});

describe('what a machine can not be asked is refused', () => {
  test.each<[string, Json, Json, RegExp]>([
    [
      'EL2 of EL1&0',
      { el: 2 },
      {},
      /translations\[0\]\.el: accesses of el1&0 are those of EL0 and EL1; its value is 2/,
    ],
    ['EL0 of EL2', { el: 0 }, { regime: 'el2' }, /accesses of el2 are those of EL2; its value is 0/],
    ['a stream of a PE', { sid: 3 }, {}, /translations\[0\]\.sid: el1&0 has no streams: they are an SMMU's/],
    ['a substream of a PE', { ssid: '0x1' }, {}, /ssid: el1&0 has no streams/],
    [
      'a StreamID without a stream table',
      { el: undefined, sid: 3 },
      STREAM,
      /sid: chooses from a stream table/,
    ],
    [
      'half an event record',
      { el: undefined, event: ['0x4'] },
      STREAM,
      /event: an event record has four words/,
    ],
  ])('%s', (_, row, more, message) => {
    expect(() => checkImage(image(row, more))).toThrow(message);
  });
});

describe('members of the other kinds', () => {
  const ops = {
    schema: 'pgtable-golden/1',
    kind: 'ops',
    name: 'nothing',
    format: 'arm_64_lpae_s1',
    config: { pgsize_bitmap: '0x1000', ias: 39, oas: 40 },
    result: {
      pgsize_bitmap: '0x1000',
      registers: {
        ttbr: '0x80000000',
        tcr: { tg: 0, tsz: 25, ips: 2, sh: 3, irgn: 1, orgn: 1 },
        mair: '0xfffffffff404ff44',
      },
    },
    ops: [],
    tables: [{ pa: '0x80000000', level: 1, entries: {} }],
    translations: [{ iova: '0x0', pa: null }],
  };
  const creation = {
    format: 'arm_64_lpae_s1',
    config: { pgsize_bitmap: '0x2000', ias: 48, oas: 48 },
    cpu_page_size: '0x1000',
    ok: false,
    result: null,
  };

  test('information may stand there', () => {
    expect(checkGolden({ ...ops, producer: 'x', note: 'y', seed: 3 }).differences).toEqual([]);
    expect(checkGolden([{ ...creation, note: 'y' }]).differences).toEqual([]);
  });

  test.each<[unknown, RegExp]>([
    [
      { ...ops, translation: [] },
      /"translation" is no member of a golden file of operations; did you mean translations\?/,
    ],
    [{ ...ops, wibble: 1 }, /"wibble" is no member of a golden file of operations; known are schema, /],
    [[{ ...creation, okay: true }], /"okay" is no member of a table creation/],
  ])('an unknown one is refused: %#', (json, message) => {
    expect(() => checkGolden(json)).toThrow(message);
  });
});
