/** Regimes described: sizes and start levels by the manual's tables, register values of real machines, and what is wrong with others. */
import { describe, expect, test } from 'vitest';
import { describeRegime, type RangeDescription } from '../../src/describe/index.ts';

const MAX = 'max';

/** The ranges of the first stage. */
function rangesOf(...args: Parameters<typeof describeRegime>): readonly RangeDescription[] {
  return describeRegime(...args).stages[0]!.ranges;
}

/** `T0SZ: level 0, 512 entries`. */
function startOf(range: RangeDescription | undefined): readonly (number | undefined)[] {
  return [range?.tables?.startLevel, range?.tables?.entries];
}

const problemsOf = (range: RangeDescription) => range.problems.map((p) => `${p.field} ${p.effect}`);

describe('stage 1 of AArch64 starts where the manual says', () => {
  // Tables D8-18, D8-28, D8-37: granule by TG0, DS, T0SZ, start level, entries.
  test.each([
    [0, false, 16, 0, 512],
    [0, false, 24, 0, 2],
    [0, false, 25, 1, 512],
    [0, false, 33, 1, 2],
    [0, false, 34, 2, 512],
    [0, false, 42, 2, 2],
    [0, false, 43, 3, 512],
    [0, false, 48, 3, 16],
    [0, true, 12, -1, 16],
    [0, true, 15, -1, 2],
    [0, true, 16, 0, 512],
    [2, false, 16, 0, 2],
    [2, false, 17, 1, 2048],
    [2, false, 27, 1, 2],
    [2, false, 28, 2, 2048],
    [2, false, 39, 3, 2048],
    [2, true, 12, 0, 32],
    [2, true, 15, 0, 4],
    [1, false, 12, 1, 1024],
    [1, false, 16, 1, 64],
    [1, false, 21, 1, 2],
    [1, false, 22, 2, 8192],
    [1, false, 34, 2, 2],
    [1, false, 35, 3, 8192],
    [1, false, 47, 3, 2],
  ])('TG0 %i, DS %s, T0SZ %i: level %i, %i entries', (tg0, ds, t0sz, level, entries) => {
    const tcr =
      BigInt(t0sz) | (BigInt(tg0) << 14n) | (6n << 32n) | (ds ? 1n << 59n : 0n) | (25n << 16n) | (2n << 30n);
    const [range] = rangesOf('el1&0', { tcr }, MAX);
    expect(startOf(range)).toEqual([level, entries]);
    expect(range?.tables).toMatchObject({
      inputBits: 64 - t0sz,
      firstIa: 0n,
      lastIa: 2n ** BigInt(64 - t0sz) - 1n,
    });
    expect(range?.problems).toEqual([]);
  });

  test('levels: bits, blocks and contiguous runs of each granule', () => {
    const levels = (tcr: bigint) =>
      rangesOf('el2', { tcr }, MAX)[0]!.tables!.levels.map(
        ({ level, high, low, leaf, run }) => `${level} ${high}:${low} ${leaf} ${run?.entries ?? 0}`,
      );
    expect(levels(0x6_0010n)).toEqual([
      '0 47:39 none 0',
      '1 38:30 block 16',
      '2 29:21 block 16',
      '3 20:12 page 16',
    ]);
    expect(levels(0x6_8010n)).toEqual([
      '0 47:47 none 0',
      '1 46:36 none 0',
      '2 35:25 block 32',
      '3 24:14 page 128',
    ]);
    expect(levels(0x6_4010n)).toEqual(['1 47:42 block 0', '2 41:29 block 32', '3 28:16 page 32']);
    // DS: 512 GiB blocks of 4K and 64 GiB of 16K, neither of which has a run.
    expect(levels(0x1_0006_000cn)).toContain('0 47:39 block 0');
    expect(levels(0x1_0006_800cn)).toContain('1 46:36 block 0');
    // Four 1 GiB entries are no run.
    expect(levels(0x6_0020n)[0]).toBe('1 31:30 block 0');
  });

  test.each([
    ['the field', 0x5_0000_0010n, 'cortex-a57', 44, 'implemented'],
    ['IPS', 0x1_0000_0010n, 'cortex-a57', 36, 'field'],
    ['the format: 4K without DS', 0x6_0000_0010n, MAX, 48, 'format'],
    ['52 bits: 64K', 0x6_0000_4010n, MAX, 52, 'field'],
  ] as const)('what limits the output: %s', (_, tcr, cpu, bits, limitedBy) => {
    const [lower] = rangesOf('el1&0', { tcr: tcr | 0x80_0000n }, cpu);
    expect(lower?.tables?.output).toMatchObject({ bits, limitedBy, field: 'TCR_EL1.IPS' });
  });

  test('64K with 52 bits: OA[51:48] in descriptor bits [15:12], BADDR[51:48] in TTBR bits [5:2], 64-byte alignment', () => {
    // T0SZ 21: one index bit at level 1, a table of 16 bytes.
    const [range] = rangesOf('el1&0', { tcr: 0x6_0080_4015n, ttbr0: 0x4000_0068n }, MAX);
    expect(range).toMatchObject({
      tables: { wideAddress: 'lpa', tableBase: 0xa_0000_4000_0040n, alignLog2: 6, entries: 2 },
      problems: [],
    });
  });
});

