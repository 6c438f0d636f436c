/**
 * The self-test matrix of Linux's io-pgtable: page-size sets by input and output sizes by stage; every step is checked by
 * iovaToPhys and by the walker. (Linux: drivers/iommu/io-pgtable-arm.c, arm_lpae_do_selftests.)
 */
import { describe, expect, test } from 'vitest';
import {
  arm32LpaeS1,
  arm32LpaeS2,
  arm64LpaeS1,
  arm64LpaeS2,
  type FormatModule,
} from '../../formats/index.ts';
import { sizesOf } from '../../src/pagetable/page-size.ts';
import { everyLeaf, machine, reachableFrames, translate } from '../support/machine.ts';

const KIB = 1n << 10n;
const MIB = 1n << 20n;
const GIB = 1n << 30n;

const PAGE_SIZES: [string, bigint][] = [
  ['4K|2M|1G', (4n * KIB) | (2n * MIB) | GIB],
  ['16K|32M', (16n * KIB) | (32n * MIB)],
  ['64K|512M', (64n * KIB) | (512n * MIB)],
];
const ADDRESS_SIZES = [32, 36, 40, 42, 44, 48];

const matrix = PAGE_SIZES.flatMap(([sizes, pgsizeBitmap]) =>
  ADDRESS_SIZES.flatMap((ias) =>
    ADDRESS_SIZES.filter((oas) => ias <= oas).flatMap((oas) =>
      [arm64LpaeS1, arm64LpaeS2, arm32LpaeS1, arm32LpaeS2].map((format) => ({
        format,
        sizes,
        pgsizeBitmap,
        ias,
        oas,
      })),
    ),
  ),
);

/** What a 32-bit regime has: 4K pages, inputs up to 32 bits (stage 2: 40), outputs up to 40. */
function exists({
  format,
  sizes,
  ias,
  oas,
}: {
  format: FormatModule;
  sizes: string;
  ias: number;
  oas: number;
}) {
  if (format.name.startsWith('arm_64')) return true;
  return sizes === '4K|2M|1G' && ias <= (format.stage === 1 ? 32 : 40) && oas <= 40;
}

const ok = matrix
  .filter(exists)
  .map((row) => ({ ...row, title: `${row.format.name} ${row.sizes} ias ${row.ias} oas ${row.oas}` }));

test('is as large as Linux’s for the 64-bit formats', () => {
  expect(ok.filter(({ format }) => format.name.startsWith('arm_64')).length).toBe(126);
  expect(ok.length).toBe(126 + 3 + 6);
});

const rwxc = { read: true, write: true, noexec: true, cache: true };

describe.each(ok)('$title', ({ format, pgsizeBitmap, ias, oas }) => {
  const sizes = sizesOf(pgsizeBitmap).map((log2) => 1n << BigInt(log2));
  const make = () => machine(format, { pgsizeBitmap, ias, oas });

  test('translates nothing while it is empty', () => {
    const m = make();
    for (const iova of [42n, GIB + 42n, 2n * GIB + 42n]) expect(translate(m, iova)).toBeNull();
    expect(everyLeaf(m)).toEqual([]);
  });

  test('maps each page size at places of their own, refuses to map over them, unmaps and maps anew', () => {
    const m = make();
    const { domain } = m;
    for (const [i, size] of sizes.entries()) {
      const iova = BigInt(i) * GIB;
      domain.map(iova, iova, size, rwxc);
      expect(() => domain.map(iova, iova + size, size, { read: true, noexec: true })).toThrow(/^EEXIST/);
      expect(translate(m, iova + 42n)).toBe(iova + 42n);
      expect(translate(m, iova + size)).toBeNull();
    }
    expect(everyLeaf(m).map(({ leaf }) => leaf.size)).toEqual(sizes);
    for (const [i, size] of sizes.entries()) {
      const iova = BigInt(i) * GIB;
      expect(domain.unmap(iova, size)).toBe(size);
      expect(translate(m, iova + 42n)).toBeNull();
      domain.map(iova, iova, size, { write: true });
      expect(translate(m, iova + 42n)).toBe(iova + 42n);
      expect(domain.unmap(iova, size)).toBe(size);
    }
    expect(everyLeaf(m)).toEqual([]);
  });

  test('maps the last largest page of the input space, and unmaps it', () => {
    const m = make();
    const size = sizes.at(-1)!;
    const iova = (1n << BigInt(ias)) - size;
    m.domain.map(iova, iova, size, rwxc);
    for (const at of [iova, iova + 42n, iova + size - 1n]) expect(translate(m, at)).toBe(at);
    expect(translate(m, iova - 1n)).toBeNull();
    expect(everyLeaf(m).map(({ ia, leaf }) => [ia, leaf.size])).toEqual([[iova, size]]);
    expect(m.domain.unmap(iova, size)).toBe(size);
    expect(translate(m, iova + 42n)).toBeNull();
    m.domain.reclaim();
    expect(m.allocator.allocated()).toEqual(reachableFrames(m.domain));
    expect(m.allocator.frameCount).toBe(1);
  });
});
