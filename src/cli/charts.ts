/** Charts of a study in place of its table: `--picture` in the terminal, `--svg` as one file of all. */
import type { Command } from 'commander';
import type { Chart } from '../report/charts/chart.ts';
import { wrap } from '../text/columns.ts';
import { counted } from '../text/numbers.ts';
import type { Output } from './output.ts';
import { addSvgOptions, type SvgOptions, writeSvg } from './svg-file.ts';

/** What the charts are of. */
interface Heading {
  readonly title: string;
  readonly subtitle: string;
}

const LINE = 80;

export function addChartOptions(command: Command): Command {
  return addSvgOptions(
    command.option('--picture', 'charts in the terminal, in place of the table'),
    'charts',
  );
}

/** Whether charts take the place of text. */
export function wantsCharts({ svg, picture }: SvgOptions): boolean {
  return picture === true || svg !== undefined;
}

/** Prints charts, or writes them, as the options say. What draws is loaded where it is asked for. */
export async function showCharts(
  out: Output,
  charts: readonly Chart[],
  { title, subtitle }: Heading,
  { svg, picture }: SvgOptions,
): Promise<void> {
  if (charts.length === 0) out.note('there is nothing to compare in charts; without them come the numbers');
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
