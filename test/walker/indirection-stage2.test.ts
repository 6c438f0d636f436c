/** Permission indirection and overlays of stage 2, AssuredOnly and TopLevel checks, NoTagAccess: literal words and values. */
import { describe, expect, test } from 'vitest';
import { withFeatures } from '../../src/walker/cpu.ts';
import { type Access, type CpuOptions, createWalker, type WalkerRegisters } from '../../src/walker/index.ts';
import { memoryWith } from './table-builder.ts';

const CPU = withFeatures('max', ['FEAT_S2POE', 'FEAT_THE', 'FEAT_GCS', 'FEAT_HAFT', 'FEAT_MTE_PERM']);

/** Stage 2 of 39 bits, 4K: level 1 at 0x4000_0000. Stage 1 of 39 bits, its tables at IPAs 0x1000, 0x2000 and 0x3000. */
const VTCR = 0x8005_0059n;
const TCR = 0x2_0080_3519n;
const S2PIE = 1n << 36n;
const S2POE = 1n << 37n;
const ASSURED_ONLY = 1n << 34n;
const TL1 = 1n << 35n;
const TL0 = 1n << 41n;
const HAFT = 1n << 44n;
const HA = 1n << 21n;
const HD = 1n << 22n;
const PN_CH = 1n;
const PROTECTED = 1n << 52n;
const ASSURED_LEAF = 1n << 58n;

/** PIIndex of the pages with stage-1 tables is 1, of the page with data 0. All pages are Normal Write-Back, Dirty = 1, AF set. */
const TABLE_LEAF = 0x4001_1000n | (1n << 6n) | 0x7bfn;
const DATA_LEAF = 0x4010_0000n | 0x7bfn;

interface Setup {
  readonly data?: bigint;
  readonly table?: bigint;
  readonly cpu?: CpuOptions;
  /** Beside Valid and the next table, in every stage-1 descriptor. */
  readonly stage1?: bigint;
  /** Bit 6 makes the data readable and writable at EL0. */
  readonly leaf?: bigint;
}

function nested(registers: WalkerRegisters, setup: Setup = {}) {
  const { data = DATA_LEAF, table = TABLE_LEAF, cpu = CPU, stage1 = 0n, leaf = 0x743n } = setup;
  const memory = memoryWith({
    '0x40000000': 0x4000_1003n,
    '0x40001000': 0x4000_2003n,
    // IPAs 0x1000 to 0x3000: stage-1 tables at 0x4001_1000 to 0x4001_3000; IPA 0x5000 is data.
    '0x40002008': table,
    '0x40002010': table + 0x1000n,
    '0x40002018': table + 0x2000n,
    '0x40002028': data,
    '0x40011000': 0x2003n | stage1,
    '0x40012000': 0x3003n | stage1,
    '0x40013008': 0x5000n | leaf | stage1,
  });
  const all = {
    ttbr0: 0x1000n,
    tcr: TCR,
    mair: 0xffn,
    vttbr: 0x4000_0000n,
    vtcr: VTCR,
    hcr: 1n,
    ...registers,
  };
  return { memory, walker: createWalker(memory, { regime: 'el1&0-nested', registers: all, cpu }) };
}

const ask = (registers: WalkerRegisters, access: Access, setup: Setup = {}) =>
  nested(registers, setup).walker.walk(0x1000n, access);

/** Reads and writes of EL1; execution at EL1 (of what EL0 may not write) and at EL0. */
function rights(registers: WalkerRegisters, setup: Setup = {}): string {
  const passes = (letter: string, access: Access, leaf?: bigint) =>
    ask(registers, access, { ...setup, ...(leaf !== undefined && { leaf }) }).ok ? letter : '-';
  return [
    passes('r', { access: 'read' }),
    passes('w', { access: 'write' }),
    passes('p', { access: 'execute' }, 0x703n),
    passes('u', { access: 'execute', privileged: false }),
  ].join('');
}

