/** Register values under whatever names: each regime takes its own, and nothing is guessed. (DDI 0487 D8.1.2, D24.2; IHI 0070 6.3.) */
import { describe, expect, test } from 'vitest';
import { createMachine, RegisterError, resolveRegisters } from '../../src/machine/index.ts';
import { PhysicalMemory } from '../../src/memory/index.ts';

type Values = Record<string, bigint>;

/** As gdb lists a PE: three exception levels together. HCR_EL2.RW = 1. */
const ALL: Values = {
  TTBR0_EL3: 0x3000_0000n,
  TCR_EL3: 0x8082_3518n,
  MAIR_EL3: 0x33n,
  SCTLR_EL3: 0x1n,
  TTBR0_EL1: 0x1000_0000n,
  TTBR1_EL1: 0x1100_0000n,
  TCR_EL1: 0x5_0080_3519n,
  MAIR_EL1: 0x11n,
  SCTLR_EL1: 0x1001n,
  HCR_EL2: 0x8000_0000n,
  TTBR0_EL2: 0x2000_0000n,
  TTBR1_EL2: 0x2100_0000n,
  TCR_EL2: 0x8083_3518n,
  MAIR_EL2: 0x22n,
  SCTLR_EL2: 0x2001n,
  VTTBR_EL2: 0x4000_0000n,
  VTCR_EL2: 0x8004_3558n,
};

