/** The map of an address space: rows for ranges and holes, gathered where there are many, in an SVG and in a terminal. */
import { describe, expect, test } from 'vitest';
import type { Target } from '../../src/cli/machine/target.ts';
import { addressSpace, addressSpaceText, type SpaceOptions } from '../../src/draw/index.ts';
import { spacePanels } from '../../src/draw/space-rows.ts';
import { listSpace } from '../../src/space/space.ts';
import { makeStyle } from '../../src/text/style.ts';
import { all, boxesOf, expectSound, expectTerminal, HOSTILE } from './check.ts';
import { fixture, imageFiles, mapped } from './target.ts';

const RANGES = [
  { iova: '1G', paddr: '4G', size: '1G' },
  { iova: '2G', paddr: '8G', size: '2M', prot: ['read', 'noexec'] },
  { iova: '2G+2M', paddr: '16G', size: '2M', prot: ['read', 'noexec'] },
  { iova: '4G', paddr: '9G', size: '32K', prot: ['read', 'write', 'mmio', 'noexec'] },
];

const draw = ({ walker, regime }: Target, options?: SpaceOptions) =>
  addressSpace(listSpace(walker), regime, options);
const panels = ({ walker, regime }: Target, maxRows = 24) => spacePanels(listSpace(walker), regime, maxRows);
const tips = (svg: string) =>
  all(expectSound(svg), 'g').map((g) => g.children.find(({ name }) => name === 'title')!.text.split('\n'));

test('rows are ranges that allow the same, and the holes between', async () => {
  expect(tips(draw(await mapped(RANGES)))).toEqual([
    ['IA 0x0-0x3fffffff, 1G', 'not mapped'],
    ['IA 0x40000000-0x7fffffff, 1G', 'rw- rwx NC OSH nG', '-> 0x100000000, one leaf'],
    [
      'IA 0x80000000-0x803fffff, 4M',
      'r-- r-- NC OSH nG',
      '-> 0x200000000, one leaf',
      '-> 0x400000000, one leaf',
    ],
    ['IA 0x80400000-0xffffffff, 2044M', 'not mapped'],
    ['IA 0x100000000-0x100007fff, 32K', 'rw- rw- nGnRE OSH nG', '-> 0x240000000, 4K ×8'],
    ['IA 0x100008000-0xffffffffffff, 256.0 TiB', 'not mapped'],
  ]);
});

test('a row is as high as its size is large, in the colour of what it allows', async () => {
  const root = expectSound(draw(await mapped(RANGES)));
  const heights = ['red', 'blue', 'green'].map((hue) => boxesOf(root, `lpae-f-${hue}`)[0]!.height);
  expect(heights[0]).toBeGreaterThan(heights[1]!);
  expect(heights[1]).toBeGreaterThan(heights[2]!);
  const tops = ['red', 'blue', 'green'].map((hue) => boxesOf(root, `lpae-f-${hue}`)[0]!.y);
  expect(tops).toEqual([...tops].sort((a, b) => a - b));
  expect(all(root, 'text').map(({ text }) => text)).toContain('Device memory');
});

test('more than the rows there are, are drawn together: cut at the widest holes, no byte lost', async () => {
  const ranges = Array.from({ length: 40 }, (_, i) => ({
    iova: `${i * 16 + (i >= 10 ? 1024 : 0)}K`,
    paddr: `1G+${i * 64}K`,
    size: '8K',
    prot: i % 2 ? ['read'] : ['read', 'write', 'noexec'],
  }));
  const [panel] = panels(await mapped(ranges), 2);
  const rows = panel!.rows.filter((row) => row.kind === 'mapped');
  expect(rows.map((row) => row.ranges.length)).toEqual([10, 30]);
  expect(rows.map((row) => row.bytes)).toEqual([10n * 8192n, 30n * 8192n]);
  expect(rows.map((row) => row.look)).toEqual([undefined, undefined]);
  expect(rows[1]!.shares).toEqual([
    { rights: 'rx', amount: 15 * 8192 },
    { rights: 'rw', amount: 15 * 8192 },
  ]);
  const root = expectSound(draw(await mapped(ranges), { maxRows: 2 }));
  // Half of a row each, and the sample of the legend.
  const yellow = boxesOf(root, 'lpae-f-yellow').map(({ width }) => width);
  expect(yellow).toEqual([150, 150, 22]);
});

test('rows cover the window, one after the other', async () => {
  for (const maxRows of [1, 3, 100]) {
    for (const { rows, first, last } of panels(
      await fixture('real/linux61-a72-rodata-on.json.gz'),
      maxRows,
    )) {
      expect(rows.filter((row) => row.kind === 'mapped').length).toBeLessThanOrEqual(maxRows);
      let next = first;
      for (const row of rows) {
        expect(row.first).toBe(next);
        next = row.last + 1n;
      }
      expect(next).toBe(last + 1n);
    }
  }
});

test('what was left out of a list is not said to be unmapped', async () => {
  const { walker, regime } = await mapped(RANGES);
  const space = { ...listSpace(walker), partial: true };
  expect(addressSpace(space, regime)).not.toContain('not mapped');
  expect(addressSpaceText(space, regime, makeStyle(false)).join('\n')).toContain('1G not listed');
});

test('a hostile title, and no windows', async () => {
  expect(all(expectSound(draw(await mapped(RANGES), { title: HOSTILE })), 'script')).toEqual([]);
  const nothing = { windows: [], ranges: [] };
  expectSound(addressSpace(nothing, 'el1&0'));
  expect(addressSpaceText(nothing, 'el1&0', makeStyle(false))).toEqual([
    'The registers translate no address.',
  ]);
});

test('in a terminal', async () => {
  const { walker, regime } = await mapped(RANGES);
  expect(addressSpaceText(listSpace(walker), regime, makeStyle(false))).toEqual([
    '0x000000000000-0xffffffffffff  el1&0',
    '4 ranges, 1.00 GiB mapped',
    '0x000000000000  ⋮  1G not mapped',
    '0x000040000000  ███████   1G  rw- rwx NC     -> 0x100000000',
    '0x000080000000  ░░░░      4M  r-- r-- NC     -> 2 places',
    '0x000080400000  ⋮  2044M not mapped',
    '0x000100000000  ▓▓       32K  rw- rw- nGnRE  -> 0x240000000',
    '0x000100008000  ⋮  256.0 TiB not mapped',
    '',
    '░░ read only   ▓▓ write, no execute   ██ write and execute',
  ]);
});

describe.each(imageFiles())('%s', (file) => {
  test('is sound, and smaller than 300 KB', async () => {
    const { walker, regime } = await fixture(file);
    const space = listSpace(walker);
    const svg = addressSpace(space, regime, { title: file });
    expectSound(svg);
    expect(svg.length).toBeLessThan(300_000);
    expectTerminal(
      addressSpaceText(space, regime, makeStyle(false)),
      addressSpaceText(space, regime, makeStyle(true)),
    );
  });
});
