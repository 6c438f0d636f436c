/** What optional features change: small tables, 52-bit addresses, E0PD, TBI, big-endian tables, tables of every size. */
import { describe, expect, test } from 'vitest';
import { stage1, stage2 } from '../../src/walker/create.ts';
import { type CpuOptions, createWalker } from '../../src/walker/index.ts';
import { memoryWith } from './table-builder.ts';

const read = { access: 'read' } as const;
const user = { access: 'read', privileged: false } as const;

describe('FEAT_TTST: small tables', () => {
  // 4K, T0SZ 48: 16 bits, one level, 16 entries: a table of 128 bytes.
  const memory = memoryWith({ '0x400000f8': 0x9000_0703n });
  const at = (cpu: CpuOptions) => stage1(memory, { ttbr0: 0x4000_0080n, tcr: 0x5_0080_0030n }, cpu);

  test('T0SZ 48 starts at level 3, with it', () => {
    expect(at('max').walk(0xf123n, read)).toMatchObject({ ok: true, pa: 0x9000_0123n, steps: { length: 1 } });
    expect(at('max').walk(0x1_0000n, read)).toMatchObject({ fault: { kind: 'translation', level: 0 } });
  });

  test('without it T0SZ ends at 39', () => {
    expect(at('cortex-a76').walk(0xf123n, read)).toMatchObject({ fault: { kind: 'translation', level: 0 } });
  });

  test('stage 2: SL0 = 3 starts at level 3', () => {
    // T0SZ 43: 21 bits at level 3: one table of 512 entries.
    const s2 = stage2(memoryWith({ '0x40000ff8': 0x9000_07ffn }), {
      vttbr: 0x4000_0000n,
      vtcr: 0x8005_00ebn,
    });
    expect(s2.walk(0x1f_f123n, read)).toMatchObject({ ok: true, pa: 0x9000_0123n, level: 3 });
  });
});

describe('FEAT_LPA, FEAT_LVA: 64K granule with 52 bits', () => {
  // T0SZ 12, TG0 64K, IPS 52 bits: level 1 of 1024 entries.
  const registers = { ttbr0: 0x4000_0000n, tcr: 0x6_0080_400cn };
  const memory = memoryWith({
    '0x40001ff8': 0x0000_0400_0000_f401n, // L1[1023]: 4 TiB block at 0xf_0400_0000_0000
    '0x40000000': 0x4001_0003n,
  });

  test('level 1 has blocks of 4 TiB, and OA[51:48] in [15:12]', () => {
    expect(stage1(memory, registers).walk(0xf_fc00_0000_1234n, read)).toMatchObject({
      ok: true,
      pa: 0xf_0400_0000_1234n,
      level: 1,
      size: 1n << 42n,
    });
  });

  test('a PE with 48 bits knows neither the blocks nor the addresses', () => {
    const n1 = stage1(memory, { ...registers, tcr: 0x5_0080_4010n }, 'neoverse-n1');
    expect(n1.walk(0xfc00_0000_0000n, read)).toMatchObject({ fault: { kind: 'translation', level: 1 } });
    expect(stage1(memory, registers, 'neoverse-n1').walk(0n, read)).toMatchObject({
      fault: { kind: 'translation', level: 0 },
    });
  });

  test('TTBR[5:2] counts only where IPS says 52 bits', () => {
    const high = { ...registers, ttbr0: 0x4000_003cn };
    expect(stage1(memory, high).walk(0n, read)).toMatchObject({
      fault: { kind: 'external_walk', fetchAddress: 0xf_0000_4000_0000n },
    });
    expect(stage1(memory, { ...high, tcr: 0x5_0080_400cn }).walk(0n, read)).toMatchObject({
      fault: { kind: 'translation', level: 2 },
      steps: [{ tableBase: 0x4000_0000n }, { tableBase: 0x4001_0000n }],
    });
  });
});

