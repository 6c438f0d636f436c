/** Stage 1 of AArch64 on tables made by hand: every granule, every leaf level, every fault. Words are literal, on purpose. */
import { describe, expect, test } from 'vitest';
import { stage1 } from '../../src/walker/create.ts';
import { createWalker } from '../../src/walker/index.ts';
import { memoryWith } from './table-builder.ts';

/** TCR_EL1: 48-bit PA, EPD1, T0SZ 16, 4K. */
const TCR_4K_48 = 0x5_0080_0010n;
const MAIR = 0x0000_0000_0044_04ffn;

const read = { access: 'read' } as const;
const write = { access: 'write' } as const;
const execute = { access: 'execute' } as const;

describe('4K granule, 48-bit addresses', () => {
  const tables = {
    '0x40000000': 0x4000_1003n, // L0[0] -> L1
    '0x40001000': 0x4000_2003n, // L1[0] -> L2
    '0x40001008': 0x0040_0080_4000_0701n, // L1[1]: 1 GiB block, AF, SH 3, UXN
    '0x40002000': 0x4000_3003n, // L2[0] -> L3
    '0x40002008': 0x8020_0e45n, // L2[1]: 2 MiB block, AF, nG, SH 2, AP 01, AttrIndx 1
    '0x40003000': 0x9_0000_0743n, // L3[0]: page, AF, SH 3, AP 01
    '0x40003008': 0x9_0000_1783n, // L3[1]: page, AP 10: read-only, EL1
    '0x40003010': 0x9_0000_2343n, // L3[2]: AF = 0
    '0x40003018': 0x9_0000_3001n, // L3[3]: 0b01 is reserved at level 3
    '0x40003020': 0x1_0000_9_0000_4743n & 0xffff_ffff_ffffn, // L3[4]: a plain page again
    '0x40003028': 0x0010_0009_0000_5743n, // L3[5]: contiguous
    '0x40003030': 0x0020_0009_0000_6783n, // L3[6]: PXN, read-only at EL1
    '0x40003038': 0x0000_0009_0000_77c3n, // L3[7]: read-only for both
    '0x40003040': 0x0004_0009_0000_8743n, // L3[8]: GP
    '0x40003048': 0x0000_0009_0000_974bn, // L3[9]: AttrIndx 2, Non-cacheable
    '0x40000008': 0x9000_0000_0003n, // L0[1]: a table outside RAM
    '0x40000010': 0x1n, // L0[2]: a block at level 0
  };
  const walker = stage1(memoryWith(tables), { ttbr0: 0x4000_0000n, tcr: TCR_4K_48, mair: MAIR });

  test('a page gives its PA, level, size and attributes', () => {
    const result = walker.walk(0x123n, read);
    expect(result).toMatchObject({
      ok: true,
      pa: 0x9_0000_0123n,
      level: 3,
      stage: 1,
      size: 0x1000n,
      leafBase: 0x9_0000_0000n,
      shareability: 'inner',
      global: true,
      contiguous: false,
      attributes: {
        type: 'normal',
        byte: 0xff,
        tagged: false,
        inner: { policy: 'write-back', readAllocate: true, writeAllocate: true, transient: false },
      },
      permissions: {
        privileged: { read: true, write: true, execute: false }, // writable at EL0: never executable at EL1
        unprivileged: { read: true, write: true, execute: true },
      },
    });
  });

  test('a 2 MiB block: device memory is outer shareable, nG is not global', () => {
    expect(walker.walk(0x2f_1234n, write)).toMatchObject({
      ok: true,
      pa: 0x802f_1234n,
      level: 2,
      size: 0x20_0000n,
      shareability: 'outer',
      global: false,
      attributes: { type: 'device', device: 'nGnRE', byte: 0x04 },
    });
  });

  test('a 1 GiB block with address bits inside the block drops them', () => {
    expect(walker.walk(0x4000_5678n, execute)).toMatchObject({
      ok: true,
      pa: 0x80_4000_5678n,
      level: 1,
      size: 0x4000_0000n,
      permissions: { privileged: { execute: true }, unprivileged: { read: false, execute: false } },
    });
  });

  test('steps tell table, index, address, descriptor and what it is', () => {
    const result = walker.walk(0x1000n, read);
    expect(result.steps).toEqual([
      {
        stage: 1,
        level: 0,
        tableBase: 0x4000_0000n,
        index: 0,
        address: 0x4000_0000n,
        size: 1n << 39n,
        descriptor: 0x4000_1003n,
        kind: 'table',
        output: 0x4000_1000n,
      },
      {
        stage: 1,
        level: 1,
        tableBase: 0x4000_1000n,
        index: 0,
        address: 0x4000_1000n,
        size: 1n << 30n,
        descriptor: 0x4000_2003n,
        kind: 'table',
        output: 0x4000_2000n,
      },
      {
        stage: 1,
        level: 2,
        tableBase: 0x4000_2000n,
        index: 0,
        address: 0x4000_2000n,
        size: 1n << 21n,
        descriptor: 0x4000_3003n,
        kind: 'table',
        output: 0x4000_3000n,
      },
      {
        stage: 1,
        level: 3,
        tableBase: 0x4000_3000n,
        index: 1,
        address: 0x4000_3008n,
        size: 0x1000n,
        descriptor: 0x9_0000_1783n,
        kind: 'page',
        output: 0x9_0000_1000n,
      },
    ]);
    expect(walker.walk(0x1000n, { access: 'read', trace: false }).steps).toEqual([]);
  });

  test.each([
    ['an invalid entry', 0xa000n, read, { kind: 'translation', level: 3, descriptor: 0n }],
    ['0b01 at level 3', 0x3000n, read, { kind: 'translation', level: 3, descriptor: 0x9_0000_3001n }],
    ['a block at level 0', 0x100_0000_0000n, read, { kind: 'translation', level: 0 }],
    ['AF = 0', 0x2000n, read, { kind: 'access_flag', level: 3, descriptorAddress: 0x4000_3010n }],
    ['a write to a read-only page', 0x1000n, write, { kind: 'permission', level: 3 }],
    [
      'EL0 in an EL1 page',
      0x1000n,
      { access: 'read', privileged: false } as const,
      { kind: 'permission', level: 3 },
    ],
    ['PXN', 0x6000n, execute, { kind: 'permission', level: 3 }],
    ['EL1 executing what EL0 may write', 0n, execute, { kind: 'permission', level: 3 }],
    ['a table outside RAM', 0x80_0000_0000n, read, { kind: 'external_walk', level: 1 }],
    ['an address above 48 bits', 1n << 48n, read, { kind: 'translation', level: 0 }],
    ['an address of a disabled range', 0xffff_ffff_ffff_f000n, read, { kind: 'translation', level: 0 }],
    ['an address between the ranges', 0xff00_0000_0000_0000n, read, { kind: 'translation', level: 0 }],
  ])('%s faults', (_, ia, access, fault) => {
    expect(walker.walk(ia, access)).toMatchObject({ ok: false, ia, fault: { stage: 1, ...fault } });
  });

  test.each([
    [0x5000n, { contiguous: true }],
    [0x8000n, { guarded: true }],
    [0x9000n, { shareability: 'outer', attributes: { inner: { policy: 'non-cacheable' } } }],
  ])('page %#: its bits show', (ia, wanted) => {
    expect(walker.walk(ia, read)).toMatchObject({ ok: true, ...wanted });
  });

  test('PAN keeps EL1 from data that EL0 may access, not from the rest', () => {
    expect(walker.walk(0n, { access: 'read', pan: true })).toMatchObject({ fault: { kind: 'permission' } });
    expect(walker.walk(0x1000n, { access: 'read', pan: true })).toMatchObject({ ok: true });
    expect(walker.walk(0n, { access: 'read', pan: true, privileged: false })).toMatchObject({ ok: true });
  });

  test('WXN: what is writable is not executable', () => {
    const memory = memoryWith(tables);
    const walk = (sctlr: bigint) =>
      createWalker(memory, {
        regime: 'el1&0',
        registers: { ttbr0: 0x4000_0000n, tcr: TCR_4K_48, sctlr },
      }).walk(0n, {
        access: 'execute',
        privileged: false,
      });
    expect(walk(0x1n)).toMatchObject({ ok: true });
    expect(walk(0x8_0001n)).toMatchObject({ fault: { kind: 'permission', level: 3 } });
  });

  test('CnP and the ASID are no part of the table address', () => {
    const odd = stage1(memoryWith(tables), { ttbr0: 0xabcd_0000_4000_0001n, tcr: TCR_4K_48, mair: MAIR });
    expect(odd.walk(0n, read)).toMatchObject({ ok: true, pa: 0x9_0000_0000n });
  });

  test('a PA beyond the configured 32 bits is an address size fault, before AF', () => {
    const narrow = stage1(memoryWith(tables), {
      ttbr0: 0x4000_0000n,
      tcr: TCR_4K_48 & 0xffff_ffffn,
      mair: MAIR,
    });
    expect(narrow.walk(0n, read)).toMatchObject({ fault: { kind: 'address_size', level: 3 } });
    expect(narrow.walk(0x2000n, read)).toMatchObject({ fault: { kind: 'address_size', level: 3 } });
    const far = stage1(memoryWith(tables), { ttbr0: 0x1_4000_0000n, tcr: TCR_4K_48 & 0xffff_ffffn });
    expect(far.walk(0n, read)).toMatchObject({ fault: { kind: 'address_size', level: 0 } });
  });

  test('hierarchical bits of tables restrict, unless HPD0 is set', () => {
    const restricted = memoryWith({ ...tables, '0x40002000': 0x6000_0000_4000_3003n }); // APTable 11
    const registers = { ttbr0: 0x4000_0000n, tcr: TCR_4K_48, mair: MAIR };
    const el0 = { access: 'read', privileged: false } as const;
    expect(stage1(restricted, registers).walk(0n, el0)).toMatchObject({ fault: { kind: 'permission' } });
    expect(stage1(restricted, registers).walk(0n, write)).toMatchObject({ fault: { kind: 'permission' } });
    const hpd = { ...registers, tcr: TCR_4K_48 | (1n << 41n) };
    expect(stage1(restricted, hpd).walk(0n, el0)).toMatchObject({ ok: true });
    expect(stage1(restricted, hpd, 'cortex-a57').walk(0n, el0)).toMatchObject({
      fault: { kind: 'permission' },
    });
  });

  test.each([
    ['level 0', '0x40000000'],
    ['level 1', '0x40001000'],
    ['level 2', '0x40002000'],
  ])('a table of %s restricts all below, whatever the tables after it say (D8.4.1.2)', (_, address) => {
    const registers = { ttbr0: 0x4000_0000n, tcr: TCR_4K_48, mair: MAIR };
    const allows = (bits: bigint, va: bigint, access: 'read' | 'write' | 'execute', privileged: boolean) => {
      const restricted = memoryWith({ ...tables, [address]: tables[address as '0x40000000'] | bits });
      return stage1(restricted, registers).walk(va, { access, privileged }).ok;
    };
    // APTable[1], APTable[0], UXNTable, PXNTable, each with an access that the page itself allows.
    expect([0n, 1n << 62n].map((bits) => allows(bits, 0n, 'write', true))).toEqual([true, false]);
    expect([0n, 1n << 61n].map((bits) => allows(bits, 0n, 'read', false))).toEqual([true, false]);
    expect([0n, 1n << 60n].map((bits) => allows(bits, 0n, 'execute', false))).toEqual([true, false]);
    expect([0n, 1n << 59n].map((bits) => allows(bits, 0x1000n, 'execute', true))).toEqual([true, false]);
  });

  test('with stage 1 off, addresses pass; those beyond the PA size fault', () => {
    const off = createWalker(memoryWith({}), {
      regime: 'el1&0',
      registers: { sctlr: 0n },
      cpu: 'cortex-a53',
    });
    expect(off.walk(0x1234n, read)).toMatchObject({
      ok: true,
      pa: 0x1234n,
      attributes: { device: 'nGnRnE' },
    });
    expect(off.walk(1n << 40n, read)).toMatchObject({ fault: { kind: 'address_size', level: 0, stage: 1 } });
  });
});

