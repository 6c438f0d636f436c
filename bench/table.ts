/** The table that a measurement prints: a line for each workload, times in the unit that fits them. */
import type { Mode, Row, Timing } from './workload.ts';

const NAME_WIDTH = 58;
const UNITS = [
  { ns: 1e9, unit: 's' },
  { ns: 1e6, unit: 'ms' },
  { ns: 1e3, unit: 'µs' },
  { ns: 1, unit: 'ns' },
] as const;

/** Nanoseconds in three digits, in the largest unit that leaves at least 1 of it: `0.27 ns`, `47.0 ms`. */
export function duration(ns: number): string {
  const { ns: size, unit } = UNITS.find((one) => ns >= one.ns) ?? UNITS[3];
  const value = ns / size;
  return `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ${unit}`;
}

/** The head of the table. */
export function heads(modes: readonly Mode[]): string {
  const above = modes.map((mode) => (mode === 'alone' ? 'a process of its own' : 'all in one process'));
  const columns = ['median', 'fastest', 'slowest', 'wall', '× limit'].map((one) => one.padStart(9)).join('');
  return [
    `${''.padEnd(NAME_WIDTH)}${above.map((one) => `  ${one.padEnd(columns.length)}`).join('')}`.trimEnd(),
    `${'CPU time of each unit; wall: median'.padEnd(NAME_WIDTH)}${modes.map(() => `  ${columns}`).join('')}`,
  ].join('\n');
}

/** A line of the table. `before`: the same workload of a saved run. */
export function line(row: Row, modes: readonly Mode[], before: Row | undefined): string {
  const cells = modes.map((mode) => {
    const now = row[mode];
    const change = now && before?.[mode] ? `${(now.ratio / before[mode].ratio).toFixed(2)} × before` : '';
    return `  ${now ? timing(now) : ''.padEnd(45)}${before ? change.padStart(14) : ''}`;
  });
  return `${row.name.padEnd(NAME_WIDTH)}${cells.join('')}   ${row.unit}`;
}

function timing({ median, min, max, wall, ratio }: Timing): string {
  const times = [median, min, max, wall].map((ns) => duration(ns).padStart(9)).join('');
  return `${times}${ratio.toFixed(1).padStart(9)}`;
}
