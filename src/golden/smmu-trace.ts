/** Golden files of SMMUv3 drivers: traces, mutations of them, and changes of STEs and CDs. What is permitted is compared as a set. */

import type { SmmuDevice } from '../smmu/device/device.ts';
import {
  type Answer,
  answersAfter,
  BEYOND_RAM,
  byText,
  cachesOf,
  dependsOnBeyondRam,
  examineChange,
  keyOf,
  needsOf,
  outcomeText,
  type ReplayedStep,
  replay,
  transactionOf,
} from '../smmu/judge/index.ts';
import { hex } from '../text/numbers.ts';
import {
  type AccessStep,
  mutatedTrace,
  type Outcome,
  parseMutations,
  parseSmmuTrace,
  parseTransitions,
  type ReadStep,
  type SmmuTrace,
  SmmuTraceError,
  type TraceMutation,
  type Transition,
} from '../trace/index.ts';
import { type CheckLimits, type Difference, GoldenFileError, type GoldenResult } from './result.ts';

const ALL_ONES = (1n << 64n) - 1n;

/** Facts that were compared, those that differ, and what else is to be said. */
class Comparison {
  checked = 0;
  readonly differences: Difference[] = [];
  readonly warnings: string[] = [];

  same(where: string, want: string, got: string): void {
    this.checked++;
    if (want !== got) this.differences.push({ where, want, got });
  }

  result(name: string): GoldenResult {
    const { checked, differences, warnings } = this;
    return { name, checked, differences, ...(warnings.length > 0 && { warnings }) };
  }
}

type Replayed = ReplayedStep & { readonly device: SmmuDevice };

/** Checks `pgtable-trace/1`: the permitted answers at each access and read, and that the named commands leave one. */
export function checkSmmuTrace(json: unknown): GoldenResult {
  const trace = orRefuse(() => parseSmmuTrace(json));
  const found = new Comparison();
  let beyond = false;
  orRefuse(() => {
    for (const replayed of replay(trace)) {
      const step = trace.steps[replayed.step]!;
      const where = `steps[${replayed.step}]`;
      beyond ||= replayed.notes.some(({ kind }) => kind === 'beyond-ram');
      const leaves = trace.producerLeavesArmAt?.includes(replayed.step) === true;
      if (step.kind === 'access') compareAccess(step, replayed, where, leaves, found);
      if (step.kind === 'read') compareRead(step, replayed, where, found);
      if (step.kind === 'resumed' && step.arm !== undefined) {
        compareSets(step.arm, replayed.answers ?? [], where, found);
      }
    }
  });
  if (beyond)
    for (const step of dependsOnBeyondRam(trace)) found.warnings.push(`steps[${step}]: ${BEYOND_RAM}`);
  return found.result(trace.name);
}

function compareAccess(
  step: AccessStep,
  { answers = [], device }: Replayed,
  where: string,
  leaves: boolean,
  found: Comparison,
): void {
  const { arm, got, needs } = step;
  if (arm !== undefined) compareSets(arm, answers, where, found);
  if (needs !== undefined) compareNeeds(step, needs, device, where, found);
  if (got === undefined || leaves) return;
  if (arm === undefined) found.checked++;
  if (answers.some(({ outcome }) => isSeenAs(outcome, got.outcome))) return;
  found.differences.push({
    where: `${where}.got`,
    want: outcomeText(got.outcome),
    got: `one of ${answersText(answers)}`,
  });
}

/** Whether a producer that saw one outcome may have met another: where no event is recorded, it sees an abort. */
function isSeenAs(outcome: Outcome, got: Outcome): boolean {
  if (got.kind === 'abort' && outcome.kind === 'fault') return outcome.recorded === false;
  return keyOf(outcome) === keyOf(got);
}

function compareSets(
  arm: readonly Outcome[],
  answers: readonly Answer[],
  where: string,
  found: Comparison,
): void {
  const wanted = arm.map((outcome) => outcomeText(outcome)).sort();
  const permitted = answers.map(({ outcome }) => outcomeText(outcome)).sort();
  found.same(`${where}.arm`, wanted.join(' | '), permitted.join(' | '));
  for (const one of arm) {
    const own = answers.find(({ outcome }) => keyOf(outcome) === keyOf(one));
    if (own === undefined) continue;
    const ways = [...(own.ways ?? [own.mask])].map((mask) => byText(cachesOf(mask)));
    if (ways.includes(byText(one.by))) continue;
    found.differences.push({
      where: `${where}.arm: ${outcomeText(one)}`,
      want: `possible${byText(one.by) || ' without caches'}`,
      got: `possible${byText(cachesOf(own.mask)) || ' without caches'}`,
    });
  }
}

