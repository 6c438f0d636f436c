/** Bits of registers: some of each setting, chosen at random. `long-register-bits.test.ts` takes them all. */
import { describe, expect, test } from 'vitest';
import { resolveRegisters } from '../../src/machine/registers/index.ts';
import type { Regime } from '../../src/walker/index.ts';
import { Random } from '../support/random.ts';
import { answersOf, bitsOf, isReservedOne, isTold, SETTINGS } from './register-bits.ts';

test('a bit that is flipped changes an answer, or is said to do nothing', () => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  const random = new Random(seed);
  for (const setting of SETTINGS) {
    const before = answersOf(setting);
    const bits = bitsOf(setting);
    for (let n = 0; n < 2; n++) {
      const { name, bit } = bits[random.between(0, bits.length - 1)]!;
      const told = isTold(setting, name, bit, before) || isReservedOne(setting, name, bit);
      expect([seed, setting.name, name, bit, told]).toEqual([seed, setting.name, name, bit, true]);
    }
  }
});

test('each setting translates, so that its bits have something to change', () => {
  for (const setting of SETTINGS) {
    const { answers } = answersOf(setting);
    expect([setting.name, answers.match(/"ok":true/g)?.length ?? 0]).toEqual([
      setting.name,
      expect.any(Number),
    ]);
    expect(answers.split('"ok":true').length).toBeGreaterThan(5);
  }
});

describe('what is said of bits that do nothing', () => {
  const said = (regime: Regime, given: Record<string, bigint>) =>
    resolveRegisters({ given, regime, exact: true, complete: false })
      .ignored.filter(({ kind }) => kind === 'bits')
      .map(({ register, why }) => `${register}: ${why}`);

  test.each<[Regime, Record<string, bigint>, string[]]>([
    [
      'el1&0',
      { TTBR0_EL1: 0xab12_0000_0010_0000n, TTBR1_EL1: 0x12_0000_0010_0000n, TCR_EL1: 0x5_0019_0019n },
      [
        "TTBR1_EL1: bits 0x12000000000000 have no part: the ASID is TTBR0_EL1's (TCR_EL1.A1 = 0)",
        'TTBR0_EL1: bits 0xab00000000000000 have no part: with TCR_EL1.AS = 0 an ASID has 8 bits',
      ],
    ],
    ['el1&0', { TTBR0_EL1: 0xab12_0000_0010_0000n, TCR_EL1: 0x15_0019_0019n }, []],
    [
      'el1&0',
      { TTBR0_EL1: 0x12_0000_0010_0000n, TTBR1_EL1: 0x13_0000_0010_0000n, TCR_EL1: 0x5_0059_0019n },
      ["TTBR0_EL1: bits 0x12000000000000 have no part: the ASID is TTBR1_EL1's (TCR_EL1.A1 = 1)"],
    ],
    // FEAT_ASID2: with TCR2_EL1.A2 = 1 both ASIDs count.
    [
      'el1&0',
      {
        TTBR0_EL1: 0x10_0000n,
        TTBR1_EL1: 0x12_0000_0010_0000n,
        TCR_EL1: 0x5_0019_0019n,
        TCR2_EL1: 0x1_0000n,
      },
      [],
    ],
    [
      'el2',
      { TTBR0_EL2: 0x1_0000_0010_0000n, TCR_EL2: 0xa080_0019n },
      [
        'TTBR0_EL2: bits 0x1000000000000 have no part: the regime has no ASIDs',
        'TCR_EL2: bits 0x20000000 have no part: TBID counts with TBI = 1',
      ],
    ],
    [
      'el1&0-s2',
      { VTTBR_EL2: 0xff01_0000_0010_0000n, VTCR_EL2: 0xe000_0058n },
      [
        'VTTBR_EL2: bits 0xff00000000000000 have no part: with VTCR_EL2.VS = 0 a VMID has 8 bits',
        'VTCR_EL2: bits 0x60000000 have no part: they are for the Non-secure IPAs of Secure state',
      ],
    ],
    [
      'el2&0',
      { TTBR0_EL2: 0x10_0000n, TCR_EL2: 0x5_0080_0019n, HCR_EL2: 0x4_0000_0001n },
      [
        'HCR_EL2: bits 0x400000001 have no part: which regime it is follows from E2H, and a walk reads no bit of it',
      ],
    ],
    // J1.1: with PIE = 1 hpd and epan are 1, whatever the registers say.
    [
      'el1&0',
      {
        TTBR0_EL1: 0x10_0000n,
        TCR_EL1: 0x205_0080_0019n,
        TCR2_EL1: 2n,
        PIR_EL1: 1n,
        SCTLR_EL1: 0x200_0000_0000_0005n,
      },
      [
        'SCTLR_EL1: bits 0x200000000000000 have no part: with indirect permissions PAN is as with EPAN = 1',
        'TCR_EL1: bits 0x20000000000 have no part: with indirect permissions, overlays or MAIR2 tables have no permissions of their own',
      ],
    ],
    [
      'el1&0',
      { TTBR0_EL1: 0x10_0000n, TCR_EL1: 0x5_0080_0019n, SCR_EL3: 0x4_0631n },
      [
        'SCR_EL3: bits 0x430 have no part: no walk reads them',
        'SCR_EL3: bits 0x40000 have no part: EEL2 is for Secure state below EL3',
        'SCR_EL3: bits 0x200 have no part: SIF is for stage 1 of Secure state',
      ],
    ],
    [
      'pl1&0-short',
      { TTBR0: 0x10_0004n, TTBCR: 0x40_0000n, SCTLR: 1n },
      [
        'TTBCR: bits 0x400000 have no part: they are for long descriptors, or reserved',
        'TTBR0: bits 0x4 have no part: they are reserved',
      ],
    ],
    [
      'riscv',
      { satp: 0x8000_0000_0000_0100n, sstatus: 0x4_0002n },
      ['sstatus: bits 0x2 have no part: of sstatus a walk reads SUM and MXR'],
    ],
  ])('%s: %#', (regime, given, wanted) => {
    expect(said(regime, given)).toEqual(wanted);
  });
});
