/** Which requests a format accepts, what it narrows them to, and what it says when it refuses. */
import { describe, expect, test } from 'vitest';
import {
  arm32LpaeS1,
  arm32LpaeS2,
  arm64LpaeS1,
  arm64LpaeS2,
  type FormatModule,
  type FormatRequest,
  formatNamed,
  formats,
} from '../../formats/index.ts';
import { FormatError, IommuError } from '../../src/index.ts';

const request = (changes: Partial<FormatRequest> = {}): FormatRequest => ({
  pgsizeBitmap: 0x4020_1000n,
  ias: 48,
  oas: 48,
  ...changes,
});
const KIB = 1024n;
/** 4K, 16K, 64K, 2M, 32M, 512M and 1G: a system that offers everything. */
const EVERYTHING = 0x6221_5000n;

test('formats are found by the names that Linux has for them', () => {
  expect(formats.map(({ name, stage }) => [name, stage])).toEqual(
    expect.arrayContaining([
      ['arm_64_lpae_s1', 1],
      ['arm_64_lpae_s2', 2],
      ['arm_32_lpae_s1', 1],
      ['arm_32_lpae_s2', 2],
    ]),
  );
  expect(formatNamed('arm_64_lpae_s2')).toBe(arm64LpaeS2);
  expect(formatNamed('x86_64')).toBeUndefined();
  expect(new Set(formats.map(({ name }) => name)).size).toBe(formats.length);
});

describe('page sizes are narrowed to one granule', () => {
  test.each<[string, bigint, bigint | undefined, number, bigint]>([
    ['all, on a 4K CPU', EVERYTHING, 4n * KIB, 12, 0x4020_1000n],
    ['all, on a 16K CPU', EVERYTHING, 16n * KIB, 14, 0x0200_4000n],
    ['all, on a 64K CPU', EVERYTHING, 64n * KIB, 16, 0x2001_0000n],
    ['all, on a CPU that is not named', EVERYTHING, undefined, 12, 0x4020_1000n],
    ['4K and 64K, on a 16K CPU: the largest smaller one', 0x2021_1000n, 16n * KIB, 12, 0x20_1000n],
    ['4K and 16K, on a 64K CPU: the largest smaller one', 0x0220_5000n, 64n * KIB, 14, 0x0200_4000n],
    ['16K and 64K, on a 4K CPU: the smallest larger one', 0x2201_4000n, 4n * KIB, 14, 0x0200_4000n],
    ['64K alone, on a 4K CPU', 0x2001_0000n, 4n * KIB, 16, 0x2001_0000n],
    ['4K pages without blocks', 0x1000n, 4n * KIB, 12, 0x1000n],
    ['4K with the blocks of others', 0x2200_1000n, 4n * KIB, 12, 0x1000n],
  ])('%s', (_, pgsizeBitmap, cpuPageSize, granuleLog2, narrowed) => {
    for (const format of [arm64LpaeS1, arm64LpaeS2]) {
      const made = format.configure(request({ pgsizeBitmap, ...(cpuPageSize ? { cpuPageSize } : {}) }));
      expect([made.granuleLog2, made.pgsizeBitmap]).toEqual([granuleLog2, narrowed]);
    }
  });

  test.each<[string, bigint, number | bigint, number, bigint]>([
    ['4K on a 64K CPU', EVERYTHING, 0x1000, 12, 0x4020_1000n],
    ['16K as a bigint', EVERYTHING, 0x4000n, 14, 0x0200_4000n],
    ['64K', EVERYTHING, 0x1_0000, 16, 0x2001_0000n],
  ])('a granule that is asked for: %s', (_, pgsizeBitmap, granule, granuleLog2, narrowed) => {
    for (const format of [arm64LpaeS1, arm64LpaeS2]) {
      const made = format.configure(request({ pgsizeBitmap, cpuPageSize: 0x1_0000, granule }));
      expect([made.granuleLog2, made.pgsizeBitmap]).toEqual([granuleLog2, narrowed]);
    }
  });

  test('blocks of 4 TiB need the 64K granule, an output above 48 bits, and to be offered', () => {
    const sizes = (pgsizeBitmap: bigint, oas: number) =>
      arm64LpaeS1.configure(request({ pgsizeBitmap, oas })).pgsizeBitmap;
    expect(sizes(0x400_2001_0000n, 52)).toBe(0x400_2001_0000n);
    expect(sizes(0x400_2001_0000n, 48)).toBe(0x2001_0000n);
    expect(sizes(0x2001_0000n, 52)).toBe(0x2001_0000n);
    expect(sizes(0x400_4020_1000n, 52)).toBe(0x4020_1000n);
  });

  test('the 32-bit formats have 4K, 2M and 1G, whatever is offered', () => {
    for (const format of [arm32LpaeS1, arm32LpaeS2]) {
      const made = format.configure({ pgsizeBitmap: EVERYTHING, ias: 32, oas: 40 });
      expect(made.pgsizeBitmap).toBe(0x4020_1000n);
    }
  });
});

