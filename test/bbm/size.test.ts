/** Break-before-make of sizes: blocks, tables, contiguous runs, by FEAT_BBM level. (DDI 0487 D8.17.2; IHI 0070 3.21.1.2, 3.21.1.3.) */
import { describe, expect, test } from 'vitest';
import { bbm } from '../../src/bbm/index.ts';

const page = { stage: 1, level: 3, granuleLog2: 12 } as const;
const block = { stage: 1, level: 2, granuleLog2: 12 } as const;

const PAGE = 0x8000_0703n; // AF, SH 3, AttrIndx 0, AP 00, global
const BLOCK = 0x8000_0701n;
const TABLE = 0x4000_3003n;
const NT = 1n << 16n;
const CONTIGUOUS = 1n << 52n;
const READ_ONLY = 0x80n;

describe('the Contiguous bit', () => {
  test.each([
    [0, 'pe', false, false, 'DDI 0487 D8.17.2'],
    [1, 'pe', true, true, 'DDI 0487 D8.17.2'],
    [2, 'pe', true, true, 'DDI 0487 D8.17.2'],
    [0, 'smmu', false, false, 'IHI 0070 3.21.1.1'],
    [1, 'smmu', true, false, 'IHI 0070 3.21.1.2'],
    [2, 'smmu', true, false, 'IHI 0070 3.21.1.3'],
  ] as const)('level %i of a %s: legal %s, conflict %s', (bbml, machine, legal, conflict, section) => {
    const verdict = bbm(PAGE, PAGE | CONTIGUOUS, { ...page, bbml, machine });
    expect(verdict).toMatchObject({ legal, conflict, section, changes: ['contiguous'], invalidate: true });
  });
});

/** DDI 0487 D8.7.1: RES0 in the largest blocks, so that setting it changes no size. */
test.each([
  [12, 0, 0x80_0000_0401n],
  [14, 1, 0x10_0000_0401n],
  [16, 1, 0x400_0000_0701n],
] as const)(
  'the Contiguous bit of a granule of 2^%i at level %i means nothing',
  (granuleLog2, level, word) => {
    const context = { stage: 1, level, granuleLog2, oa52: true, bbml: 0 } as const;
    expect(bbm(word, word | CONTIGUOUS, context)).toMatchObject({ legal: true, changes: ['other'] });
    const next = { ...context, granuleLog2: 12, level: 1 } as const;
    expect(bbm(0x4000_0401n, 0x4000_0401n | CONTIGUOUS, next)).toMatchObject({ legal: false });
  },
);

describe('splitting a block and merging a table', () => {
  test.each([
    // level, machine, nT in the block: legal, conflict, section
    [0, 'pe', false, false, false, 'DDI 0487 D8.17.2'],
    [0, 'pe', true, false, false, 'DDI 0487 D8.17.2'],
    [1, 'pe', false, false, false, 'DDI 0487 D8.17.2'],
    [1, 'pe', true, true, true, 'DDI 0487 D8.17.2'],
    [2, 'pe', false, true, true, 'DDI 0487 D8.17.2'],
    [0, 'smmu', false, false, false, 'IHI 0070 3.21.1.1'],
    [1, 'smmu', false, false, false, 'IHI 0070 3.21.1.2'],
    [1, 'smmu', true, true, false, 'IHI 0070 3.21.1.2'],
    [2, 'smmu', false, true, false, 'IHI 0070 3.21.1.3'],
  ] as const)('level %i of a %s, nT %s: legal %s', (bbml, machine, nT, legal, conflict, section) => {
    const context = { ...block, bbml, machine };
    const leaf = nT ? BLOCK | NT : BLOCK;
    const expected = { legal, conflict, section, changes: ['size'], invalidate: true };
    expect(bbm(leaf, TABLE, context)).toMatchObject(expected);
    expect(bbm(TABLE, leaf, context)).toMatchObject(expected);
  });

  const pages = (edit: (word: bigint, i: number) => bigint) =>
    Array.from({ length: 512 }, (_, i) => edit(PAGE + BigInt(i) * 0x1000n, i));

  test.each([
    ['the same in pages', pages((word) => word), true, ['size']],
    [
      'in contiguous pages with fewer permissions',
      pages((word) => word | CONTIGUOUS | READ_ONLY),
      true,
      ['size'],
    ],
    ['with holes', pages((word, i) => (i % 2 ? word : 0n)), true, ['size']],
    ['one page elsewhere', pages((word, i) => (i === 77 ? 0x9000_0703n : word)), false, ['size', 'oa']],
    [
      'one page of another type',
      pages((word, i) => (i === 77 ? word | 8n : word)),
      false,
      ['size', 'memory'],
    ],
  ] as const)('into a table that holds %s, at level 2', (_, table, legal, changes) => {
    const context = { ...block, bbml: 2, table } as const;
    expect(bbm(BLOCK, TABLE, context)).toMatchObject({ legal, changes });
    expect(bbm(TABLE, BLOCK, context)).toMatchObject({ legal, changes });
  });

  test('into non-global pages is legal, out of them a global entry is not', () => {
    const context = { ...block, bbml: 2, table: pages((word) => word | 0x800n) } as const;
    expect(bbm(BLOCK, TABLE, context)).toMatchObject({ legal: true, changes: ['size'] });
    expect(bbm(TABLE, BLOCK, context)).toMatchObject({ legal: false, changes: ['size', 'global'] });
  });
});