describe('stage 2 of AArch64', () => {
  // Tables D8-20 to D8-24, D8-30 to D8-33, D8-39 to D8-41: TG0, DS, SL2:SL0, T0SZ, level, tables.
  test.each([
    [0, false, 1, 25, 1, 1],
    [0, false, 1, 24, 1, 2],
    [0, false, 1, 23, 1, 4],
    [0, false, 1, 22, 1, 8],
    [0, false, 1, 21, 1, 16],
    [0, false, 0, 30, 2, 16],
    [0, false, 3, 39, 3, 16],
    [0, true, 2, 15, 0, 2],
    [0, true, 2, 12, 0, 16],
    [0, true, 4, 12, -1, 1],
    [2, false, 2, 16, 1, 2],
    [2, true, 2, 13, 1, 16],
    [2, false, 1, 24, 2, 16],
    [2, true, 3, 12, 0, 1],
    [1, false, 1, 18, 2, 16],
    [1, false, 0, 34, 3, 2],
    [1, false, 2, 12, 1, 1],
  ])('TG0 %i, DS %s, SL2:SL0 %i, T0SZ %i: level %i, %i tables', (tg0, ds, sl, t0sz, level, concatenated) => {
    const bits = BigInt(t0sz) | (BigInt(sl & 3) << 6n) | (BigInt(tg0) << 14n) | (6n << 16n);
    const vtcr = bits | (ds ? 1n << 32n : 0n) | (sl > 3 ? 1n << 33n : 0n);
    const [range] = rangesOf('el1&0-s2', { vtcr }, MAX);
    expect(range?.tables).toMatchObject({ startLevel: level, concatenated });
    expect(range?.problems).toEqual([]);
  });

  test.each([
    [
      'SL0 0 wants T0SZ 30 to 42',
      0x4_0018n,
      'VTCR_EL2.SL0',
      /T0SZ 24 needs SL0 1 \(level 1\) or SL0 2 \(level 0\)/,
    ],
    ['SL0 3 without FEAT_TTST', 0x4_00d8n, 'VTCR_EL2.SL0', /reserved with this granule and 44 PA bits/],
    ['an IPA larger than a PA', 0x4_0050n, 'VTCR_EL2.T0SZ', /legal here: 20 to 39; .* \(44 bits\)/],
  ])('%s', (_, vtcr, field, rule) => {
    const [range] = rangesOf('el1&0-s2', { vtcr }, 'cortex-a57');
    expect(range?.tables).toBeUndefined();
    expect(range?.problems).toMatchObject([{ field, effect: 'fault', rule: expect.stringMatching(rule) }]);
  });

  test('with DS = 1 the right start level may need SL2', () => {
    const [range] = rangesOf('el1&0-s2', { vtcr: 0x1_0006_004cn }, MAX);
    expect(range?.problems[0]?.rule).toMatch(/T0SZ 12 needs SL0 2 \(level 0\) or SL2:SL0 1:0 \(level -1\)/);
  });

  test('what hardware ignores', () => {
    const vtcr = 0x3_0064_0058n;
    const { stages } = describeRegime(
      'el1&0-s2',
      { vtcr, vttbr: 0x34_0000_4000_1801n, hcr: (1n << 46n) | 5n },
      'cortex-a57',
    );
    expect(stages[0]).toMatchObject({
      tag: { name: 'VMID', value: 0x34, bits: 8 },
      stage2: { sl0: 1, sl2: 1, smallestT0sz: 20, fwb: false, ptw: true },
      problems: [{ field: 'HCR_EL2.FWB', effect: 'ignored' }],
    });
    const [range] = stages[0]!.ranges;
    expect(range).toMatchObject({
      cnp: true,
      tables: { concatenated: 2, tableBase: 0x4000_0000n, alignLog2: 13 },
    });
    expect(problemsOf(range!)).toEqual([
      'VTCR_EL2.DS ignored',
      'VTCR_EL2.HA ignored',
      'VTCR_EL2.SL2 ignored',
      'VTTBR_EL2 ignored',
    ]);
  });

  test.each([
    ['NV1 without NV', 1n << 43n, MAX, undefined, [['HCR_EL2.NV1', 'unpredictable']]],
    ['both, with FEAT_NV', 3n << 42n, MAX, true, []],
    [
      'both, without it',
      3n << 42n,
      'cortex-a57',
      undefined,
      [
        ['HCR_EL2.NV', 'ignored'],
        ['HCR_EL2.NV1', 'ignored'],
      ],
    ],
  ] as const)('HCR_EL2, %s', (_, hcr, cpu, nv1, wanted) => {
    const { stages } = describeRegime('el1&0-nested', { vtcr: 0x8002_0058n, hcr }, cpu);
    expect(stages[0]?.nv1).toBe(nv1);
    expect(stages[1]?.problems.map(({ field, effect }) => [field, effect])).toEqual(wanted);
  });

  test('HCR_EL2.DCT: Tagged memory where stage 1 is off, and RES0 without FEAT_MTE2', () => {
    const registers = { vtcr: 0x8002_0058n, hcr: 0x200_0000_0000_1001n };
    const described = (cpu: Parameters<typeof describeRegime>[2]) =>
      describeRegime('el1&0-nested', registers, cpu).stages;
    expect(described(MAX)[0]?.off?.rule).toMatch(/as Write-Back memory, Tagged \(DCT = 1\)$/);
    expect(described(MAX)[1]?.problems).toEqual([]);
    expect(described('cortex-a57')[0]?.off?.rule).toMatch(/as Write-Back memory$/);
    expect(described('cortex-a57')[1]?.problems).toMatchObject([
      { field: 'HCR_EL2.DCT', effect: 'ignored', rule: expect.stringMatching(/FEAT_MTE2/) },
    ]);
  });
});

