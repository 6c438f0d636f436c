/** The hardware side's descriptors: every layout tiles its word, fields come and go with regime, level, granule and features. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type DescriptorLayout,
  type DescriptorPlace,
  descriptorLayout,
  LARGE_PAGE,
  MALI_LEAF,
  MALI_TABLE,
  RISCV_LEAF,
  RISCV_RESERVED,
  SECTION,
  SHORT_TABLE,
  SMALL_PAGE,
  STAGE1_LEAF,
  STAGE2_LEAF,
  SUPERSECTION,
  TABLE_DESCRIPTOR,
} from '../../src/arch/descriptors/index.ts';
import { type FieldBits, maskOf } from '../../src/arch/read.ts';
import { type DescriptorLayout as DriverLayout, decode } from '../../src/descriptor/index.ts';

const FEATURES = [
  'FEAT_AIE',
  'FEAT_BBM',
  'FEAT_BTI',
  'FEAT_HAFT',
  'FEAT_HPDS2',
  'FEAT_LPA',
  'FEAT_S1PIE',
  'FEAT_S1POE',
  'FEAT_S2FWB',
  'FEAT_S2PIE',
  'FEAT_S2POE',
  'FEAT_THE',
  'FEAT_XNX',
  'FEAT_XS',
];

const maybe = fc.constantFrom(undefined, false, true);
const longPlace = fc
  .record({
    kind: fc.constantFrom('invalid', 'table', 'block', 'page'),
    stage: fc.constantFrom(1, 2),
    granuleLog2: fc.constantFrom(12, 14, 16),
    level: fc.integer({ min: -1, max: 3 }),
    ds: fc.boolean(),
    aarch32: fc.boolean(),
    twoPrivileges: maybe,
    hierarchical: maybe,
    nv1: maybe,
    el: fc.constantFrom(undefined, 1, 2, 3),
    security: fc.constantFrom(undefined, 'non-secure', 'secure', 'realm', 'root'),
    features: fc.option(fc.subarray(FEATURES), { nil: undefined }),
  })
  .map(({ aarch32, ds, ...rest }): DescriptorPlace => {
    const { kind, granuleLog2 } = rest;
    const level = kind === 'page' ? 3 : Math.min(rest.level, 2);
    const place: DescriptorPlace = {
      kind,
      stage: rest.stage,
      granuleLog2: aarch32 ? 12 : granuleLog2,
      // Blocks begin at the level whose entries still fit 48 bits of address, or 52.
      level:
        kind === 'block'
          ? Math.max(level, granuleLog2 === 12 && !aarch32 ? 0 : 1)
          : aarch32
            ? Math.max(level, 1)
            : level,
      ds: ds && !aarch32 && granuleLog2 !== 16,
      aarch32,
    };
    const { twoPrivileges, hierarchical, nv1, el, security, features } = rest;
    return {
      ...place,
      ...(el !== undefined && { el: el as 1 | 2 | 3 }),
      ...(twoPrivileges !== undefined && { twoPrivileges }),
      ...(hierarchical !== undefined && { hierarchical }),
      ...(nv1 !== undefined && { nv1 }),
      ...(security !== undefined && { security }),
      ...(features !== undefined && { features }),
    };
  });

const otherPlace = fc.oneof(
  fc.record({
    format: fc.constantFrom('short', 'mtk'),
    kind: fc.constantFrom('invalid', 'table', 'block', 'page'),
    stage: fc.constant(1),
    level: fc.constantFrom(1, 2),
    granuleLog2: fc.constant(12),
    run: fc.boolean(),
    afe: fc.boolean(),
  }),
  fc.record({
    format: fc.constantFrom('mali', 'riscv'),
    kind: fc.constantFrom('invalid', 'table', 'block'),
    stage: fc.constant(1),
    level: fc.integer({ min: 0, max: 2 }),
    granuleLog2: fc.constant(12),
  }),
  fc.record({
    format: fc.constantFrom('mali', 'riscv'),
    kind: fc.constant('page'),
    stage: fc.constant(1),
    level: fc.constant(3),
    granuleLog2: fc.constant(12),
    run: fc.boolean(),
  }),
) as fc.Arbitrary<DescriptorPlace>;

/** 1 for every bit, if each stands once. */
function counts(layout: DescriptorLayout): number[] {
  const found = new Array<number>(layout.width).fill(0);
  for (const { high, low } of layout.fields) for (let bit = low; bit <= high; bit++) found[bit]!++;
  return found;
}