describe('address sizes', () => {
  test.each<[FormatModule, bigint, number, number, number, number]>([
    [arm64LpaeS1, 0x1000n, 64, 64, 48, 48],
    [arm64LpaeS1, 0x4000n, 52, 52, 48, 48],
    [arm64LpaeS1, 0x1_0000n, 64, 64, 52, 52],
    [arm64LpaeS2, 0x1_0000n, 49, 52, 49, 52],
    [arm64LpaeS2, 0x1000n, 49, 49, 48, 48],
    [arm32LpaeS1, 0x1000n, 32, 40, 32, 40],
    [arm32LpaeS2, 0x1000n, 40, 36, 40, 36],
  ])('%s %# ias %i oas %i become %i and %i', (format, pgsizeBitmap, ias, oas, iasLeft, oasLeft) => {
    const made = format.configure({ pgsizeBitmap, ias, oas });
    expect([made.ias, made.oas]).toEqual([iasLeft, oasLeft]);
  });

  test('output sizes are those that the registers can say', () => {
    const accepted = (pgsizeBitmap: bigint) =>
      Array.from({ length: 65 }, (_, oas) => oas).filter((oas) => {
        try {
          arm64LpaeS1.configure(request({ pgsizeBitmap, oas }));
          return true;
        } catch {
          return false;
        }
      });
    const capped = Array.from({ length: 16 }, (_, i) => 49 + i);
    expect(accepted(0x1000n)).toEqual([32, 36, 40, 42, 44, 48, ...capped]);
    expect(accepted(0x1_0000n)).toEqual([32, 36, 40, 42, 44, 48, ...capped.slice(3)]);
  });

  test('with arm_ttbr1 the first IOVA is the lowest of the upper half', () => {
    const first = (ias: number, quirks: FormatRequest['quirks'] = ['arm_ttbr1']) =>
      arm64LpaeS1.configure(request({ ias, quirks: quirks! })).firstIova;
    expect(first(48)).toBe(0xffff_0000_0000_0000n);
    expect(first(39)).toBe(0xffff_ff80_0000_0000n);
    expect(first(48, [])).toBe(0n);
  });
});

