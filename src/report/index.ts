/** What studies come to, to be looked at: charts, and a report of one page. */
export type { Chart } from './charts/chart.ts';
export { comparisonCharts } from './charts/compare-charts.ts';
export { tlbCharts } from './charts/tlb-charts.ts';
export { type ReportOptions, reportPage } from './page/report.ts';
