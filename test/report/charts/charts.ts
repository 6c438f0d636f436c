/** What charts say, read back from them. */
import { expect } from 'vitest';
import type { Chart } from '../../../src/report/charts/chart.ts';
import { OFFERED } from '../../../src/study/combinations.ts';

import { makeStyle } from '../../../src/text/style.ts';
import { all, expectSound, expectTerminal } from '../../draw/check.ts';

/** Each is sound, has a title and an id of its own, and fits a terminal. */
export function expectCharts(charts: readonly Chart[]): void {
  expect(new Set(charts.map(({ id }) => id)).size).toBe(charts.length);
  for (const chart of charts) {
    expect(chart.id).toMatch(/^[a-z][\w-]*$/);
    const { text } = expectSound(chart.svg).children[0]!;
    const plain = chart.lines(makeStyle(false));
    expectTerminal(plain, chart.lines(makeStyle(true)));
    expect(plain[0]).toBe(text);
  }
}

export function chartOf(charts: readonly Chart[], id: string): Chart {
  const found = charts.find((chart) => chart.id === id);
  if (found === undefined) throw new Error(`no chart ${id} among ${charts.map((one) => one.id).join(', ')}`);
  return found;
}

/** Tooltips of bars, cells and points. */
export function tips({ svg }: Chart): string[] {
  return all(expectSound(svg), 'g').flatMap(({ children }) =>
    children[0]?.name === 'title' ? [children[0].text] : [],
  );
}

export const plainLines = (chart: Chart): string[] => chart.lines(makeStyle(false));

/** `blocks and contiguous`, `CPU pages of 4K and 64K`, `any sizes`. */
function names(text: string): readonly string[] {
  return text === 'any sizes' ? OFFERED : text.replace('CPU pages of ', '').split(' and ');
}

/** What bars stand for: values by `granule sizes series`, where names that are put together are two at most. */
export function barValues(chart: Chart): Map<string, string> {
  const values = new Map<string, string>();
  for (const tip of tips(chart)) {
    const [where = '', value = ''] = tip.split(': ');
    const [granule, sizes = '', ...series] = where.split(', ');
    for (const one of names(sizes)) {
      for (const other of names(series.join(', '))) values.set(`${granule} ${one} ${other}`, value);
    }
  }
  return values;
}