describe('what is wrong with a stage-1 range', () => {
  const one = (registers: Parameters<typeof describeRegime>[1], cpu: Parameters<typeof describeRegime>[2]) =>
    rangesOf('el2', registers, cpu)[0]!;

  test.each([
    ['a reserved granule', { tcr: 0x4_c019n }, 'cortex-a57', 'TCR_EL2.TG0 unpredictable', 'D24.2.195'],
    ['T0SZ too small', { tcr: 0x4_000fn }, 'cortex-a57', 'TCR_EL2.T0SZ fault', 'D8.1.9'],
    ['T0SZ too large', { tcr: 0x4_0028n }, 'cortex-a57', 'TCR_EL2.T0SZ fault', 'D8.1.9'],
    ['a reserved PS', { tcr: 0x7_0019n }, 'cortex-a57', 'TCR_EL2.PS ignored', 'D8.1.7'],
    ['HD without HA', { tcr: 0x44_0019n }, 'cortex-a55', 'TCR_EL2.HD ignored', 'D24.2.195'],
    ['HA without FEAT_HAFDBS', { tcr: 0x24_0019n }, 'cortex-a57', 'TCR_EL2.HA ignored', 'D24.2.195'],
    ['DS without FEAT_LPA2', { tcr: 0x1_0004_0019n }, 'cortex-a57', 'TCR_EL2.DS ignored', 'D24.2.195'],
    ['DS with 64K', { tcr: 0x1_0004_4019n }, MAX, 'TCR_EL2.DS ignored', 'D24.2.195'],
    ['HPD without FEAT_HPDS', { tcr: 0x104_0019n }, 'cortex-a57', 'TCR_EL2.HPD ignored', 'D24.2.195'],
    ['a reserved SH', { tcr: 0x4_1019n }, 'cortex-a57', 'TCR_EL2.SH0 unpredictable', 'D24.2.195'],
    [
      'a base beyond 36 bits',
      { tcr: 0x1_0019n, ttbr0: 1n << 36n },
      'cortex-a57',
      'TTBR0_EL2 fault',
      'D8.2.3',
    ],
    [
      'a base that is not aligned',
      { tcr: 0x4_0019n, ttbr0: 0x4000_0800n },
      'cortex-a57',
      'TTBR0_EL2 ignored',
      'D8.2.3',
    ],
  ] as const)('%s', (_, registers, cpu, problem, section) => {
    const range = one(registers, cpu);
    expect(problemsOf(range)).toEqual([problem]);
    expect(range.problems[0]?.section).toBe(`DDI 0487 ${section}`);
  });

  test('a rule says what would do', () => {
    expect(one({ tcr: 0x4_000fn }, 'cortex-a57').problems[0]?.rule).toMatch(
      /49 input bits are too many.*legal here: 16 to 39/,
    );
    expect(one({ tcr: 0x4_0028n }, 'cortex-a57').problems[0]?.rule).toMatch(/24 input bits are too few/);
    expect(one({ tcr: 0x4_0019n, ttbr0: 0x4000_0800n }, 'cortex-a57').problems[0]?.rule).toMatch(
      /\[11:1\] .* 0x800 is dropped, the base is 0x40000000/,
    );
  });

  test('TTBR1 has a TG1 of its own; a range that is off has no problems', () => {
    const [lower, upper] = rangesOf('el1&0', { tcr: 0x4_0019_0099n }, 'cortex-a57');
    expect(lower).toMatchObject({ off: { field: 'TCR_EL1.EPD0', value: 1n }, problems: [] });
    expect(upper).toMatchObject({
      size: { field: 'TCR_EL1.T1SZ', value: 25 },
      tables: { firstIa: 0xffff_ff80_0000_0000n },
    });
    expect(problemsOf(upper!)).toEqual(['TCR_EL1.TG1 unpredictable']);
  });

  test('MAIR bytes that are reserved', () => {
    const [stage] = describeRegime(
      'el2',
      { tcr: 0x4_0019n, mair: 0xf0_40_a0_30_02_01_04_ffn },
      'cortex-a57',
    ).stages;
    expect(stage?.problems.map(({ field }) => field.split('.').at(-1))).toEqual([
      'Attr2',
      'Attr3',
      'Attr4',
      'Attr5',
      'Attr6',
      'Attr7',
    ]);
    expect(stage?.memory?.types[1]).toMatchObject({ byte: 4, attributes: { device: 'nGnRE' } });
  });

  test.each([
    ['neither', { model: 'max', mte: false }, ['Attr2', 'Attr3', 'Attr4', 'Attr5', 'Attr6', 'Attr7']],
    ['FEAT_MTE2, which has 0xf0', { model: 'max' }, ['Attr2', 'Attr3', 'Attr4', 'Attr5', 'Attr6']],
    [
      'FEAT_XS, which has 0x01, 0x40 and 0xa0',
      { model: 'max', mte: false, xs: true },
      ['Attr3', 'Attr4', 'Attr7'],
    ],
  ] as const)('MAIR bytes that are reserved with %s (D24.2.127)', (_, cpu, reserved) => {
    const mair = 0xf0_40_a0_30_02_01_04_ffn;
    const [stage] = describeRegime('el2', { tcr: 0x4_0019n, mair }, cpu).stages;
    expect(stage?.problems.map(({ field }) => field.split('.').at(-1))).toEqual(reserved);
  });
});

