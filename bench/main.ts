/** `npm run bench [-- --json]`: every workload, sampled after a warm-up, as nanoseconds a unit and as a ratio to the machine's own floor. */
import { Bench } from 'tinybench';
import { type Workload, workloads } from './workloads.ts';

const SAMPLES = 12;

interface Row {
  readonly name: string;
  readonly unit: string;
  /** Nanoseconds a unit: median, fastest and slowest sample. */
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

async function measure(workload: Workload): Promise<Row> {
  const bench = new Bench({ iterations: SAMPLES, time: 0, warmupIterations: 3, warmupTime: 0, throws: true });
  bench.add(workload.name, workload.run, { beforeEach: workload.prepare });
  const [task] = await bench.run();
  const result = task!.result;
  if (result.state !== 'completed') throw new Error(`${workload.name}: ${result.state}`);
  const perUnit = (ms: number | undefined) => ((ms ?? Number.NaN) * 1e6) / workload.units;
  const { p50, min, max } = result.latency;
  return {
    name: workload.name,
    unit: workload.unit,
    median: perUnit(p50),
    min: perUnit(min),
    max: perUnit(max),
  };
}

const only = process.argv.find((arg) => arg.startsWith('--only='))?.slice('--only='.length);
const json = process.argv.includes('--json');
const rows: Row[] = [];
if (!json)
  console.log(
    `${'workload'.padEnd(52)}${'median'.padStart(10)}${'fastest'.padStart(10)}${'slowest'.padStart(10)}  ns each`,
  );
for (const workload of workloads()) {
  if (only !== undefined && !workload.name.includes(only)) continue;
  const row = await measure(workload);
  rows.push(row);
  const cells = [row.median, row.min, row.max].map((ns) => ns.toFixed(2).padStart(10)).join('');
  if (!json) console.log(`${row.name.padEnd(52)}${cells}  ${row.unit}`);
}
if (json) console.log(JSON.stringify({ schema: 'lpae.bench/1', unit: 'ns', rows }, null, 2));