function compareNeeds(
  { access }: AccessStep,
  needs: readonly string[] | null,
  device: SmmuDevice,
  where: string,
  found: Comparison,
): void {
  const transaction = transactionOf(access);
  if (needs === null) {
    found.same(`${where}.needs`, 'null', needsText(needsOf(device, transaction)));
    return;
  }
  const left = answersAfter(device, transaction, needs);
  found.same(
    `${where}.needs`,
    `one answer after ${needsText(needs)}`,
    `${left === 1 ? 'one answer' : `${left} answers`} after ${needsText(needs)}`,
  );
}

function compareRead(
  { register, arm, mask = ALL_ONES }: ReadStep,
  { values = [] }: Replayed,
  where: string,
  found: Comparison,
): void {
  if (arm === undefined) return;
  const text = (list: readonly bigint[]) =>
    [...new Set(list.map((value) => hex(value & mask)))].sort().join(' | ');
  found.same(`${where}.arm: ${register}`, text(arm), text(values));
}

function needsText(needs: readonly string[] | null): string {
  return needs === null ? 'null' : needs.join(', ');
}

function answersText(answers: readonly Answer[]): string {
  return answers.map(({ outcome, mask }) => outcomeText(outcome) + byText(cachesOf(mask))).join(' | ');
}

/** Checks `pgtable-trace-mutations/1`: which accesses are open with each mutation, and the first of them. */
export function checkMutations(json: unknown, { readBeside }: CheckLimits): GoldenResult {
  const mutations = orRefuse(() => parseMutations(json));
  const found = new Comparison();
  const traces = new Map<string, SmmuTrace>();
  for (const [i, mutation] of mutations.entries()) {
    let trace = traces.get(mutation.base);
    if (trace === undefined) {
      if (readBeside === undefined)
        throw new GoldenFileError(
          `mutations[${i}].base: ${mutation.base} lies beside the file, which has no place here`,
        );
      const base = readBeside(mutation.base);
      trace = orRefuse(() => parseSmmuTrace(base));
      traces.set(mutation.base, trace);
    }
    orRefuse(() => compareMutation(mutation, trace, `mutations[${i}]`, found));
  }
  return found.result('mutations');
}

function compareMutation(mutation: TraceMutation, base: SmmuTrace, where: string, found: Comparison): void {
  const trace = mutatedTrace(base, mutation);
  const open: number[] = [];
  const { first } = mutation;
  for (const replayed of replay(trace)) {
    const { step, answers = [], device } = replayed;
    if (answers.length > 1) open.push(step);
    if (first === undefined || step !== first.step) continue;
    compareSets(first.arm, answers, `${where}.first`, found);
    const at = trace.steps[step] as AccessStep;
    if (first.needs !== undefined) compareNeeds(at, first.needs, device, `${where}.first`, found);
  }
  found.same(`${where}.open`, mutation.open.join(', '), open.join(', '));
}

/** Checks a list of `pgtable-hitless/1`: what hardware may see of each change. */
export function checkTransitions(json: unknown): GoldenResult {
  const transitions = orRefuse(() => parseTransitions(json));
  const found = new Comparison();
  for (const [i, transition] of transitions.entries())
    compareTransition(transition, `[${i}] ${transition.name}`, found);
  return found.result('transitions of STEs and CDs');
}

function compareTransition(transition: Transition, where: string, found: Comparison): void {
  const report = examineChange(transition);
  const { syncs, hitless, v0Seen } = transition;
  const compare = <T>(name: string, want: T | undefined, got: T) => {
    if (want !== undefined) found.same(`${where}.${name}`, String(want), String(got));
  };
  compare('syncs', syncs, report.syncs);
  // A driver calls a change hitless where it never makes the structure invalid, even if that is what it becomes.
  compare('hitless', hitless, report.hitless && !report.invalidSynced);
  compare('v0_seen', v0Seen, report.invalidSynced);
  found.same(
    `${where}.steps`,
    'end with the new words, invalidated',
    report.complete
      ? 'end with the new words, invalidated'
      : 'end with other words, or words that may be cached',
  );
}

/** What is wrong with a trace is wrong with the file. */
function orRefuse<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof SmmuTraceError) throw new GoldenFileError(error.message);
    throw error;
  }
}
