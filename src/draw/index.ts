/**
 * Pictures: SVGs that load nothing and stand in light and dark pages, and the same in a terminal of 80 columns.
 *
 * Each SVG is a string, standalone and fit to be put into HTML as it is; several may stand in one page.
 */
export { addressSpace, type SpaceOptions } from './address-space.ts';
export { type BarChart, type BarSeries, barChart } from './bar-chart.ts';
export { barChartText, heatTableText, lineChartText } from './chart-text.ts';
export { type DescriptorOptions, descriptor } from './descriptor.ts';
export { type HeatCell, type HeatTable, heatTable, type Outcome } from './heat-table.ts';
export { type IcicleOptions, icicle } from './icicle.ts';
export type { IcicleScale } from './icicle-layout.ts';
export { type IcicleTextOptions, icicleText } from './icicle-text.ts';
export { type IciclePanel, iciclePanels } from './icicle-tree.ts';
export { type LineChart, type LineSeries, lineChart } from './line-chart.ts';
export { stylesheet } from './palette.ts';
export type { Axis } from './scale.ts';
export type { DrawnSpace } from './space-rows.ts';
export { addressSpaceText } from './space-text.ts';
export { stacked } from './stacked.ts';
export {
  type Described,
  type Element,
  element,
  escapeXml,
  render,
  type SvgNode,
  svgDocument,
  withoutStyle,
} from './svg.ts';
