/** Drawings one below the other: all of each is there, and nothing over another. */
import { expect, test } from 'vitest';
import { barChart } from '../../src/draw/bar-chart.ts';
import { heatTable } from '../../src/draw/heat-table.ts';
import { stacked } from '../../src/draw/stacked.ts';

import { all, boxesOf, expectSound, HOSTILE } from './check.ts';

const bars = barChart({
  title: 'Leaves',
  value: { label: 'Leaves' },
  categories: ['4K', '16K'],
  series: [{ name: 'all', values: [8, 2] }],
});
const columns = Array.from({ length: 14 }, (_, i) => `column ${i}`);
const wide = heatTable({
  title: 'Does it map?',
  rows: ['a'],
  columns,
  cells: [columns.map(() => ({ outcome: 'yes', text: 'yes' }))],
});
const described = { title: 'A study', desc: 'Two charts' };
const numbers = (svg: string) => expectSound(svg).attributes;

test('each keeps its title, description and place among the others', () => {
  const root = expectSound(stacked([bars, wide, bars], described, 'What does it cost?'));
  expect(root.children.slice(0, 2).map(({ text }) => text)).toEqual(['A study', 'Two charts']);
  const groups = root.children.filter(({ name }) => name === 'g');
  expect(groups.map(({ children }) => children[0]!.text)).toEqual(['Leaves', 'Does it map?', 'Leaves']);
  expect(groups.map(({ children }) => children[1]!.name)).toEqual(['desc', 'desc', 'desc']);
  expect(all(root, 'text').map(({ text }) => text)).toEqual(
    expect.arrayContaining(['A study', 'What does it cost?']),
  );
  // The first page is that of the whole.
  const [whole, ...pages] = boxesOf(root, 'lpae-page').filter(({ height }) => height > 20);
  expect(pages.map(({ height }) => height)).toEqual(
    [bars, wide, bars].map((svg) => Number(numbers(svg).height)),
  );
  pages.reduce((end, { y, height }) => {
    expect(y).toBeGreaterThan(end);
    return y + height;
  }, 40);
  expect(whole!.width).toBe(Number(numbers(wide).width));
  expect(whole!.width).toBeGreaterThan(880);
});

test('names that look like markup are text, and nothing drawn is a drawing too', () => {
  const title = `${HOSTILE}<style></style></svg>`;
  const chart = barChart({ title, value: { label: 'n' }, categories: [title], series: [] });
  const root = expectSound(stacked([chart], { title, desc: title }, title));
  expect(all(root, 'svg')).toHaveLength(1);
  expect(all(expectSound(stacked([], described, 'Nothing')), 'g')).toEqual([]);
});
