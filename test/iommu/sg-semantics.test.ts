/** The three meanings of map_sg: which lists each accepts, what each maps too much, and that plan, mapping and walker agree. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arm64LpaeS1, armV7s } from '../../formats/index.ts';
import { IommuError, mapSgAs, planSg, Scatterlist, type SgSemantics } from '../../src/index.ts';
import { SG_SEMANTICS } from '../../src/iommu/sg-semantics.ts';
import { SIZES_4K, SIZES_16K, SIZES_64K } from '../support/configs.ts';
import { everyLeaf, firstDifference, type Machine, machine, paOf, translations } from '../support/machine.ts';
import { scatterlistOf, sgPlan, start, startOf } from '../support/scatterlists.ts';

const rw = { read: true, write: true };
const BITMAPS: Record<string, bigint> = { '4K': SIZES_4K, '16K': SIZES_16K, '64K': SIZES_64K };
const BYTES: Record<string, number> = { '4K': 0x1000, '16K': 0x4000, '64K': 0x1_0000 };

/** A list in hex: `9000+800 9800+800` is two entries that touch. */
function listOf(text: string, cpuPageSize = 0x1000): Scatterlist {
  const entries = text.split(' ').filter(Boolean);
  return Scatterlist.from(
    entries.map((entry) => {
      const [phys, length] = entry.split('+').map((digits) => BigInt(`0x${digits}`));
      return { phys: phys!, length: length! };
    }),
    { cpuPageSize },
  );
}

function errorOf(act: () => unknown): IommuError | undefined {
  try {
    act();
  } catch (error) {
    if (error instanceof IommuError) return error;
    throw error;
  }
  return undefined;
}

/** What the walker finds mapped, in bytes. */
function bytesSeen(m: Machine): bigint {
  return everyLeaf(m).reduce((sum, { leaf }) => sum + leaf.size, 0n);
}

/** Over-mapped bytes, or the entries that are refused. */
function outcome(cpu: string, iommu: string, entries: string, semantics: SgSemantics): unknown {
  const sg = listOf(entries, BYTES[cpu]!);
  const m = machine(arm64LpaeS1, { pgsizeBitmap: BITMAPS[iommu]!, ias: 39, oas: 48 });
  const plan = planSg(sg, semantics, BigInt(BYTES[iommu]!), 0x100_0000n);
  if (plan.refusals.length > 0) {
    expect(() => mapSgAs(m.domain, 0x100_0000n, sg, rw, semantics)).toThrow(/^EINVAL: entry \d/);
    expect(everyLeaf(m)).toEqual([]);
    return plan.refusals.map(({ entry }) => entry);
  }
  expect(mapSgAs(m.domain, 0x100_0000n, sg, rw, semantics)).toEqual(plan);
  expect(bytesSeen(m)).toBe(plan.mappedBytes);
  expect(plan.mappedBytes - plan.askedBytes).toBe(plan.overMapped);
  return Number(plan.overMapped);
}

const ENTRY_OF = 'an entry that starts and ends on multiples of ';
const RUN_OF = 'neighbours that join into whole pages of ';
const IOMMU_OF = 'an IOMMU with pages of ';
const LIST_AT = 'a list that starts at an IOVA that is a multiple of ';
const WHOLE_4K = '9000+1000';
const WHOLE_64K = '90000+10000';
const HALVES = '9000+800 9800+800';
const PART = '91000+2000';
const FOUR_4K = '4000+1000 5000+1000 6000+1000 7000+1000';
const FOUR_16K = '40000+4000 44000+4000 48000+4000 4c000+4000';
const MIXED = '20000+10000 51000+1000 80000+10000';