const refusal = (act: () => unknown): RegisterError => {
  try {
    act();
  } catch (error) {
    if (error instanceof RegisterError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
};

describe('a regime takes the registers of its own names, whatever the order', () => {
  const el1 = {
    ttbr0: 0x1000_0000n,
    ttbr1: 0x1100_0000n,
    tcr: 0x5_0080_3519n,
    mair: 0x11n,
    sctlr: 0x1001n,
  };
  const stage2 = { vttbr: 0x4000_0000n, vtcr: 0x8004_3558n, hcr: 0x8000_0000n };
  test.each([
    // HCR_EL2.NV and NV1 change what descriptors of EL1&0 mean.
    ['el1&0', { ...el1, hcr: 0x8000_0000n }],
    ['el1&0-s2', stage2],
    ['el1&0-nested', { ...el1, ...stage2 }],
    ['el2', { ttbr0: 0x2000_0000n, tcr: 0x8083_3518n, mair: 0x22n, sctlr: 0x2001n }],
    ['el3', { ttbr0: 0x3000_0000n, tcr: 0x8082_3518n, mair: 0x33n, sctlr: 0x1n }],
  ] as const)('%s', (regime, registers) => {
    const backwards = Object.fromEntries(Object.entries(ALL).reverse());
    expect(resolveRegisters({ given: ALL, regime }).registers).toEqual(registers);
    expect(resolveRegisters({ given: backwards, regime }).registers).toEqual(registers);
  });

  test('those of AArch32: pairs of 32 bits, Hyp mode', () => {
    const given = { HTTBR: 0x4000_0000n, HTCR: 0x8000_0000n, HMAIR0: 0xffn, HMAIR1: 0x44n, TTBR0: 1n };
    expect(resolveRegisters({ given })).toMatchObject({
      regime: 'pl2',
      registers: { ttbr0: 0x4000_0000n, tcr: 0x8000_0000n, mair: 0x44_0000_00ffn },
    });
  });

  test('what a regime does not read is said', () => {
    const { ignored } = resolveRegisters({ given: { ...ALL, X0: 1n, FOOBAR_EL1: 1n }, regime: 'el3' });
    expect(ignored.filter(({ kind }) => kind === 'other').map(({ register }) => register)).toContain(
      'TTBR0_EL1',
    );
    expect(ignored).toContainEqual({ register: 'X0', kind: 'bystander', why: 'no walk reads it' });
    expect(ignored).toContainEqual({ register: 'FOOBAR_EL1', kind: 'unknown', why: 'it is not known' });
  });
});

describe('the regime that follows is said, and where two follow it is asked for', () => {
  test('three exception levels that all translate', () => {
    expect(refusal(() => resolveRegisters({ given: ALL }))).toMatchObject({
      kind: 'regime',
      message: expect.stringMatching(/^3 regimes follow.*--regime el10 or --regime el2 or --regime el3$/),
    });
  });

  test('one of them, where SCTLR switches the others off', () => {
    const off = { ...ALL, SCTLR_EL2: 0n, SCTLR_EL3: 0n };
    expect(resolveRegisters({ given: off })).toMatchObject({
      regime: 'el1&0',
      because: 'TTBR0_EL1, TTBR1_EL1, TCR_EL1; not el2: SCTLR_EL2.M = 0; not el3: SCTLR_EL3.M = 0',
    });
    // HCR_EL2.VM.
    expect(resolveRegisters({ given: { ...off, HCR_EL2: 0x8000_0001n } }).regime).toBe('el1&0-nested');
    // HCR_EL2.E2H and TGE: the host is at EL2, and EL1&0 is not in use.
    const host = { ...ALL, SCTLR_EL3: 0n, HCR_EL2: 0x4_8800_0000n, TCR_EL2: 0x5_0080_3519n };
    expect(resolveRegisters({ given: host }).regime).toBe('el2&0');
  });

  test('HCR_EL2.VM = 1 with el1 means nested, and --stage 1 the first alone', () => {
    const given = { ...ALL, HCR_EL2: 0x8000_0001n };
    expect(resolveRegisters({ given, regime: 'el1&0' })).toMatchObject({
      regime: 'el1&0-nested',
      because: 'HCR_EL2.VM = 1 (--stage 1 asks for the first stage only)',
    });
    expect(resolveRegisters({ given, regime: 'el1&0', stage: 1 }).regime).toBe('el1&0');
    expect(resolveRegisters({ given, regime: 'el1&0', stage: 2 }).regime).toBe('el1&0-s2');
    expect(resolveRegisters({ given, regime: 'el1&0', exact: true }).regime).toBe('el1&0');
    expect(refusal(() => resolveRegisters({ given, regime: 'el3', stage: 2 })).rule).toBe(
      'el3 has no stage 2',
    );
  });

  test('EL2 with E2H = 1 is EL2&0, and EL2&0 without it is refused', () => {
    const vhe = { ...ALL, HCR_EL2: 0x4_0000_0000n };
    expect(resolveRegisters({ given: vhe, regime: 'el2' }).regime).toBe('el2&0');
    expect(refusal(() => resolveRegisters({ given: ALL, regime: 'el2&0' })).kind).toBe('contradiction');
  });
});

describe('what disagrees, is misspelt or not modelled is refused with its value', () => {
  const EL1: Values = { TTBR0_EL1: 0x1000n, TCR_EL1: 0x80_0019n, MAIR_EL1: 0xffn, SCTLR_EL1: 1n };
  test.each<[string, Values, RegisterError['kind'], string]>([
    [
      'a bare name and that of an exception level',
      { ttbr0: 0x2000n },
      'contradiction',
      'TTBR0_EL1 = 0x1000 and ttbr0 = 0x2000 are both TTBR0_EL1, and disagree',
    ],
    [
      'two security banks',
      { TTBR1_EL1_S: 1n, TTBR1_EL1_NS: 2n },
      'contradiction',
      'TTBR1_EL1_S = 0x1 and TTBR1_EL1_NS = 0x2 are both TTBR1_EL1, and disagree: they are of two security banks',
    ],
    [
      'two letters changed',
      { MIAR_EL1: 3n },
      'unknown',
      'MIAR_EL1 = 0x3: there is no such register; did you mean MAIR_EL1?',
    ],
    ['no such level', { TCR_EL9: 3n }, 'unknown', 'did you mean TCR_EL1?'],
    ['no number', { ttbr: 3n }, 'unknown', 'ttbr = 0x3: there is no such register; did you mean ttbr0?'],
    [
      'TCR2_EL1.D128',
      { TCR2_EL1: 0x20n },
      'not-modelled',
      'D128 turns on 128-bit descriptors (FEAT_D128), which is not modelled',
    ],
    ['65 bits', { X0: 1n << 64n }, 'value', 'X0 must be a bigint of at most 64 bits'],
  ])('%s', (_, more, kind, message) => {
    const error = refusal(() => resolveRegisters({ given: { ...EL1, ...more }, regime: 'el1&0' }));
    expect(error.kind).toBe(kind);
    expect(error.message).toContain(message);
  });

  test.each<[string, Values, string, bigint]>([
    ['TCR_EL3.D128', { TTBR0_EL3: 0n, TCR_EL3: 0x40_8080_3519n }, 'TCR_EL3', 0x40_8080_3519n],
    ['VTCR_EL2.D128', { VTTBR_EL2: 0n, VTCR_EL2: 0x40_8000_0059n }, 'VTCR_EL2', 0x40_8000_0059n],
    ['TTBCR2.HPD0', { TTBR0: 0n, TTBCR: 0x8000_0040n, TTBCR2: 0x200n }, 'TTBCR2', 0x200n],
    ['33 bits of 32', { TTBR0: 0n, TTBCR: 0x1_0000_0000n }, 'TTBCR', 0x1_0000_0000n],
  ])('%s', (_, given, register, value) => {
    expect(refusal(() => resolveRegisters({ given }))).toMatchObject({ register, value });
  });

  test("a register that can't change the answer is reported", () => {
    // HCRX_EL2.TCR2En = 0: TCR2_EL1 counts as 0. TTBCR.T2E = 0: so does TTBCR2.
    const gated = resolveRegisters({ given: { ...EL1, TCR2_EL1: 2n, HCRX_EL2: 0n }, regime: 'el1&0' });
    expect(gated.ignored).toContainEqual({
      register: 'TCR2_EL1',
      kind: 'field',
      why: 'PIE is set and does not count: HCRX_EL2.TCR2En = 0',
    });
    const aarch32 = resolveRegisters({ given: { TTBR0: 0n, TTBCR: 0x8000_0000n, TTBCR2: 0x200n } });
    expect(aarch32.ignored.map(({ why }) => why)).toContain('HPD0 is set and does not count: TTBCR.T2E = 0');
    const idle = resolveRegisters({ given: { ...EL1, TCR_EL1: 0x8020_0000_0080_0019n } });
    expect(idle.ignored.map(({ why }) => why)).toEqual([
      'NFD0 set, which is not modelled and changes no answer',
      'bits 0x8000000000000000 are RES0, and ignored',
    ]);
    const { assumed } = resolveRegisters({ given: { ...EL1, GPTBR_EL3: 5n } });
    expect(assumed).toContain('GPCCR_EL3 is not given: granule protection checks are taken to be off');
    const baseless = resolveRegisters({ given: { ...EL1, GPCCR_EL3: 0x1_3502n } });
    expect(baseless.assumed).toContain('GPTBR_EL3 is not given: its table is taken to be at 0');
  });

  test('registers of a stage that is off have no effect', () => {
    const given = { ...EL1, SCTLR_EL1: 0n, TCR2_EL1: 2n };
    expect(resolveRegisters({ given }).ignored).toContainEqual({
      register: 'TCR2_EL1',
      kind: 'field',
      why: 'PIE is set and does not count: its stage is off',
    });
  });
});

describe('what was not given is not zero', () => {
  test.each<[string, Values, string]>([
    ['el1&0', { ttbr0: 0n }, "el1&0 can't be walked without --tcr (TCR_EL1)"],
    ['el1&0', { tcr: 0n }, "el1&0 can't be walked without --ttbr0 (TTBR0_EL1)"],
    [
      'el1&0',
      { ttbr0: 0n, tcr: 0n, tcr2: 2n },
      "el1&0 can't be walked without --pir and --pire0 (PIR_EL1 and PIRE0_EL1)",
    ],
    ['el2', { ttbr0: 0n, tcr: 0n, tcr2: 10n, pir: 0n }, "el2 can't be walked without --por (POR_EL2)"],
    ['el1&0', { ttbr0: 0n, tcr: 0n, tcr2: 4n }, "el1&0 can't be walked without --por0 (POR_EL0)"],
    ['el3', { ttbr0: 0n, tcr: 1n << 35n }, "el3 can't be walked without --pir (PIR_EL3)"],
    [
      'el1&0-s2',
      { vttbr: 0n, vtcr: 3n << 36n },
      "el1&0-s2 can't be walked without --s2pir and --s2por (S2PIR_EL2 and S2POR_EL1)",
    ],
    ['el1&0-nested', { ttbr0: 0n, tcr: 0n }, 'without --vttbr and --vtcr (VTTBR_EL2 and VTCR_EL2)'],
    ['pl2', { ttbr0: 0n }, "pl2 can't be walked without --tcr (HTCR)"],
  ])('%s', (regime, given, message) => {
    const error = refusal(() => resolveRegisters({ given, regime: regime as 'el2' }));
    expect(error.kind).toBe('missing');
    expect(error.message).toContain(message);
  });

  test('assumptions are reported', () => {
    expect(resolveRegisters({ given: { TTBR0_EL1: 0n, TCR_EL1: 0n } }).assumed).toEqual([
      'SCTLR_EL1 is not given: stage 1 is taken to be on (M = 1), tables to be little-endian (EE = 0)',
      'MAIR_EL1 is not given: memory types are not known, AttrIndx is shown in their place',
    ]);
    expect(
      resolveRegisters({ given: { TTBR0_EL2: 0n, TCR_EL2: 0n, SCTLR_EL2: 1n, MAIR_EL2: 0n } }).assumed,
    ).toEqual(['HCR_EL2 is not given: E2H is taken to be 0 (--regime el2&0 is the other)']);
    expect(
      resolveRegisters({ given: { MAIR0: 1n, TTBR0: 0n, TTBCR: 1n << 31n, SCTLR: 1n } }).assumed,
    ).toEqual(['MAIR1 is not given: it is taken as 0']);
    expect(resolveRegisters({ given: { strtab_base: 0n } }).assumed[0]).toContain('--strtab-cfg');
  });

  test('what stands in the place of a value is said', () => {
    const given = { TTBR0_EL1: 0x1000n, TCR_EL1: 0n, SCTLR_EL1: 1n, MAIR_EL1: 0n };
    const { registers, assumed } = resolveRegisters({ given, over: { ttbr0: 0x2000n } });
    expect(registers.ttbr0).toBe(0x2000n);
    expect(assumed).toEqual(['ttbr0 = 0x2000 takes the place of TTBR0_EL1 = 0x1000']);
  });
});

describe('a machine of the library', () => {
  const memory = new PhysicalMemory({ base: 0x4000_0000n, size: 0x1000n });
  memory.write64(0x4000_0000n, 0x8000_0709n); // level 1, entry 0: a block of 1 GiB, AttrIndx 2

  test("takes the manual's names, and refuses what is not known", () => {
    const registers = { TTBR0_EL2: 0x4000_0000n, TCR_EL2: 0x8080_0019n, MAIR_EL2: 0xff_0000n, TTBR0_EL1: 5n };
    const answer = createMachine({ memory, regime: 'el2', registers })().walk(0x1234n);
    expect(answer).toMatchObject({ ok: true, pa: 0x8000_1234n, attributes: { type: 'normal' } });
    const wrong = { ...registers, MIAR_EL2: 0n };
    expect(() => createMachine({ memory, regime: 'el2', registers: wrong })).toThrow(
      /did you mean MAIR_EL2\?/,
    );
  });

  test('without MAIR the type is not known, and its index is', () => {
    const registers = { ttbr0: 0x4000_0000n, tcr: 0x80_0019n };
    expect(createMachine({ memory, regime: 'el1&0', registers })().walk(0n)).toMatchObject({
      ok: true,
      attributes: { attrIndx: 2 },
    });
  });

  test('a range whose base was not given is disabled', () => {
    // T1SZ = 25, EPD1 = 0; TTBR1 would otherwise be 0, or with 0x4000_0000 lead to the block.
    const registers = { ttbr0: 0x4000_0000n, tcr: 0x8019_0019n };
    const space = createMachine({ memory, regime: 'el1&0', registers })();
    expect(space.trees().map(({ root }) => root.register)).toEqual(['ttbr0']);
    expect(space.walk(0xffff_ff80_0000_0000n)).toMatchObject({
      ok: false,
      fault: { kind: 'translation', level: 0 },
    });
    const both = { ...registers, ttbr1: 0x4000_0000n };
    expect(
      createMachine({ memory, regime: 'el1&0', registers: both })().walk(0xffff_ff80_0000_0000n).ok,
    ).toBe(true);
  });
});

describe('the two programming interfaces of an SMMU', () => {
  const given = {
    SMMU_STRTAB_BASE: 0x1000n,
    SMMU_S_STRTAB_BASE: 0x2000n,
    SMMU_S_CR0: 0x21n,
    SMMU_CR2: 1n,
    SMMU_S_IDR1: 0xa000_0006n,
    SMMU_IDR0: 0x0d44_101bn,
  };

  test('of a Secure stream the registers called SMMU_S_…, and those of both', () => {
    const { registers, ignored, assumed } = resolveRegisters({ given, security: 'secure' });
    expect(registers).toEqual({
      strtab_base: 0x2000n,
      cr0: 0x21n,
      cr2: 1n,
      s_idr1: 0xa000_0006n,
      idr0: 0x0d44_101bn,
    });
    expect(ignored.map(({ register }) => register)).toEqual(['SMMU_STRTAB_BASE']);
    expect(assumed[0]).toBe('SMMU_CR2 is taken as SMMU_S_CR2');
  });

  test('of a Non-secure one the others', () => {
    const { registers, ignored } = resolveRegisters({ given });
    expect(registers).toMatchObject({ strtab_base: 0x1000n, cr2: 1n });
    expect(registers.cr0).toBeUndefined();
    expect(ignored.map(({ register }) => register)).toEqual(['SMMU_S_STRTAB_BASE', 'SMMU_S_CR0']);
  });

  test('the Secure stream table alone needs the state', () => {
    const { message } = refusal(() => resolveRegisters({ given: { SMMU_S_STRTAB_BASE: 0x2000n } }));
    expect(message).toContain('Secure programming interface');
  });
});
