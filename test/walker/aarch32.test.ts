/** AArch32: long descriptors with T0SZ and T1SZ, their stage 2, and short descriptors with domains. (DDI 0487 G5.) */
import { describe, expect, test } from 'vitest';
import { createWalker } from '../../src/walker/index.ts';
import { memoryWith } from './table-builder.ts';

const read = { access: 'read' } as const;
const write = { access: 'write' } as const;
const execute = { access: 'execute' } as const;
const EAE = 0x8000_0000n;

describe('long descriptors', () => {
  const tables = {
    '0x40000000': 0x4000_1003n, // L1[0] -> L2
    '0x40000008': 0xf8_8000_0701n, // L1[1]: 1 GiB block at a 40-bit address
    '0x40000018': 0x100_c000_0701n, // L1[3]: bit 40 set
    '0x40001000': 0x4000_2003n, // L2[0] -> L3
    '0x40001008': 0x9000_0701n, // L2[1]: 2 MiB block
    '0x40002000': 0xa000_0743n, // page, AP 01
    '0x40002008': 0x0040_0000_a000_1743n, // XN
    '0x40002010': 0x0020_0000_a000_2743n, // PXN
  };
  const walk = (
    registers: object,
    ia: bigint,
    access: { access: 'read' | 'write' | 'execute'; privileged?: boolean },
  ) =>
    createWalker(memoryWith(tables), {
      regime: 'pl1&0',
      registers: { ttbr0: 0x4000_0000n, tcr: EAE, mair: 0xffn, ...registers },
      cpu: 'cortex-a57',
    }).walk(ia, access);

  test('page, 2 MiB and 1 GiB blocks from level 1', () => {
    expect(walk({}, 0x123n, read)).toMatchObject({ pa: 0xa000_0123n, level: 3, size: 0x1000n });
    expect(walk({}, 0x2f_ffffn, read)).toMatchObject({ pa: 0x900f_ffffn, level: 2, size: 0x20_0000n });
    expect(walk({}, 0x4000_0001n, read)).toMatchObject({ pa: 0xf8_8000_0001n, level: 1, size: 0x4000_0000n });
  });

  test('bits [47:40] are an address size fault in Armv8, and ignored by ARMv7', () => {
    expect(walk({}, 0xc000_0000n, read)).toMatchObject({ fault: { kind: 'address_size', level: 1 } });
    const v7 = createWalker(memoryWith(tables), {
      regime: 'pl1&0',
      registers: { ttbr0: 0x4000_0000n, tcr: EAE },
      cpu: 'cortex-a15',
    });
    expect(v7.walk(0xc000_0000n, read)).toMatchObject({ pa: 0xc000_0000n });
  });

  test('T0SZ = 2 starts at level 2 and leaves the rest to TTBR1', () => {
    const low = { ttbr0: 0x4000_1000n, ttbr1: 0x4000_0000n, tcr: EAE | 2n };
    expect(walk(low, 0x20_0000n, read)).toMatchObject({ pa: 0x9000_0000n, steps: { length: 1 } });
    expect(walk(low, 0x4000_0000n, read)).toMatchObject({ pa: 0xf8_8000_0000n, steps: { length: 1 } });
  });

  test('T0SZ and T1SZ both set leave a hole: level 1 translation fault', () => {
    const both = { tcr: EAE | 1n | (1n << 16n) };
    expect(walk(both, 0x7fff_ffffn, read)).toMatchObject({ ok: true });
    const hole = { tcr: EAE | 2n | (2n << 16n) };
    expect(walk(hole, 0x4000_0000n, read)).toMatchObject({
      fault: { kind: 'translation', level: 1, stage: 1 },
    });
  });

  test('EPD0, and an address of more than 32 bits', () => {
    expect(walk({ tcr: EAE | (1n << 7n) }, 0n, read)).toMatchObject({
      fault: { kind: 'translation', level: 1 },
    });
    expect(walk({}, 1n << 32n, read)).toMatchObject({ fault: { kind: 'translation', level: 1 } });
  });

  test('XN, PXN, WXN and UWXN', () => {
    const el0 = { access: 'execute', privileged: false } as const;
    const may = (ia: bigint, sctlr = 1n) => [walk({ sctlr }, ia, execute).ok, walk({ sctlr }, ia, el0).ok];
    expect(may(0n)).toEqual([true, true]); // AArch32: writable at PL0 is executable at PL1, but for UWXN
    expect(may(0x1000n)).toEqual([false, false]);
    expect(may(0x2000n)).toEqual([false, true]);
    expect(may(0n, 0x8_0001n)).toEqual([false, false]);
    expect(may(0n, 0x10_0001n)).toEqual([false, true]);
  });
});