/** CPU pages, smallest IOMMU page; then over-mapped bytes, or the entries that fail: exact, per-entry, page-align. */
test.each<[string, string, string, string, unknown, unknown, unknown]>([
  ['4K', '4K', 'a page', WHOLE_4K, 0, 0, 0],
  ['4K', '4K', 'two halves that join', HALVES, 0, [0, 1], 0x1000],
  ['4K', '4K', 'whole pages', PART, 0, 0, 0],
  ['4K', '4K', 'an empty entry', '9000+0 2000+1000', 0, 0, 0],
  ['4K', '4K', 'an empty entry inside a page', '9800+0', 0, [0], 0x1000],
  ['4K', '4K', 'nothing', '', 0, 0, 0],
  ['4K', '16K', 'a page', WHOLE_4K, [0], [0], [0]],
  ['4K', '16K', 'four pages that join', FOUR_4K, 0, [0, 1, 2, 3], [0, 1, 2, 3]],
  ['4K', '64K', 'a page', WHOLE_4K, [0], [0], [0]],
  ['4K', '64K', 'sixteen pages in one entry', WHOLE_64K, 0, 0, 0],
  ['16K', '4K', 'a part of a page', WHOLE_4K, 0, 0, 0x3000],
  ['16K', '16K', 'a page', '4000+4000', 0, 0, 0],
  ['16K', '16K', 'a part of a page', WHOLE_4K, [0], [0], 0x3000],
  ['16K', '16K', 'four parts that join', FOUR_4K, 0, [0, 1, 2, 3], 0xc000],
  ['16K', '64K', 'a page', '4000+4000', [0], [0], [0]],
  ['16K', '64K', 'four pages that join', FOUR_16K, 0, [0, 1, 2, 3], [0, 1, 2, 3]],
  ['16K', '64K', 'half of an IOMMU page', '40000+4000 44000+4000', [0], [0, 1], [0, 1]],
  ['64K', '4K', 'a page', WHOLE_64K, 0, 0, 0],
  ['64K', '4K', 'two halves that join', HALVES, 0, [0, 1], 0x1_f000],
  ['64K', '4K', 'a part of a page', PART, 0, 0, 0xe000],
  ['64K', '4K', 'a page, a part, a page', MIXED, 0, 0, 0xf000],
  ['64K', '16K', 'a page', WHOLE_64K, 0, 0, 0],
  ['64K', '16K', 'a part of a page', PART, [0], [0], 0xe000],
  ['64K', '64K', 'a page', WHOLE_64K, 0, 0, 0],
  ['64K', '64K', 'a part that ends in the next page', '9f000+2000', [0], [0], 0x1_e000],
  ['64K', '64K', 'a page, a part, a page', MIXED, [1, 2], [1, 2], 0xf000],
])('CPU %s, IOMMU %s: %s', (cpu, iommu, _, entries, exact, perEntry, pageAlign) => {
  expect(outcome(cpu, iommu, entries, 'exact')).toEqual(exact);
  expect(outcome(cpu, iommu, entries, 'per-entry')).toEqual(perEntry);
  expect(outcome(cpu, iommu, entries, 'page-align')).toEqual(pageAlign);
});

test('the IOMMU that would do has pages of a size that Arm has', () => {
  const remedy = (entries: string) =>
    planSg(listOf(entries, 0x1_0000), 'exact', 0x1_0000n).refusals[0]?.remedy;
  expect(remedy('94000+2000')).toContain('an IOMMU with pages of 0x1000 would do');
  expect(remedy('98000+8000')).toContain('an IOMMU with pages of 0x4000 would do');
  expect(remedy('90800+800')).not.toContain('an IOMMU with pages of');
});

test('page-align puts rounded entries one behind the other, and says which part of each was not requested', () => {
  const sg = listOf('91000+2000 4f000+2000 80000+10000', 0x1_0000);
  const plan = planSg(sg, 'page-align', 0x1000n);
  expect(plan).toMatchObject({
    pieces: [
      { entry: 0, last: 0, offset: 0n, phys: 0x9_0000n, length: 0x1_0000n, overMapped: 0xe000n },
      { entry: 1, last: 1, offset: 0x1_0000n, phys: 0x4_0000n, length: 0x2_0000n, overMapped: 0x1_e000n },
      { entry: 2, last: 2, offset: 0x3_0000n, phys: 0x8_0000n, length: 0x1_0000n, overMapped: 0n },
    ],
    askedBytes: 0x1_4000n,
    mappedBytes: 0x4_0000n,
    overMapped: 0x2_c000n,
  });
  const m = machine(arm64LpaeS1, { pgsizeBitmap: SIZES_4K, ias: 39, oas: 48 });
  mapSgAs(m.domain, 0x1000_0000n, sg, rw, 'page-align');
  // The device's byte 0 is a byte of another: the entry begins 0x1000 further on.
  const found = [0x1000_0000n, 0x1001_f000n, 0x1003_ffffn].map((iova) => paOf(m.walker, iova));
  expect(found).toEqual([0x9_0000n, 0x4_f000n, 0x8_ffffn]);
  expect(m.domain.unmap(0x1000_0000n, plan.mappedBytes)).toBe(plan.mappedBytes);
  expect(everyLeaf(m)).toEqual([]);
});

test('exact joins entries, and says which', () => {
  const sg = listOf('9000+800 9800+800 7000+0 2000+1000');
  expect(planSg(sg, 'exact', 0x1000n).pieces).toEqual([
    { entry: 0, last: 1, offset: 0n, phys: 0x9000n, length: 0x1000n, overMapped: 0n },
    { entry: 3, last: 3, offset: 0x1000n, phys: 0x2000n, length: 0x1000n, overMapped: 0n },
  ]);
});

