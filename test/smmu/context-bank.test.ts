/** SMMUv2 context banks from literal register values, as Linux's driver programs them: every format, and the fault registers. */
import { describe, expect, test } from 'vitest';
import { type BankRegisters, createContextBank } from '../../src/smmu/index.ts';
import { memoryWith } from '../walker/table-builder.ts';

const read = { access: 'read' } as const;
const write = { access: 'write' } as const;
/** CBAR: stage 1 with stage 2 bypass; stage 1 with stage 2 fault; nested. CBA2R.VA64. SCTLR: CFIE, CFRE, M. */
const S1 = 1n << 16n;
const S1_S2_FAULT = 2n << 16n;
const NESTED = 3n << 16n;
const VA64 = 1n;
const ON = 0x61n;

const tables = {
  '0x40000000': 0x8000_0701n, // L1[0]: 1 GiB
  '0x40000008': 0x8000_0781n, // L1[1]: read-only
  '0x40000010': 0x8000_0301n, // L1[2]: AF = 0
  '0x40000018': 0x9_0000_0003n, // L1[3]: a table outside RAM
  '0x40000ff8': 0x8_c000_0701n, // L1[511]
  '0x40100000': 0x4000_07fdn, // stage 2 L1[0]: IPA 0 is PA 0x4000_0000
  '0x40100008': 0x4000_07fdn, // L1[1]: IPA 0x4000_0000 is itself
  '0x40200000': 0x4020_4001_c000_0c02n, // short: L1[0] section 0xc000_0000, AP 011; L1[1] a table
  '0x40204000': 0x5000_0032n, // L2[0]: small page, AP 011
};

/** T0SZ 25, EPD1, 4K; PASize 48 bits, SEP at the upstream bus. */
const AARCH64: BankRegisters = {
  sctlr: ON,
  tcr: 0x80_0019n,
  tcr2: 0x3_8005n,
  ttbr0: 0x4000_0000n | (5n << 48n),
  mair0: 0xff44n,
  cbar: S1,
  cba2r: VA64,
};

const bank = (registers: BankRegisters, more = {}) =>
  createContextBank(memoryWith(tables), { registers, ...more });

describe('AArch64 stage 1', () => {
  test('translates, with MAIR0 for attributes', () => {
    expect(bank(AARCH64).translate(0x1234n, write)).toMatchObject({
      ok: true,
      pa: 0x8000_1234n,
      attributes: { byte: 0x44 },
    });
  });

  test.each([
    ['translation', 0x1_0000_0000n, read, 0x402, 0x21],
    ['permission', 0x4000_0000n, write, 0x408, 0x31],
    ['access_flag', 0x8000_0000n, { access: 'execute', privileged: false }, 0x404, 0x41],
    ['external_walk', 0xc000_0000n, read, 0x410, 0x422],
  ] as const)('a %s fault: FSR and FSYNR0', (kind, ia, transaction, fsr, fsynr0) => {
    expect(bank(AARCH64).translate(ia, transaction)).toMatchObject({
      fault: { kind, stage: 1 },
      record: { stage: 1, fsr, fsynr0, far: ia },
    });
  });

  test("S1CBNDX is of stage 2's faults alone", () => {
    expect(bank(AARCH64, { index: 7 }).translate(0x1_0000_0000n, read)).toMatchObject({
      record: { stage: 1, fsynr0: 0x21 },
    });
  });

  test('TCR2.PASize bounds the output: an address size fault', () => {
    const small = { ...AARCH64, tcr2: 0x3_8000n };
    expect(bank(small).translate(0xc000_0000n, read)).toMatchObject({ record: { fsr: 0x480, fsynr0: 0x21 } });
  });

  test('TCR2.SEP extends the sign of a bus address, so that TTBR1 is reached', () => {
    // T1SZ 25, TG1 4K, EPD0.
    const upper = { ...AARCH64, tcr: 0x8019_0080n, ttbr1: 0x4000_0000n };
    expect(bank(upper).translate(0x1_ffff_c000_0123n, read)).toMatchObject({ pa: 0x8_c000_0123n });
    const at39 = { ...upper, tcr2: 0x1_0005n };
    expect(bank(at39).translate(0xff_c000_0123n, read)).toMatchObject({ pa: 0x8_c000_0123n });
    expect(bank(at39).translate(0x1_ffff_c000_0123n, read)).toMatchObject({ record: { fsr: 0x402 } });
  });

  test('SCTLR.M = 0: nothing is translated', () => {
    expect(bank({ ...AARCH64, sctlr: 0n }).translate(0x1234n, read)).toMatchObject({ ok: true, pa: 0x1234n });
  });

  test('stage 1 with stage 2 fault ends every transaction without a context fault', () => {
    const denied = bank({ ...AARCH64, cbar: S1_S2_FAULT }).translate(0x1234n, read);
    expect(denied).toMatchObject({ fault: { kind: 'abort' }, record: undefined });
  });
});

