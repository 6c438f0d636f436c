/** Words of short and Mali descriptors as Linux 6.12 writes them, literally: attributes, addresses, tables, runs and their parts. */
import { describe, expect, test } from 'vitest';
import { armMaliLpae, armV7s } from '../../formats/index.ts';
import type { Prot, Quirk } from '../../src/pagetable/format.ts';
import { SIZES_4K, SIZES_SHORT } from '../support/configs.ts';
import { machine } from '../support/machine.ts';

const rw: Prot = { read: true, write: true };
const short = (quirks: Quirk[] = [], ias = 32, oas = 32) =>
  machine(armV7s, { pgsizeBitmap: SIZES_SHORT, ias, oas, quirks });

/** The word at `index` of the root, or of the table under its entry `under`. */
function word(m: ReturnType<typeof short>, index: number, under?: number): bigint | undefined {
  const tables = m.domain.tables();
  const next = tables[0]!.entries.find((entry) => entry.index === under)?.pa;
  const table = under === undefined ? tables[0]! : tables.find(({ pa }) => pa === next)!;
  return table.entries.find((entry) => entry.index === index)?.descriptor;
}

describe('arm_v7s', () => {
  test.each<[string, Prot, bigint]>([
    ['read', { read: true }, 0xe72n],
    ['read and write', rw, 0xc72n],
    ['write alone, which reads too', { write: true }, 0xc72n],
    ['cache', { ...rw, cache: true }, 0xc7en],
    ['mmio', { ...rw, mmio: true }, 0xc36n],
    ['mmio before cache', { ...rw, mmio: true, cache: true }, 0xc36n],
    ['priv', { ...rw, priv: true }, 0xc52n],
    ['noexec', { ...rw, noexec: true }, 0xc73n],
  ])('a small page with %s', (_, prot, bits) => {
    const m = short();
    m.domain.map(0x20_3000n, 0x1234_5000n, 0x1000n, prot);
    expect(word(m, 3, 2)).toBe(0x1234_5000n | bits);
  });

  test.each<[string, bigint, Prot, bigint]>([
    ['a large page', 0x1_0000n, rw, 0x1c31n],
    ['a large page, noexec', 0x1_0000n, { ...rw, noexec: true }, 0x9c31n],
    ['a section', 0x10_0000n, rw, 0x3_1c02n],
    ['a section, noexec', 0x10_0000n, { ...rw, noexec: true }, 0x3_1c12n],
    ['a supersection', 0x100_0000n, rw, 0x7_1c02n],
  ])('%s', (_, size, prot, bits) => {
    const m = short();
    m.domain.map(0x100_0000n, 0x8200_0000n, size, prot);
    const entries = size >= 0x10_0000n ? m.domain.tables()[0]!.entries : m.domain.tables()[1]!.entries;
    const count = size === 0x10_0000n ? 1 : 16;
    expect(entries.map(({ descriptor }) => descriptor)).toEqual(new Array(count).fill(0x8200_0000n | bits));
  });

  test('arm_ns is said in tables and sections, and not in pages', () => {
    const m = short(['arm_ns']);
    m.domain.map(0x10_0000n, 0x20_0000n, 0x10_0000n, rw);
    m.domain.map(0x20_0000n, 0x20_0000n, 0x1000n, rw);
    expect(word(m, 1)).toBe(0x2b_1c02n);
    expect(word(m, 2)! & 0x3ffn).toBe(0x9n);
    expect(word(m, 0, 2)).toBe(0x20_0c72n);
  });

  test('no_perms leaves out access flag, permissions and execute-never', () => {
    const m = short(['no_perms']);
    m.domain.map(0n, 0x5000n, 0x1000n, { read: true, noexec: true, priv: true });
    expect(word(m, 0, 0)).toBe(0x5c42n);
  });

  test('arm_mtk_ext puts PA[32], PA[33] and PA[34] into bits 9, 4 and 5', () => {
    const m = short(['no_perms', 'arm_mtk_ext'], 34, 35);
    for (const [i, bit] of [
      [0, 9n],
      [1, 4n],
      [2, 5n],
    ] as const) {
      m.domain.map(BigInt(i) * 0x1000n, (1n << BigInt(32 + i)) | 0x1000n, 0x1000n, rw);
      expect(word(m, i, 0)).toBe(0x1c42n | (1n << bit));
    }
    m.domain.map(0x3_ff00_0000n, 0x7_ff00_0000n, 0x100_0000n, rw);
    expect(word(m, 0x3ff0)).toBe(0xff07_1232n);
  });

  const readOnly = { read: true, cache: true, noexec: true };

  test('a supersection that loses a small page keeps its attributes in sections and small pages', () => {
    const m = short();
    m.domain.map(0x100_0000n, 0x8300_0000n, 0x100_0000n, readOnly);
    expect(m.domain.unmap(0x113_2000n, 0x1000n)).toBe(0x1000n);
    expect(word(m, 0x10)).toBe(0x8303_9c1en);
    expect(word(m, 0x31, 0x11)).toBe(0x8313_1e7fn);
    expect(word(m, 0x32, 0x11)).toBeUndefined();
    expect(word(m, 0x40, 0x11)).toBe(0x8314_0e7fn);
    expect(m.walker.walk(0x113_3000n, { access: 'read' })).toMatchObject({ pa: 0x8313_3000n });
  });

  test('and one that loses a large page in sections and large pages', () => {
    const m = short();
    m.domain.map(0x100_0000n, 0x8300_0000n, 0x100_0000n, readOnly);
    expect(m.domain.unmap(0x113_0000n, 0x1_0000n)).toBe(0x1_0000n);
    expect(word(m, 0x10)).toBe(0x8303_9c1en);
    expect([0x30, 0x3f].map((index) => word(m, index, 0x11))).toEqual([undefined, undefined]);
    expect([0x40, 0x4f].map((index) => word(m, index, 0x11))).toEqual([0x8314_9e3dn, 0x8314_9e3dn]);
    expect(m.walker.walk(0x114_3000n, { access: 'read' })).toMatchObject({ pa: 0x8314_3000n });
  });

  test.each<[Quirk[], RegExp]>([
    [['arm_mtk_ext'], /needs the quirk no_perms/],
    [['no_perms', 'arm_mtk_ttbr_ext'], /needs the quirk arm_mtk_ext/],
    [['arm_ttbr1'], /has no quirk arm_ttbr1/],
  ])('refuses %j', (quirks, reason) => {
    expect(() => short(quirks)).toThrow(reason);
  });

  test('without any page size there is a table, and every mapping is refused with the reason', () => {
    const m = machine(armV7s, { pgsizeBitmap: 0n, ias: 32, oas: 32 });
    expect(() => m.domain.map(0n, 0n, 0x1000n, rw)).toThrow(
      /^EINVAL: this table was made without page sizes/,
    );
    expect(m.domain.unmap(0n, 0x1000n)).toBe(0n);
    expect(m.domain.unmapReport(0n, 0x1000n).stop?.message).toMatch(/made without page sizes/);
    expect(m.domain.iovaToPhys(0n)).toBeNull();
  });
});

describe('arm_mali_lpae', () => {
  test.each<[Prot, bigint]>([
    [{ read: true }, 0x241n],
    [rw, 0x2c1n],
    [{ ...rw, cache: true }, 0x2c5n],
    [{ ...rw, mmio: true }, 0x2c9n],
    [{ ...rw, noexec: true }, 0x2c1n | (3n << 53n)],
  ])('a page with %o is of type 1, as blocks are', (prot, bits) => {
    const m = machine(armMaliLpae, { pgsizeBitmap: SIZES_4K, ias: 48, oas: 40 });
    m.domain.map(0x40_0000n, 0x12_3456_7000n, 0x1000n, prot);
    expect(m.domain.tables()[3]!.entries[0]!.descriptor).toBe(0x12_3456_7000n | bits);
    m.domain.map(0x8000_0000n, 0x4000_0000n, 0x4000_0000n, prot);
    expect(m.domain.tables()[1]!.entries[1]!.descriptor).toBe(0x4000_0000n | bits);
  });
});
