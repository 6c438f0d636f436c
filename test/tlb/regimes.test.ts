/** Entries of every kind of regime: granules, short descriptors, stage 2 alone, both stages, EL2. Literal tables. */
import { describe, expect, test } from 'vitest';
import { Tlb } from '../../src/tlb/index.ts';
import { createWalker, type Regime, type WalkerRegisters } from '../../src/walker/index.ts';
import { memoryWith } from '../walker/table-builder.ts';

const read = { access: 'read' } as const;
const write = { access: 'write' } as const;

const repeated = (address: bigint, count: number, step: bigint, word: bigint) =>
  Object.fromEntries(
    Array.from({ length: count }, (_, i) => [`0x${(address + BigInt(i) * step).toString(16)}`, word]),
  );

interface Case {
  readonly name: string;
  readonly regime: Regime;
  readonly registers: WalkerRegisters;
  readonly tables: Readonly<Record<string, bigint>>;
  /** Another address of the same leaf, its PA, and the entry's size, level and granule. */
  readonly ia: bigint;
  readonly pa: bigint;
  readonly size: bigint;
  readonly level: number;
  readonly granuleLog2: number;
}

const cases: readonly Case[] = [
  {
    name: '16K, a 32 MiB block',
    regime: 'el1&0',
    registers: { ttbr0: 0x4000_0000n, tcr: 0x5_0080_801cn },
    tables: { '0x40000000': 0x8000_0701n },
    ia: 0x1ff_fff8n,
    pa: 0x81ff_fff8n,
    size: 0x200_0000n,
    level: 2,
    granuleLog2: 14,
  },
  {
    name: '64K, a 512 MiB block',
    regime: 'el1&0',
    registers: { ttbr0: 0x4000_0000n, tcr: 0x5_0080_401cn },
    tables: { '0x40000000': 0x8000_0701n },
    ia: 0x1fff_fff8n,
    pa: 0x9fff_fff8n,
    size: 0x2000_0000n,
    level: 2,
    granuleLog2: 16,
  },
  {
    name: 'TTBR1, a 1 GiB block at the top',
    regime: 'el1&0',
    registers: { ttbr1: 0x4000_0000n, tcr: 0x5_8019_0099n },
    tables: { '0x40000ff8': 0x8000_0701n },
    ia: 0xffff_ffff_ffff_fff8n,
    pa: 0xbfff_fff8n,
    size: 0x4000_0000n,
    level: 1,
    granuleLog2: 12,
  },
  {
    name: 'EL2',
    regime: 'el2',
    registers: { ttbr0: 0x4000_0000n, tcr: 0x5_0019n },
    tables: { '0x40000000': 0x8000_0741n },
    ia: 0x3fff_fff8n,
    pa: 0xbfff_fff8n,
    size: 0x4000_0000n,
    level: 1,
    granuleLog2: 12,
  },
  {
    name: 'stage 2 alone',
    regime: 'el1&0-s2',
    registers: { vttbr: 0x4000_0000n, vtcr: 0x5_0059n },
    tables: { '0x40000000': 0x8000_07fdn },
    ia: 0x3fff_fff8n,
    pa: 0xbfff_fff8n,
    size: 0x4000_0000n,
    level: 1,
    granuleLog2: 12,
  },
  {
    name: 'AArch32 long descriptors',
    regime: 'pl1&0',
    registers: { ttbr0: 0x4000_0000n, tcr: 0x8000_0000n },
    tables: { '0x40000000': 0x8000_0741n },
    ia: 0x3fff_fff8n,
    pa: 0xbfff_fff8n,
    size: 0x4000_0000n,
    level: 1,
    granuleLog2: 12,
  },
  {
    name: 'a short descriptor supersection',
    regime: 'pl1&0-short',
    registers: { ttbr0: 0x4000_0000n, dacr: 1n },
    tables: repeated(0x4000_0000n, 8, 8n, 0x8004_0c02_8004_0c02n),
    ia: 0xff_fff8n,
    pa: 0x80ff_fff8n,
    size: 0x100_0000n,
    level: 1,
    granuleLog2: 12,
  },
  {
    name: 'a short descriptor large page',
    regime: 'pl1&0-short',
    registers: { ttbr0: 0x4000_0000n, dacr: 1n },
    tables: { '0x40000000': 0x4000_4001n, ...repeated(0x4000_4000n, 8, 8n, 0x8000_0031_8000_0031n) },
    ia: 0xfff8n,
    pa: 0x8000_fff8n,
    size: 0x1_0000n,
    level: 2,
    granuleLog2: 12,
  },
];

describe('one entry for the whole leaf', () => {
  test.each(cases)('$name', ({ regime, registers, tables, ia, pa, size, level, granuleLog2 }) => {
    const tlb = new Tlb(memoryWith(tables), { regime, registers });
    const base = ia - (ia % size);
    expect(tlb.translate(base, read)).toMatchObject({ from: 'walk', result: { ok: true, size } });
    expect(tlb.translate(ia, read)).toMatchObject({ from: 'tlb', result: { ok: true, ia, pa, size } });
    expect(tlb.entries).toMatchObject([{ base, size, tag: { level, granuleLog2, size } }]);
    expect(tlb.staleEntries()).toEqual([]);
    expect(tlb.translate(BigInt.asUintN(64, base + size), read).from).toBe('walk');
  });
});

