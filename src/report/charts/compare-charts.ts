/** Charts of a comparison: does a workload map, what does it cost, and what do others make of it. */
import type { Compared } from '../../study/compare.ts';
import type { Chart } from './chart.ts';
import { leavesChart, missesChart, paddingChart, tablesChart } from './compare-costs.ts';
import { mapsChart, semanticsChart } from './compare-outcomes.ts';
import { ComparedResults } from './compared.ts';

const CHARTS = [mapsChart, leavesChart, tablesChart, missesChart, semanticsChart, paddingChart];

/**
 * Charts of a workload's results under CPU pages of one size or several, each of which answers one question. What would say the
 * same of all combinations is left out; nothing measured makes no charts.
 */
export function comparisonCharts(compared: readonly Compared[]): Chart[] {
  const results = new ComparedResults(compared);
  return results.lists.length === 0 ? [] : CHARTS.flatMap((chart) => chart(results));
}