test('a refusal says the values, the rule and what would do', () => {
  const [first, second] = planSg(listOf(HALVES), 'per-entry', 0x1000n).refusals;
  expect(first).toEqual({
    entry: 0,
    phys: 0x9000n,
    length: 0x800n,
    values: [{ what: 'length', value: 0x800n }],
    alignment: 0x1000n,
    rule: "length 0x800 must be a multiple of the IOMMU's smallest page 0x1000, for each single entry",
    remedy: `semantics exact, which maps it as part of 0x1000 bytes at PA 0x9000, or ${ENTRY_OF}0x1000 would do`,
  });
  expect(second!.values.map(({ what, value }) => [what, Number(value)])).toEqual(
    Object.entries({ iova: 0x800, phys: 0x9800, length: 0x800 }),
  );
});

test.each<[SgSemantics, bigint, string, bigint, string]>([
  ['exact', 0x1_0000n, '4000+8000', 0n, `${RUN_OF}0x10000 or ${IOMMU_OF}0x4000`],
  ['per-entry', 0x4000n, '5000+4000', 0n, `${ENTRY_OF}0x4000 or ${IOMMU_OF}0x1000`],
  ['page-align', 0x4000n, '11000+1000', 0n, `CPU pages of 0x4000 instead of 0x1000 or ${IOMMU_OF}0x1000`],
  ['exact', 0x1000n, WHOLE_4K, 0x200n, `${LIST_AT}0x1000`],
  ['page-align', 0x1000n, WHOLE_4K, 0x200n, `${LIST_AT}0x1000`],
  ['per-entry', 0x1000n, '9800+0 2000+1000', 0n, `${ENTRY_OF}0x1000`],
  ['exact', 0x1000n, '9123+1000', 0x200n, `${LIST_AT}0x1000 and ${RUN_OF}0x1000`],
])('%s, %i: what would do for %s at %i is %s', (semantics, page, entries, iova, remedy) => {
  expect(planSg(listOf(entries), semantics, page, iova).refusals[0]!.remedy).toBe(`${remedy} would do`);
});

describe('any list', () => {
  const entry = fc.record({
    page: fc.nat({ max: 30 }),
    offset: fc.constantFrom(0, 0, 0x1000, 0x800),
    length: fc.constantFrom(0x1000, 0x2000, 0x4000, 0x1_0000, 0x800, 0),
  });
  const list = fc.array(entry, { minLength: 1, maxLength: 6 });
  const sizes = fc.constantFrom('4K', '16K', '64K');
  const make = (entries: { page: number; offset: number; length: number }[], cpuPageSize: number) =>
    Scatterlist.from(
      entries.map(({ page, offset, length }) => ({ page: BigInt(page * cpuPageSize), offset, length })),
      { cpuPageSize },
    );

  test.each(SG_SEMANTICS)('%s: what is planned is what the walker sees, or nothing', (semantics) => {
    fc.assert(
      fc.property(list, sizes, sizes, (entries, cpu, iommu) => {
        const sg = make(entries, BYTES[cpu]!);
        const m = machine(arm64LpaeS1, { pgsizeBitmap: BITMAPS[iommu]!, ias: 30, oas: 48 });
        const plan = planSg(sg, semantics, BigInt(BYTES[iommu]!));
        const refused = errorOf(() => mapSgAs(m.domain, 0n, sg, rw, semantics));
        expect(refused?.operands.entry).toBe(plan.refusals[0]?.entry);
        const seen = bytesSeen(m);
        if (refused) return void expect([refused.code, seen]).toEqual(['EINVAL', 0n]);
        const asked = entries.reduce((sum, { length }) => sum + length, 0);
        expect(plan.overMapped).toBe(seen - BigInt(asked));
        expect(plan.pieces.reduce((sum, { overMapped }) => sum + overMapped, 0n)).toBe(plan.overMapped);
        for (const { offset, phys, length } of plan.pieces.filter((piece) => piece.length > 0n)) {
          const ends = [paOf(m.walker, offset), paOf(m.walker, offset + length - 1n)];
          expect(ends).toEqual([phys, phys + length - 1n]);
        }
      }),
      { numRuns: 150 },
    );
  });

  test.each(SG_SEMANTICS)('%s: a failure changes no translation', (semantics) => {
    const failures = fc.constantFrom(0, 0, 1, 2);
    fc.assert(
      fc.property(list, fc.nat({ max: 11 }), failures, fc.boolean(), (entries, taken, failAt, near) => {
        const sg = make(entries, 0x1000);
        const m = machine(arm64LpaeS1, { pgsizeBitmap: SIZES_4K, ias: 30, oas: 48 });
        const iova = near ? (1n << 30n) - 0x8000n : 0x1f_c000n;
        m.domain.map(iova + BigInt(taken * 0x1000 - 0x4000), 0x5_0000n, 0x1000n, rw);
        const before = translations(m);
        m.allocator.failAt(failAt);
        const refused = errorOf(() => mapSgAs(m.domain, iova, sg, rw, semantics));
        if (refused === undefined) return;
        expect(refused.message).toMatch(/: entry \d/);
        expect(translations(m)).toEqual(before);
      }),
      { numRuns: 120 },
    );
  });

  test('exact is mapSg: the same bits, answers and errors', () => {
    fc.assert(
      fc.property(sgPlan, start, (entries, place) => {
        const [a, b] = [1, 2].map(() => machine(arm64LpaeS1, { pgsizeBitmap: SIZES_4K, ias: 39, oas: 40 }));
        const iova = startOf(a!.domain.format, place);
        const sg = scatterlistOf(entries, a!.domain.format, iova);
        let [bytes, mapped] = [0n, 0n];
        const own = errorOf(() => (bytes = a!.domain.mapSg(iova, sg, rw)));
        const other = errorOf(() => (mapped = mapSgAs(b!.domain, iova, sg, rw, 'exact').mappedBytes));
        expect([other?.message, other?.operands, mapped]).toEqual([own?.message, own?.operands, bytes]);
        expect(firstDifference(a!, b!)).toBeUndefined();
      }),
      { numRuns: 150 },
    );
  });
});