test('an AArch32 block of TTBR1 that begins below its range does not answer for TTBR0', () => {
  // T0SZ 7, T1SZ 0: TTBR0 has the first 32 MiB, TTBR1 the rest; its first block is of the gigabyte from 0 on.
  const registers = { ttbr0: 0x4000_1000n, ttbr1: 0x4000_0000n, tcr: 0x8000_0007n };
  const tables = { '0x40000000': 0x8000_0741n, '0x40001000': 0xc000_0741n };
  const tlb = new Tlb(memoryWith(tables), { regime: 'pl1&0', registers });
  expect(tlb.translate(0x200_0000n, read)).toMatchObject({
    result: { pa: 0x8200_0000n, size: 0x4000_0000n },
  });
  expect(tlb.translate(0x1ff_fff8n, read).from).toBe('walk');
  expect(tlb.translate(0x8n, read)).toMatchObject({ result: { pa: 0xc000_0008n, size: 0x20_0000n } });
  expect(tlb.translate(0x3fff_fff8n, read)).toMatchObject({ from: 'tlb', result: { pa: 0xbfff_fff8n } });
  expect(tlb.conflicts()).toEqual([]);
});

test('DACR is looked at anew: it is not cached', () => {
  const registers = { ttbr0: 0x4000_0000n, dacr: 1n };
  const tlb = new Tlb(memoryWith({ '0x40000000': 0x8000_0c02n }), { regime: 'pl1&0-short', registers });
  expect(tlb.translate(0n, read).result.ok).toBe(true);
  tlb.switchTo({ regime: 'pl1&0-short', registers: { ...registers, dacr: 0n } });
  expect(tlb.translate(0n, read).result).toMatchObject({ fault: { kind: 'domain' } });
  tlb.switchTo({ regime: 'pl1&0-short', registers });
  expect(tlb.translate(0n, read).from).toBe('tlb');
});

describe('both stages', () => {
  /** Stage 1: L1[0] is 1 GiB to IPA 0x8000_0000. Stage 2: the tables' gigabyte is itself, IPA 0x8000_0000 is read-only pages. */
  const tables = {
    '0x40000000': 0x8000_0741n,
    '0x40100008': 0x4000_07fdn,
    '0x40100010': 0x4010_1003n,
    '0x40101000': 0x4010_2003n,
    '0x40102000': 0xc000_077fn,
    '0x40102008': 0xc000_57ffn,
  };
  const registers = { ttbr0: 0x4000_0000n, tcr: 0x5_0080_0019n, vttbr: 0x4010_0000n, vtcr: 0x5_0059n };
  const nested = { regime: 'el1&0-nested', registers } as const;

  test('are one combined entry, of the smaller size', () => {
    const tlb = new Tlb(memoryWith(tables), nested);
    tlb.translate(0x1000n, read);
    expect(tlb.translate(0x1ff8n, write)).toMatchObject({
      from: 'tlb',
      result: {
        pa: 0xc000_5ff8n,
        stage1: { oa: 0x8000_1ff8n, leafBase: 0x8000_0000n, size: 0x4000_0000n },
        stage2: { oa: 0xc000_5ff8n, leafBase: 0xc000_5000n, size: 0x1000n },
      },
    });
    expect(tlb.entries).toMatchObject([
      { size: 0x1000n, tag: { holds: 'both', from: 0n, size: 0x4000_0000n, level: 1 } },
    ]);
  });

  test('a fault of stage 2 is reported with its IPA, as a walk reports it', () => {
    const memory = memoryWith(tables);
    const tlb = new Tlb(memory, nested);
    tlb.translate(0x0n, read);
    const { from, result } = tlb.translate(0x234n, write);
    expect(from).toBe('tlb');
    expect(result).toMatchObject({ fault: { kind: 'permission', stage: 2, level: 3, ipa: 0x8000_0234n } });
    expect({ ...result, steps: [] }).toEqual({
      ...createWalker(memory, nested).walk(0x234n, write),
      steps: [],
    });
  });

  test('an invalidation of the IPA leaves a combined entry, VMALLS12E1 does not', () => {
    const tlb = new Tlb(memoryWith(tables), nested);
    tlb.translate(0x1000n, read);
    expect(tlb.tlbi('IPAS2E1', 0x8_0001n)).toBe(0);
    expect(tlb.tlbi('VMALLS12E1')).toBe(1);
  });

  test('the first write makes the stage-2 page dirty too', () => {
    const memory = memoryWith({ ...tables, '0x40102008': 0x0008_0000_c000_577fn }); // DBM, S2AP read-only
    const tlb = new Tlb(memory, { regime: 'el1&0-nested', registers: { ...registers, vtcr: 0x65_0059n } });
    tlb.translate(0x1000n, read);
    expect(tlb.translate(0x1000n, write)).toMatchObject({ from: 'walk', result: { ok: true } });
    expect(memory.read64(0x4010_2008n)).toBe(0x0008_0000_c000_57ffn);
    expect(tlb.translate(0x1000n, write).from).toBe('tlb');
  });

  test('with stage 1 off the entry is found by IPA, and is not one of stage 1', () => {
    const tlb = new Tlb(memoryWith(tables), {
      regime: 'el1&0-nested',
      registers: { ...registers, sctlr: 0n },
    });
    tlb.translate(0x8000_1000n, read);
    tlb.switchTo(nested);
    expect(tlb.translate(0x8000_1000n, read).result).toMatchObject({
      fault: { kind: 'translation', stage: 1 },
    });
    expect(tlb.tlbi('VMALLE1')).toBe(0);
    expect(tlb.tlbi('IPAS2E1', 0x8_0001n)).toBeGreaterThan(0);
    expect(tlb.entries).toEqual([]);
  });
});
