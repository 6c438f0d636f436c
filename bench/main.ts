/**
 * `npm run bench`: what a descriptor, a call and a walk cost, beside limits of the same machine, since machines are noisy and differ. Each
 * workload runs in a fresh process, and all of them in one, because compiled code depends on what ran before. `--help` says the rest.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { figures } from './figures.ts';
import { measure, measureLimits } from './measure.ts';
import { type BenchOptions, HELP, readOptions, withName } from './options.ts';
import { heads, line } from './table.ts';
import type { LimitName, Mode, Row, Timing, Workload } from './workload.ts';
import { LIMIT_NAMES } from './workload.ts';
import { callWorkloads } from './workloads/calls.ts';
import { fileWorkloads } from './workloads/files.ts';
import { limits } from './workloads/limits.ts';
import { mappingWorkloads } from './workloads/mapping.ts';
import { walkingWorkloads } from './workloads/walking.ts';

const WORKLOADS: readonly Workload[] = [
  ...mappingWorkloads(),
  ...callWorkloads(),
  ...walkingWorkloads(),
  ...fileWorkloads(),
];

type Limits = Record<LimitName, Timing>;
type Results = ReadonlyMap<string, Timing>;

/** What a measuring process prints, as one line of JSON: its limits, and the workloads by name. */
interface Measured {
  readonly limits: Limits;
  readonly timings: readonly (readonly [name: string, timing: Timing])[];
}

function measureHere(names: readonly string[]): Measured {
  const limitsHere = measureLimits();
  const chosen = WORKLOADS.filter(({ name }) => names.includes(name));
  const timings = chosen.map(
    (workload) => [workload.name, measure(workload, limitsHere[workload.limit].min)] as const,
  );
  return { limits: limitsHere, timings };
}

/** Measures workloads in a new process; of no names its limits alone, which `--measure` without a name asks for. */
function measureApart(names: readonly string[]): Measured {
  const asked = names.length === 0 ? [''] : names;
  const args = [...process.execArgv, process.argv[1]!, ...asked.map((name) => `--measure=${name}`)];
  const { status, stdout } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`the process that measures ${names.join(', ')} ended with ${status}`);
  return JSON.parse(stdout) as Measured;
}

/** Rows of a saved run, by name. */
function savedRows(file: string | undefined): Map<string, Row> {
  if (file === undefined) return new Map();
  const { schema, rows } = JSON.parse(readFileSync(file, 'utf8')) as { schema: string; rows: Row[] };
  if (schema !== SCHEMA) throw new Error(`${file} is ${schema}, not ${SCHEMA}: measure it again`);
  return new Map(rows.map((row) => [row.name, row]));
}

const SCHEMA = 'lpae.bench/3';

function limitRows(of: Partial<Record<Mode, Limits>>): Row[] {
  const { alone, together } = of;
  return LIMIT_NAMES.map((limit) => ({
    name: limits()[limit].name,
    unit: 'word',
    limit,
    ...(alone && { alone: alone[limit] }),
    ...(together && { together: together[limit] }),
  }));
}

function run({ only, modes, json, compare, figures: withFigures }: BenchOptions): void {
  const chosen = withName(WORKLOADS, only);
  const saved = savedRows(compare);
  const rows: Row[] = [];
  const show = (row: Row) => {
    rows.push(row);
    if (!json) console.log(line(row, modes, saved.get(row.name)));
  };
  if (!json) console.log(heads(modes));
  const all = modes.includes('together') ? measureApart(chosen.map(({ name }) => name)) : undefined;
  const together: Results = new Map(all?.timings);
  const first = modes.includes('alone') ? measureApart([]).limits : undefined;
  for (const row of limitRows({ ...(first && { alone: first }), ...(all && { together: all.limits }) }))
    show(row);
  for (const { name, unit, limit } of chosen) {
    const timing = together.get(name);
    const [alone] = modes.includes('alone') ? measureApart([name]).timings : [];
    show({ name, unit, limit, ...(alone && { alone: alone[1] }), ...(timing && { together: timing }) });
  }
  const found = withFigures ? figures().map(({ name, unit, value }) => ({ name, unit, value: value() })) : [];
  if (json) console.log(JSON.stringify({ schema: SCHEMA, unit: 'ns', rows, figures: found }, null, 2));
  else
    for (const { name, unit, value } of found) console.log(`${name.padEnd(58)}${value.toFixed(2)} ${unit}`);
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options.help) console.log(HELP);
  else if (options.list) console.log(WORKLOADS.map(({ name }) => name).join('\n'));
  else if (options.measure) console.log(JSON.stringify(measureHere(options.measure)));
  else run(options);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
