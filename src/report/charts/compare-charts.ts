/** Charts of a comparison: does a workload map, what does it cost, and how do other meanings of map_sg judge it. */
import type { Compared } from '../../study/compare.ts';
import type { Chart } from './chart.ts';
import { leavesChart, missesChart, paddingChart, tablesChart } from './compare-costs.ts';
import { mapsChart, semanticsChart } from './compare-outcomes.ts';
import { ComparedResults } from './compared.ts';

const CHARTS = [mapsChart, leavesChart, tablesChart, missesChart, semanticsChart, paddingChart];

/**
 * Charts of a workload's results for one or several CPU page sizes. Each chart answers one question. Charts that would show the
 * same for all combinations are left out. Without results there are no charts.
 */
export function comparisonCharts(compared: readonly Compared[]): Chart[] {
  const results = new ComparedResults(compared);
  return results.lists.length === 0 ? [] : CHARTS.flatMap((chart) => chart(results));
}
