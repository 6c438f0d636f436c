/** What QEMU must answer to a probe: what the architecture answers, through every deviation that applies. */
import type { PhysicalMemory } from '../../../src/memory/index.ts';
import type { WalkResult } from '../../../src/walker/index.ts';
import { answerOf } from './answer.ts';
import { ofRelease } from './deviation.ts';
import { type CpuDeviation, cpuDeviations, type Situation } from './deviations-cpu.ts';
import type { Case, CpuAnswer, Probe } from './probe.ts';
import { merge, NO_CHANGES, walkUnder } from './view.ts';

export interface Expected extends CpuAnswer {
  /** The architecture's answer. */
  readonly result: WalkResult;
  /** Names of the deviations that changed it. */
  readonly rules: readonly string[];
}

const same = (a: CpuAnswer, b: CpuAnswer): boolean => a.par === b.par && a.esr === b.esr;

/** The CPU's deviations of a release. */
export function deviationsOf(release: number): readonly CpuDeviation[] {
  return ofRelease(cpuDeviations, release);
}

/** The expectation of one probe. Hardware updates are made in `memory` as QEMU makes them. */
export function expectation(
  memory: PhysicalMemory,
  rules: readonly CpuDeviation[],
  one: Case,
  probe: Probe,
): Expected {
  const used = new Set<string>();
  const short = one.regime === 'pl1&0-short';
  let changes = NO_CHANGES;
  const architectural = walkUnder(memory, one, probe, changes, false);
  let result = architectural;
  for (let round = 0; round < 12; round++) {
    const situation: Situation = { case: one, probe, result, changes };
    const rule = rules.find((candidate) => candidate.view?.(situation) !== undefined);
    const change = rule?.view?.(situation);
    if (rule === undefined || change === undefined) break;
    changes = merge(changes, change);
    const before = answerOf(result, short);
    result = walkUnder(memory, one, probe, changes, false);
    if (!same(before, answerOf(result, short))) used.add(rule.name);
  }
  walkUnder(memory, one, probe, changes, true);
  let answer = answerOf(result, short);
  for (const rule of rules) {
    const changed = rule.answer?.({ case: one, probe, result, changes }, answer);
    if (changed === undefined || same(changed, answer)) continue;
    used.add(rule.name);
    answer = changed;
  }
  return { ...answer, result: architectural, rules: [...used] };
}
