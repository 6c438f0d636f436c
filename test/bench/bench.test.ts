/** The benchmark's command line and its table: sentences for what it does not take, and columns that fit. */
import { describe, expect, test } from 'vitest';
import { readOptions, withName } from '../../bench/options.ts';
import { duration, heads, line } from '../../bench/table.ts';
import type { Row, Timing } from '../../bench/workload.ts';

describe('durations have three digits in the unit that fits', () => {
  test.each([
    [0.274, '0.27 ns'],
    [6.9, '6.90 ns'],
    [106.4, '106 ns'],
    [1240, '1.24 µs'],
    [47_042_464, '47.0 ms'],
    [2.5e9, '2.50 s'],
  ])('%d', (ns, text) => {
    expect(duration(ns)).toBe(text);
  });
});

const timing = (ratio: number): Timing => ({
  median: 47_042_464,
  min: 46e6,
  max: 1.5e9,
  wall: 99_999_999,
  ratio,
});

test('columns stand under their heads, whatever was measured', () => {
  const row: Row = { name: 'x', unit: 'call', limit: 'fill', alone: timing(12.34), together: timing(7) };
  const head = heads(['alone', 'together']).split('\n')[1]!;
  const text = line(row, ['alone', 'together'], undefined);
  for (const [found] of head.matchAll(/(?:median|fastest|slowest|wall|× limit)(?= |$)/g))
    expect(head).toContain(found);
  const ends = [...head.matchAll(/× limit/g)].map(({ index }) => index + '× limit'.length);
  expect(ends.map((end) => text.slice(end - 4, end).trim())).toEqual(['12.3', '7.0']);
});

test('a comparison says how many times the earlier ratio the new one is', () => {
  const row: Row = { name: 'x', unit: 'call', limit: 'fill', alone: timing(12) };
  expect(line(row, ['alone'], { ...row, alone: timing(24) })).toContain('0.50 × before');
});

test('a mode that does not exist is refused with those that do', () => {
  expect(() => readOptions(['--mode=apart'])).toThrow('--mode is alone or together, not apart');
});

test('a name that no workload has is an error', () => {
  const workloads = [{ name: 'map a page' }, { name: 'unmap a page' }, { name: 'walk' }];
  expect(withName(workloads, 'map')).toEqual(workloads.slice(0, 2));
  expect(() => withName(workloads, 'mop')).toThrow("no workload has 'mop' in its name");
});
