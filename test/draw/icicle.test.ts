/** The icicle: what its cells stand for, how wide they are, and that any tables come out sound and small. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { layoutIcicle } from '../../src/draw/icicle-layout.ts';
import { icicle, iciclePanels, icicleText } from '../../src/draw/index.ts';
import { makeTree } from '../../src/space/tree.ts';
import { treeOfTarget } from '../../src/space/tree-read.ts';
import { makeStyle } from '../../src/text/style.ts';
import { all, boxesOf, expectSound, expectTerminal, HOSTILE } from './check.ts';
import { fixture, imageFiles, mapped, panelsOf } from './target.ts';

/** A 1G block, two 2M blocks of different rights, a run of 4K pages, and holes between them. */
const SMALL = [
  { iova: '1G', paddr: '4G', size: '1G' },
  { iova: '2G', paddr: '8G', size: '2M' },
  { iova: '2G+2M', paddr: '8G+2M', size: '2M', prot: ['read'] },
  { iova: '3G', paddr: '9G', size: '32K', prot: ['read', 'write', 'mmio', 'noexec'] },
];

const tips = (svg: string) =>
  all(expectSound(svg), 'g').map((g) => g.children.find(({ name }) => name === 'title')!.text.split('\n'));

test('a cell an entry, run or hole, which says all of it', async () => {
  const svg = icicle(panelsOf(await mapped(SMALL)));
  const said = tips(svg);
  const heads = said.map(([head]) => head!.replace(/at 0x\w+/, 'at …'));
  expect(heads).toEqual([
    'level 0 [0]: table at …',
    'level 1 [0]: invalid',
    'level 1 [1]: 1 block',
    'level 1 [2]: table at …',
    'level 2 [0]: 1 block',
    'level 2 [1]: 1 block',
    'level 2 [2-511]: invalid',
    'level 1 [3]: table at …',
    'level 2 [0]: table at …',
    'level 3 [0-7]: 8 pages',
    'level 3 [8-511]: invalid',
    'level 2 [1-511]: invalid',
    'level 1 [4-511]: invalid',
    'level 0 [1-511]: invalid',
  ]);
  expect(said[9]!.slice(1)).toEqual([
    'IA 0xc0000000-0xc0007fff, 32K',
    '-> 0x240000000, contiguous',
    'rw- rw- nGnRE OSH nG',
  ]);
  expect(said[3]!.slice(1)).toEqual([
    'IA 0x80000000-0xbfffffff, 1G',
    '1 leaf: execute, no write',
    '1 leaf: write and execute',
  ]);
});

test('cells of a level follow each other, and stand within their table', async () => {
  const [panel] = panelsOf(await mapped(SMALL));
  const cells = layoutIcicle(panel!, { width: 1000, minWidth: 4, scale: 'entries' });
  for (const level of [0, 1, 2, 3]) {
    let end = 0;
    for (const { x, width } of cells.filter(({ item }) => item.level === level)) {
      expect(x).toBeGreaterThanOrEqual(end - 1e-9);
      end = x + width;
    }
    expect(end).toBeLessThanOrEqual(1000 + 1e-9);
  }
  for (const table of cells) {
    if (table.item.kind !== 'table') continue;
    const below = cells.filter(
      ({ item }) =>
        item.level === table.item.level + 1 &&
        item.ia >= table.item.ia &&
        item.ia < table.item.ia + table.item.size,
    );
    expect(Math.min(...below.map(({ x }) => x))).toBeCloseTo(table.x);
    expect(Math.max(...below.map(({ x, width }) => x + width))).toBeCloseTo(table.x + table.width);
  }
});

test('by span, widths are as bytes; what is next to nothing is still there', async () => {
  const [panel] = panelsOf(
    await mapped([
      { iova: '1G', paddr: '4G', size: '1G' },
      { iova: '3G', paddr: '8G', size: '2G', prot: ['read'] },
      { iova: '8G', paddr: '0', size: '4K' },
    ]),
  );
  const cells = layoutIcicle(panel!, { width: 1000, minWidth: 1, scale: 'span' });
  const widthAt = (ia: bigint) => cells.find(({ item }) => item.kind === 'leaf' && item.ia === ia)!.width;
  expect(widthAt(0xc000_0000n) / widthAt(0x4000_0000n)).toBeCloseTo(2);
  expect(widthAt(0x2_0000_0000n)).toBeGreaterThanOrEqual(1);
  expect(widthAt(0x2_0000_0000n)).toBeLessThan(widthAt(0x4000_0000n) / 50);
});

test('alike tables, one behind the other, are one cell', async () => {
  const [panel] = panelsOf(await mapped([{ iova: '0', paddr: '1G+4K', size: '64M' }]));
  const cells = layoutIcicle(panel!, { width: 1000, minWidth: 4, scale: 'entries' });
  const says = cells.map(({ item }) => `${item.level} ${item.kind} ${item.first}-${item.last}`);
  expect(says).toContain('2 table 0-31');
  expect(says).toContain('3 leaf 0-511');
  expect(panel).toMatchObject({ tables: 35, leaves: 32 * 512 });
});