describe('FEAT_LPA2', () => {
  test('16K: 52 bits start at level 0, level 1 has blocks of 64 GiB', () => {
    // T0SZ 12, TG0 16K, IPS 52 bits, DS: level 0 of 32 entries.
    const registers = { ttbr0: 0x4000_0000n, tcr: 0x800_0006_0080_800cn };
    const memory = memoryWith({ '0x400000f8': 0x4000_4003n, '0x40007ff8': 0x0002_0010_0000_0601n });
    expect(stage1(memory, registers).walk(0xf_fff0_0000_1234n, read)).toMatchObject({
      ok: true,
      pa: 0xa_0010_0000_1234n,
      level: 1,
      size: 1n << 36n,
    });
    expect(stage1(memory, { ...registers, tcr: 0x6_0080_8011n }).walk(0n, read)).toMatchObject({ ok: false });
  });

  test('stage 2: SL2 = 1 starts at level -1', () => {
    // T0SZ 12, PS 52 bits, DS, SL2: level -1 of 16 entries.
    const memory = memoryWith({ '0x40000078': 0x4000_1003n, '0x40001000': 0x80_0000_04fdn });
    const s2 = stage2(memory, { vttbr: 0x4000_0000n, vtcr: 0x3_8006_000cn });
    expect(s2.walk(0xf_0000_0000_1234n, read)).toMatchObject({
      ok: true,
      pa: 0x80_0000_1234n,
      level: 0,
      size: 1n << 39n,
    });
    expect(s2.walk(0n, read)).toMatchObject({ fault: { kind: 'translation', level: -1, stage: 2 } });
    const old = stage2(memory, { vttbr: 0x4000_0000n, vtcr: 0x3_8006_000cn }, 'neoverse-n1');
    expect(old.walk(0n, read)).toMatchObject({ fault: { kind: 'translation', level: 0, stage: 2 } });
  });
});

test('FEAT_E0PD: EL0 gets a level 0 translation fault from a range it may not touch', () => {
  const memory = memoryWith({ '0x40000000': 0x8000_0741n });
  const registers = { ttbr0: 0x4000_0000n, tcr: 0x5_0080_0019n | (1n << 55n) };
  expect(stage1(memory, registers).walk(0n, user)).toMatchObject({
    fault: { kind: 'translation', level: 0 },
  });
  expect(stage1(memory, registers).walk(0n, read)).toMatchObject({ ok: true });
  expect(stage1(memory, registers, 'neoverse-n1').walk(0n, user)).toMatchObject({ ok: true });
});

test('FEAT_PAN3: with EPAN, PAN covers what EL0 can only execute, whoever else can (D8.4.5)', () => {
  const walk = (sctlr: bigint, cpu: CpuOptions = 'max', never = 0n) =>
    // AP 00: no EL0 data access.
    createWalker(memoryWith({ '0x40000000': 0x8000_0701n | never }), {
      regime: 'el1&0',
      registers: { ttbr0: 0x4000_0000n, tcr: 0x5_0080_0019n, sctlr },
      cpu,
    }).walk(0n, {
      access: 'read',
      pan: true,
    }).ok;
  expect([walk(1n), walk(1n | (1n << 57n)), walk(1n | (1n << 57n), 'cortex-a76')]).toEqual([
    true,
    false,
    true,
  ]);
  const EPAN = 1n | (1n << 57n);
  const [PXN, UXN] = [1n << 53n, 1n << 54n];
  expect([PXN, UXN, PXN | UXN].map((never) => walk(EPAN, 'max', never))).toEqual([false, true, true]);
});

test('SCTLR.EE: big-endian tables', () => {
  const memory = memoryWith({ '0x40000000': 0x0107_0080_0000_0000n }); // 0x8000_0701 with its bytes reversed
  const registers = { ttbr0: 0x4000_0000n, tcr: 0x5_0080_0019n, sctlr: 1n | (1n << 25n) };
  expect(createWalker(memory, { regime: 'el1&0', registers }).walk(0x123n, read)).toMatchObject({
    pa: 0x8000_0123n,
  });
});

test('FEAT_BBM: nT of a block is shown, and means nothing without it', () => {
  const memory = memoryWith({ '0x40000000': 0x8001_0701n });
  const registers = { ttbr0: 0x4000_0000n, tcr: 0x5_0080_0019n };
  expect(stage1(memory, registers).walk(0n, read)).toMatchObject({ ok: true, pa: 0x8000_0000n, nT: true });
  expect(stage1(memory, registers, 'cortex-a76').walk(0n, read)).toMatchObject({ ok: true, nT: false });
});

test('TBI at EL2 ignores bits [63:56]', () => {
  const memory = memoryWith({ '0x40000000': 0x8000_0701n });
  const el2 = (tcr: bigint) =>
    createWalker(memory, { regime: 'el2', registers: { ttbr0: 0x4000_0000n, tcr } });
  expect(el2(0x8085_0019n).walk(0xab00_0000_0000_0123n, read)).toMatchObject({ ok: false });
  expect(el2(0x8095_0019n).walk(0xab00_0000_0000_0123n, read)).toMatchObject({ ok: true, pa: 0x8000_0123n });
});

