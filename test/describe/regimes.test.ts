/** Regimes described: AArch32, MMUs that are not VMSA's, and what switches a stage off. */
import { describe, expect, test } from 'vitest';
import { describeRegime, type RangeDescription } from '../../src/describe/index.ts';
import { type Regime, WalkerError } from '../../src/walker/index.ts';

/** The ranges of the first stage. */
function rangesOf(...args: Parameters<typeof describeRegime>): readonly RangeDescription[] {
  return describeRegime(...args).stages[0]!.ranges;
}

const problemsOf = (range: RangeDescription) => range.problems.map((p) => `${p.field} ${p.effect}`);

describe('AArch32', () => {
  // Table G5-1: N, first address of TTBR1, bytes of TTBR0's table.
  test.each([
    [1, 0x8000_0000n, 8192],
    [2, 0x4000_0000n, 4096],
    [3, 0x2000_0000n, 2048],
    [4, 0x1000_0000n, 1024],
    [5, 0x0800_0000n, 512],
    [6, 0x0400_0000n, 256],
    [7, 0x0200_0000n, 128],
  ])('short descriptors with N = %i', (n, split, bytes) => {
    const [lower, upper] = rangesOf('pl1&0-short', {
      tcr: BigInt(n),
      ttbr0: 0x4000_406bn,
      ttbr1: 0x4000_8000n,
    });
    expect(lower?.tables).toMatchObject({
      startLevel: 1,
      entries: bytes / 4,
      lastIa: split - 1n,
      tableBase: 0x4000_4000n,
    });
    expect(lower?.tables?.levels[0]).toMatchObject({
      high: 31 - n,
      low: 20,
      run: { entries: 16, size: 0x100_0000n },
    });
    expect(upper?.tables).toMatchObject({ entries: 4096, firstIa: split, lastIa: 0xffff_ffffn });
    expect(lower?.walks).toMatchObject({
      inner: { policy: 'write-back', writeAllocate: false },
      outer: { writeAllocate: true },
      shareability: 'inner',
    });
  });

  test('walk attributes: IRGN is bit 0 and bit 6 of a TTBR', () => {
    const ranges = rangesOf('pl1&0-short', { tcr: 1n, ttbr0: 0x4000_0001n, ttbr1: 0x4000_8042n });
    expect(
      ranges.map(({ walks }) => [walks?.inner.policy, walks?.outer.policy, walks?.shareability]),
    ).toEqual([
      ['write-through', 'non-cacheable', 'non'],
      ['write-back', 'non-cacheable', 'outer'],
    ]);
  });

  test('N = 0, PD0, TRE, AFE and DACR', () => {
    const { stages } = describeRegime('pl1&0-short', { tcr: 0x10n, sctlr: 0x3000_0001n, dacr: 0x0000_00edn });
    expect(stages[0]).toMatchObject({
      short: {
        tre: true,
        afe: true,
        domains: ['client', 'manager', 'reserved', 'manager', ...Array(12).fill('none')],
      },
      ranges: [{ off: { field: 'TTBCR.PD0' } }, { off: { field: 'TTBCR.N', value: 0n } }],
      problems: [{ field: 'DACR.D2', value: 2n }],
    });
  });

  test('long descriptors named short, and the other way round', () => {
    expect(describeRegime('pl1&0', {}).stages[0]?.problems).toMatchObject([
      { field: 'TTBCR.EAE', value: 0n },
    ]);
    expect(describeRegime('pl1&0-short', { tcr: 1n << 31n }).stages[0]?.problems).toMatchObject([
      { field: 'TTBCR.EAE', value: 1n },
    ]);
    expect(describeRegime('pl1&0-nested', {}).stages[0]).toMatchObject({
      format: 'AArch32 short',
      problems: [],
    });
  });

  test('stage 2: T0SZ is signed, and S repeats its sign', () => {
    const [range] = rangesOf('pl1&0-s2', { vtcr: 0x8000_3558n, vttbr: 0x12_0000_4000_0000n });
    expect(range).toMatchObject({
      size: { value: -8 },
      tables: { inputBits: 40, startLevel: 1, concatenated: 2 },
      problems: [],
    });
    expect(problemsOf(rangesOf('pl1&0-s2', { vtcr: 0x48n })[0]!)).toEqual(['VTCR.S unpredictable']);
    expect(problemsOf(rangesOf('pl1&0-s2', { vtcr: 0x18n })[0]!)).toEqual(['VTCR.SL0 fault']);
    expect(problemsOf(rangesOf('pl1&0-s2', { vtcr: 0x80n })[0]!)).toEqual(['VTCR.SL0 fault']);
  });
});

describe('what switches a stage off', () => {
  test.each<[Regime, Parameters<typeof describeRegime>[1], (string | undefined)[]]>([
    ['el1&0', { sctlr: 0n }, ['SCTLR_EL1.M']],
    ['el2', { sctlr: 0n }, ['SCTLR_EL2.M']],
    ['pl2', { sctlr: 0n }, ['HSCTLR.M']],
    ['el1&0-nested', {}, [undefined, undefined]],
    ['el1&0-nested', { hcr: 0n }, [undefined, 'HCR_EL2.VM']],
    ['el1&0-nested', { hcr: 1n << 12n }, ['HCR_EL2.DC', undefined]],
    ['pl1&0-nested', { hcr: 1n << 27n }, ['HCR.TGE', 'HCR.VM']],
    ['riscv', { ttbr0: 0n }, ['satp.MODE']],
  ])('%s %o: %j', (regime, registers, fields) => {
    expect(describeRegime(regime, registers).stages.map(({ off }) => off?.field)).toEqual(fields);
  });

  test('MMUs that are not VMSA', () => {
    expect(rangesOf('riscv', { ttbr0: 0x8000_0000_0004_8000n })[0]).toMatchObject({
      tables: { startLevel: 1, inputBits: 39, tableBase: 0x4800_0000n },
    });
    expect(problemsOf(rangesOf('riscv', { ttbr0: 1n << 60n })[0]!)).toEqual(['satp.MODE fault']);
    expect(rangesOf('mali', { ttbr0: 0x4000_0003n })[0]).toMatchObject({
      tables: { startLevel: 0, entries: 512, inputBits: 48 },
      problems: [],
    });
    expect(problemsOf(rangesOf('mali', { ttbr0: 0x4000_0000n })[0]!)).toEqual(['AS_TRANSTAB.MODE fault']);
    expect(rangesOf('mtk', { tcr: 2n, ttbr0: 0x4000_4003n })[0]).toMatchObject({
      tables: { inputBits: 34, entries: 16384, tableBase: 0x3_4000_4000n, output: { bits: 35 } },
    });
  });

  test('what no register can hold is an error of the caller', () => {
    expect(() => describeRegime('el9' as Regime, {})).toThrow(WalkerError);
    expect(() => describeRegime('el2', { tcr: -1n })).toThrow(/tcr must be a bigint/);
  });
});
