/** Attribute bits of leaves and tables as literal words: what Linux's io-pgtable-arm writes for every sort of prot. */
import { describe, expect, test } from 'vitest';
import { arm32LpaeS1, arm32LpaeS2, arm64LpaeS1, arm64LpaeS2 } from '../../formats/index.ts';
import type { Prot, Quirk } from '../../src/pagetable/format.ts';
import { machine } from '../support/machine.ts';

const XN = 0x0060_0000_0000_0000n;
const DBM = 1n << 51n;

const STAGE_1: [Prot, bigint][] = [
  [{ read: true }, 0xec3n],
  [{ write: true }, 0xe43n],
  [{ read: true, write: true }, 0xe43n],
  [{ read: true, priv: true }, 0xe83n],
  [{ read: true, write: true, priv: true }, 0xe03n],
  [{ read: true, cache: true }, 0xfc7n],
  [{ read: true, write: true, cache: true }, 0xf47n],
  [{ read: true, write: true, cache: true, priv: true }, 0xf07n],
  [{ read: true, mmio: true }, 0xecbn],
  [{ read: true, write: true, mmio: true }, 0xe4bn],
  [{ read: true, write: true, mmio: true, cache: true }, 0xf4bn],
  [{ read: true, noexec: true }, 0xec3n | XN],
  [{ read: true, write: true, cache: true, noexec: true }, 0xf47n | XN],
  [{ read: true, write: true, mmio: true, noexec: true, priv: true }, 0xe0bn | XN],
];

const STAGE_2: [Prot, bigint][] = [
  [{ read: true }, 0x657n],
  [{ write: true }, 0x697n],
  [{ read: true, write: true }, 0x6d7n],
  [{ read: true, priv: true }, 0x657n],
  [{ read: true, write: true, priv: true }, 0x6d7n],
  [{ read: true, cache: true }, 0x77fn],
  [{ read: true, write: true, cache: true }, 0x7ffn],
  [{ write: true, cache: true }, 0x7bfn],
  [{ read: true, write: true, mmio: true }, 0x6c7n],
  [{ read: true, write: true, mmio: true, cache: true }, 0x7c7n],
  [{ read: true, noexec: true }, 0x657n | XN],
  [{ read: true, write: true, cache: true, noexec: true }, 0x7ffn | XN],
];

const flags = (prot: Prot) => Object.keys(prot).join('+');
const rows = [
  ...[arm64LpaeS1, arm32LpaeS1].flatMap((format) => STAGE_1.map(([prot, bits]) => ({ format, prot, bits }))),
  ...[arm64LpaeS2, arm32LpaeS2].flatMap((format) => STAGE_2.map(([prot, bits]) => ({ format, prot, bits }))),
].map((row) => ({ ...row, name: `${row.format.name} ${flags(row.prot)}` }));

const options = { pgsizeBitmap: 0x4020_1000n, ias: 32, oas: 40 };
const REQUEST = { iova: 0x4020_3000n, pa: 0x12_4060_7000n };

/** A leaf of one entry, 4K granule. */
const single = (level: number) => ({ level, shift: 12 + (3 - level) * 9, runLog2: 0 });

describe.each(rows)('$name', ({ format, prot, bits }) => {
  test('has the bits of a page at level 3, and of a block above', () => {
    const made = format.configure(options);
    expect(made.leafBits(prot, single(3))).toBe(bits);
    // A block differs in bit 1 alone: descriptor bits [1:0] are 0b01 (DDI 0487 table D8-48).
    expect(made.leafBits(prot, single(2))).toBe(bits - 2n);
    expect(made.leafBits(prot, single(1))).toBe(bits - 2n);
  });

  test.each([
    ['page', 3, 0xfffn],
    ['block of 2 MiB', 2, 0x1f_ffffn],
    ['block of 1 GiB', 1, 0x3fff_ffffn],
  ] as const)('is written so into a %s', (_, level, mask) => {
    const m = machine(format, options);
    const [iova, pa] = [REQUEST.iova & ~mask, REQUEST.pa & ~mask];
    m.domain.map(iova, pa, mask + 1n, prot);
    const leaf = m.walker.walk(iova, { access: prot.read ? 'read' : 'write' }).steps.at(-1)!;
    expect(leaf.level).toBe(level);
    expect(leaf.descriptor).toBe(pa | (level === 3 ? bits : bits - 2n));
  });
});

const rw: Prot = { read: true, write: true };

describe('stage-1 quirks', () => {
  test.each<[Quirk[], Prot, bigint]>([
    [['arm_ns'], rw, 0xe63n],
    [['arm_ns'], { read: true }, 0xee3n],
    [['arm_hd'], rw, 0xe43n | DBM],
    [['arm_hd'], { write: true, cache: true }, 0xf47n | DBM],
    [['arm_hd'], { read: true }, 0xec3n],
    [['arm_hd', 'arm_ns'], { ...rw, noexec: true }, 0xe63n | DBM | XN],
    [['arm_ttbr1'], rw, 0xe43n],
  ])('%j make a page %o %#', (quirks, prot, bits) => {
    for (const format of [arm64LpaeS1, arm32LpaeS1]) {
      expect(format.configure({ ...options, quirks }).leafBits(prot, single(3))).toBe(bits);
      expect(format.configure({ ...options, quirks }).leafBits(prot, single(2))).toBe(bits - 2n);
    }
  });

  test.each<[string, { quirks?: Quirk[]; coherentWalk?: boolean }, bigint]>([
    ['nothing special', {}, 0x3n],
    ['arm_ns: NSTable', { quirks: ['arm_ns'] }, 0x8000_0000_0000_0003n],
    ['a walk that is not coherent: software bit 55', { coherentWalk: false }, 0x0080_0000_0000_0003n],
    ['both', { quirks: ['arm_ns'], coherentWalk: false }, 0x8080_0000_0000_0003n],
    ['arm_hd: nothing', { quirks: ['arm_hd'] }, 0x3n],
  ])('table descriptors with %s', (_, extra, bits) => {
    const m = machine(arm64LpaeS1, { ...options, ias: 48, oas: 48, ...extra });
    m.domain.map(0n, 0n, 0x1000n, rw);
    const tables = m.walker.walk(0n, { access: 'read' }).steps.slice(0, -1);
    expect(tables.map((step) => step.kind)).toEqual(['table', 'table', 'table']);
    for (const { descriptor, output } of tables) expect(descriptor! ^ output!).toBe(bits);
  });
});

describe('with a 64K granule', () => {
  test.each([
    [arm64LpaeS1, 0xf47n],
    [arm64LpaeS2, 0x7ffn],
  ] as const)('$name puts PA[51:48] into bits [15:12]', (format, bits) => {
    const m = machine(format, { pgsizeBitmap: 0x400_2001_0000n, ias: 48, oas: 52 });
    const prot = { ...rw, cache: true };
    m.domain.map(0x1_0000n, 0xa_1234_5678_0000n, 0x1_0000n, prot);
    m.domain.map(0x2000_0000n, 0xf_0000_2000_0000n, 0x2000_0000n, prot);
    m.domain.map(0x400_0000_0000n, 0x3_0400_0000_0000n, 0x400_0000_0000n, prot);
    const descriptor = (iova: bigint) => m.walker.walk(iova, { access: 'read' }).steps.at(-1)!.descriptor;
    expect(descriptor(0x1_0000n)).toBe(0x1234_5678_a000n | bits);
    expect(descriptor(0x2000_0000n)).toBe(0x2000_f000n | (bits - 2n));
    expect(descriptor(0x400_0000_0000n)).toBe(0x0400_0000_3000n | (bits - 2n));
  });
});
