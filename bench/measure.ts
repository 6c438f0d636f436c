/** Measures a workload: warm-up rounds, then samples, each timed by the CPU time of the process and by the clock. */
import type { LimitName, Timing, Workload } from './workload.ts';
import { limits } from './workloads/limits.ts';

const SAMPLES = 15;

/** Runs a workload. `limit` is what a unit of its limit takes, in nanoseconds; NaN if that is being measured. */
export function measure(workload: Workload, limit: number): Timing {
  const { units, samples = SAMPLES } = workload;
  const { prepare, run } = workload.make();
  for (let round = 0; round < samples; round++) {
    prepare?.();
    run();
  }
  const cpu: number[] = [];
  const wall: number[] = [];
  for (let sample = 0; sample < samples; sample++) {
    prepare?.();
    const clock = performance.now();
    const before = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(before);
    wall.push(((performance.now() - clock) * 1e6) / units);
    cpu.push(((user + system) * 1e3) / units);
  }
  cpu.sort((a, b) => a - b);
  wall.sort((a, b) => a - b);
  const min = cpu[0]!;
  return { median: middle(cpu), min, max: cpu.at(-1)!, wall: middle(wall), ratio: min / limit };
}

function middle(sorted: readonly number[]): number {
  return sorted[sorted.length >> 1]!;
}

/** What a unit of each limit takes in this process, in nanoseconds: its fastest sample. */
export function measureLimits(): Record<LimitName, Timing> {
  const { fill, copy, random } = limits();
  const one = (workload: Workload): Timing => ({ ...measure(workload, Number.NaN), ratio: 1 });
  return { fill: one(fill), copy: one(copy), random: one(random) };
}