describe('TTBR1 and the top byte', () => {
  // TCR_EL1: T1SZ 25 (39 bits), TG1 4K, EPD0; IPS 48 bits. L1 root.
  const tcr = 0x5_8019_0080n;
  const memory = memoryWith({ '0x40000ff8': 0x8000_0701n, '0x40000000': 0xc000_0701n });
  const walk = (ia: bigint, extra = 0n) =>
    createWalker(memory, { regime: 'el1&0', registers: { ttbr1: 0x4000_0000n, tcr: tcr | extra } }).walk(
      ia,
      read,
    );

  test('the range starts at the top', () => {
    expect(walk(0xffff_ffff_ffff_fff8n)).toMatchObject({ ok: true, pa: 0xbfff_fff8n, level: 1 });
    expect(walk(0xffff_ff80_0000_0000n)).toMatchObject({ ok: true, pa: 0xc000_0000n });
    expect(walk(0xffff_ff7f_ffff_ffffn)).toMatchObject({ fault: { kind: 'translation', level: 0 } });
  });

  test('TBI1 ignores bits [63:56], and TBID1 takes that back for fetches', () => {
    expect(walk(0x12ff_ffff_ffff_fff8n)).toMatchObject({ ok: false });
    expect(walk(0x12ff_ffff_ffff_fff8n, 1n << 38n)).toMatchObject({ ok: true, pa: 0xbfff_fff8n });
    const fetch = (bits: bigint) =>
      createWalker(memory, { regime: 'el1&0', registers: { ttbr1: 0x4000_0000n, tcr: tcr | bits } }).walk(
        0x12ff_ffff_ffff_fff8n,
        execute,
      ).ok;
    expect([fetch(1n << 38n), fetch((1n << 38n) | (1n << 52n))]).toEqual([true, false]);
  });
});