test('the ASID: A1 chooses the TTBR, AS the size', () => {
  const [ttbr0, ttbr1] = [0x1234_0000_4000_0000n, 0x5678_0000_4000_0000n];
  const tagWith = (bits: bigint) => {
    const tcr = 0x5_0000_3510n | bits;
    return describeRegime('el1&0', { ttbr0, ttbr1, tcr }).stages[0]?.tag;
  };
  const [A1, AS] = [1n << 22n, 1n << 36n];
  expect(tagWith(0n)).toEqual({ name: 'ASID', value: 0x34, bits: 8, field: 'TTBR0_EL1.ASID' });
  expect(tagWith(AS)).toEqual({ name: 'ASID', value: 0x1234, bits: 16, field: 'TTBR0_EL1.ASID' });
  expect(tagWith(AS | A1)).toEqual({ name: 'ASID', value: 0x5678, bits: 16, field: 'TTBR1_EL1.ASID' });
});

test('the VMID: VS says its size', () => {
  const vttbr = 0x1234_0000_4000_0000n;
  const tagWith = (vtcr: bigint) => describeRegime('el1&0-s2', { vttbr, vtcr }).stages[0]?.tag;
  expect(tagWith(0x8002_3559n)).toEqual({ name: 'VMID', value: 0x34, bits: 8, field: 'VTTBR_EL2.VMID' });
  expect(tagWith(0x800a_3559n)).toEqual({ name: 'VMID', value: 0x1234, bits: 16, field: 'VTTBR_EL2.VMID' });
});

test('a range lacks its base if the other one was given alone', () => {
  const tcr = 0x5_3510_3510n;
  const marks = (registers: Parameters<typeof describeRegime>[1]) =>
    rangesOf('el1&0', { tcr, ...registers }).map(({ notGiven }) => notGiven);
  expect(marks({ ttbr0: 0x4000_0000n })).toEqual([undefined, true]);
  expect(marks({ ttbr1: 0x4000_0000n })).toEqual([true, undefined]);
  expect(marks({})).toEqual([undefined, undefined]);
});

test('HCR_EL2.DC turns stage 1 off, but counts as 0 with {E2H, TGE} = {1, 1}', () => {
  const [DC, TGE, E2H] = [1n << 12n, 1n << 27n, 1n << 34n];
  const offBy = (hcr: bigint) =>
    describeRegime('el1&0-nested', { ttbr0: 0x4000_0000n, tcr: 0x5_0080_3510n, hcr }).stages[0]?.off?.field;
  expect(offBy(DC | TGE)).toBe('HCR_EL2.DC');
  expect(offBy(DC | TGE | E2H)).toBe('HCR_EL2.TGE');
  expect(offBy(1n)).toBeUndefined();
});