test('EL2&0: two ranges, with unprivileged accesses', () => {
  const memory = memoryWith({ '0x40000000': 0x8000_0741n });
  const walker = createWalker(memory, {
    regime: 'el2&0',
    registers: { ttbr1: 0x4000_0000n, tcr: 0x5_8019_0080n },
  });
  expect(walker.walk(0xffff_ff80_0000_0123n, user)).toMatchObject({ ok: true, pa: 0x8000_0123n });
  expect(walker.walk(0n, user)).toMatchObject({ fault: { kind: 'translation', level: 0 } });
});

describe('HCR_EL2.{NV, NV1} = {1, 1}: the tables of a guest hypervisor (FEAT_NV, D8.14.3)', () => {
  // 4K, T0SZ 25: level 1 first. L1[0] -> a plain L2, L1[1] with bits 60 and 61 of a table, L1[2] with bits 59 and 61.
  const memory = memoryWith({
    '0x40000000': 0x4000_1003n,
    '0x40000008': 0x3000_0000_4000_1003n,
    '0x40000010': 0x2800_0000_4000_1003n,
    '0x40001000': 0x9000_0741n, // AP 01
    '0x40001008': 0x0040_0000_9000_07c1n, // AP 11, bit 54
    '0x40001010': 0x0020_0000_9000_0701n, // AP 00, bit 53
  });
  const NV = 1n << 42n;
  const NV1 = 1n << 43n;
  const registers = { ttbr0: 0x4000_0000n, tcr: 0x5_0080_0019n, sctlr: 1n };
  const at = (hcr: bigint, regime: 'el1&0' | 'el1&0-nested' = 'el1&0-nested', cpu: CpuOptions = 'max') =>
    createWalker(memory, { regime, registers: { ...registers, hcr }, cpu });
  const NOBODY = { read: false, write: false, execute: true };

  test.each([
    ['AP[1] counts as 0, and EL0 may execute', 0n, { read: true, write: true, execute: true }],
    ['bit 54 is PXN', 0x20_0000n, { read: true, write: false, execute: false }],
    ['bit 53 means nothing', 0x40_0000n, { read: true, write: true, execute: true }],
    ['bit 60 is PXNTable, APTable[0] counts as 0', 0x4000_0000n, { read: true, write: true, execute: false }],
    ['bit 59 of a table means nothing', 0x8000_0000n, { read: true, write: true, execute: true }],
  ])('%s', (_, ia, privileged) => {
    for (const trace of [true, false]) {
      expect(at(NV | NV1).walk(ia, { access: 'read', trace })).toMatchObject({
        permissions: { privileged, unprivileged: NOBODY },
      });
    }
    expect(at(NV | NV1, 'el1&0').walk(ia, read)).toMatchObject({ permissions: { privileged } });
  });

  test('PSTATE.PAN counts as 0, EPAN or not', () => {
    const pan = { access: 'read', pan: true } as const;
    expect(at(NV).walk(0n, pan)).toMatchObject({ fault: { kind: 'permission' } });
    expect(at(NV | NV1).walk(0n, pan)).toMatchObject({ ok: true });
    const epan = { ...registers, sctlr: (1n << 57n) | 1n, hcr: NV | NV1 };
    expect(createWalker(memory, { regime: 'el1&0', registers: epan }).walk(0n, pan).ok).toBe(true);
  });

  test.each<[string, bigint, CpuOptions]>([
    ['NV alone', NV, 'max'],
    ['NV1 alone', NV1, 'max'],
    ['both without FEAT_NV', NV | NV1, 'neoverse-n1'],
  ])('%s changes nothing', (_, hcr, cpu) => {
    for (const ia of [0n, 0x20_0000n, 0x40_0000n, 0x4000_0000n, 0x8000_0000n]) {
      expect(at(hcr, 'el1&0-nested', cpu).walk(ia, read)).toEqual(at(0n, 'el1&0-nested', cpu).walk(ia, read));
    }
  });

  test('regimes of EL2 have no NV1', () => {
    const el2 = createWalker(memory, { regime: 'el2&0', registers: { ...registers, hcr: NV | NV1 } });
    expect(el2.walk(0n, read)).toMatchObject({ permissions: { unprivileged: { read: true } } });
  });
});
