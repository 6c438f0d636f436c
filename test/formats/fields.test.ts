/** The declared fields of every format: each table tiles its word exactly once, and encoding round-trips through it. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TableFormat } from '../../formats/index.ts';
import { fieldMask } from '../../src/descriptor/field.ts';
import {
  type DescriptorLayout,
  decode,
  decodeAddress,
  encode,
  type Field,
  matches,
} from '../../src/descriptor/index.ts';
import { configs } from '../support/configs.ts';

type Kind = DescriptorLayout['kind'];
const WORD = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });

/** One configured format per granule and features: the fields depend on nothing else. */
const OTHER_FIELDS = ['s1pie', 's1poe', 's2pie', 'aie', 'haft'] as const;
const formats = new Map<string, TableFormat>();
for (const { format, options } of configs) {
  const width = options.quirks?.includes('arm_mtk_ext') ? { ias: 32, oas: 32 } : {};
  const made = format.configure({ ...options, ...width, quirks: [] });
  const lpa2 = made.features?.includes('lpa2') ? ', LPA2' : '';
  const more = OTHER_FIELDS.filter((one) => made.features?.includes(one)).map((one) => ` ${one}`);
  formats.set(`${made.name}, ${2 ** (made.granuleLog2 - 10)}K${lpa2}${more.join('')}`, made);
  if (options.quirks?.includes('arm_mtk_ext')) {
    formats.set('arm_v7s, MediaTek', format.configure({ ...options, quirks: ['no_perms', 'arm_mtk_ext'] }));
  }
}

/** Which kinds of descriptor a level has: blocks where the granule has a block of that size (DDI 0487 table D8-47). */
/** With LPA2 there are blocks one level higher. */
const LPA2_BLOCK_LEVEL: Record<number, number> = { 12: 0, 14: 1 };
const BLOCK_LEVELS: Record<number, number[]> = { 12: [1, 2], 14: [2], 16: [1, 2] };
const SHORT: readonly [Kind, number, boolean?][] = [
  ['table', 1],
  ['block', 1],
  ['block', 1, true],
  ['page', 2],
  ['page', 2, true],
  ['invalid', 1],
  ['invalid', 2],
];
const short = [...formats]
  .filter(([, format]) => format.name === 'arm_v7s')
  .flatMap(([name, format]) =>
    SHORT.map(([kind, level, run = false]) => ({
      name: `${name} level ${level} ${run ? 'run ' : ''}${kind}`,
      kind,
      level,
      run,
      format,
    })),
  );
/** Entries of RISC-V's 64K ranges have fields of their own. */
const napot = [...formats]
  .filter(([, format]) => format.name === 'riscv_64')
  .map(([name, format]) => ({
    name: `${name} level 3 run page`,
    kind: 'page' as const,
    level: 3,
    run: true,
    format,
  }));
const long = [...formats].filter(([, format]) => format.name !== 'arm_v7s');
const layouts = long.flatMap(([name, format]) =>
  [...(name.endsWith('LPA2') ? [-1] : []), 0, 1, 2, 3].flatMap((level) => {
    // Sv48 has blocks at every level above the last.
    const more =
      (name.endsWith('LPA2') && level === LPA2_BLOCK_LEVEL[format.granuleLog2]) ||
      (format.name === 'riscv_64' && level === 0);
    const block = more || BLOCK_LEVELS[format.granuleLog2]!.includes(level);
    const kinds: Kind[] =
      level === 3 ? ['page', 'invalid'] : ['table', ...(block ? ['block' as const] : []), 'invalid'];
    return kinds.map((kind) => ({ name: `${name} level ${level} ${kind}`, kind, level, run: false, format }));
  }),
);

const named = (layout: DescriptorLayout) =>
  layout.fields.filter((f) => ['field', 'software'].includes(f.kind));
const bits = (field: Field) => Array.from({ length: field.high - field.low + 1 }, (_, i) => field.low + i);