describe('stage 2', () => {
  // VTCR: T0SZ -8 (40 bits), S = 1, SL0 1: two concatenated tables.
  const tables = { '0x40001ff8': 0x8000_07fdn, '0x40000000': 0x8000_073dn };
  const walker = createWalker(memoryWith(tables), {
    regime: 'pl1&0-s2',
    registers: { vttbr: 0x4000_0000n, vtcr: 0x8000_0058n },
    cpu: 'cortex-a57',
  });

  test('40-bit IPAs; T0SZ is signed', () => {
    expect(walker.walk(0xff_c000_0123n, read)).toMatchObject({ pa: 0x8000_0123n, stage: 2, level: 1 });
    expect(walker.walk(1n << 40n, read)).toMatchObject({
      fault: { kind: 'translation', stage: 2, level: 1 },
    });
  });

  test('execution needs read permission', () => {
    expect(walker.walk(0xff_c000_0000n, execute)).toMatchObject({ ok: true });
    expect(walker.walk(0n, execute)).toMatchObject({ fault: { kind: 'permission', stage: 2, level: 1 } });
  });

  test('SL0 that does not fit T0SZ is a level 1 translation fault', () => {
    const bad = createWalker(memoryWith(tables), {
      regime: 'pl1&0-s2',
      registers: { vttbr: 0x4000_0000n, vtcr: 0x8000_0018n },
    });
    expect(bad.walk(0n, read)).toMatchObject({ fault: { kind: 'translation', stage: 2, level: 1 } });
  });
});

describe('short descriptors', () => {
  /** Two 32-bit entries a word. */
  const pair = (low: bigint, high = 0n) => low | (high << 32n);
  const tables = {
    '0x40000000': pair(0x4000_4021n, 0x8010_0c12n), // L1[0] -> L2, domain 1; L1[1]: section, AP 011, XN
    '0x40000008': pair(0x8525_0c62n | 0x4_0000n, 0x0040_0402n), // L1[2]: supersection; L1[3]: section, AP 001
    '0x40004000': pair(0x9000_0032n, 0x9001_0021n), // L2[0]: small page, AP 011; L2[1]: large page, AP 010
    '0x40004008': pair(0x9000_2022n, 0x9000_3232n), // L2[2]: small page, AP 010; L2[3]: small page, AP 111
  };
  /** Domains 0 and 1 are clients. */
  const DACR = 0b0101n;
  const walk = (
    ia: bigint,
    access: { access: 'read' | 'write' | 'execute'; privileged?: boolean },
    registers = {},
  ) =>
    createWalker(memoryWith(tables), {
      regime: 'pl1&0-short',
      registers: { ttbr0: 0x4000_0000n, dacr: DACR, ...registers },
      cpu: 'cortex-a15',
    }).walk(ia, access);
  const el0 = { access: 'read', privileged: false } as const;

  test('small page, large page, section and supersection', () => {
    expect(walk(0x123n, write)).toMatchObject({ pa: 0x9000_0123n, level: 2, size: 0x1000n, domain: 1 });
    expect(walk(0x1123n, read)).toMatchObject({ pa: 0x9001_1123n, level: 2, size: 0x1_0000n });
    expect(walk(0x10_4567n, read)).toMatchObject({ pa: 0x8010_4567n, level: 1, size: 0x10_0000n, domain: 0 });
    expect(walk(0x20_4567n, read)).toMatchObject({
      pa: 0x32_8520_4567n,
      level: 1,
      size: 0x100_0000n,
      domain: 0,
    });
  });

  test('permissions by AP', () => {
    expect(walk(0x2000n, { access: 'write', privileged: false })).toMatchObject({
      fault: { kind: 'permission', level: 2, domain: 1 },
    });
    expect(walk(0x3000n, write)).toMatchObject({ fault: { kind: 'permission', level: 2 } });
    expect(walk(0x30_0000n, el0)).toMatchObject({ fault: { kind: 'permission', level: 1 } });
    expect(walk(0x10_0000n, execute)).toMatchObject({ fault: { kind: 'permission', level: 1 } });
  });

  test('domains: no access, manager', () => {
    expect(walk(0n, read, { dacr: 0b0001n })).toMatchObject({
      fault: { kind: 'domain', level: 2, domain: 1 },
    });
    expect(walk(0x10_0000n, read, { dacr: 0b0100n })).toMatchObject({
      fault: { kind: 'domain', level: 1, domain: 0 },
    });
    expect(walk(0x3000n, write, { dacr: 0b1101n })).toMatchObject({ ok: true });
  });

  test('SCTLR.AFE: AP[0] is the access flag, checked before the domain', () => {
    const afe = { sctlr: (1n << 29n) | 1n, dacr: 0n };
    expect(walk(0x2000n, read, afe)).toMatchObject({ fault: { kind: 'access_flag', level: 2 } });
    expect(walk(0x3000n, read, afe)).toMatchObject({ fault: { kind: 'domain', level: 2 } });
  });

  test('TTBCR.N: the top of the address space is TTBR1', () => {
    const split = { ttbr1: 0x4000_0000n, ttbr0: 0n, tcr: 1n };
    expect(walk(0x8000_0000n, read, split)).toMatchObject({ fault: { kind: 'translation', level: 1 } });
    expect(walk(0n, read, split)).toMatchObject({ fault: { kind: 'external_walk', level: 1 } });
    expect(walk(0n, read, { tcr: 1n << 4n })).toMatchObject({
      fault: { kind: 'translation', level: 1 },
      steps: [],
    });
  });

  test('TEX remap takes the attributes from PRRR and NMRR', () => {
    // Region 0: PRRR type 10 (Normal), NS0 = 1 and NOS0 = 1: inner shareable; NMRR inner 1, outer 3.
    const prrr = 0x0104_0002n;
    const nmrr = 0x0003_0001n;
    const remap = { sctlr: (1n << 28n) | 1n, mair: (nmrr << 32n) | prrr };
    expect(walk(0n, read, remap)).toMatchObject({ attributes: { byte: 0xef }, shareability: 'inner' });
    expect(walk(0n, read)).toMatchObject({ attributes: { device: 'nGnRnE' } });
  });
});