describe('every layout', () => {
  test('has every bit exactly once, from the highest down, and no name twice', () => {
    fc.assert(
      fc.property(fc.oneof(longPlace, otherPlace), (place) => {
        const layout = descriptorLayout(place);
        expect(counts(layout)).toEqual(new Array<number>(layout.width).fill(1));
        const lows = layout.fields.map(({ low }) => low);
        expect(lows).toEqual(lows.toSorted((a, b) => b - a));
        const names = layout.fields.map(({ name }) => name).filter((name) => name !== '-');
        expect(new Set(names).size).toBe(names.length);
        for (const { meaning, reference } of layout.fields) {
          expect(meaning).not.toBe('');
          expect(reference).toMatch(/^(DDI 0487 |Linux io-pgtable|RISC-V Privileged)/);
        }
      }),
      { numRuns: 3000 },
    );
  });

  test('can be decoded by what takes layouts', () => {
    const layout: DriverLayout = descriptorLayout({ kind: 'page', stage: 1, level: 3, granuleLog2: 12 });
    const found = decode(layout, 0x0060_0000_4000_0f47n);
    const values = found.filter(({ value }) => value !== 0n).map(({ field, value }) => [field.name, value]);
    expect(values).toEqual([
      ['XN', 1n],
      ['PXN', 1n],
      ['OA[47:12]', 0x4_0000n],
      ['nG', 1n],
      ['AF', 1n],
      ['SH[1:0]', 3n],
      ['AP[2:1]', 1n],
      ['AttrIndx', 1n],
      ['Type', 1n],
      ['Valid', 1n],
    ]);
  });
});

/** What a bit is: `nG field`, `res0`. */
function bitIn(place: Partial<DescriptorPlace>, bit: number): string {
  const layout = descriptorLayout({ kind: 'page', stage: 1, level: 3, granuleLog2: 12, ...place });
  const { name, kind } = layout.fields.find(({ high, low }) => bit <= high && bit >= low)!;
  return name === '-' ? kind : `${name} ${kind}`;
}

const BLOCK = { kind: 'block', level: 2 } as const;
const TABLE = { kind: 'table', level: 2 } as const;
const EL2 = { twoPrivileges: false } as const;
const EL1 = { twoPrivileges: true } as const;
/** HCR_EL2.{NV, NV1} = {1, 1}. (D8.14.3) */
const NV1 = { ...EL1, nv1: true } as const;

