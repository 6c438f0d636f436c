/**
 * Results of studies to look at: charts, and a report on one page.
 *
 * @example
 * import { comparisonCharts, reportPage } from 'lpae/report';
 * import { gathered, type StudyPart, studyWorkloads, workloadNamed } from 'lpae/study';
 *
 * const shapes = [{ entries: 16, ways: 4, walkCache: 0 }] as const;
 * const choice = { granules: [0x1000], sizes: ['pages', 'blocks'], stages: ['s1'] } as const;
 * const parts: StudyPart[] = [];
 * const workloads = [workloadNamed('gpu', { bytes: 2 ** 21 })];
 * for await (const part of studyWorkloads(workloads, { ...choice, shapes, accesses: 64 })) parts.push(part);
 * const studies = gathered(parts);
 * console.log(comparisonCharts(studies).map(({ id }) => id).slice(0, 2)); // [ 'compare-maps', 'compare-leaves' ]
 * console.log(reportPage(studies, { command: 'lpae study' }).slice(0, 15)); // <!doctype html>
 */
export type { Chart } from './charts/chart.ts';
export { comparisonCharts } from './charts/compare-charts.ts';
export { tlbCharts } from './charts/tlb-charts.ts';
export { type ReportOptions, reportPage } from './page/report.ts';