/** Format, request, and words of the message: what is wrong and what would be accepted. */
describe('refused', () => {
  test.each<[string, FormatModule, Partial<FormatRequest>, RegExp[]]>([
    ['no page size', arm64LpaeS1, { pgsizeBitmap: 0n }, [/no granule/, /0x1000, 0x4000 and 0x10000/]],
    ['block sizes alone', arm64LpaeS1, { pgsizeBitmap: 0x4020_0000n }, [/granule of 0x200000/, /0x1000/]],
    ['a granule of 8K', arm64LpaeS2, { pgsizeBitmap: 0x2000n }, [/granule of 0x2000/]],
    ['a smaller granule than any', arm64LpaeS1, { pgsizeBitmap: 0x800n }, [/granule of 0x800/]],
    ['16K for AArch32', arm32LpaeS1, { pgsizeBitmap: 0x4000n, ias: 32, oas: 40 }, [/granule/]],
    ['an output of 41 bits', arm64LpaeS1, { oas: 41 }, [/oas 41/, /32, 36, 40, 42, 44, 48, 52/]],
    ['an output of 31 bits', arm64LpaeS2, { oas: 31 }, [/oas 31/]],
    ['an output of 50 bits with 64K', arm64LpaeS1, { pgsizeBitmap: 0x1_0000n, oas: 50 }, [/oas 50/]],
    ['an input of one page', arm64LpaeS1, { ias: 12 }, [/ias 12/, /page of 2\^12/]],
    ['an input of less than a page', arm64LpaeS2, { pgsizeBitmap: 0x1_0000n, ias: 15 }, [/ias 15/]],
    [
      '33 bits of input for AArch32',
      arm32LpaeS1,
      { ias: 33, oas: 40 },
      [/at most 32 bits of input/, /ias 33/],
    ],
    ['48 bits of output for AArch32', arm32LpaeS1, { ias: 32, oas: 48 }, [/at most 40 bits of output/]],
    ['41 bits of IPA for AArch32', arm32LpaeS2, { ias: 41, oas: 40 }, [/at most 40 bits of input/]],
    [
      'a quirk at stage 2',
      arm64LpaeS2,
      { quirks: ['arm_ns'] },
      [/no quirk arm_ns; it knows arm_s2fwb, no_warn$/],
    ],
    [
      'arm_ttbr1 at stage 2',
      arm32LpaeS2,
      { ias: 32, oas: 40, quirks: ['arm_ttbr1'] },
      [/no quirk arm_ttbr1/],
    ],
    [
      'a quirk of another format',
      arm64LpaeS1,
      { quirks: ['no_perms'] },
      [/no quirk no_perms; it knows arm_ns/],
    ],
    ['an unknown quirk', arm64LpaeS1, { quirks: ['fast' as never] }, [/no quirk fast/]],
    ['arm_outer_wbwa, coherent', arm64LpaeS1, { quirks: ['arm_outer_wbwa'] }, [/needs coherentWalk: false/]],
    ['sizes as a number', arm64LpaeS1, { pgsizeBitmap: 4096 as never }, [/pgsizeBitmap must be a bigint/]],
    ['negative sizes', arm64LpaeS1, { pgsizeBitmap: -4096n }, [/pgsizeBitmap/]],
    ['sizes of 65 bits', arm64LpaeS1, { pgsizeBitmap: (1n << 64n) | 0x1000n }, [/at most 64 bits/]],
    ['a fraction of a bit', arm64LpaeS1, { ias: 47.5 }, [/ias must be a whole number/]],
    ['no number', arm64LpaeS1, { oas: Number.NaN }, [/oas must be a whole number/]],
    ['bits as a bigint', arm64LpaeS1, { ias: 48n as never }, [/ias must be a whole number/]],
    ['65 bits', arm64LpaeS1, { ias: 65 }, [/ias must be a whole number of bits from 0 to 64, not 65/]],
    [
      'a CPU page that is no power of two',
      arm64LpaeS1,
      { cpuPageSize: 12288n },
      [/cpuPageSize.*power of two/],
    ],
    ['a CPU page of 0', arm64LpaeS1, { cpuPageSize: 0n }, [/cpuPageSize/]],
    [
      'a granule that is not offered',
      arm64LpaeS1,
      { pgsizeBitmap: 0x4020_1000n, granule: 0x4000 },
      [/granule 0x4000 is not among the page sizes 0x40201000/],
    ],
    [
      'a block as a granule',
      arm64LpaeS1,
      { pgsizeBitmap: 0x4020_1000n, granule: 0x20_0000 },
      [/0x200000/, /granules of 0x1000, 0x4000 and 0x10000/],
    ],
    [
      'a granule that is no power of two',
      arm64LpaeS1,
      { granule: 0x3000 },
      [/granule must be a power of two/],
    ],
    [
      'a granule where there is one',
      formatNamed('arm_mali_lpae')!,
      { ias: 32, oas: 32, granule: 0x1000 },
      [/no option granule/],
    ],
    [
      'a CPU page that is no power of two',
      arm64LpaeS1,
      { cpuPageSize: 12288 },
      [/cpuPageSize must be a power of two, not 12288/],
    ],
    [
      'a CPU page as a string',
      arm64LpaeS1,
      { cpuPageSize: '4096' as never },
      [/cpuPageSize must be a power of two/],
    ],
    [
      'not an option',
      arm64LpaeS1,
      { coherent_walk: false } as never,
      [/no option coherent_walk; options are .*coherentWalk/],
    ],
  ])('%s', (_, format, changes, messages) => {
    const configure = () => format.configure(request(changes));
    expect(configure).toThrow(FormatError);
    expect(configure).toThrow(expect.objectContaining({ code: 'EINVAL', errno: -22 }));
    expect(configure).toThrow(IommuError);
    for (const message of messages) expect(configure).toThrow(message);
  });
});
