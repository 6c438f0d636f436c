/** Permission indirection and overlays of stage 1 (FEAT_S1PIE, FEAT_S1POE), and what comes with FEAT_TCR2: literal words and values. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { withFeatures } from '../../src/walker/cpu.ts';
import {
  type Access,
  type CpuOptions,
  createWalker,
  type Regime,
  type WalkerRegisters,
} from '../../src/walker/index.ts';
import { memoryWith } from './table-builder.ts';

/** 39 bits, 4K pages: level 1 at 0x4000_0000, level 2 at 0x4000_1000, level 3 at 0x4000_2000; the leaf maps VA 0x1000. */
const TCR_EL1 = 0x2_0080_3519n;
const TCR_EL3 = 0x8082_3519n;
const HA_HD = (1n << 39n) | (1n << 40n);
const PIE = 2n;
const E0POE = 4n;
const POE = 8n;
const AIE = 16n;
const HAFT = 1n << 11n;
const ALL = withFeatures('max', ['FEAT_S1POE', 'FEAT_GCS', 'FEAT_HAFT']);

/** A page at 0x4010_0000 with AF, inner shareable; PIIndex 0, POIndex 0, nDirty 0. */
const PAGE = 0x4010_0703n;
const piIndex = (n: bigint) => ((n >> 2n) << 53n) | (((n >> 1n) & 1n) << 51n) | ((n & 1n) << 6n);
const poIndex = (n: bigint) => n << 60n;
const N_DIRTY = 1n << 7n;

function memoryOf(leaf: bigint, tables: readonly [bigint, bigint] = [0n, 0n]) {
  return memoryWith({
    '0x40000000': 0x4000_1003n | tables[0],
    '0x40001000': 0x4000_2003n | tables[1],
    '0x40002008': leaf,
  });
}

interface Setup {
  readonly leaf?: bigint;
  readonly tables?: readonly [bigint, bigint];
  readonly regime?: Regime;
  readonly cpu?: CpuOptions;
  readonly scr?: bigint;
}

function walker(registers: WalkerRegisters, setup: Setup = {}) {
  const { leaf = PAGE, tables, regime = 'el1&0', cpu = ALL, scr } = setup;
  const tcr = regime === 'el1&0' || regime === 'el2&0' ? TCR_EL1 : TCR_EL3;
  const all = { ttbr0: 0x4000_0000n, tcr, mair: 0xffn, ...registers };
  const memory = memoryOf(leaf, tables);
  return {
    memory,
    walker: createWalker(memory, { regime, registers: all, cpu, ...(scr !== undefined && { scr }) }),
  };
}

/** Which of six accesses pass: `rwx` of EL1, then of EL0. */
function rights(registers: WalkerRegisters, setup: Setup = {}): string {
  const one = walker(registers, setup).walker;
  const kinds = [
    ['r', 'read'],
    ['w', 'write'],
    ['x', 'execute'],
  ] as const;
  return [true, false]
    .map((privileged) =>
      kinds.map(([letter, access]) => (one.walk(0x1000n, { access, privileged }).ok ? letter : '-')).join(''),
    )
    .join(' ');
}

/** Table D8-68, by the value of the field. */
const BASE = [
  ...['---', 'r--', '--x', 'r-x', '---', 'rw-', 'rw-', 'rwx'],
  ...['r--', 'r--', 'r-x', '---', 'rw-', '---', 'rwx', '---'],
];
/** Table D8-74. */
const OVERLAY = [
  ...['---', 'r--', '--x', 'r-x', '-w-', 'rw-', '-wx', 'rwx'],
  ...['---', '---', '---', '---', '---', '---', '---', '---'],
];
const values = Array.from({ length: 16 }, (_, n) => n);

