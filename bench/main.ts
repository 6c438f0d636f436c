/**
 * `npm run bench [-- --json] [--only=NAME]`: every workload, sampled after a warm-up, as nanoseconds a unit, and as a ratio to
 * the machine's own floor (storing the same words in order), since machines are noisy and differ.
 */
import { Bench } from 'tinybench';
import { type Workload, workloads } from './workloads.ts';

const SAMPLES = 15;
const WARM_UP = 15;
const FLOOR = 'floor';

interface Row {
  readonly name: string;
  readonly unit: string;
  /** Nanoseconds a unit: median, fastest and slowest sample. */
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** The median as a multiple of the floor's, if that was measured. */
  readonly ratio?: number;
}

async function measure(workload: Workload): Promise<Row> {
  const bench = new Bench({
    iterations: SAMPLES,
    time: 0,
    warmupIterations: WARM_UP,
    warmupTime: 0,
    throws: true,
  });
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
const heads = ['median', 'fastest', 'slowest', '× floor'].map((head) => head.padStart(10)).join('');
if (!json) console.log(`${'workload'.padEnd(56)}${heads}   ns each`);
let floor: number | undefined;
for (const workload of workloads()) {
  const isFloor = workload.name.startsWith(FLOOR);
  if (only !== undefined && !workload.name.includes(only) && !isFloor) continue;
  const measured = await measure(workload);
  if (isFloor) floor = measured.median;
  const row = { ...measured, ...(floor !== undefined && { ratio: measured.median / floor }) };
  rows.push(row);
  const cells = [row.median, row.min, row.max].map((ns) => ns.toFixed(2).padStart(10)).join('');
  const ratio = (row.ratio?.toFixed(1) ?? '').padStart(10);
  if (!json) console.log(`${row.name.padEnd(56)}${cells}${ratio}   ${row.unit}`);
}
if (json) console.log(JSON.stringify({ schema: 'lpae.bench/1', unit: 'ns', rows }, null, 2));