/** Table D8-82, without what is MMU's alone. */
const MEANINGS = [
  ...['----', '----', 'r---', 'r---', '-w--', '----', 'r---', 'r---'],
  ...['r---', 'r--u', 'r-p-', 'r-pu', 'rw--', 'rw-u', 'rwp-', 'rwpu'],
];
/** Values that let a table walk write: MRO and RW. */
const WALK_WRITES = [2, 3, 6, 7, 12, 13, 14, 15];
const READABLE = [2, 3, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
const values = Array.from({ length: 16 }, (_, n) => n);
/** Read and write for the tables at index 1. */
const pir = (data: number | bigint, tables = 0xcn) => BigInt(data) | (tables << 4n);

describe('FEAT_S2PIE', () => {
  const on = { vtcr: VTCR | S2PIE };

  test.each(values)('S2PIR value %i', (n) => {
    expect(rights({ ...on, s2pir: pir(n) })).toBe(MEANINGS[n]);
  });

  test.each(values)('PIIndex %i is bits [54:53], 51 and 6', (n) => {
    const index = BigInt(n);
    const data =
      (DATA_LEAF & ~0x40n) | ((index >> 2n) << 53n) | (((index >> 1n) & 1n) << 51n) | ((index & 1n) << 6n);
    // Where the data has the index of the tables its rights are theirs.
    expect(rights({ ...on, s2pir: (0x8n << (index * 4n)) | (n === 1 ? 0n : 0xc0n) }, { data })).toBe('r---');
  });

  test.each(values)('a walk of stage 1 over value %i: fetches, and updates of its descriptors', (n) => {
    const registers = { ...on, s2pir: pir(0xcn, BigInt(n)) };
    expect(ask(registers, { access: 'read' }).ok).toBe(READABLE.includes(n));
    const updating = { ...registers, tcr: TCR | (1n << 39n) };
    // AF of the leaf is 0: it is to be set.
    expect(ask(updating, { access: 'read' }, { leaf: 0x343n }).ok).toBe(WALK_WRITES.includes(n));
  });

  test('Dirty = 0: a fault of its own, or hardware sets it', () => {
    const data = DATA_LEAF & ~0x80n;
    const registers = { ...on, s2pir: pir(0xcn) };
    expect(ask(registers, { access: 'write' }, { data })).toMatchObject({
      fault: { kind: 'permission', stage: 2, dirtyBit: true, denied: [{ by: 'Dirty', dirtyOff: 'HD' }] },
    });
    const hardware = nested({ ...registers, vtcr: VTCR | S2PIE | HA | HD }, { data });
    expect(hardware.walker.walk(0x1000n, { access: 'write' }).ok).toBe(true);
    expect(hardware.memory.read64(0x4000_2028n)).toBe(DATA_LEAF);
  });

  test('without the feature, or without its bit, permissions are direct', () => {
    const registers = { s2pir: 0n };
    expect(rights(registers)).toBe('-wpu');
    expect(rights({ ...registers, ...on }, { cpu: 'neoverse-n1' })).toBe('-wpu');
  });
});

describe('FEAT_S2POE', () => {
  /** Tables D8-83 and D8-84 and the bitwise AND of R_XLNQX, of what a data access and a walk may do. */
  const combined = (base: number, overlay: number) =>
    [...MEANINGS[base]!].map((letter, i) => (MEANINGS[overlay]![i] === letter ? letter : '-')).join('');

  test.each(values)('S2PIR value %i with every value of S2POR', (base) => {
    for (const overlay of values) {
      const registers = { vtcr: VTCR | S2PIE | S2POE, s2pir: pir(base), s2por: BigInt(overlay) << 8n };
      const data = DATA_LEAF | (2n << 59n);
      // The tables have POIndex 3: read and write.
      const table = TABLE_LEAF | (3n << 59n);
      expect(rights({ ...registers, s2por: registers.s2por | 0xc000n }, { data, table })).toBe(
        combined(base, overlay),
      );
    }
  });

  test('a fault of the overlay says so; without S2PIE there is none', () => {
    const registers = { s2pir: pir(0xcn), s2por: 0xc008n };
    const table = TABLE_LEAF | (3n << 59n);
    expect(ask({ ...registers, vtcr: VTCR | S2PIE | S2POE }, { access: 'write' }, { table })).toMatchObject({
      fault: { overlay: true, denied: [{ by: 'S2POR', index: 0, value: 8 }] },
    });
    expect(ask({ ...registers, vtcr: VTCR | S2POE }, { access: 'write' }).ok).toBe(true);
  });
});

describe('FEAT_THE', () => {
  const MRO_TL0 = 0x6n;
  const THE = VTCR | S2PIE | ASSURED_ONLY;
  const assuredData = DATA_LEAF | ASSURED_LEAF;
  const registers = { vtcr: THE | TL0, s2pir: pir(0xcn, MRO_TL0), tcr2: PN_CH };
  const table = TABLE_LEAF;

  test('AssuredOnly data is reached by Protected tables in mostly read-only pages only', () => {
    expect(ask(registers, { access: 'read' }, { data: assuredData, table, stage1: PROTECTED }).ok).toBe(true);
    const fault = { kind: 'permission', stage: 2, assuredOnly: true, denied: [{ by: 'AssuredOnly' }] };
    const denied = (change: WalkerRegisters, setup: Setup = {}) =>
      ask(
        { ...registers, ...change },
        { access: 'read' },
        { data: assuredData, table, stage1: PROTECTED, ...setup },
      );
    expect(denied({}, { stage1: 0n })).toMatchObject({ fault });
    // Bit 52 is a contiguous hint.
    expect(denied({ tcr2: 0n })).toMatchObject({ fault });
    // Without TL0 a walk does not begin assured.
    expect(denied({ vtcr: THE })).toMatchObject({ fault });
    // Tables that anybody writes.
    expect(denied({ vtcr: THE | TL1, s2pir: pir(0xcn, 0xcn) })).toMatchObject({ fault });
    // Bit 58 is for software without the feature.
    const { bbm: _, ...without } = { ...(CPU as object), the: false, bbm: 2 } as {
      bbm: number;
      the: boolean;
    };
    expect(denied({}, { cpu: without, stage1: 0n }).ok).toBe(true);
  });

  test('TopLevel: the first table of TTBR0 must be where TopLevel0 is', () => {
    const fault = { topLevel: true, ptw: true, s1Level: 1, denied: [{ by: 'TopLevel' }] };
    const top = (vtcr: bigint, tables: bigint) =>
      ask({ vtcr: VTCR | S2PIE | vtcr, s2pir: pir(0xcn, tables) }, { access: 'read' });
    expect(top(TL0, 0x6n).ok).toBe(true);
    expect(top(TL0, 0x7n).ok).toBe(true);
    expect(top(TL0, 0x2n)).toMatchObject({ fault });
    expect(top(TL0, 0xcn)).toMatchObject({ fault });
    // TL1 alone: a table that is TTBR1's is not TTBR0's.
    expect(top(TL1, 0x3n)).toMatchObject({ fault });
    expect(top(TL1, 0x2n).ok).toBe(true);
    expect(top(TL1, 0x7n).ok).toBe(true);
    // With direct permissions nothing is a top level.
    expect(ask({ vtcr: VTCR | TL0 }, { access: 'read' })).toMatchObject({ fault });
  });

  test('FNGNA0: a translation that is not assured belongs to its ASID', () => {
    const setup = { data: DATA_LEAF, table, stage1: PROTECTED };
    const isGlobal = (change: WalkerRegisters, more: Setup = {}) =>
      ask({ ...registers, ...change }, { access: 'read' }, { ...setup, ...more });
    const FNGNA0 = 1n << 20n;
    expect(isGlobal({})).toMatchObject({ global: true });
    expect(isGlobal({ tcr2: PN_CH | FNGNA0 })).toMatchObject({ global: true });
    expect(isGlobal({ tcr2: PN_CH | FNGNA0 }, { stage1: 0n })).toMatchObject({ global: false });
    expect(isGlobal({ tcr2: FNGNA0 }, { stage1: 0n })).toMatchObject({ global: true });
  });
});

describe('FEAT_HAFT and FEAT_MTE_PERM at stage 2', () => {
  test('the access flags of stage-2 tables are set, and those of stage 1 need a writable page', () => {
    const both = { vtcr: VTCR | HA | HAFT };
    const one = nested(both, { data: DATA_LEAF | 0x40n });
    expect(one.walker.walk(0x1000n, { access: 'read' }).ok).toBe(true);
    expect(one.memory.read64(0x4000_0000n)).toBe(0x4000_1403n);
    expect(one.memory.read64(0x4000_1000n)).toBe(0x4000_2403n);
    expect(one.memory.read64(0x4001_1000n)).toBe(0x2003n);
    // Stage 1 with HAFT, in pages that stage 2 has read-only.
    const stage1 = { tcr: TCR | (1n << 39n), tcr2: 1n << 11n };
    expect(ask(stage1, { access: 'read' }, { table: TABLE_LEAF & ~0x80n })).toMatchObject({
      fault: { kind: 'permission', stage: 2, ptw: true, s1Level: 1, update: true, ipa: 0x1000n },
    });
    const written = nested(stage1, { data: DATA_LEAF | 0x40n });
    expect(written.walker.walk(0x1000n, { access: 'read' }).ok).toBe(true);
    expect(written.memory.read64(0x4001_1000n)).toBe(0x2403n);
    expect(written.memory.read64(0x4001_2000n)).toBe(0x3403n);
  });

  test('NoTagAccess memory denies Tag Checked accesses of Tagged memory alone', () => {
    // MemAttr 0b0100.
    const data = (DATA_LEAF & ~0x3cn) | (0b0100n << 2n) | 0x40n;
    const tagged = { mair: 0xf0n };
    const checked = { access: 'read', tagChecked: true } as const;
    expect(ask(tagged, checked, { data })).toMatchObject({
      fault: { kind: 'permission', stage: 2, tagAccess: true, denied: [{ by: 'NoTagAccess' }] },
    });
    expect(ask(tagged, { access: 'read' }, { data })).toMatchObject({
      attributes: { byte: 0xe0, noTagAccess: true },
    });
    expect(ask({ mair: 0xffn }, checked, { data })).toMatchObject({ ok: true, attributes: { byte: 0xff } });
    // With forced Write-Back it is 0b111x.
    const forced = (memAttr: bigint) => (DATA_LEAF & ~0x3cn) | (memAttr << 2n) | 0x40n;
    const fwb = { ...tagged, hcr: 1n | (1n << 46n) };
    expect(ask(fwb, checked, { data: forced(0b1111n) })).toMatchObject({ fault: { tagAccess: true } });
    expect(ask(fwb, checked, { data: forced(0b0111n) })).toMatchObject({ attributes: { byte: 0xf0 } });
  });
});
