/** The cases that the project was founded on: CPU and IOMMU page sizes that differ, offsets, and addresses that fit nothing. */
import { describe, expect, test } from 'vitest';
import {
  arm32LpaeS1,
  arm32LpaeS2,
  arm64LpaeS1,
  arm64LpaeS2,
  type FormatModule,
} from '../../formats/index.ts';
import { Scatterlist, type SgEntry } from '../../src/index.ts';
import { SIZES_4K, SIZES_16K, SIZES_64K } from '../support/configs.ts';
import {
  everyLeaf,
  type Machine,
  machine,
  paOf,
  reachableFrames,
  translate,
  translations,
} from '../support/machine.ts';
import { refused } from '../support/refused.ts';

const rw = { read: true, write: true };
const IOVA = 0x1000_0000n;

function make(format: FormatModule, pgsizeBitmap: bigint): Machine {
  const small = format.name.startsWith('arm_32');
  return machine(format, { pgsizeBitmap, ias: small ? 32 : 44, oas: small ? 40 : 44 });
}

/** That the sg's bytes, one behind the other from `iova` on, are all that is mapped in the whole input space. */
function expectExactly(m: Machine, iova: bigint, sg: Scatterlist): void {
  const pages = everyLeaf(m).flatMap(({ ia, leaf }) =>
    Array.from({ length: Number(leaf.size >> 12n) }, (_, i) => [
      ia + BigInt(i * 4096),
      leaf.leafBase + BigInt(i * 4096),
    ]),
  );
  const want: bigint[][] = [];
  let at = iova;
  for (const { page, offset, length } of sg) {
    for (let done = 0n; done < length; done += 4096n) want.push([at + done, page + BigInt(offset) + done]);
    at += BigInt(length);
  }
  expect(pages).toEqual(want);
  for (const outside of [iova - 1n, iova + sg.byteLength]) expect(translate(m, outside)).toBeNull();
}

describe.each([arm64LpaeS1, arm64LpaeS2, arm32LpaeS1, arm32LpaeS2])(
  'a 4K IOMMU under a CPU with 64K pages: $name',
  (format) => {
    const cpu = { cpuPageSize: 0x1_0000 };

    test('maps whole CPU pages, and nothing before or behind them', () => {
      const m = make(format, SIZES_4K);
      const sg = Scatterlist.from(
        [
          { page: 0x1_0003_0000n, length: 0x1_0000 },
          { page: 0x1_0001_0000n, length: 0x2_0000 },
        ],
        cpu,
      );
      expect(m.domain.mapSg(IOVA, sg, rw)).toBe(0x3_0000n);
      expectExactly(m, IOVA, sg);
    });

    test('maps a part of a CPU page without the rest of that page', () => {
      const m = make(format, SIZES_4K);
      const sg = Scatterlist.from([{ page: 0x1_0003_0000n, offset: 0x3000, length: 0x2000 }], cpu);
      expect(m.domain.mapSg(IOVA, sg, rw)).toBe(0x2000n);
      expectExactly(m, IOVA, sg);
      const mapped = everyLeaf(m).map(({ leaf }) => leaf.leafBase);
      expect(mapped).toEqual([0x1_0003_3000n, 0x1_0003_4000n]);
    });

    test('maps the last IOMMU page of a CPU page and the first of the next', () => {
      const m = make(format, SIZES_4K);
      const sg = Scatterlist.from(
        [
          { page: 0x1_0003_0000n, offset: 0xf000, length: 0x1000 },
          { page: 0x1_0009_0000n, offset: 0, length: 0x1000 },
          { page: 0x1_0004_0000n, offset: 0x8000, length: 0x9000 },
        ],
        cpu,
      );
      expect(m.domain.mapSg(IOVA, sg, rw)).toBe(0xb000n);
      expectExactly(m, IOVA, sg);
    });

    test('takes an IOVA that is no CPU page', () => {
      const m = make(format, SIZES_4K);
      const sg = Scatterlist.from([{ page: 0x1_0003_0000n, length: 0x1_0000 }], cpu);
      m.domain.mapSg(IOVA + 0x7000n, sg, rw);
      expectExactly(m, IOVA + 0x7000n, sg);
    });

    test('refuses half an IOMMU page instead of rounding it up', () => {
      const m = make(format, SIZES_4K);
      const sg = Scatterlist.from([{ page: 0x1_0003_0000n, offset: 0, length: 0x1800 }], cpu);
      expect(refused(() => m.domain.mapSg(IOVA, sg, rw))).toMatchObject({
        code: 'EINVAL',
        operands: { entry: 0, alignment: 0x1000n },
      });
      expect(everyLeaf(m)).toEqual([]);
    });
  },
);