describe('16K granule', () => {
  // T0SZ 17: 47 bits, starting at level 1 with 2048 entries; TG0 16K; 48-bit PA.
  const tcr = 0x5_0080_8011n;
  const tables = {
    '0x40000000': 0x4000_4003n, // L1[0] -> L2
    '0x40004000': 0x4000_8003n, // L2[0] -> L3
    '0x40004008': 0x8200_0701n, // L2[1]: 32 MiB block
    '0x40008008': 0x9000_4703n, // L3[1]: 16 KiB page
    '0x40000008': 0x8000_0701n, // L1[1]: no block here without DS
  };
  const registers = { ttbr0: 0x4000_0000n, tcr };

  test('page, block and the level that has no block', () => {
    const walker = stage1(memoryWith(tables), registers);
    expect(walker.walk(0x7fffn, read)).toMatchObject({ pa: 0x9000_7fffn, level: 3, size: 0x4000n });
    expect(walker.walk(0x3ff_ffffn, read)).toMatchObject({ pa: 0x83ff_ffffn, level: 2, size: 0x200_0000n });
    expect(walker.walk(1n << 36n, read)).toMatchObject({ fault: { kind: 'translation', level: 1 } });
  });

  test('48 bits start at level 0 with two entries, in a table of 16 bytes', () => {
    const memory = memoryWith({
      '0x400000f8': 0x4000_4003n,
      '0x40004000': 0x4000_8003n,
      '0x40008000': 0x4000_c003n,
      '0x4000c000': 0x9000_0703n,
    });
    const small = stage1(memory, { ttbr0: 0x4000_00f0n, tcr: 0x5_0080_8010n });
    expect(small.walk(0x8000_0000_0000n, read)).toMatchObject({
      ok: true,
      pa: 0x9000_0000n,
      steps: { length: 4 },
    });
    expect(small.walk(0n, read)).toMatchObject({ fault: { kind: 'translation', level: 0 } });
  });
});

