/** `lpae formats`: lists the formats by granule, with their limits; and how versions of Linux differ. */
import type { Command } from 'commander';
import { formats } from '../../../formats/index.ts';
import { DEFAULT_LINUX, LINUX, LINUX_VERSIONS, type LinuxVersion } from '../../pagetable/linux.ts';
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
  const known = formats.map(({ name, title, stage, features = [] }) => {
    const granules = GRANULE_NAMES.flatMap((granule) => {
      const format = largest(name, granule);
      if (format === undefined) return [];
      const { ias, oas, pgsizeBitmap, levels } = format;
      return [
        { granule, pages: pageSizes(pgsizeBitmap), ias, oas, levels: levels.map(({ level }) => level) },
      ];
    });
    return { name, title, stage, features, granules };
  });
  if (out.json) {
    out.document('lpae.formats/1', { formats: known, linux: LINUX_VERSIONS.map(versionJson) });
    return EXIT.ok;
  }
  const head = ['granule', 'leaves', 'input', 'output', 'levels'].map(out.style.faint);
  const rows = known.flatMap(({ name, title, features, granules }) => [
    [`${out.style.title(name)}  ${title}`],
    ...(features.length > 0 ? [[`  features ${features.join(' ')}`]] : []),
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
  out.line();
  out.heading('Versions of Linux: "linux" of a map request or golden file');
  out.lines(columns(versionRows(out), { indent: '  ' }));
  return EXIT.ok;
}

function versionJson(version: LinuxVersion): object {
  const { partialUnmap, concatenation, quirks } = LINUX[version];
  return { version, partial_unmap: partialUnmap, concatenation, quirks };
}

/** The default's quirks, and the additional ones of other versions. */
function versionRows({ style }: Output): string[][] {
  const { quirks: usual } = LINUX[DEFAULT_LINUX];
  const head = ['version', 'partial_unmap', 'concatenation', 'quirks'].map(style.faint);
  const rows = LINUX_VERSIONS.map((version) => {
    const { partialUnmap, concatenation, quirks } = LINUX[version];
    const standard = version === DEFAULT_LINUX;
    const own = quirks.filter((quirk) => !usual.includes(quirk));
    return [
      style.title(`${version}${standard ? ' (default)' : ''}`),
      partialUnmap,
      concatenation,
      standard ? usual.join(' ') : `these, ${own.join(' ')}`,
    ];
  });
  return [head, ...rows];
}
