/** `lpae formats`: what formats there are, by granule, with their limits. */
import type { Command } from 'commander';
import { formats } from '../../../formats/index.ts';
import { columns } from '../../text/columns.ts';
import { pageSizes } from '../../text/numbers.ts';
import { EXIT } from '../io.ts';
import type { Cli, Output } from '../output.ts';
import { GRANULE_NAMES, largest } from '../text/readings.ts';

const HELP = `
Example:
  $ lpae formats --json
`;

export function define(command: Command, cli: Cli): void {
  command.addHelpText('after', HELP).action(() => {
    cli.exitCode = list(cli.output(command));
  });
}

function list(out: Output): number {
  const known = formats.map(({ name, title, stage }) => {
    const granules = GRANULE_NAMES.flatMap((granule) => {
      const format = largest(name, granule);
      if (format === undefined) return [];
      const { ias, oas, pgsizeBitmap, levels } = format;
      return [
        { granule, pages: pageSizes(pgsizeBitmap), ias, oas, levels: levels.map(({ level }) => level) },
      ];
    });
    return { name, title, stage, granules };
  });
  if (out.json) {
    out.document('lpae.formats/1', { formats: known });
    return EXIT.ok;
  }
  const head = ['granule', 'leaves', 'input', 'output', 'levels'].map(out.style.faint);
  const rows = known.flatMap(({ name, title, granules }) => [
    [`${out.style.title(name)}  ${title}`],
    ['', ...head],
    ...granules.map(({ granule, pages, ias, oas, levels }) => [
      '',
      granule,
      pages,
      `${ias} bits`,
      `${oas} bits`,
      `${levels[0]} to ${levels.at(-1)}`,
    ]),
  ]);
  out.lines(columns(rows));
  return EXIT.ok;
}