test('too narrow neighbours are drawn together, and nothing is lost', async () => {
  const ranges = Array.from({ length: 200 }, (_, i) => ({
    iova: `${i * 8}K`,
    paddr: `1G+${i * 8}K`,
    size: '4K',
    ...(i % 3 === 0 && { prot: ['read'] }),
  }));
  const [panel] = panelsOf(await mapped(ranges));
  const cells = layoutIcicle(panel!, { width: 300, minWidth: 4, scale: 'entries' });
  const mixed = cells.flatMap(({ item }) => (item.kind === 'mixed' ? [item] : []));
  expect(mixed.length).toBeGreaterThan(10);
  const leaves = (kind: (typeof cells)[number]['item'][]) =>
    kind.filter((item) => item.kind === 'leaf').length;
  const alone = cells.map(({ item }) => item);
  expect(leaves(alone) + leaves(mixed.flatMap(({ items }) => items))).toBe(200);
  expect(icicle([panel!], { width: 500 })).toContain('write and execute');
});

test('a table that is met again is drawn once, one that nobody read not at all', async () => {
  const { walker } = await mapped([{ iova: '0', paddr: '1G', size: '4K' }]);
  const tables = treeOfTarget(walker).tables();
  const [root, ...others] = tables;
  const [first] = root!.entries;
  const entries = [first!, { ...first!, index: 1 }, { ...first!, index: 2, output: 0x7000n }];
  const tree = makeTree([{ ...root!, entries }, ...others], [{ ...root!, entries }]);
  const [panel] = iciclePanels(tree, walker);
  expect(panel).toMatchObject({ tables: 4, leaves: 1 });
  const says = panel!.root.items.map((item) => (item.kind === 'table' ? item.missing : item.kind));
  expect(says).toEqual(['', 'drawn already', 'not visited', 'gap']);
  const tipOfSecond = tips(icicle([panel!])).find(([head]) => head!.startsWith('level 0 [1]'));
  expect(tipOfSecond).toEqual([expect.anything(), 'IA 0x8000000000-0xffffffffff, 512G', 'drawn already']);
});

describe.each(imageFiles())('%s', (file) => {
  test('is sound, and smaller than 300 KB', async () => {
    const panels = panelsOf(await fixture(file));
    for (const scale of ['entries', 'span'] as const) {
      const svg = icicle(panels, { title: file, scale });
      expectSound(svg);
      expect(svg.length).toBeLessThan(300_000);
    }
    expectTerminal(icicleText(panels, makeStyle(false)), icicleText(panels, makeStyle(true)));
  });
});

test('any pages at all', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 2 ** 36 - 2 }), fc.boolean()), {
        minLength: 1,
        maxLength: 60,
      }),
      async (pages) => {
        const places = [...new Map(pages)];
        const ranges = places.map(([page, write]) => ({
          iova: `0x${(page * 4096).toString(16)}`,
          paddr: `0x${((page % 2 ** 30) * 4096).toString(16)}`,
          size: '4K',
          prot: write ? ['read', 'write'] : ['read', 'noexec'],
        }));
        const panels = panelsOf(await mapped(ranges));
        expect(panels[0]!.leaves).toBe(places.length);
        expectSound(icicle(panels));
        expectSound(icicle(panels, { scale: 'span' }));
        expectTerminal(icicleText(panels, makeStyle(false)), icicleText(panels, makeStyle(true)));
      },
    ),
    { numRuns: 40 },
  );
});

test('a page mapped at the very end, a hostile title, no tables', async () => {
  const last = await mapped([{ iova: '0xfffffffff000', paddr: '0', size: '4K' }], HOSTILE);
  const root = expectSound(icicle(panelsOf(last), { title: last.name.slice(0, 4) + HOSTILE }));
  expect(all(root, 'script')).toEqual([]);
  expect(boxesOf(root, 'lpae-f-red').length).toBeGreaterThan(0);
  expectSound(icicle([]));
  expect(icicleText([], makeStyle(false))).toEqual([
    'The registers translate no address: there are no tables.',
  ]);
});

test('in a terminal: a row a level, words and addresses where they fit', async () => {
  const lines = icicleText(panelsOf(await mapped(SMALL)), makeStyle(false));
  expect(lines[0]).toMatch(/^TTBR0, stage 1: level 0 table at 0x/);
  expect(lines[1]).toBe('5 tables, 11 leaves; IA 0x0-0xffffffffffff');
  expect(lines.slice(2, 6).map((line) => line.slice(0, 3))).toEqual(['L0 ', 'L1 ', 'L2 ', 'L3 ']);
  expect(lines[3]).toContain('[1]');
  expect(lines[6]).toContain('│0x80000000');
  expect(lines.at(-1)).toBe('│─│ table   ▒▒ execute, no write   ▓▓ write, no execute   ██ write and execute');
});