describe('64K granule', () => {
  // T0SZ 22: 42 bits, from level 2; TG0 64K.
  const tables = {
    '0x40000000': 0x4001_0003n, // L2[0] -> L3
    '0x40000008': 0x2000_0701n, // L2[1]: 512 MiB block
    '0x40010000': 0x9000_f703n, // L3[0]: OA[51:48] = 0xf where 52 bits exist
    '0x40010008': 0x9001_0703n, // L3[1]
  };

  test('page and block', () => {
    const walker = stage1(memoryWith(tables), { ttbr0: 0x4000_0000n, tcr: 0x5_0080_4016n }, 'cortex-a57');
    expect(walker.walk(0x1_8765n, read)).toMatchObject({ pa: 0x9001_8765n, level: 3, size: 0x1_0000n });
    expect(walker.walk(0x3fff_ffffn, read)).toMatchObject({ pa: 0x3fff_ffffn, level: 2, size: 0x2000_0000n });
  });

  test('bits [15:12] are ignored without 52-bit PAs, OA[51:48] with them', () => {
    const registers = { ttbr0: 0x4000_0000n, tcr: 0x5_0080_4016n };
    const memory = memoryWith(tables);
    expect(stage1(memory, registers, 'cortex-a57').walk(0n, read)).toMatchObject({ pa: 0x9000_0000n });
    expect(stage1(memory, registers, 'max').walk(0n, read)).toMatchObject({
      fault: { kind: 'address_size', level: 3 },
    });
    const wide = { ...registers, tcr: 0x6_0080_4016n };
    expect(stage1(memory, wide, 'max').walk(0n, read)).toMatchObject({ pa: 0xf_0000_9000_0000n });
  });
});

