/** The three meanings of map_sg: which lists each accepts, what each maps too much, and that plan, mapping and walker agree. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arm64LpaeS1 } from '../../formats/index.ts';
import { mapSgAs, planSg, Scatterlist, type SgSemantics } from '../../src/index.ts';
import { SIZES_4K, SIZES_16K, SIZES_64K } from '../support/configs.ts';
import { everyLeaf, machine, paOf } from '../support/machine.ts';

const rw = { read: true, write: true };
const BITMAPS: Record<string, bigint> = { '4K': SIZES_4K, '16K': SIZES_16K, '64K': SIZES_64K };
const BYTES: Record<string, number> = { '4K': 0x1000, '16K': 0x4000, '64K': 0x1_0000 };
type Entry = [phys: number, length: number];

/** Bytes mapped, or the entries that are refused. */
function outcome(cpu: string, iommu: string, entries: Entry[], semantics: SgSemantics): unknown {
  const sg = Scatterlist.from(
    entries.map(([phys, length]) => ({ phys: BigInt(phys), length })),
    { cpuPageSize: BYTES[cpu]! },
  );
  const m = machine(arm64LpaeS1, { pgsizeBitmap: BITMAPS[iommu]!, ias: 39, oas: 48 });
  const plan = planSg(sg, semantics, BigInt(BYTES[iommu]!), 0x100_0000n);
  if (plan.refusals.length > 0) {
    expect(() => mapSgAs(m.domain, 0x100_0000n, sg, rw, semantics)).toThrow(/^EINVAL: entry \d/);
    expect(everyLeaf(m)).toEqual([]);
    return plan.refusals.map(({ entry }) => entry);
  }
  expect(mapSgAs(m.domain, 0x100_0000n, sg, rw, semantics)).toEqual(plan);
  const leaves = everyLeaf(m).reduce((sum, { leaf }) => sum + leaf.size, 0n);
  expect(leaves).toBe(plan.mappedBytes);
  expect(plan.mappedBytes - plan.askedBytes).toBe(plan.overMapped);
  return Number(plan.overMapped);
}

const WHOLE_4K: Entry[] = [[0x9000, 0x1000]];
const WHOLE_64K: Entry[] = [[0x9_0000, 0x1_0000]];
const HALVES: Entry[] = [
  [0x9000, 0x800],
  [0x9800, 0x800],
];
const PART: Entry[] = [[0x9_1000, 0x2000]];
const FOUR: Entry[] = [
  [0x4000, 0x1000],
  [0x5000, 0x1000],
  [0x6000, 0x1000],
  [0x7000, 0x1000],
];

/** Over-mapped bytes, or the entries that fail: exact, per-entry, page-align. */
test.each<[string, string, string, Entry[], unknown, unknown, unknown]>([
  ['a page', '4K', '4K', WHOLE_4K, 0, 0, 0],
  ['a 64K page', '64K', '4K', WHOLE_64K, 0, 0, 0],
  ['a 64K page', '64K', '16K', WHOLE_64K, 0, 0, 0],
  ['a 64K page', '64K', '64K', WHOLE_64K, 0, 0, 0],
  ['two halves that join', '4K', '4K', HALVES, 0, [0, 1], 0x1000],
  ['two halves that join', '64K', '4K', HALVES, 0, [0, 1], 0x1_f000],
  ['a part of a 64K page', '64K', '4K', PART, 0, 0, 0xe000],
  ['a part of a 64K page', '64K', '16K', PART, [0], [0], 0xe000],
  ['a part of a 64K page', '4K', '4K', PART, 0, 0, 0],
  ['a page', '4K', '16K', WHOLE_4K, [0], [0], [0]],
  ['a page', '4K', '64K', WHOLE_4K, [0], [0], [0]],
  ['a page', '16K', '64K', [[0x4000, 0x4000]], [0], [0], [0]],
  ['four pages that join', '4K', '16K', FOUR, 0, [0, 1, 2, 3], [0, 1, 2, 3]],
  ['four pages that join', '16K', '16K', FOUR, 0, [0, 1, 2, 3], 0xc000],
  [
    'an empty entry',
    '4K',
    '4K',
    [
      [0x9000, 0],
      [0x2000, 0x1000],
    ],
    0,
    0,
    0,
  ],
])('%s: CPU %s, IOMMU %s', (_, cpu, iommu, entries, exact, perEntry, pageAlign) => {
  expect(outcome(cpu, iommu, entries, 'exact')).toEqual(exact);
  expect(outcome(cpu, iommu, entries, 'per-entry')).toEqual(perEntry);
  expect(outcome(cpu, iommu, entries, 'page-align')).toEqual(pageAlign);
});

describe('any list', () => {
  const entry = fc.record({
    page: fc.nat({ max: 30 }),
    offset: fc.constantFrom(0, 0, 0x1000, 0x800),
    length: fc.constantFrom(0x1000, 0x2000, 0x4000, 0x800, 0),
  });
  const sizes = fc.constantFrom('4K', '16K', '64K');
  test.each<SgSemantics>(['exact', 'per-entry', 'page-align'])(
    '%s: what is planned is what the walker sees, or nothing',
    (semantics) => {
      fc.assert(
        fc.property(fc.array(entry, { minLength: 1, maxLength: 6 }), sizes, sizes, (entries, cpu, iommu) => {
          const cpuPageSize = BYTES[cpu]!;
          const sg = Scatterlist.from(
            entries.map(({ page, offset, length }) => ({ page: BigInt(page * cpuPageSize), offset, length })),
            { cpuPageSize },
          );
          const m = machine(arm64LpaeS1, { pgsizeBitmap: BITMAPS[iommu]!, ias: 30, oas: 48 });
          const plan = planSg(sg, semantics, BigInt(BYTES[iommu]!));
          let failed = false;
          try {
            mapSgAs(m.domain, 0n, sg, rw, semantics);
          } catch {
            failed = true;
          }
          expect(failed).toBe(plan.refusals.length > 0);
          const seen = everyLeaf(m).reduce((sum, { leaf }) => sum + leaf.size, 0n);
          expect(seen).toBe(failed ? 0n : plan.askedBytes + plan.overMapped);
          if (failed) return;
          for (const { offset, phys, length } of plan.pieces) {
            expect([paOf(m.walker, offset), paOf(m.walker, offset + length - 1n)]).toEqual([
              phys,
              phys + length - 1n,
            ]);
          }
        }),
        { numRuns: 150 },
      );
    },
  );
});

test('a failure half way leaves what was there, and names the entry', () => {
  const m = machine(arm64LpaeS1, { pgsizeBitmap: SIZES_4K, ias: 39, oas: 48 });
  m.domain.map(0x2000n, 0x5_0000n, 0x1000n, rw);
  const sg = Scatterlist.from([0, 1, 2].map((i) => ({ phys: BigInt(0x9000 + i * 0x2000), length: 0x1000 })));
  expect(() => mapSgAs(m.domain, 0n, sg, rw, 'per-entry')).toThrow(
    /^EEXIST: entry 2: IOVA 0x2000 is mapped already/,
  );
  expect(everyLeaf(m).map(({ ia }) => ia)).toEqual([0x2000n]);
});

test('semantics that there are none are refused by name', () => {
  expect(() => planSg(new Scatterlist(), 'nearly' as SgSemantics, 0x1000n)).toThrow(
    /semantics must be one of exact, per-entry, page-align/,
  );
});