/** Tables D8-50 to D8-53, and G5.5.3. */
test.each<[string, Partial<DescriptorPlace>, number, string]>([
  ['nG without EL0', EL2, 11, 'res0'],
  ['nG in Root state is NSE', { ...EL2, security: 'root' }, 11, 'NSE field'],
  ['PXN without EL0', EL2, 53, 'res0'],
  ['AP[1] without EL0', EL2, 6, 'res1'],
  ['AP[2] without EL0', EL2, 7, 'AP[2] field'],
  ['XN without EL0', EL2, 54, 'XN field'],
  ['XN with EL0', EL1, 54, 'UXN field'],
  ['XN with PL0', { ...EL1, aarch32: true }, 54, 'XN field'],
  ['NS in Non-secure state', { security: 'non-secure' }, 5, 'res0'],
  ['NS in Secure state', { security: 'secure' }, 5, 'NS field'],
  ['NS in EL1&0 of Realm state', { ...EL1, security: 'realm', el: 1 }, 5, 'res0'],
  ['NS in EL2&0 of Realm state', { ...EL1, security: 'realm', el: 2 }, 5, 'NS field'],
  ['NSTable in Secure state', { ...TABLE, security: 'secure' }, 63, 'NSTable field'],
  ['NSTable in Root state', { ...TABLE, security: 'root' }, 63, 'res0'],
  ['APTable[0] without EL0', { ...TABLE, ...EL2 }, 61, 'res0'],
  ['APTable[1] without EL0', { ...TABLE, ...EL2 }, 62, 'APTable[1] field'],
  ['PXNTable without EL0', { ...TABLE, ...EL2 }, 59, 'res0'],
  ['UXNTable', { ...TABLE, ...EL1 }, 60, 'UXNTable field'],
  ['APTable with HPD', { ...TABLE, hierarchical: false }, 62, 'ignored'],
  ['NSTable with HPD', { ...TABLE, hierarchical: false }, 63, 'NSTable field'],
  ['APTable at stage 2', { ...TABLE, stage: 2 }, 62, 'res0'],
  ['bit 54 under NV1', NV1, 54, 'PXN field'],
  ['bit 53 under NV1', NV1, 53, 'res0'],
  ['AP[1] under NV1', NV1, 6, 'ignored'],
  ['AP[2] under NV1', NV1, 7, 'AP[2] field'],
  ['nG under NV1', NV1, 11, 'nG field'],
  ['bit 60 under NV1', { ...TABLE, ...NV1 }, 60, 'PXNTable field'],
  ['bit 59 under NV1', { ...TABLE, ...NV1 }, 59, 'res0'],
  ['APTable[0] under NV1', { ...TABLE, ...NV1 }, 61, 'ignored'],
  ['APTable[0] under NV1 with HPD', { ...TABLE, ...NV1, hierarchical: false }, 61, 'ignored'],
  ['bit 59 under NV1 with HPD', { ...TABLE, ...NV1, hierarchical: false }, 59, 'ignored'],
  ['SH with DS', { ds: true }, 8, 'OA[51:50] field'],
  ['OA[49:48] with DS', { ds: true }, 49, 'OA[49:12] field'],
  ['OA[49:48] without DS', {}, 49, 'res0'],
  ['OA[51:48] with 64K', { granuleLog2: 16 }, 12, 'OA[51:48] field'],
  ['OA[51:48] with 64K, no LPA', { granuleLog2: 16, features: [] }, 12, 'res0'],
  ['GP without BTI', { features: [] }, 50, 'res0'],
  ['GP at stage 2', { stage: 2 }, 50, 'res0'],
  ['nT of a block', BLOCK, 16, 'nT field'],
  ['nT of a block without BBM', { ...BLOCK, features: [] }, 16, 'res0'],
  ['nT of a page', {}, 16, 'OA[47:12] field'],
  ['PBHA without HPDS2', { features: [] }, 60, 'ignored'],
  ['POIndex', { features: ['FEAT_S1POE'] }, 60, 'POIndex field'],
  ['AttrIndx[3]', { features: ['FEAT_AIE'] }, 59, 'AttrIndx[3] field'],
  ['DBM with indirect permissions', { features: ['FEAT_S1PIE'] }, 51, 'PIIndex[1] field'],
  ['XN[0] without XNX', { stage: 2, features: [] }, 53, 'res0'],
  ['XN[0] with XNX', { stage: 2 }, 53, 'XN[1:0] field'],
  ['FnXS without XS', { stage: 2, features: [] }, 11, 'res0'],
  ['MemAttr[3] with FWB', { stage: 2, features: ['FEAT_S2FWB'] }, 5, 'res0'],
  ['MemAttr[3] without FWB', { stage: 2 }, 5, 'MemAttr field'],
  ['DBM in AArch32', { aarch32: true }, 51, 'res0'],
  ['bits [47:40] in AArch32', { aarch32: true }, 40, 'res0'],
  ['Contiguous, 4K level 0', { kind: 'block', level: 0, ds: true }, 52, 'res0'],
  ['Contiguous, 4K level 1', { kind: 'block', level: 1 }, 52, 'Contiguous field'],
  ['Contiguous, 16K level 1', { kind: 'block', level: 1, ds: true, granuleLog2: 14 }, 52, 'res0'],
  ['Contiguous, 16K level 2', { kind: 'block', level: 2, granuleLog2: 14 }, 52, 'Contiguous field'],
  ['Contiguous, 64K level 1', { kind: 'block', level: 1, granuleLog2: 16 }, 52, 'res0'],
  ['Contiguous, stage 2 64K level 1', { kind: 'block', stage: 2, level: 1, granuleLog2: 16 }, 52, 'res0'],
  ['AP[0]', { format: 'short', level: 2, afe: false }, 4, 'AP[0] field'],
  ['AP[0] as access flag', { format: 'short', level: 2 }, 4, 'AF field'],
])('%s', (_, place, bit, wanted) => {
  expect(bitIn(place, bit)).toBe(wanted);
});