describe('FEAT_S1PIE', () => {
  test.each(values)('PIR value %i is what EL1 may do', (n) => {
    expect(rights({ tcr2: PIE, pir: BigInt(n) })).toBe(`${BASE[n]} ---`);
    expect(rights({ tcr2: PIE, pir: BigInt(n) }, { regime: 'el2' })).toBe(`${BASE[n]} ${BASE[n]}`);
  });

  test.each(values)('PIRE0 value %i is what EL0 may do', (n) => {
    expect(rights({ tcr2: PIE, pire0: BigInt(n) })).toBe(`--- ${BASE[n]}`);
    expect(rights({ tcr2: PIE, pire0: BigInt(n) }, { regime: 'el2&0' })).toBe(`--- ${BASE[n]}`);
  });

  test.each(values)('PIIndex %i chooses its field of either register', (n) => {
    const index = BigInt(n);
    // Read and write for EL1, read for EL0, at this index alone.
    const registers = { tcr2: PIE, pir: 0x5n << (index * 4n), pire0: 0x1n << (index * 4n) };
    expect(rights(registers, { leaf: PAGE | piIndex(index) })).toBe('rw- r--');
    expect(rights(registers, { leaf: PAGE | piIndex(index ^ 1n) })).toBe('--- ---');
  });

  test('what EL1 executes EL0 may not write: nobody has any access then', () => {
    expect(rights({ tcr2: PIE, pir: 0x3n, pire0: 0x5n })).toBe('--- ---');
    expect(rights({ tcr2: PIE, pir: 0x3n, pire0: 0x3n })).toBe('r-x r-x');
    expect(rights({ tcr2: PIE, pir: 0x5n, pire0: 0x7n })).toBe('rw- rwx');
    // EL1 has a Guarded Control Stack there, EL0 writes.
    expect(rights({ tcr2: PIE, pir: 0x9n, pire0: 0x5n })).toBe('--- ---');
    const { walker: one } = walker({ tcr2: PIE, pir: 0x3n, pire0: 0x5n });
    expect(one.walk(0x1000n, { access: 'read' })).toMatchObject({
      fault: { denied: [{ by: 'PIR-PIRE0', index: 0, value: 3, value0: 5 }] },
    });
  });

  test('PSTATE.PAN looks at PIRE0, whatever it allows and whatever SCTLR.EPAN says', () => {
    const asked = { access: 'read', pan: true } as const;
    for (const pire0 of [0x1n, 0x2n, 0xbn]) {
      const { walker: one } = walker({ tcr2: PIE, pir: 0x5n, pire0 });
      expect(one.walk(0x1000n, asked)).toMatchObject({ ok: false, fault: { kind: 'permission', level: 3 } });
      expect(one.translate(0x1000n, asked)).toBeUndefined();
    }
    expect(walker({ tcr2: PIE, pir: 0x5n }).walker.walk(0x1000n, asked).ok).toBe(true);
  });

  test('permissions of tables and SCTLR.WXN count for nothing', () => {
    const tables = [0xfn << 59n, 0xfn << 59n] as const;
    const registers = { tcr2: PIE, pir: 0x7n, sctlr: 1n | (1n << 19n) };
    expect(rights(registers, { tables })).toBe('rwx ---');
  });

  test('EL3 has its bits in TCR_EL3', () => {
    const registers = { tcr: TCR_EL3 | (1n << 35n), pir: 0x2n };
    expect(rights(registers, { regime: 'el3' })).toBe('--x --x');
    expect(rights({ pir: 0x2n, tcr2: PIE }, { regime: 'el3' })).toBe('rwx rwx');
  });

  test('nDirty = 1 is writable-clean: a fault of its own, or hardware makes it dirty', () => {
    const leaf = PAGE | N_DIRTY;
    const write = { access: 'write' } as const;
    const software = walker({ tcr2: PIE, pir: 0x5n }, { leaf });
    expect(software.walker.walk(0x1000n, write)).toMatchObject({
      fault: { kind: 'permission', dirtyBit: true, denied: [{ by: 'nDirty', dirtyOff: 'HD' }] },
    });
    expect(software.walker.walk(0x1000n)).toMatchObject({ permissions: { privileged: { write: false } } });
    expect(software.walker.translate(0x1000n, write)).toBeUndefined();
    const hardware = walker({ tcr2: PIE, pir: 0x5n, tcr: TCR_EL1 | HA_HD }, { leaf });
    expect(hardware.walker.walk(0x1000n, write).ok).toBe(true);
    expect(hardware.memory.read64(0x4000_2008n)).toBe(0x4010_0703n);
    // A page that may not be written is no dirty page, and says nothing of dirty state.
    const readOnly = walker({ tcr2: PIE, pir: 0x1n, tcr: TCR_EL1 | HA_HD }, { leaf });
    const fault = readOnly.walker.walk(0x1000n, write);
    expect(fault).toMatchObject({ fault: { denied: [{ by: 'PIR', value: 1 }] } });
    expect(fault).not.toHaveProperty('fault.dirtyBit');
    expect(readOnly.memory.read64(0x4000_2008n)).toBe(leaf);
  });

  test('it counts where it is implemented, HCRX_EL2 and SCR_EL3 let it', () => {
    const registers = { tcr2: PIE, pir: 0x2n };
    // Without it the page is read/write at EL1, executable at both.
    const direct = 'rwx --x';
    expect(rights(registers)).toBe('--x ---');
    expect(rights(registers, { cpu: 'cortex-a76' })).toBe(direct);
    expect(rights({ ...registers, hcrx: 0n })).toBe(direct);
    expect(rights({ ...registers, hcrx: 1n << 14n })).toBe('--x ---');
    const scr = 0x501n;
    expect(rights(registers, { scr })).toBe(direct);
    expect(rights(registers, { scr: scr | (1n << 43n) })).toBe('--x ---');
    // HCRX_EL2 counts as 0 where SCR_EL3.HXEn is 0.
    expect(rights({ ...registers, hcrx: 1n << 14n }, { scr: scr | (1n << 43n) })).toBe(direct);
  });

  test('Guarded Control Stack accesses need a field of 9, and direct permissions have none', () => {
    const gcs = (access: 'read' | 'write', registers: WalkerRegisters, leaf = PAGE) =>
      walker(registers, { leaf }).walker.walk(0x1000n, { access, gcs: true });
    expect(gcs('write', { tcr2: PIE, pir: 0x9n })).toMatchObject({
      ok: true,
      permissions: { privileged: { read: true, write: false, gcs: true } },
    });
    expect(gcs('read', { tcr2: PIE, pir: 0x5n })).toMatchObject({
      fault: { denied: [{ by: 'PIR', value: 5 }] },
    });
    expect(gcs('read', {})).toMatchObject({ fault: { denied: [{ by: 'GCS' }] } });
    expect(gcs('write', { tcr2: PIE, pir: 0x9n }, PAGE | N_DIRTY)).toMatchObject({
      fault: { dirtyBit: true },
    });
    expect(gcs('read', { tcr2: PIE, pir: 0x9n }, PAGE | N_DIRTY).ok).toBe(true);
  });
});