test.each<[string, bigint, number]>([
  ['EEXIST: entry 2: IOVA 0x201000 is mapped already', 0x1f_f000n, 0],
  ['ENOMEM: entry 1: no frame', 0x1f_f000n, 1],
  ['ERANGE: entry 1: IOVAs 0x40000000 to', 0x3fff_f000n, 0],
])('a failure half way leaves what was there, and names the entry: %s', (message, iova, failAt) => {
  for (const semantics of SG_SEMANTICS) {
    const m = machine(arm64LpaeS1, { pgsizeBitmap: SIZES_4K, ias: 30, oas: 48 });
    m.domain.map(failAt ? 0x1f_e000n : 0x20_1000n, 0x5_0000n, 0x1000n, rw);
    m.domain.map(0x3fff_e000n, 0x6_0000n, 0x1000n, rw);
    const before = translations(m);
    m.allocator.failAt(failAt);
    const sg = listOf('9000+1000 b000+1000 d000+1000');
    expect(errorOf(() => mapSgAs(m.domain, iova, sg, rw, semantics))?.message).toContain(message);
    expect(translations(m)).toEqual(before);
  }
});

test('entries behind the last of 64-bit IOVAs are out of range', () => {
  const m = machine(arm64LpaeS1, { pgsizeBitmap: SIZES_4K, ias: 39, oas: 48, quirks: ['arm_ttbr1'] });
  const sg = listOf('9000+1000 2000+1000');
  for (const semantics of SG_SEMANTICS) {
    const refused = errorOf(() => mapSgAs(m.domain, 0xffff_ffff_ffff_f000n, sg, rw, semantics));
    expect(refused).toMatchObject({ code: 'ERANGE', operands: { entry: 1 } });
    expect(everyLeaf(m)).toEqual([]);
  }
});

describe.each(SG_SEMANTICS)('%s: what mapSg refuses of arguments', (semantics) => {
  const empty = new Scatterlist();
  const page = listOf(WHOLE_4K);
  const made = () => machine(arm64LpaeS1, { pgsizeBitmap: SIZES_4K, ias: 39, oas: 48 }).domain;

  const freed = made();
  freed.free();
  const map = (iova: unknown, sg: unknown, prot: unknown, domain = made()) =>
    mapSgAs(domain, iova as bigint, sg as Scatterlist, prot as object, semantics);

  test.each<[string, () => unknown, RegExp]>([
    ['not a list', () => map(0n, [], rw), /sg must be a Scatterlist/],
    ['not an IOVA', () => map(5, empty, rw), /iova must be a bigint/],
    ['not a prot', () => map(0n, empty, null), /prot must be an object/],
    ['a freed domain', () => map(0n, empty, rw, freed), /this domain was freed/],
    ['no access', () => map(0n, page, {}), /entry 0: .*neither readable nor writable/],
    ['a wrong page size', () => planSg(page, semantics, 0x1800n), /minPageSize must be a power of two/],
    [
      'wrong semantics',
      () => planSg(page, 'nearly' as never, 0x1000n),
      /one of exact, per-entry, page-align/,
    ],
    ['no page size', () => planSg(page, semantics, 0n), /minPageSize must be a power of two/],
  ])('%s', (_, act, message) => {
    expect(errorOf(act)?.message).toMatch(message);
  });

  test('a table without page sizes', () => {
    const { domain } = machine(armV7s, { pgsizeBitmap: 0n, ias: 32, oas: 32 });
    expect(() => mapSgAs(domain, 0n, page, rw, semantics)).toThrow(/made without page sizes/);
    expect(mapSgAs(domain, 0n, empty, rw, semantics).mappedBytes).toBe(0n);
  });
});
