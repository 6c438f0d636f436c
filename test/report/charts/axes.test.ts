/** Places of a study that are alike are one. */
import { expect, test } from 'vitest';
import { merged } from '../../../src/report/charts/axes.ts';

const place = (a: string, b: string, values: number) => ({ at: [[a], [b]], values });
const told = (places: readonly { at: readonly (readonly string[])[]; values: number }[]) =>
  places.map(({ at, values }) => `${at.map((names) => names.join('+')).join(' ')} ${values}`);

test('names with the same values everywhere are merged, at the place of the first', () => {
  const places = [
    place('x', 'k', 1),
    place('y', 'k', 2),
    place('z', 'k', 1),
    place('x', 'l', 3),
    place('y', 'l', 3),
    place('z', 'l', 3),
  ];
  expect(told(merged(places, 0))).toEqual(['x+z k 1', 'y k 2', 'x+z l 3', 'y l 3']);
  expect(told(merged(merged(places, 0), 1))).toEqual(['x+z k 1', 'y k 2', 'x+z l 3', 'y l 3']);
});

test('within another axis they need only be the same there', () => {
  const places = [place('x', 'k', 1), place('y', 'k', 2), place('x', 'l', 3), place('y', 'l', 3)];
  expect(told(merged(places, 0))).toEqual(['x k 1', 'y k 2', 'x l 3', 'y l 3']);
  expect(told(merged(places, 0, 1))).toEqual(['x k 1', 'y k 2', 'x+y l 3']);
});

test('a value that is missing equals no other', () => {
  expect(told(merged([place('x', 'k', 1), place('y', 'k', 1), place('x', 'l', 1)], 0))).toEqual([
    'x k 1',
    'y k 1',
    'x l 1',
  ]);
  expect(merged([], 0)).toEqual([]);
});
