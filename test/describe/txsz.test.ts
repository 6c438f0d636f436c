/** TxSZ out of range: which limit it breaks, what hardware may make of it, and what comes of each choice. (DDI 0487 D8.1.9 RSXWGM; J1.1 AArch64.S1TxSZFaults, S2TxSZFaults; Table D8-19.) */
import { describe, expect, test } from 'vitest';
import { describeRegime } from '../../src/describe/index.ts';
import { PhysicalMemory } from '../../src/memory/index.ts';
import { type CpuOptions, createWalker, type Regime, type WalkerRegisters } from '../../src/walker/index.ts';

const rulesOf = (regime: Regime, registers: WalkerRegisters, cpu: CpuOptions) =>
  describeRegime(regime, registers, cpu).stages[0]!.ranges[0]!.problems.map(
    ({ field, effect, rule }) => `${field} ${effect}: ${rule}`,
  );

describe('stage 1', () => {
  test.each<[string, number, CpuOptions, RegExp]>([
    [
      'too many input bits, without FEAT_LVA: a fault or a clamp',
      0,
      'cortex-a53',
      /^TCR_EL2\.T0SZ fault: 64 input bits are too many: a level 0 translation fault, or it is treated as 16 \(hardware without FEAT_LVA may do either\); legal here: 16 to 39/,
    ],
    [
      'the same with FEAT_LVA: a fault',
      0,
      'max',
      /^TCR_EL2\.T0SZ fault: 64 input bits are too many: a level 0 translation fault; legal here: 16 to 48/,
    ],
    [
      'too few: either, whatever the features',
      50,
      'max',
      /14 input bits are too few: a level 0 translation fault, or it is treated as 48 \(hardware may do either\)/,
    ],
  ])('%s', (_, t0sz, cpu, rule) => {
    expect(rulesOf('el2', { tcr: 0x4_0000n | BigInt(t0sz) }, cpu)).toEqual([expect.stringMatching(rule)]);
  });
});

describe('stage 2', () => {
  const vtcr = (t0sz: number, sl0: number, more = 0n) =>
    0x8005_0000n | BigInt(t0sz) | (BigInt(sl0) << 6n) | more;
  const DS = 1n << 32n;
  test.each<[string, bigint, CpuOptions, RegExp]>([
    [
      'an IPA beyond the PA size',
      vtcr(16, 1),
      { model: 'cortex-a55', paBits: 40 },
      /^VTCR_EL2\.T0SZ fault: 48 IPA bits are too many: a level 0 translation fault, or it is treated as 24 \(hardware without FEAT_LPA may do either\); legal here: 24 to 39; an IPA is no larger than a PA \(40 bits\)$/,
    ],
    [
      'one whose clamped value the start level does not take',
      vtcr(16, 2),
      { model: 'cortex-a55', paBits: 40 },
      /it is treated as 24 \(hardware without FEAT_LPA may do either\), a value that this start level does not take; legal here/,
    ],
    [
      'with FEAT_LPA it is a fault',
      vtcr(12, 2),
      'max',
      /^VTCR_EL2\.T0SZ fault: 52 IPA bits are too many: a level 0 translation fault; legal here: 16 to 48; more than 48 bits need DS = 1 or the 64K granule$/,
    ],
    [
      'no address has more than 52',
      vtcr(8, 2, DS),
      'max',
      /56 IPA bits are too many: a level 0 translation fault; legal here: 12 to 48$/,
    ],
    [
      'tables smaller than any',
      vtcr(42, 1),
      'cortex-a57',
      /22 IPA bits are too few: a level 0 translation fault, or it is treated as 39 \(hardware may do either\), a value that .*; legal here: .* to 39; tables for fewer bits need FEAT_TTST$/,
    ],
  ])('%s', (_, value, cpu, rule) => {
    const found = rulesOf('el1&0-s2', { vtcr: value, hcr: 1n }, cpu);
    expect(found.filter((one) => one.includes('T0SZ fault'))).toEqual([expect.stringMatching(rule)]);
  });

  test('advice names no reserved SL2:SL0 (Table D8-19), nor SL2 where it is RES0', () => {
    for (let t0sz = 0; t0sz < 64; t0sz++) {
      for (let sl = 0; sl < 8; sl++) {
        for (const ds of [0n, DS]) {
          for (const cpu of ['max', 'cortex-a55', 'cortex-a57'] as const) {
            const value = vtcr(t0sz, sl & 3, ds | (sl > 3 ? 1n << 33n : 0n));
            const told = rulesOf('el1&0-s2', { vtcr: value, hcr: 1n }, cpu).join(' ');
            expect(told).not.toMatch(/SL2:SL0 1:[123]/);
            if (ds === 0n || cpu !== 'max') expect(told).not.toMatch(/SL2:SL0/);
          }
        }
      }
    }
  });
});

describe('a PE that clamps', () => {
  const memory = new PhysicalMemory({ base: 0x8000_0000n, size: 0x1_0000n });
  // A block of 1G at level 1, below an entry of level 0; the same words as a stage 2.
  memory.write64(0x8000_0000n, 0x8000_1003n);
  memory.write64(0x8000_1008n, 0x4000_07fdn);

  const answer = (regime: Regime, registers: WalkerRegisters, cpu: CpuOptions) => {
    const result = createWalker(memory, { regime, registers, cpu }).walk(0x4000_0000n, { access: 'read' });
    return result.ok
      ? result.pa
      : `${result.fault.kind} ${'level' in result.fault ? result.fault.level : ''}`;
  };
  const tcr = { ttbr0: 0x8000_0000n, tcr: 0x4_0000n, mair: 0xffn };
  const stage2 = { vttbr: 0x8000_0000n, vtcr: 0x8005_0080n, hcr: 1n };

  test.each<[string, Regime, WalkerRegisters, CpuOptions, bigint | string]>([
    ['stage 1', 'el2', tcr, { model: 'cortex-a57', clampsTxsz: true }, 0x4000_0000n],
    ['stage 1, as a fault', 'el2', tcr, 'cortex-a57', 'translation 0'],
    ['with FEAT_LVA it may not', 'el2', tcr, { model: 'max', clampsTxsz: true }, 'translation 0'],
    ['stage 2', 'el1&0-s2', stage2, { model: 'cortex-a57', paBits: 48, clampsTxsz: true }, 0x4000_0000n],
    ['stage 2, as a fault', 'el1&0-s2', stage2, { model: 'cortex-a57', paBits: 48 }, 'translation 0'],
    ['stage 2 with FEAT_LPA', 'el1&0-s2', stage2, { model: 'max', clampsTxsz: true }, 'translation 0'],
  ])('%s', (_, regime, registers, cpu, expected) => {
    expect(answer(regime, registers, cpu)).toBe(expected);
  });

  test('is described with the clamped value', () => {
    const cpu: CpuOptions = { model: 'cortex-a57', clampsTxsz: true };
    expect(rulesOf('el2', tcr, cpu)).toEqual([
      'TCR_EL2.T0SZ unpredictable: out of range: taken as 16; a level 0 translation fault is the other choice',
    ]);
    const [range] = describeRegime('el2', tcr, cpu).stages[0]!.ranges;
    expect(range).toMatchObject({ size: { value: 0 }, tables: { inputBits: 48, startLevel: 0 } });
  });
});
