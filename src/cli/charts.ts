/** Charts of a study instead of its table: `--picture` in the terminal, `--svg` as one file. */
import type { Command } from 'commander';
import type { Chart } from '../report/charts/chart.ts';
import { wrap } from '../text/columns.ts';
import { counted } from '../text/numbers.ts';
import type { Output } from './output.ts';
import { addSvgOptions, type SvgOptions, writeSvg } from './svg-file.ts';

/** The subject of the charts. */
interface Heading {
  readonly title: string;
  readonly subtitle: string;
}

const LINE = 80;

export function addChartOptions(command: Command): Command {
  return addSvgOptions(command.option('--picture', 'charts in the terminal, instead of the table'), 'charts');
}

/** Whether charts replace the text. */
export function wantsCharts({ svg, picture }: SvgOptions): boolean {
  return picture === true || svg !== undefined;
}

/** Prints or writes charts, as the options say. The drawing code is loaded on demand. */
export async function showCharts(
  out: Output,
  charts: readonly Chart[],
  { title, subtitle }: Heading,
  { svg, picture }: SvgOptions,
): Promise<void> {
  if (charts.length === 0)
    out.note('there is nothing to compare in charts; leave the option out for the numbers');
  if (picture) {
    out.lines([...wrap(title, LINE).map(out.style.title), ...wrap(subtitle, LINE)]);
    for (const chart of charts) out.lines(['', ...chart.lines(out.style)]);
  }
  if (svg !== undefined) {
    const { stacked } = await import('../draw/stacked.ts');
    const desc = charts.length === 0 ? 'No charts' : counted(charts.length, 'chart');
    const drawings = charts.map((chart) => chart.svg);
    writeSvg(svg, stacked(drawings, { title, desc: `${desc}. ${subtitle}` }, subtitle), out);
  }
}