describe('FEAT_S1POE', () => {
  test.each(values)('POR value %i is what is left to EL1, of what direct permissions give', (n) => {
    // Read/write at EL1 and EL0 (EL1 does not execute what EL0 writes), executable at EL0.
    const leaf = PAGE | 0x40n;
    const left = OVERLAY[n]!.replace('x', '-');
    expect(rights({ tcr2: POE, por: BigInt(n) }, { leaf })).toBe(`${left} rwx`);
    expect(rights({ tcr2: E0POE, por0: BigInt(n) }, { leaf })).toBe(`rw- ${OVERLAY[n]}`);
  });

  test('POIndex chooses the field, and fields of 8 and more are not reached', () => {
    const registers = { tcr2: POE, por: 0x7777_7777_0100_0000n };
    expect(rights(registers, { leaf: PAGE | poIndex(6n) })).toBe('r-- --x');
    expect(rights(registers, { leaf: PAGE | poIndex(7n) })).toBe('--- --x');
  });

  test('a fault says that the overlay denied it, and which', () => {
    const { walker: one } = walker({ tcr2: POE, por: 0x1n << 12n }, { leaf: PAGE | poIndex(3n) });
    expect(one.walk(0x1000n, { access: 'write' })).toMatchObject({
      fault: { kind: 'permission', overlay: true, denied: [{ by: 'POR', index: 3, value: 1, level: 3 }] },
    });
    // What the base denies as well is the overlay's fault first.
    const readOnly = walker({ tcr2: POE, por: 0x1n << 12n }, { leaf: PAGE | poIndex(3n) | 0x80n });
    expect(readOnly.walker.walk(0x1000n, { access: 'write' })).toMatchObject({
      fault: { overlay: true, denied: [{ by: 'POR' }, { by: 'AP' }] },
    });
  });

  test('base permissions of 8 and more have no overlay, those below have', () => {
    const registers = { tcr2: PIE | POE, por: 0n };
    expect(rights({ ...registers, pir: 0xen })).toBe('rwx ---');
    expect(rights({ ...registers, pir: 0x7n })).toBe('--- ---');
  });

  test('WXN takes writing from an overlay that executes, and execution where no overlay is', () => {
    const wxn = { sctlr: 1n | (1n << 19n) };
    expect(rights({ ...wxn, tcr2: POE, por: 0x7n })).toBe('r-x --x');
    expect(rights({ ...wxn, tcr2: POE, por: 0x5n })).toBe('rw- --x');
    expect(rights({ ...wxn })).toBe('rw- --x');
    expect(rights({ tcr2: PIE | POE, pir: 0x6n, por: 0x7n })).toBe('r-x ---');
    expect(rights({ tcr2: PIE, pir: 0x6n })).toBe('rw- ---');
  });

  test('hierarchical permissions are disabled with it, at either level', () => {
    const tables = [3n << 61n, 0n] as const;
    expect(rights({}, { tables })).toBe('r-x --x');
    expect(rights({ tcr2: POE, por: 0x7n }, { tables })).toBe('rwx --x');
    expect(rights({ tcr2: E0POE, por0: 0x7n }, { tables })).toBe('rwx --x');
  });
});

