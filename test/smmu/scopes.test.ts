/** What commands reach, by the tags of TLB entries: wildcards of VMIDs, operands that are out of range, levels. (IHI 0070 3.17.6, 4.4.) */
import { describe, expect, test } from 'vitest';
import { PhysicalMemory } from '../../src/memory/index.ts';
import { coversTlb, type TlbTags } from '../../src/smmu/caches/invalidation.ts';
import { invalidationOf, type ScopeContext, wildcardBits } from '../../src/smmu/caches/scopes.ts';
import { decodeCommand, parseCommand, SmmuDevice } from '../../src/smmu/index.ts';
import { inScope } from '../../src/tlb/scope.ts';

const CONTEXT: ScopeContext = {
  asid16: true,
  vmid16: true,
  stage2: true,
  ds: false,
  ranges: true,
  e2h: false,
  wildcard: 0,
};
const of = (text: string, more: Partial<ScopeContext> = {}) =>
  invalidationOf(decodeCommand(parseCommand(text)), { ...CONTEXT, ...more })!;

/** A page of stage 1 at 0x1000. */
const PAGE: TlbTags = {
  world: 'el1',
  stage: 1,
  vmid: 0x20,
  asid: 3,
  granuleLog2: 12,
  level: 3,
  leaf: true,
  first: 0x1000n,
  last: 0x1fffn,
};

describe('a wildcard of VMIDs (3.17.6)', () => {
  test.each([
    [0, [0x20]],
    [1, [0x20, 0x21]],
    [2, [0x20, 0x21, 0x22, 0x23]],
  ])('SMMU_CR0.VMW = %i', (wildcard, reached) => {
    for (const text of ['TLBI_S12_VMALL vmid=0x20', 'TLBI_NH_VA vmid=0x20 asid=3 va=0x1000 leaf=1']) {
      const all = [0x1f, 0x20, 0x21, 0x22, 0x23, 0x24];
      expect(all.filter((vmid) => coversTlb(of(text, { wildcard }), { ...PAGE, vmid }))).toEqual(reached);
    }
  });

  test('values above 4 are Reserved and count as 0, and without SMMU_IDR0.VMW none counts (6.3.9)', () => {
    expect([0, 1, 4, 5, 7].map(wildcardBits)).toEqual([0, 1, 4, 0, 0]);
    const memory = new PhysicalMemory({ base: 0n, size: 0x1000n });
    const wildcard = (idr0: bigint) => {
      const smmu = new SmmuDevice(memory, { idr0, idr1: 0x273_0010n, idr3: 0x1414n, idr5: 0x74n });
      smmu.mmioWrite('CR0', 0xc0n);
      return smmu.scopes.wildcard;
    };
    expect([wildcard(0xd44_101bn), wildcard(0xd46_101bn)]).toEqual([0, 3]);
  });
});

describe('operands that are out of range reach nothing, and say why', () => {
  test.each<[string, Partial<ScopeContext>, string]>([
    ['TLBI_NH_ASID vmid=0x20 asid=0x103', { asid16: false }, 'ASID16 = 0'],
    ['TLBI_NH_ALL vmid=0x120', { vmid16: false }, 'VMID16 = 0'],
    ['TLBI_NH_VA vmid=0x20 asid=3 va=0x1000', { stage2: false }, 'S2P = 0'],
    ['TLBI_NH_VA vmid=0x20 asid=3 va=0x1000 TG=1 TTL=2', {}, 'not aligned to 0x200000'],
    ['TLBI_NH_VA vmid=0x20 asid=3 va=0x1000 TG=1', {}, 'is Reserved'],
  ])('%s', (text, more, why) => {
    expect(of(text, more)).toEqual({ kind: 'nothing', why: expect.stringContaining(why) });
    expect(coversTlb(of(text, more), PAGE)).toBe(false);
  });

  test('but not where there are no ranges: TG and TTL are RES0 without SMMU_IDR3.RIL', () => {
    const one = of('TLBI_NH_VA vmid=0x20 asid=3 va=0x1000 TG=1 TTL=2', { ranges: false });
    expect(coversTlb(one, PAGE)).toBe(true);
  });
});

describe('a level hint (4.4.1.1)', () => {
  /** Level 2, Leaf = 0: leaves of level 2, table descriptors of levels 0 and 1. */
  const text = 'TLBI_NH_VA vmid=0x20 asid=3 va=0x0 TG=1 TTL=2';
  const expected: [leaf: boolean, level: number, reached: boolean][] = [
    [true, 3, false],
    [true, 2, true],
    [true, 1, false],
    [false, 2, false],
    [false, 1, true],
    [false, 0, true],
  ];

  test.each(expected)('leaf %s of level %i: %s', (leaf, level, reached) => {
    expect(coversTlb(of(text), { ...PAGE, first: 0n, leaf, level })).toBe(reached);
    const tag = {
      regime: 'el1&0',
      security: 'non-secure',
      holds: 'stage1',
      vmid: 0x20,
      asid: 3,
      from: 0n,
      size: 0x1000n,
      granuleLog2: 12,
      level,
    } as const;
    expect(inScope({ regime: 'el1&0', stages: 'stage1', granuleLog2: 12, level: 2 }, tag, !leaf)).toBe(
      reached,
    );
  });
});