describe.each([...layouts, ...short, ...napot])('$name', ({ kind, level, run, format }) => {
  const layout = format.layout(kind, level, run);
  const free = named(layout).filter((f) => f.fixed === undefined && f.address === undefined);

  test('covers every bit exactly once, from the top down', () => {
    expect(layout.kind).toBe(kind);
    expect(layout.fields.flatMap(bits).sort((a, b) => a - b)).toEqual(
      Array.from({ length: layout.width }, (_, bit) => bit),
    );
    const lows = layout.fields.map((f) => f.low);
    expect(lows).toEqual([...lows].sort((a, b) => b - a));
  });

  test('names each field once, says what it is, and where it stands', () => {
    const names = named(layout).map((f) => f.name);
    expect(new Set(names).size).toBe(names.length);
    expect(
      layout.fields.filter(
        (f) => f.meaning === '' || !/^((DDI|IHI) \d{4}|Linux io-pgtable|RISC-V Privileged)/.test(f.reference),
      ),
    ).toEqual([]);
    expect(layout.title).toMatch(new RegExp(`stage ${format.stage} level ${level} ${kind}`));
  });

  test('gives names to values that the field can hold', () => {
    for (const field of layout.fields) {
      for (const value of Object.keys(field.values ?? {})) {
        expect(BigInt(value) << BigInt(field.low)).toBeLessThanOrEqual(fieldMask(field));
      }
    }
  });

  test('decodes what it encodes, field by field', () => {
    const values = fc.record(
      Object.fromEntries(
        free.map((f) => [f.name, fc.bigInt({ min: 0n, max: fieldMask(f) >> BigInt(f.low) })]),
      ),
    );
    fc.assert(
      fc.property(values, (given) => {
        const word = encode(layout, given);
        const decoded = decode(layout, word);
        for (const f of free) expect(decoded.find((d) => d.field === f)!.value).toBe(given[f.name]);
        expect(decoded.filter((d) => d.problem)).toEqual([]);
        expect(matches(layout, word)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  test('reports every RES0 bit that is set, and no other', () => {
    const clean = encode(layout, {});
    for (let bit = 0; bit < layout.width; bit++) {
      const { kind: fieldKind, fixed } = layout.fields.find((f) => bit <= f.high && bit >= f.low)!;
      if (fixed !== undefined) continue;
      const problems = decode(layout, clean ^ (1n << BigInt(bit))).filter((d) => d.problem);
      expect([bit, problems.length]).toEqual([bit, fieldKind === 'res0' || fieldKind === 'res1' ? 1 : 0]);
    }
  });
});

/** By format and granule: lowest and highest output address bit of a page and a next-table address. */
const ADDRESS_BITS: Record<string, [number, number]> = {
  'arm_64_lpae_s1, 4K': [12, 47],
  'arm_64_lpae_s1, 16K': [14, 47],
  'arm_64_lpae_s1, 64K': [16, 51],
  'arm_64_lpae_s2, 4K': [12, 47],
  'arm_64_lpae_s2, 16K': [14, 47],
  'arm_64_lpae_s2, 64K': [16, 51],
  'arm_32_lpae_s1, 4K': [12, 39],
  'arm_32_lpae_s2, 4K': [12, 39],
  'arm_mali_lpae, 4K': [12, 47],
  'riscv_64, 4K': [12, 55],
  'arm_64_lpae_s1, 4K, LPA2': [12, 51],
  'arm_64_lpae_s1, 16K, LPA2': [14, 51],
  'arm_64_lpae_s2, 4K, LPA2': [12, 51],
  'arm_64_lpae_s2, 16K, LPA2': [14, 51],
};
/** Lowest output address bit of a leaf, by granule and level. */
const LEAF_LOW: Record<string, number> = {
  '12/1': 30,
  '12/2': 21,
  '12/3': 12,
  '14/2': 25,
  '14/3': 14,
  '16/1': 42,
  '16/2': 29,
  '16/3': 16,
};

describe.each(long)('%s', (name, format) => {
  // Features other than LPA2 move no address.
  const [pageLow, high] = ADDRESS_BITS[name.replace(/ (s[12]p|aie|haft).*/, '')]!;
  const cases: [Kind, number, number][] = [0, 1, 2].map((level) => ['table', level, pageLow]);
  for (const level of [1, 2, 3]) {
    const low = LEAF_LOW[`${format.granuleLog2}/${level}`];
    if (low !== undefined) cases.push([level === 3 ? 'page' : 'block', level, low]);
  }

  test.each(cases)('a %s at level %i carries address bits from %i on, and no others', (kind, level, low) => {
    const layout = format.layout(kind, level);
    for (let bit = 0; bit < 64; bit++) {
      const address = 1n << BigInt(bit);
      if (bit < low || bit > high) expect(() => encode(layout, {}, address)).toThrow(/can't carry/);
      else expect(decodeAddress(layout, encode(layout, {}, address))).toBe(address);
    }
  });

  test.each(cases)('the address of a %s at level %i survives any attributes', (kind, level, low) => {
    const layout = format.layout(kind, level);
    const mask = ((1n << BigInt(high + 1)) - 1n) & ~((1n << BigInt(low)) - 1n);
    const addressBits = layout.fields
      .filter((f) => f.address !== undefined)
      .reduce((m, f) => m | fieldMask(f), 0n);
    fc.assert(
      fc.property(WORD, WORD, (attributes, anyAddress) => {
        const address = anyAddress & mask;
        const word = (attributes & ~addressBits) | (encode(layout, {}, address) & addressBits);
        expect(decodeAddress(layout, word)).toBe(address);
      }),
    );
  });

  test('a word is of one kind at most at any level', () => {
    fc.assert(
      fc.property(WORD, fc.constantFrom(0, 1, 2, 3), (word, level) => {
        const kinds = layouts.filter((l) => l.format === format && l.level === level);
        const matching = kinds.filter((l) => matches(format.layout(l.kind, level), word)).map((l) => l.kind);
        const valid = (word & 1n) === 1n;
        const typeBit = (word & 2n) === 2n;
        const mali = format.name === 'arm_mali_lpae';
        const leaf = mali && level === 3 ? 'page' : 'block';
        // A Mali page is of the type that blocks have elsewhere, and a table nowhere at the last level.
        const upper = level === 3 ? (mali ? 'none' : 'page') : 'table';
        const arm = !valid ? 'invalid' : typeBit ? upper : leaf;
        const wanted = format.name === 'riscv_64' ? riscvKind(word, level) : arm;
        expect(matching).toEqual(kinds.some((l) => l.kind === wanted) ? [wanted] : []);
      }),
    );
  });
});

/** XWR of 0 is a pointer, R a leaf; without R it is nothing that a driver writes. N at the last level is a run's. */
function riscvKind(word: bigint, level: number): Kind | 'none' {
  if (!(word & 1n)) return 'invalid';
  if (!(word & 0b1110n)) return 'table';
  if (!(word & 0b10n)) return 'none';
  return level < 3 ? 'block' : word >> 63n ? 'none' : 'page';
}

/** OA[51:48] in bits [15:12] (DDI 0487 D8.3.1, FEAT_LPA), as literal words. */
test.each<[string, Kind, number, bigint, bigint]>([
  ['arm_64_lpae_s1, 64K', 'page', 3, 0x000f_ffff_ffff_0000n, 0x0000_ffff_ffff_f003n],
  ['arm_64_lpae_s1, 64K', 'page', 3, 0x0008_0000_0001_0000n, 0x0000_0000_0001_8003n],
  ['arm_64_lpae_s2, 64K', 'block', 2, 0x0001_0000_2000_0000n, 0x0000_0000_2000_1001n],
  ['arm_64_lpae_s1, 64K', 'block', 1, 0x000f_fc00_0000_0000n, 0x0000_fc00_0000_f001n],
  ['arm_64_lpae_s2, 64K', 'table', 1, 0x0005_0000_8000_0000n, 0x0000_0000_8000_5003n],
  ['arm_64_lpae_s1, 16K', 'block', 2, 0x0000_8000_0200_0000n, 0x0000_8000_0200_0001n],
  ['arm_64_lpae_s1, 4K', 'block', 1, 0x0000_ffff_c000_0000n, 0x0000_ffff_c000_0001n],
  ['arm_32_lpae_s1, 4K', 'page', 3, 0x0000_00ff_ffff_f000n, 0x0000_00ff_ffff_f003n],
  // OA[51:50] in bits [9:8] (FEAT_LPA2).
  ['arm_64_lpae_s1, 4K, LPA2', 'page', 3, 0x000f_ffff_ffff_f000n, 0x0003_ffff_ffff_f303n],
  ['arm_64_lpae_s2, 4K, LPA2', 'block', 0, 0x0008_0080_0000_0000n, 0x0000_0080_0000_0201n],
  ['arm_64_lpae_s1, 16K, LPA2', 'table', 0, 0x0004_8000_0000_4000n, 0x0000_8000_0000_4103n],
  ['arm_64_lpae_s2, 16K, LPA2', 'block', 1, 0x000d_0010_0000_0000n, 0x0001_0010_0000_0301n],
])('%s: a %s at level %i packs address %# as %#', (name, kind, level, address, word) => {
  const layout = formats.get(name)!.layout(kind, level);
  expect(encode(layout, {}, address)).toBe(word);
  expect(decodeAddress(layout, word)).toBe(address);
});