describe.each([
  [arm64LpaeS1, SIZES_64K, 0x1_0000n],
  [arm64LpaeS2, SIZES_64K, 0x1_0000n],
  [arm64LpaeS1, SIZES_16K, 0x4000n],
  [arm64LpaeS2, SIZES_16K, 0x4000n],
] as const)('an IOMMU with larger pages than the CPU: $name %#', (format, sizes, page) => {
  const base = 0x9_0000_0000n;

  test('refuses a 4K page, naming the entry, its address and the alignment that it needs', () => {
    const m = make(format, sizes);
    const sg = Scatterlist.from([
      { page: base, length: page },
      { page: base + 4n * page + 0x3000n, length: 0x1000 },
    ]);
    const problem = refused(() => m.domain.mapSg(IOVA, sg, rw));
    expect(problem).toMatchObject({
      code: 'EINVAL',
      errno: -22,
      operands: { entry: 1, pa: base + 4n * page + 0x3000n, alignment: page, iova: IOVA + page },
    });
    expect(problem.message).toContain('entry 1');
    expect(problem.message).toContain(`0x${(base + 4n * page + 0x3000n).toString(16)}`);
    expect(problem.message).toContain(`0x${page.toString(16)}`);
    expect(everyLeaf(m)).toEqual([]);
  });

  test('names the entry whose end is no page’s end, where its start is one', () => {
    const m = make(format, sizes);
    const sg = Scatterlist.from([
      { page: base, length: page },
      { page: base + page, length: 0x1000 },
      { page: 0n, length: page },
    ]);
    const problem = refused(() => m.domain.mapSg(IOVA, sg, rw));
    expect(problem).toMatchObject({
      code: 'EINVAL',
      operands: { entry: 1, pa: base + page, alignment: page },
    });
    expect(everyLeaf(m)).toEqual([]);
  });

  test('maps CPU pages that join to aligned runs', () => {
    const m = make(format, sizes);
    const cpuPages = (from: bigint): SgEntry[] =>
      Array.from({ length: Number(page / 0x1000n) }, (_, i) => ({
        page: from + BigInt(i) * 0x1000n,
        length: 0x1000,
      }));
    const sg = Scatterlist.from([...cpuPages(base + 3n * page), ...cpuPages(base + page)]);
    expect(m.domain.mapSg(IOVA, sg, rw)).toBe(2n * page);
    expectExactly(m, IOVA, sg);
  });

  test('maps two halves of one page, but not in the wrong order', () => {
    const m = make(format, sizes);
    const half = page / 2n;
    const halves: SgEntry[] = [
      { page: base, length: half },
      { page: base + half, length: half },
    ];
    expect(refused(() => m.domain.mapSg(IOVA, Scatterlist.from([...halves].reverse()), rw)).code).toBe(
      'EINVAL',
    );
    expect(m.domain.mapSg(IOVA, Scatterlist.from(halves), rw)).toBe(page);
    expect(translate(m, IOVA + page - 1n)).toBe(base + page - 1n);
    expect(translate(m, IOVA + page)).toBeNull();
  });

  test('refuses aligned memory at an IOVA that is aligned to the CPU’s pages only', () => {
    const m = make(format, sizes);
    const sg = Scatterlist.from([{ page: base, length: page }]);
    const problem = refused(() => m.domain.mapSg(IOVA + 0x1000n, sg, rw));
    expect(problem).toMatchObject({ code: 'EINVAL', operands: { iova: IOVA + 0x1000n, alignment: page } });
    expect(problem.message).toContain('IOVA 0x10001000');
    expect(everyLeaf(m)).toEqual([]);
  });
});

