/** The memory of a running machine, for a walker: physical addresses, read line by line. */
import { PhysicalMemory } from '../memory/index.ts';
import { LineRegion } from './line-region.ts';
import type { GdbMachine } from './machine.ts';

/** Where a process keeps its simulated physical memory: the byte at `host` is the one at `pa`. */
export interface HostWindow {
  readonly host: bigint;
  readonly pa: bigint;
}

/** A physical address has at most 52 bits; a process's has 64. */
const PA_LIMIT = 1n << 52n;
const HOST_LIMIT = 1n << 64n;
const WORD = 8n;

/**
 * The RAM and ROM of a machine, or everything readable if it does not list them. For a process, everything from `window` on. Writes stay
 * in this memory: the machine never sees them.
 */
export function gdbMemory(machine: GdbMachine, window?: HostWindow): PhysicalMemory {
  if (window !== undefined) {
    const { host, pa } = window;
    const size = [PA_LIMIT - pa, HOST_LIMIT - host].reduce((a, b) => (a < b ? a : b));
    return new PhysicalMemory([regionOf(machine, pa, pa + size, host - pa)]);
  }
  const map = machine.facts.map ?? [{ start: 0n, end: PA_LIMIT }];
  const regions = map
    .map(({ start, end }) => [start + ((WORD - (start % WORD)) % WORD), end - (end % WORD)] as const)
    .filter(([start, end]) => start < end && end <= PA_LIMIT);
  return new PhysicalMemory(regions.map(([start, end]) => regionOf(machine, start, end, 0n)));
}

function regionOf(machine: GdbMachine, base: bigint, end: bigint, shift: bigint): LineRegion {
  const size = end - base - ((end - base) % WORD);
  return new LineRegion({ base, size, read: (pa, length) => machine.read(BigInt(pa) + shift, length) });
}
