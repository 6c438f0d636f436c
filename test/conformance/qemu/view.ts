/**
 * A walk as QEMU sees it: the walker's own, over memory, registers or features that a deviation has changed for one probe.
 * Changed words are put back afterwards, and hardware updates that were made through them are kept.
 */
import type { PhysicalMemory } from '../../../src/memory/index.ts';
import {
  type CpuFeatures,
  createWalker,
  type Walker,
  type WalkResult,
  type WalkStep,
} from '../../../src/walker/index.ts';
import type { Case, Probe, RegisterValues } from './probe.ts';
import { scrOf } from './prober-a64.ts';

/** What is different in QEMU's eyes. */
export interface Changes {
  /** Descriptors by physical address. */
  readonly words?: ReadonlyMap<number, bigint>;
  /** Addresses that stand in for others: an update of the first is one of the second. */
  readonly standIns?: ReadonlyMap<number, number>;
  readonly registers?: Partial<RegisterValues>;
  readonly cpu?: Partial<CpuFeatures>;
}

export const NO_CHANGES: Changes = {};

export function merge(a: Changes, b: Changes): Changes {
  const registers = a.registers || b.registers ? { registers: { ...a.registers, ...b.registers } } : {};
  const cpu = a.cpu || b.cpu ? { cpu: { ...a.cpu, ...b.cpu } } : {};
  return {
    words: new Map([...(a.words ?? []), ...(b.words ?? [])]),
    standIns: new Map([...(a.standIns ?? []), ...(b.standIns ?? [])]),
    ...registers,
    ...cpu,
  };
}

function read(memory: PhysicalMemory, pa: number): bigint {
  const word = memory.read64(BigInt(pa));
  return typeof word === 'bigint' ? word : 0n;
}

/** Walkers of a case, by what was changed: most probes need no other than the plain one. */
const known = new WeakMap<Case, Map<string, Walker>>();

function walkerOf(memory: PhysicalMemory, one: Case, { registers = {}, cpu = {} }: Changes): Walker {
  const key = `${Object.entries(registers)} ${Object.entries(cpu)}`;
  const walkers = known.get(one) ?? new Map<string, Walker>();
  known.set(one, walkers);
  const found = walkers.get(key);
  if (found !== undefined) return found;
  const { security } = one;
  const walker = createWalker(memory, {
    regime: one.regime,
    registers: { ...one.registers, ...registers },
    cpu: { model: one.cpu, ...(security && { sel2: true, rme: security.rme }), ...cpu },
    ...(security && { security: security.state, scr: scrOf(security) }),
  });
  walkers.set(key, walker);
  return walker;
}

/** Walks under the changes, as an address translation instruction does. `keep`: hardware updates stay in memory; otherwise they are taken back. */
export function walkUnder(
  memory: PhysicalMemory,
  one: Case,
  probe: Probe,
  changes: Changes,
  keep: boolean,
): WalkResult {
  const planted = [...(changes.words ?? [])].map(([pa, word]) => ({ pa, word, before: read(memory, pa) }));
  for (const { pa, word } of planted) memory.write64(BigInt(pa), word);
  const walker = walkerOf(memory, one, changes);
  const result = walker.walk(probe.va, { ...probe, gpc: 'fetches' });
  // A step holds the descriptor as it was fetched: a difference now is an update.
  if (!keep && one.regime !== 'pl1&0-short') {
    for (const step of result.steps) {
      const pa = physicalAddress(result.steps, step);
      if (step.descriptor !== undefined && pa !== undefined && read(memory, pa) !== step.descriptor) {
        memory.write64(BigInt(pa), step.descriptor);
      }
    }
  }
  for (const { pa, word, before } of planted.reverse()) {
    const update = word ^ read(memory, pa);
    memory.write64(BigInt(pa), before);
    const target = changes.standIns?.get(pa) ?? pa;
    if (update !== 0n) memory.write64(BigInt(target), read(memory, target) ^ update);
  }
  return result;
}

/** PA of a step's descriptor: of a stage-1 step under stage 2, the output of the stage-2 steps before it. */
export function physicalAddress(steps: readonly WalkStep[], step: WalkStep): number | undefined {
  if (step.stage === 2) return Number(step.address);
  const before = steps[steps.indexOf(step) - 1];
  if (before === undefined || before.stage === 1) return Number(step.address);
  if (before.output === undefined) return undefined;
  return Number(before.output + (step.address & (before.size - 1n)));
}