describe('an unaligned IOVA', () => {
  test.each([1n, 0x10n, 0x800n, 0xfffn, 0x1001n])('of %i bytes off is an error and no assertion', (off) => {
    const m = make(arm64LpaeS1, SIZES_4K);
    m.domain.map(IOVA, 0x5000n, 0x1000n, rw);
    const before = translations(m);
    const sg = Scatterlist.from([{ page: 0x9000n, length: 0x1000 }]);
    for (const act of [
      () => m.domain.map(IOVA + 0x1000n + off, 0x9000n, 0x1000n, rw),
      () => m.domain.mapSg(IOVA + 0x1000n + off, sg, rw),
      () => m.domain.mapSgByMap(IOVA + 0x1000n + off, sg, rw),
    ]) {
      expect(refused(act)).toMatchObject({ code: 'EINVAL', operands: { alignment: 0x1000n } });
      expect(refused(act).message).toContain(`IOVA 0x${(IOVA + 0x1000n + off).toString(16)}`);
    }
    expect(m.domain.unmap(IOVA + off, 0x1000n)).toBe(0n);
    expect(translations(m)).toEqual(before);
    expect(m.allocator.allocated()).toEqual(reachableFrames(m.domain));
  });
});

describe('an entry with an offset', () => {
  test('inside an IOMMU page is refused', () => {
    const m = make(arm64LpaeS1, SIZES_4K);
    const sg = Scatterlist.from([{ page: 0x9000n, offset: 0x200, length: 0x1000 }]);
    const problem = refused(() => m.domain.mapSg(IOVA, sg, rw));
    expect(problem).toMatchObject({
      code: 'EINVAL',
      operands: { entry: 0, pa: 0x9200n, alignment: 0x1000n },
    });
    expect(problem.message).toMatch(/page 0x9000, offset 0x200/);
  });

  test('that its neighbour completes to a page is mapped', () => {
    const m = make(arm64LpaeS1, SIZES_4K);
    const sg = Scatterlist.from([
      { page: 0x9000n, offset: 0, length: 0x200 },
      { page: 0x9000n, offset: 0x200, length: 0xe00 },
      { page: 0xa000n, offset: 0, length: 0x1000 },
    ]);
    expect(m.domain.mapSg(IOVA, sg, rw)).toBe(0x2000n);
    expect([IOVA, IOVA + 0x200n, IOVA + 0x1fffn].map((iova) => translate(m, iova))).toEqual([
      0x9000n,
      0x9200n,
      0xafffn,
    ]);
  });

  test('of whole pages counts from the page', () => {
    const m = make(arm64LpaeS1, SIZES_4K);
    m.domain.mapSg(IOVA, new Scatterlist().add(0x9000n, 0x3000, 0x1000), rw);
    expect(paOf(m.walker, IOVA)).toBe(0xc000n);
  });
});

describe('an empty entry', () => {
  test.each([0xa000n, 0x7000n, 0x800n, 0xfff_ffff_f800n])('maps nothing, wherever it lies: %#', (phys) => {
    const page = { phys: 0x9000n, length: 0x1000 };
    const empty = { phys, length: 0 };
    const next = { phys: 0xa000n, length: 0x1000 };
    for (const entries of [
      [empty, page, next],
      [page, empty, next],
      [page, next, empty],
    ]) {
      const m = make(arm64LpaeS1, SIZES_4K);
      expect(m.domain.mapSg(IOVA, Scatterlist.from(entries), rw)).toBe(0x2000n);
      expect(everyLeaf(m).map(({ leaf }) => leaf.leafBase)).toEqual([0x9000n, 0xa000n]);
    }
  });

  test('alone maps nothing, as an empty list does, and makes no table', () => {
    const m = make(arm64LpaeS1, SIZES_4K);
    for (const entries of [[], [{ phys: 0x9000n, length: 0 }]]) {
      const sg = Scatterlist.from(entries);
      expect([m.domain.mapSg(IOVA, sg, rw), m.domain.unmapSg(IOVA, sg)]).toEqual([0n, 0n]);
    }
    m.domain.map(IOVA, 0x9000n, 0n, rw);
    expect(m.allocator.frameCount).toBe(1);
  });
});
