/**
 * `npm run bench [-- --only=TEXT --json --compare=FILE --figures]`: measures every workload in one run, after a warm-up, in nanoseconds per
 * unit, and as a ratio to a limit of the machine measured in the same run, since machines are noisy and differ. `--compare` takes a file
 * written with `--json`, and shows how ratios changed. `--figures` adds memory and growth, which take a while.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Bench } from 'tinybench';
import { figures } from './figures.ts';
import type { LimitName, Workload } from './workload.ts';
import { fileWorkloads } from './workloads/files.ts';
import { limits } from './workloads/limits.ts';
import { mappingWorkloads, unmapWorkloads } from './workloads/mapping.ts';
import { walkingWorkloads } from './workloads/walking.ts';

const SAMPLES = 15;

interface Row {
  readonly name: string;
  readonly unit: string;
  /** Nanoseconds per unit: median, fastest and slowest sample. */
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** The fastest sample as a multiple of the fastest sample of its limit. */
  readonly ratio: number;
}

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
    compare: { type: 'string' },
    figures: { type: 'boolean', default: false },
  },
});

async function measure(workload: Workload, limit: number): Promise<Row> {
  const { name, unit, units, samples = SAMPLES, prepare, run } = workload;
  const bench = new Bench({
    iterations: samples,
    time: 0,
    warmupIterations: samples,
    warmupTime: 0,
    throws: true,
  });
  bench.add(name, run, prepare && { beforeEach: prepare });
  const [task] = await bench.run();
  const result = task!.result;
  if (result.state !== 'completed') throw new Error(`${name}: ${result.state}`);
  const perUnit = (ms: number | undefined) => ((ms ?? Number.NaN) * 1e6) / units;
  const { p50, min, max } = result.latency;
  const fastest = perUnit(min);
  return { name, unit, median: perUnit(p50), min: fastest, max: perUnit(max), ratio: fastest / limit };
}

/** Rows of a saved run, by name. */
function savedRows(file: string | undefined): Map<string, Row> {
  if (file === undefined) return new Map();
  const { rows } = JSON.parse(readFileSync(file, 'utf8')) as { rows: Row[] };
  return new Map(rows.map((row) => [row.name, row]));
}

const saved = savedRows(values.compare);
const rows: Row[] = [];

function show(row: Row): void {
  rows.push(row);
  if (values.json) return;
  const cells = [row.median, row.min, row.max].map((ns) => ns.toFixed(2).padStart(12)).join('');
  const before = saved.get(row.name);
  const change = before === undefined ? '' : `${(row.ratio / before.ratio).toFixed(2).padStart(8)} × before`;
  console.log(`${row.name.padEnd(56)}${cells}${row.ratio.toFixed(1).padStart(12)}   ${row.unit}${change}`);
}

if (!values.json) {
  const heads = ['median', 'fastest', 'slowest', '× limit'].map((head) => head.padStart(12)).join('');
  console.log(`${'workload'.padEnd(56)}${heads}   ns each`);
}
const fastest: Partial<Record<LimitName, number>> = {};
for (const [name, workload] of Object.entries(limits())) {
  const row = await measure(workload, Number.NaN);
  fastest[name as LimitName] = row.min;
  show({ ...row, ratio: 1 });
}
for (const make of [mappingWorkloads, unmapWorkloads, walkingWorkloads, fileWorkloads]) {
  for (const workload of make()) {
    if (!workload.name.includes(values.only)) continue;
    show(await measure(workload, fastest[workload.limit]!));
  }
}
const found = values.figures
  ? figures().map(({ name, unit, value }) => ({ name, unit, value: value() }))
  : [];
if (values.json)
  console.log(JSON.stringify({ schema: 'lpae.bench/2', unit: 'ns', rows, figures: found }, null, 2));
else
  for (const { name, unit, value } of found)
    console.log(`${name.padEnd(56)}${value.toFixed(2).padStart(12)}   ${unit}`);
