/** Known differences from Linux are named beside the difference, and other differences are not; files beyond memory are refused. */
import { expect, test } from 'vitest';
import { checkGolden } from '../../src/golden/index.ts';

type Op = { readonly op: string; readonly ret: number | string; readonly [member: string]: unknown };
const S1 = ['arm_64_lpae_s1', { pgsize_bitmap: '0x40201000', ias: 39, oas: 40 }] as const;
const V7S = ['arm_v7s', { pgsize_bitmap: '0x1111000', ias: 32, oas: 32 }] as const;

/** A file whose operations are these; its tables are of no interest. */
const fileOf = (format: string, config: { readonly pgsize_bitmap: string }, ops: readonly Op[]) => ({
  schema: 'pgtable-golden/1',
  kind: 'ops',
  name: 'a difference',
  format,
  config,
  result: { pgsize_bitmap: config.pgsize_bitmap, registers: {} },
  ops,
  tables: [{ pa: '0x80000000', level: 1, entries: {} }],
  translations: [],
});

const known = (format: string, config: { readonly pgsize_bitmap: string }, ops: readonly Op[]) =>
  checkGolden(fileOf(format, config, ops))
    .differences.filter(({ where }) => where.startsWith('ops['))
    .map((one) => one.known);

const map = (iova: string, paddr: string, size: string, ret: number): Op => {
  return { op: 'map', iova, paddr, size, prot: ['read', 'write'], ret };
};
const sgOf = (sg: readonly (readonly [string, string])[], ret: number | string): Op => {
  return { op: 'map_sg', iova: '0x0', sg, prot: ['read'], ret };
};
const unmap = (iova: string, size: string, ret: number | string): Op => ({ op: 'unmap', iova, size, ret });
const dirty = (iova: string, size: string, ret: number, ranges: readonly (readonly string[])[]): Op => {
  return { op: 'dirty', iova, size, clear: false, ret, ranges };
};

test.each<[string, string, { readonly pgsize_bitmap: string }, readonly Op[], RegExp]>([
  [
    'an unmap of 1G where there is no level for it',
    'arm_64_lpae_s1',
    { pgsize_bitmap: '0x40201000', ias: 30, oas: 40 } as { pgsize_bitmap: string },
    [map('0x0', '0x200000', '0x200000', 0), unmap('0x0', '0x40000000', 0)],
    /^ops\[1\] unmap: Linux answers 0x0 here since it chooses a page size that the table has no level for$/,
  ],
  [
    'a map of 1G where there is no level for it',
    'arm_64_lpae_s1',
    { pgsize_bitmap: '0x40201000', ias: 30, oas: 40 } as { pgsize_bitmap: string },
    [map('0x0', '0x40000000', '0x40000000', -22)],
    /^ops\[0\] map: Linux answers -22 here since it chooses a page size that the table has no level for$/,
  ],
  [
    'a block over a table with live entries',
    ...S1,
    [map('0x201000', '0x1000', '0x1000', 0), map('0x200000', '0x400000', '0x200000', 0)],
    /^ops\[1\] map: .* since it maps a block over a table with live entries/,
  ],
  [
    'a batch that crosses the end of the outputs',
    ...S1,
    [map('0x0', '0xfffffff000', '0x2000', 0)],
    /^ops\[0\] map: .* since it looks only at the first PA of a batch/,
  ],
  [
    'a scatterlist with an empty last entry',
    ...S1,
    [
      sgOf(
        [
          ['0x1000', '0x1000'],
          ['0x2000', '0x0'],
        ],
        0,
      ),
    ],
    /^ops\[0\] map_sg: Linux answers 0x0 here since it maps nothing of a run that an empty last entry follows$/,
  ],
  [
    'IOVAs of arm_v7s that wrap',
    ...V7S,
    [map('0xfffff000', '0x1000', '0x2000', 0)],
    /^ops\[0\] map: .* since it looks only at the first IOVA/,
  ],
  [
    'a page within a supersection',
    ...V7S,
    [map('0x1000000', '0x2000000', '0x1000000', 0), unmap('0x1200000', '0x1000', 0)],
    /^ops\[1\] unmap: .* since it unmaps a part of a supersection only in the first of its sections$/,
  ],
  [
    'dirty state of a table without it',
    ...S1,
    [map('0x0', '0x1000', '0x1000', 0), dirty('0x0', '0x1000', 0, [])],
    /^ops\[1\] dirty: .* since it reads a table that was made without dirty state too, and finds none$/,
  ],
  [
    'dirty state of the upper half',
    'arm_64_lpae_s1',
    { pgsize_bitmap: '0x1000', ias: 39, oas: 40, quirks: ['arm_ttbr1', 'arm_hd'] } as {
      pgsize_bitmap: string;
    },
    [map('0xffffff8000000000', '0x1000', '0x1000', 0), dirty('0xffffff8000000000', '0x1000', -22, [])],
    /^ops\[1\] dirty: Linux answers -22 here since it compares IOVAs of arm_ttbr1 with the lower half/,
  ],
  [
    'a dirty read that begins inside a block',
    'arm_64_lpae_s1',
    { pgsize_bitmap: '0x201000', ias: 39, oas: 40, quirks: ['arm_hd'] } as { pgsize_bitmap: string },
    [map('0x0', '0x0', '0x200000', 0), dirty('0x1000', '0x1000', 0, [['0x1000', '0x200000']])],
    /^ops\[1\] dirty: .* since it counts whole leaves from the first address on/,
  ],
])('%s', (_, format, config, ops, text) => {
  const found = known(format, config, ops);
  expect(found).toHaveLength(1);
  expect(found[0]).toMatch(text);
});

test('a section that Linux splits: the pages that are left lead to PA 0', () => {
  const ops = [map('0x100000', '0x200000', '0x100000', 0), unmap('0x100000', '0x1000', '0x1000')];
  const file = { ...fileOf(...V7S, ops), translations: [{ iova: '0x105123', pa: '0x5123' }] };
  const [row] = checkGolden(file).differences.filter(({ where }) => where.startsWith('translations[0]'));
  expect(row?.known).toMatch(
    /^translations\[0\] IOVA 0x105123: Linux answers 0x5123 here since it points the pages/,
  );
});

test.each<[string, readonly Op[]]>([
  ['a map that was refused', [map('0x0', '0x1000', '0x1000', -22)]],
  ['pages over pages', [map('0x0', '0x1000', '0x1000', 0), map('0x0', '0x2000', '0x1000', 0)]],
  ['an output beyond all outputs', [map('0x0', '0x10000000000', '0x1000', 0)]],
  ['an unmap of less', [map('0x0', '0x1000', '0x2000', 0), unmap('0x0', '0x2000', '0x1000')]],
  [
    'a scatterlist that fails',
    [
      sgOf(
        [
          ['0x1000', '0x1000'],
          ['0x4000', '0x1000'],
        ],
        -17,
      ),
    ],
  ],
])('what Linux would not do either is not explained: %s', (_, ops) => {
  expect(known(...S1, ops)).toEqual([undefined]);
});

test('more leaves than memory holds are refused before anything is mapped', () => {
  const file = fileOf(...S1, [map('0x0', '0x1000', '0x4000000000', 0)]);
  expect(() => checkGolden(file, { mostLeaves: 1000 })).toThrow(
    'ops: they make 67,108,864 leaves, more than memory holds here: about 1,000 can be compared',
  );
  const few = fileOf(...S1, [map('0x0', '0x0', '0x40000000', 0)]);
  expect(checkGolden(few, { mostLeaves: 1 }).differences.length).toBeGreaterThan(0);
});