describe('FEAT_AIE, FEAT_HAFT, FEAT_ASID2', () => {
  const memory = (registers: WalkerRegisters, leaf: bigint) =>
    walker(registers, { leaf }).walker.walk(0x1000n, { access: 'read' });

  test('bit 59 is AttrIndx[3]: MAIR2', () => {
    const leaf = PAGE | (1n << 59n) | 0x4n;
    const registers = { mair: 0xff_ffn, mair2: 0x44_ffn };
    expect(memory({ ...registers, tcr2: AIE }, leaf)).toMatchObject({ attributes: { byte: 0x44 } });
    expect(memory(registers, leaf)).toMatchObject({ attributes: { byte: 0xff } });
    expect(memory({ mair: 0xff_ffn, tcr2: AIE }, leaf)).toMatchObject({ attributes: { attrIndx: 9 } });
  });

  test('without steps the fast path says the same', () => {
    const { walker: one } = walker({ tcr2: AIE, mair2: 0x44n }, { leaf: PAGE | (1n << 59n) });
    const quick = one.walk(0x1000n, { access: 'read', trace: false });
    expect(quick).toMatchObject({ ok: true, attributes: { byte: 0x44 } });
  });

  test('HAFT sets the access flag of tables on the way, also of a walk that faults further on', () => {
    const one = walker({ tcr2: HAFT, tcr: TCR_EL1 | HA_HD }, { leaf: 0n });
    expect(one.walker.walk(0x1000n, { access: 'read' })).toMatchObject({ fault: { kind: 'translation' } });
    expect(one.memory.read64(0x4000_0000n)).toBe(0x4000_1403n);
    expect(one.memory.read64(0x4000_1000n)).toBe(0x4000_2403n);
    // TCR.HA = 0: no hardware update of any kind.
    const off = walker({ tcr2: HAFT });
    expect(off.walker.walk(0x1000n, { access: 'read' }).ok).toBe(true);
    expect(off.memory.read64(0x4000_0000n)).toBe(0x4000_1003n);
    // Asked to leave memory alone it does.
    const still = walker({ tcr2: HAFT, tcr: TCR_EL1 | HA_HD });
    expect(still.walker.walk(0x1000n, { access: 'read', update: false }).ok).toBe(true);
    expect(still.memory.read64(0x4000_0000n)).toBe(0x4000_1003n);
  });

  test('FNG0 makes every entry below TTBR0 one of its ASID', () => {
    const isGlobal = (tcr2: bigint) => memory({ tcr2 }, PAGE);
    expect(isGlobal(0n)).toMatchObject({ global: true });
    expect(isGlobal(1n << 17n)).toMatchObject({ global: false });
    expect(isGlobal(1n << 18n)).toMatchObject({ global: true });
  });
});

test('the fast path answers as the full walk does, whatever the registers hold', () => {
  const word = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
  const kinds = fc.constantFrom('read', 'write', 'execute');
  fc.assert(
    fc.property(
      fc.record({ pir: word, pire0: word, por: word, por0: word, mair2: word, sctlr: word, tcr2: word }),
      word,
      fc.constantFrom<Regime>('el1&0', 'el2&0', 'el2', 'el3'),
      fc.record({ access: kinds, privileged: fc.boolean(), pan: fc.boolean() }),
      fc.boolean(),
      (random, bits, regime, access: Access, updates) => {
        const leaf = (bits & 0xfff8_0000_0000_00c0n) | PAGE;
        const high = regime === 'el3' ? (random.tcr2 & 0x1fn) << 34n : 0n;
        const two = regime === 'el1&0' || regime === 'el2&0';
        const hardware = updates ? (two ? HA_HD : (1n << 21n) | (1n << 22n)) : 0n;
        const registers = {
          ...random,
          sctlr: random.sctlr | 1n,
          tcr: (two ? TCR_EL1 : TCR_EL3) | high | hardware,
        };
        registers.sctlr &= ~(1n << 25n);
        const { walker: one } = walker(registers, { leaf, regime });
        const asked = { ...access, update: false };
        const full = one.walk(0x1234n, asked);
        const { steps: _, ...answer } = full;
        expect(one.translate(0x1234n, asked)).toBe(full.ok ? full.pa : undefined);
        const { steps: __, ...quick } = one.walk(0x1234n, { ...asked, trace: false });
        expect(quick).toEqual(answer);
      },
    ),
    { numRuns: 500 },
  );
});
