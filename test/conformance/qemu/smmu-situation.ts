/** What a rule of the SMMU sees, and what it can find out about it. */
import type { PhysicalMemory } from '../../../src/memory/index.ts';
import { eventRecord } from '../../../src/smmu/events.ts';
import type { SmmuResult, TranslationFault } from '../../../src/smmu/index.ts';
import type { WalkStep } from '../../../src/walker/index.ts';
import type { Deviation } from './deviation.ts';
import type { StreamCase } from './smmu-cases.ts';
import type { SmmuChanges } from './smmu-expectation.ts';
import { type SmmuProbe, streamOf } from './smmu-machine.ts';
import { physicalAddress } from './view.ts';

/** A transaction, and its translation under the changes so far. */
export interface SmmuSituation {
  readonly stream: StreamCase;
  readonly probe: SmmuProbe;
  readonly result: SmmuResult;
  readonly changes: SmmuChanges;
  readonly memory: PhysicalMemory;
  /** The architecture's answer with other words of memory beside the changes. */
  retry(words: ReadonlyMap<number, bigint>): SmmuResult;
  /** What QEMU answers where this IPA is read through stage 2 alone. */
  readStage2(ipa: bigint): SmmuResult;
}

/** A rule of the SMMU. */
export interface SmmuDeviation extends Deviation {
  /** What QEMU sees instead; undefined where the rule does not apply or has been applied. */
  view?(situation: SmmuSituation): Partial<SmmuChanges> | undefined;
  /** What QEMU answers instead. */
  result?(situation: SmmuSituation): SmmuResult | undefined;
}

/** Where CD.R and STE.S2R are, the latter in word 2. */
const CD_R = 45n;
const S2R = 58n;
export const ADDRESS_47_12 = 0xffff_ffff_f000n;

export function word({ memory }: SmmuSituation, pa: number): bigint {
  const value = memory.read64(BigInt(pa));
  return typeof value === 'bigint' ? value : 0n;
}

/** The CD's first word as it is now seen. */
export const cdControl = (situation: SmmuSituation): bigint =>
  situation.changes.words.get(situation.stream.cd) ?? word(situation, situation.stream.cd);

/** The word that holds IPS or S2PS, as it is now seen, its PA, and where in it the field is. */
export function outputControl(
  situation: SmmuSituation,
  stage: 1 | 2,
): { readonly pa: number; readonly control: bigint; readonly shift: bigint } {
  const { stream, changes } = situation;
  if (stage === 1) return { pa: stream.cd, control: cdControl(situation), shift: 32n };
  const pa = stream.ste + 16;
  return { pa, control: changes.words.get(pa) ?? word(situation, pa), shift: 48n };
}

/** IPS and S2PS of 48 bits. */
export const WIDEST = 5n;
const OUTPUT_BITS = [32, 36, 40, 42, 44, 44, 44, 44] as const;

/** The original output size of a stage. */
export function outputBits(situation: SmmuSituation, stage: 1 | 2): bigint {
  const { stream } = situation;
  const size = stage === 1 ? word(situation, stream.cd) >> 32n : word(situation, stream.ste + 16) >> 48n;
  return BigInt(OUTPUT_BITS[Number(size & 7n)] ?? 44);
}

/** The entry that a walk ended with, its PA, and what it holds: behind a block that has been replaced by tables, that block. */
export function lastStep(
  situation: SmmuSituation,
): { readonly step: WalkStep; readonly pa: number; readonly descriptor: bigint } | undefined {
  const { steps } = situation.result;
  const last = steps.at(-1);
  if (last === undefined) return undefined;
  for (const step of [last, ...steps.filter(({ stage }) => stage === last.stage).slice(-2, -1)]) {
    const pa = physicalAddress(steps, step);
    if (pa === undefined) return undefined;
    const descriptor = step === last ? (step.descriptor ?? 0n) : word(situation, pa);
    if (descriptor !== 0n) return { step, pa, descriptor };
  }
  return undefined;
}

/** Every leaf of the walks that were made, in their order, with the base that QEMU sees: it may be a block where the architecture has none. */
export function* leaves(
  situation: SmmuSituation,
): Generator<{ index: number; step: WalkStep; base: bigint }> {
  const { steps } = situation.result;
  // Walks of stage 2 stand between the steps of stage 1.
  const block: (bigint | undefined)[] = [];
  for (const [index, step] of steps.entries()) {
    const { stage, kind, size, descriptor = 0n } = step;
    if (kind === 'table') {
      const original = word(situation, physicalAddress(steps, step) ?? 0);
      if ((original & 3n) === 1n) block[stage] ??= original & ADDRESS_47_12 & ~(size - 1n);
    } else if (kind === 'block' || kind === 'page') {
      const base = block[stage] ?? descriptor & ADDRESS_47_12 & ~(size - 1n);
      block[stage] = undefined;
      yield { index, step, base };
    }
  }
}

/** The stage of a fault of translation. */
export const faultStage = (result: SmmuResult): number | undefined =>
  !result.ok && 'stage' in result.fault ? result.fault.stage : undefined;

/** A fault of translation in place of another answer, recorded as CD.R or STE.S2R say. */
export function faulted(
  situation: SmmuSituation,
  fault: Omit<TranslationFault, 'level'>,
  steps: readonly WalkStep[],
): SmmuResult {
  const { stream, probe } = situation;
  const context = {
    streamId: streamOf(stream.device),
    substreamId: undefined,
    ia: probe.iova,
    privileged: true,
  };
  const whole = { level: 0, ...fault };
  const control = fault.stage === 1 ? cdControl(situation) >> CD_R : word(situation, stream.ste + 16) >> S2R;
  const recorded = fault.kind === 'external_walk' || (control & 1n) === 1n;
  const event = recorded ? eventRecord(whole, { ...context, access: probe.access }) : undefined;
  return { ok: false, ia: probe.iova, fault: whole, event, response: 'abort', steps };
}

/** A fault of the configuration in place of another answer. */
export function faultedConfiguration(
  { stream, probe }: SmmuSituation,
  kind: 'c_bad_ste' | 'c_bad_cd',
): SmmuResult {
  const context = {
    streamId: streamOf(stream.device),
    substreamId: undefined,
    ia: probe.iova,
    privileged: true,
  };
  const event = eventRecord({ kind }, { ...context, access: probe.access });
  return { ok: false, ia: probe.iova, fault: { kind }, event, response: 'abort', steps: [] };
}

/** CD.HAD0 or HAD1, by the half of the address. */
export function hierarchyDisabled(situation: SmmuSituation): boolean {
  const { stream, probe } = situation;
  const upper = (probe.iova >> 55n) & 1n;
  return (word(situation, stream.cd + (upper ? 16 : 8)) & 2n) !== 0n;
}