describe('AArch32', () => {
  test('long descriptors: TCR.EAE', () => {
    const long = bank({ ...AARCH64, tcr: 0x8080_0000n, cba2r: 0n });
    expect(long.regime).toBe('pl1&0');
    expect(long.translate(0x1234n, read)).toMatchObject({ pa: 0x8000_1234n });
    expect(long.translate(0x4000_0000n, write)).toMatchObject({ record: { fsr: 0x208, fsynr0: 0x31 } });
    expect(long.translate(1n << 32n, read)).toMatchObject({ record: { fsr: 0x202, far: 1n << 32n } });
  });

  test('short descriptors: no domain is denied; TRE and AFE of SCTLR', () => {
    const registers = { sctlr: ON, ttbr0: 0x4020_0000n, cbar: S1 };
    const short = bank(registers);
    expect(short.regime).toBe('pl1&0-short');
    expect(short.translate(0x1234n, write)).toMatchObject({ pa: 0xc000_1234n });
    expect(short.translate(0x10_0123n, write)).toMatchObject({ pa: 0x5000_0123n, level: 2 });
    expect(short.translate(0x10_1000n, read)).toMatchObject({ record: { fsr: 0x2, fsynr0: 0x22 } });
    // TRE: TEX[0]CB = 000 is region 0, Normal by PRRR, Write-Back by NMRR.
    const remapped = { ...registers, sctlr: ON | 2n, mair0: 0x2n, mair1: 0x1_0001n };
    expect(bank(remapped).translate(0n, read)).toMatchObject({ attributes: { byte: 0xff } });
    // AFE: AP[0] = 1 is the access flag, set here.
    expect(
      bank({ ...registers, sctlr: ON | 4n }).translate(0n, { access: 'read', privileged: false }),
    ).toMatchObject({
      ok: true,
    });
  });
});

describe('stage 2', () => {
  /** VTCR: T0SZ 24, SL0 1 (from level 1), 4K, PS 48 bits. */
  const stage2: BankRegisters = { sctlr: ON, tcr: 0x8005_0058n, ttbr0: 0x4010_0000n, cba2r: VA64 };

  test('alone', () => {
    const alone = bank(stage2, { index: 7 });
    expect(alone.regime).toBe('el1&0-s2');
    expect(alone.translate(0x1234n, write)).toMatchObject({ pa: 0x4000_1234n });
    expect(alone.translate(0x8000_1000n, write)).toMatchObject({
      record: { stage: 2, fsr: 0x402, fsynr0: 0x7_0031, far: 0x8000_1000n, ipafar: 0x8000_1000n },
    });
  });

  test('under stage 1: the stage-1 tables are translated too, and the stage-2 bank records its faults', () => {
    const nested = bank({ ...AARCH64, cbar: NESTED }, { index: 3, stage2 });
    // Stage 1 maps VA 0 to IPA 0x8000_0000, which stage 2 does not map.
    expect(nested.translate(0x1234n, read)).toMatchObject({
      fault: { stage: 2, ipa: 0x8000_1234n },
      record: { stage: 2, fsr: 0x402, fsynr0: 0x3_0021, far: 0x1234n, ipafar: 0x8000_1234n },
    });
    const far = bank({ ...AARCH64, cbar: NESTED, ttbr0: 0xc000_0000n }, { index: 3, stage2 });
    expect(far.translate(0x1234n, read)).toMatchObject({
      fault: { ptw: true },
      record: { fsynr0: 0x3_0421, ipafar: 0xc000_0000n },
    });
    const through = bank({ ...AARCH64, cbar: NESTED }, { stage2: { ...stage2, sctlr: 0n } });
    expect(through.translate(0x1234n, read)).toMatchObject({ pa: 0x8000_1234n });
  });

  test('a nested bank without, or of another architecture than, its stage-2 bank is an error of the caller', () => {
    expect(() => bank({ ...AARCH64, cbar: NESTED })).toThrow(/needs the registers of its stage-2 bank/);
    expect(() => bank({ ...AARCH64, cbar: NESTED }, { stage2: { cba2r: 0n } })).toThrow(/VA64/);
    expect(() => bank({ ttbr0: -1n })).toThrow(/register ttbr0/);
  });
});