describe('LPA2: DS = 1', () => {
  // T0SZ 12: 52 bits, from level -1; IPS 52 bits; DS; SH0 3.
  const tcr = 0x800_0006_0080_300cn;
  const tables = {
    '0x40000040': 0x4000_1003n, // L-1[8] -> L0
    '0x40001000': 0x4000_2003n, // L0[0] -> L1
    '0x40001008': 0x0000_0080_0000_0401n, // L0[1]: 512 GiB block
    '0x40002000': 0x0003_0080_4000_0501n, // L1[0]: OA[49:48] = 3 in place, OA[51:50] = 1 in [9:8]
  };

  test('level -1 resolves bits [51:48], and the address goes to bit 51', () => {
    const walker = stage1(memoryWith(tables), { ttbr0: 0x4000_0000n, tcr, mair: 0n });
    const ia = 0x8_0000_0000_0000n;
    expect(walker.walk(ia, read)).toMatchObject({
      pa: 0x7_0080_4000_0000n,
      level: 1,
      shareability: 'outer', // MAIR 0 is Device
      steps: [{ level: -1, index: 8 }, { level: 0 }, { level: 1 }],
    });
    expect(walker.walk(ia | (1n << 39n), read)).toMatchObject({
      pa: 0x80_0000_0000n,
      level: 0,
      size: 1n << 39n,
    });
    expect(walker.walk(0n, read)).toMatchObject({ fault: { kind: 'translation', level: -1 } });
  });

  test('a PE without LPA2 takes T0SZ 12 for out of range', () => {
    const walker = stage1(memoryWith(tables), { ttbr0: 0x4000_0000n, tcr }, 'neoverse-n1');
    expect(walker.walk(0n, read)).toMatchObject({ fault: { kind: 'translation', level: 0 } });
  });

  test('TTBR[5:2] is BADDR[51:48]', () => {
    const walker = stage1(memoryWith(tables), { ttbr0: 0x4000_0004n, tcr });
    expect(walker.walk(0n, read)).toMatchObject({
      fault: { kind: 'external_walk', level: -1, descriptorAddress: 0x1_0000_4000_0000n },
    });
  });
});

describe('EL2 and EL3', () => {
  // TCR_EL2: T0SZ 25, PS 48 bits: from level 1. AP[1] is ignored; bit 54 is XN; bit 53 means nothing.
  const registers = { ttbr0: 0x4000_0000n, tcr: 0x8085_0019n };
  const memory = memoryWith({ '0x40000000': 0x0020_0000_8000_0701n, '0x40000008': 0x0040_0000_c000_0f81n });

  test.each(['el2', 'el3'] as const)('%s has no EL0', (regime) => {
    const walker = createWalker(memory, { regime, registers });
    expect(walker.walk(0n, execute)).toMatchObject({
      ok: true,
      permissions: {
        privileged: { read: true, write: true, execute: true },
        unprivileged: { read: false, write: false, execute: false },
      },
    });
    expect(walker.walk(0x4000_0000n, read)).toMatchObject({ ok: true, global: true });
    expect(walker.walk(0x4000_0000n, execute)).toMatchObject({ fault: { kind: 'permission', level: 1 } });
    expect(walker.walk(0x4000_0000n, write)).toMatchObject({ fault: { kind: 'permission', level: 1 } });
    expect(walker.walk(0xffff_ffff_ffff_f000n, read)).toMatchObject({
      fault: { kind: 'translation', level: 0 },
    });
  });
});
