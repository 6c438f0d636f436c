/** Page-size choice against references that are too simple to be wrong: one page at a time, the largest that fits. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { choosePageSize, isAligned, sizesOf } from '../../src/pagetable/page-size.ts';

/** The largest size that divides both addresses and fits in what is left. */
function largestFitting(sizes: readonly number[], ia: bigint, pa: bigint, left: bigint): number {
  return sizes.reduce((best, log2) => {
    const size = 1n << BigInt(log2);
    return size <= left && ia % size === 0n && pa % size === 0n ? log2 : best;
  });
}

/** Leaf sizes, one page at a time. */
function greedy(sizes: readonly number[], ia: bigint, pa: bigint, size: bigint): number[] {
  const leaves: number[] = [];
  for (let done = 0n; done < size; ) {
    const log2 = largestFitting(sizes, ia + done, pa + done, size - done);
    leaves.push(log2);
    done += 1n << BigInt(log2);
  }
  return leaves;
}

/** Leaf sizes by choosing once for each batch. */
function byChoice(sizes: readonly number[], ia: bigint, pa: bigint, size: bigint): number[] {
  const leaves: number[] = [];
  const choice = { sizeLog2: 0, count: 0 };
  for (let done = 0n; done < size; ) {
    choosePageSize(sizes, Number(ia + done), Number(pa + done), Number(size - done), choice);
    expect(choice.count).toBeGreaterThan(0);
    for (let i = 0; i < choice.count; i++) leaves.push(choice.sizeLog2);
    done += BigInt(choice.count) << BigInt(choice.sizeLog2);
    expect(done).toBeLessThanOrEqual(size);
  }
  return leaves;
}

describe('choosePageSize', () => {
  test('gives, batch by batch, the leaves that one page at a time gives', () => {
    // Sizes of a few bits, so that every combination of boundaries comes up in short ranges.
    const request = fc
      .uniqueArray(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 4 })
      .map((sizes) => [...sizes].sort((a, b) => a - b))
      .chain((sizes) => {
        const unit = 2 ** sizes[0]!;
        const pages = (max: number) => fc.nat({ max }).map((n) => BigInt(n * unit));
        const joined = fc.record({ ia: pages(1024), pa: pages(1024), size: pages(1500) });
        return joined.map((r) => ({ sizes, ...r, size: r.size + BigInt(unit) }));
      });
    fc.assert(
      fc.property(request, fc.boolean(), ({ sizes, ia, pa, size }, same) => {
        const target = same ? ia : pa;
        expect(byChoice(sizes, ia, target, size)).toEqual(greedy(sizes, ia, target, size));
      }),
      { numRuns: 1500 },
    );
  });

  test('does so at 52 bits with the sizes of every granule', () => {
    const sets = [
      [12, 21, 30],
      [14, 25],
      [16, 29, 42],
    ];
    const high = fc.bigInt({ min: 0n, max: (1n << 51n) - 1n });
    fc.assert(
      fc.property(
        fc.constantFrom(...sets),
        high,
        high,
        fc.integer({ min: 0, max: 2 }),
        fc.integer({ min: 1, max: 700 }),
        (sizes, anyIa, anyPa, congruent, pages) => {
          const page = 1n << BigInt(sizes[0]!);
          const large = 1n << BigInt(sizes[Math.min(congruent, sizes.length - 1)]!);
          // Some pages before a boundary of the larger size, at both addresses alike or not.
          const before = (BigInt(pages) * page) / 2n;
          const place = (any: bigint) => (any & ~(large - 1n)) + large - (before & ~(page - 1n));
          const [ia, pa, size] = [
            place(anyIa),
            congruent ? place(anyPa) : anyPa & ~(page - 1n),
            BigInt(pages) * page,
          ];
          expect(byChoice(sizes, ia, pa, size)).toEqual(greedy(sizes, ia, pa, size));
        },
      ),
      { numRuns: 300 },
    );
  });

  test.each<[string, [number, number, number], [number, number]]>([
    ['a page where the addresses disagree', [0x20_0000, 0x1000, 0x40_0000], [12, 1024]],
    ['pages up to the boundary that both reach', [0x1f_f000, 0x3f_f000, 0x20_1000], [12, 1]],
    ['pages to the end, where too little is left for a block', [0x1f_f000, 0x3f_f000, 0x20_0000], [12, 512]],
    ['a block', [0x20_0000, 0x40_0000, 0x20_0000], [21, 1]],
    ['blocks, and leaves the rest', [0x20_0000, 0x40_0000, 0x7f_f000], [21, 3]],
    ['blocks up to the next gigabyte', [0x3fe0_0000, 0x7fe0_0000, 0x4020_0000], [21, 1]],
    ['gigabytes', [0x4000_0000, 0x8000_0000, 0x8000_0000], [30, 2]],
    ['one page of the last bits', [2 ** 52 - 4096, 2 ** 52 - 4096, 4096], [12, 1]],
  ])('chooses %s', (_, [ia, pa, size], [sizeLog2, count]) => {
    const choice = { sizeLog2: 0, count: 0 };
    choosePageSize([12, 21, 30], ia, pa, size, choice);
    expect(choice).toEqual({ sizeLog2, count });
  });
});

test('isAligned is exact up to 53 bits', () => {
  expect(isAligned(2 ** 52, 52)).toBe(true);
  expect(isAligned(2 ** 52 + 1, 1)).toBe(false);
  expect(isAligned(0xf_ffff_ffff_f000, 12)).toBe(true);
  expect(isAligned(0xf_ffff_ffff_f800, 12)).toBe(false);
});

test('sizesOf lists log2 of the sizes in a bitmap, ascending', () => {
  expect(sizesOf(0n)).toEqual([]);
  expect(sizesOf(0x400_4020_1001n)).toEqual([0, 12, 21, 30, 42]);
});
