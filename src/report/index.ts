/** What studies come to, to be looked at: charts, and a report of one page. */
export type { Chart } from './chart.ts';
export { comparisonCharts } from './compare-charts.ts';
export { type ReportOptions, reportPage } from './page/report.ts';
export { tlbCharts } from './tlb-charts.ts';