/** Masks that the walker reads by, as literal words. */
test.each<[string, FieldBits, bigint]>([
  ['Valid', STAGE1_LEAF.fields.Valid, 0x1n],
  ['Type', TABLE_DESCRIPTOR.fields.Type, 0x2n],
  ['AttrIndx', STAGE1_LEAF.fields.AttrIndx, 0x1cn],
  ['NS', STAGE1_LEAF.fields.NS, 0x20n],
  ['AP[2:1]', STAGE1_LEAF.fields['AP[2:1]'], 0xc0n],
  ['AP[2]', STAGE1_LEAF.fields['AP[2]'], 0x80n],
  ['SH', STAGE1_LEAF.fields['SH[1:0]'], 0x300n],
  ['AF', STAGE1_LEAF.fields.AF, 0x400n],
  ['nG', STAGE1_LEAF.fields.nG, 0x800n],
  ['OA', STAGE1_LEAF.fields.BASE, 0xffff_ffff_f000n],
  ['OA of AArch32', STAGE1_LEAF.fields.BASE32, 0xff_ffff_f000n],
  ['OA[51:48] of 64K', STAGE1_LEAF.fields.BASE_LPA, 0xf000n],
  ['OA[51:50] of DS', STAGE1_LEAF.fields.BASE_LPA2, 0x300n],
  ['OA[49:48] of DS', STAGE1_LEAF.fields.BASE_HIGH, 0x3_0000_0000_0000n],
  ['nT', STAGE1_LEAF.fields.nT, 0x1_0000n],
  ['GP', STAGE1_LEAF.fields.GP, 0x4_0000_0000_0000n],
  ['DBM', STAGE1_LEAF.fields.DBM, 0x8_0000_0000_0000n],
  ['Contiguous', STAGE1_LEAF.fields.Contiguous, 0x10_0000_0000_0000n],
  ['PXN', STAGE1_LEAF.fields.PXN, 0x20_0000_0000_0000n],
  ['UXN', STAGE1_LEAF.fields.UXN, 0x40_0000_0000_0000n],
  ['MemAttr', STAGE2_LEAF.fields.MemAttr, 0x3cn],
  ['S2AP', STAGE2_LEAF.fields.S2AP, 0xc0n],
  ['FnXS', STAGE2_LEAF.fields.FnXS, 0x800n],
  ['XN of stage 2', STAGE2_LEAF.fields['XN[1:0]'], 0x60_0000_0000_0000n],
  ['PXNTable', TABLE_DESCRIPTOR.fields.PXNTable, 0x0800_0000_0000_0000n],
  ['UXNTable', TABLE_DESCRIPTOR.fields.UXNTable, 0x1000_0000_0000_0000n],
  ['APTable', TABLE_DESCRIPTOR.fields.APTable, 0x6000_0000_0000_0000n],
  ['NSTable', TABLE_DESCRIPTOR.fields.NSTable, 0x8000_0000_0000_0000n],
  ['base of a short table', SHORT_TABLE.fields.BASE, 0xffff_fc00n],
  ['domain', SHORT_TABLE.fields.Domain, 0x1e0n],
  ['PXN of a short table', SHORT_TABLE.fields.PXN, 0x4n],
  ['base of a section', SECTION.fields.BASE, 0xfff0_0000n],
  ['bit 18', SECTION.fields.Super, 0x4_0000n],
  ['AP[2] of a section', SECTION.fields.AP2, 0x8000n],
  ['AP[1] of a section', SECTION.fields.AP1, 0x800n],
  ['TEX of a section', SECTION.fields.TEX, 0x7000n],
  ['XN of a section', SECTION.fields.XN, 0x10n],
  ['base of a supersection', SUPERSECTION.fields.BASE, 0xff00_0000n],
  ['PA[35:32]', SUPERSECTION.fields.BASE_32, 0xf0_0000n],
  ['PA[39:36]', SUPERSECTION.fields.BASE_36, 0x1e0n],
  ['XN of a large page', LARGE_PAGE.fields.XN, 0x8000n],
  ['TEX of a large page', LARGE_PAGE.fields.TEX, 0x7000n],
  ['TEX of a small page', SMALL_PAGE.fields.TEX, 0x1c0n],
  ['AP[1] of a small page', SMALL_PAGE.fields.AP1, 0x20n],
  ['PA[32] of an M4U', SMALL_PAGE.fields.BIT_32, 0x200n],
  ['PA[33] of an M4U', SMALL_PAGE.fields.BIT_33, 0x10n],
  ['PA[34] of an M4U', SMALL_PAGE.fields.BIT_34, 0x20n],
  ['base of a Mali leaf', MALI_LEAF.fields.BASE, 0xffff_ffff_f000n],
  ['type of a Mali table', MALI_TABLE.fields.Type, 0x3n],
  ['PPN', RISCV_LEAF.fields.PPN, 0x3f_ffff_ffff_fc00n],
  ['PBMT', RISCV_LEAF.fields.PBMT, 0x6000_0000_0000_0000n],
  ['N', RISCV_LEAF.fields.N, 0x8000_0000_0000_0000n],
  ['reserved bits of RISC-V', RISCV_RESERVED, 0x1fc0_0000_0000_0000n],
])('%s', (_, field, mask) => {
  expect(maskOf(field)).toBe(mask);
});
