/** The results of a comparison: counts, rules used, and disagreements written so that each can be run again. */
import type { SmmuResult } from '../../../src/smmu/index.ts';
import type { WalkResult } from '../../../src/walker/index.ts';
import type { Expected } from './expectation.ts';
import type { Case, CpuAnswer, Probe } from './probe.ts';

export const hex = (value: bigint | number): string => `0x${value.toString(16)}`;

/** Counts of what was compared, over any number of batches. */
export class Tally {
  probes = 0;
  /** Probes that went where a device answers, and were not compared. */
  notAsked = 0;
  readonly outcomes = new Map<string, number>();
  readonly rules = new Map<string, number>();
  readonly disagreements: string[] = [];

  add(result: WalkResult | SmmuResult, rules: readonly string[]): void {
    this.probes++;
    count(this.outcomes, outcomeOf(result));
    for (const rule of rules) count(this.rules, rule);
  }

  /** The share of probes whose outcome starts so. */
  share(prefix: string): number {
    let sum = 0;
    for (const [outcome, times] of this.outcomes) if (outcome.startsWith(prefix)) sum += times;
    return sum / this.probes;
  }

  /** One line for people. */
  summary(): string {
    const rules = [...this.rules].map(([rule, times]) => `${rule} ${times}`).join(', ');
    return `${this.probes} probes, ${Math.round(this.share('translation by') * 100)}% translated; deviations: ${rules || 'none'}`;
  }
}

function count(map: Map<string, number>, key: string): void {
  map.set(key, (map.get(key) ?? 0) + 1);
}

/** What a walk ended with, in a few words: what the tally counts. */
export function outcomeOf(result: WalkResult | SmmuResult): string {
  if (result.ok) return `translation by level ${result.level ?? '-'}`;
  if (!('stage' in result.fault)) return result.fault.kind;
  const { kind, stage, level, ptw, gpc } = result.fault;
  return `${kind}${gpc === undefined ? '' : ` (${gpc})`} fault, stage ${stage} level ${level}${ptw ? ' on a walk' : ''}`;
}

/** A disagreement: where it comes from, what was asked, every register and descriptor, and the three answers. */
export function disagreement(one: Case, probe: Probe, expected: Expected, qemu: CpuAnswer): string {
  const registers = Object.entries(one.registers).filter(([, value]) => value !== 0n);
  const access = `${probe.access} ${probe.privileged ? 'privileged' : 'unprivileged'}${probe.pan ? ' with PAN' : ''}`;
  return [
    `${one.name}: ${one.regime} on ${one.cpu}, ${access} of ${hex(probe.va)}`,
    `  registers ${registers.map(([name, value]) => `${name}=${hex(value)}`).join(' ')}`,
    ...expected.result.steps.map(
      ({ stage, level, address, descriptor, kind }) =>
        `  stage ${stage} level ${level} at ${hex(address)}: ${descriptor === undefined ? '-' : hex(descriptor)} (${kind})`,
    ),
    `  walker   ${outcomeOf(expected.result)}${expected.result.ok ? `, PA ${hex(expected.result.pa)}` : ''}`,
    `  expected PAR ${hex(expected.par)} ESR ${hex(expected.esr)}${expected.rules.length ? ` by ${expected.rules.join(', ')}` : ''}`,
    `  QEMU     PAR ${hex(qemu.par)} ESR ${hex(qemu.esr)}`,
  ].join('\n');
}
