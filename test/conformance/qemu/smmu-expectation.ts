/** What QEMU's SMMUv3 must answer to a transaction: what the architecture answers, through every deviation that applies. */
import type { PhysicalMemory } from '../../../src/memory/index.ts';
import { eventNumber } from '../../../src/smmu/events.ts';
import { createSmmu, type SmmuResult } from '../../../src/smmu/index.ts';
import { ofRelease } from './deviation.ts';
import type { StreamCase } from './smmu-cases.ts';
import { smmuDeviations } from './smmu-deviations.ts';
import type { SmmuAnswer, SmmuProbe } from './smmu-machine.ts';
import { STREAM_TABLE_REGISTERS, streamOf } from './smmu-machine.ts';
import type { SmmuDeviation, SmmuSituation } from './smmu-situation.ts';

export type Identification = Readonly<Record<'idr0' | 'idr1' | 'idr3' | 'idr5', bigint>>;

/** What is different in QEMU's eyes: words of memory (STE, CD and descriptors), and output bits. */
export interface SmmuChanges {
  readonly words: ReadonlyMap<number, bigint>;
  readonly wide: boolean;
}

export interface SmmuExpected extends SmmuAnswer {
  /** The architecture's answer. */
  readonly result: SmmuResult;
  readonly rules: readonly string[];
}

/** STE.Config[0]: stage 1 translates. */
const STAGE_1 = 1n << 1n;
/** SMMU_IDR5.OAS of 48 bits. */
const OAS_48 = 5n;

export class SmmuOracle {
  readonly #memory: PhysicalMemory;
  readonly #identification: Identification;
  readonly #rules: readonly SmmuDeviation[];
  readonly #release: number;

  constructor(memory: PhysicalMemory, identification: Identification, release: number) {
    this.#memory = memory;
    this.#identification = identification;
    this.#release = release;
    this.#rules = ofRelease(smmuDeviations, release);
  }

  /** The expectation of one transaction. */
  expect(stream: StreamCase, probe: SmmuProbe): SmmuExpected {
    const { architectural, result, rules } = this.#throughRules(stream, probe);
    return { ...answerOf(result), result: architectural, rules };
  }

  #throughRules(
    stream: StreamCase,
    probe: SmmuProbe,
    fixed: ReadonlyMap<number, bigint> = new Map(),
  ): { readonly architectural: SmmuResult; readonly result: SmmuResult; readonly rules: readonly string[] } {
    const used = new Set<string>();
    let changes: SmmuChanges = { words: fixed, wide: false };
    const architectural = this.#translate(stream, probe, changes);
    let result = architectural;
    const now = (): SmmuSituation => this.#situation(stream, probe, result, changes);
    for (let round = 0; round < 24; round++) {
      const situation = now();
      const rule = this.#rules.find((candidate) => candidate.view?.(situation) !== undefined);
      const change = rule?.view?.(situation);
      if (rule === undefined || change === undefined) break;
      changes = {
        words: new Map([...changes.words, ...(change.words ?? [])]),
        wide: changes.wide || change.wide === true,
      };
      const before = JSON.stringify(answerOf(result), bigints);
      result = this.#translate(stream, probe, changes);
      if (before !== JSON.stringify(answerOf(result), bigints)) used.add(rule.name);
    }
    for (const rule of this.#rules) {
      const changed = rule.result?.(now());
      if (changed === undefined) continue;
      if (JSON.stringify(answerOf(result), bigints) !== JSON.stringify(answerOf(changed), bigints))
        used.add(rule.name);
      result = changed;
    }
    return { architectural, result, rules: [...used] };
  }

  #situation(stream: StreamCase, probe: SmmuProbe, result: SmmuResult, changes: SmmuChanges): SmmuSituation {
    const retry: SmmuSituation['retry'] = (words) =>
      this.#translate(stream, probe, { ...changes, words: new Map([...changes.words, ...words]) });
    const readStage2: SmmuSituation['readStage2'] = (ipa) => {
      const alone: StreamCase = { ...stream, kind: 'stage 2', cd: 0 };
      const w0 = this.#memory.read64(BigInt(stream.ste));
      const ste = new Map([[stream.ste, (typeof w0 === 'bigint' ? w0 : 0n) & ~STAGE_1]]);
      return this.#throughRules(alone, { iova: ipa, access: 'read' }, ste).result;
    };
    return { stream, probe, result, changes, memory: this.#memory, retry, readStage2 };
  }

  /** Whether QEMU's answer is the expected one: the address, or the fields of the event that QEMU fills in. */
  agrees(expected: SmmuAnswer, got: SmmuAnswer): boolean {
    if (expected.event === undefined || got.event === undefined) {
      return expected.event === got.event && expected.pa === got.pa;
    }
    const { event: a } = expected;
    const { event: b } = got;
    const type = (a[0] ?? 0n) & 0xffn;
    const isTranslation = type >= WALK_EABT;
    const fields = this.#release >= 901 ? RNW | S2_CLASS : RNW;
    const hasIpa = this.#release >= 901 && type !== WALK_EABT && ((a[1] ?? 0n) & S2) !== 0n;
    const same = (i: number, mask: bigint): boolean => ((a[i] ?? 0n) & mask) === ((b[i] ?? 0n) & mask);
    return (
      same(0, TYPE_AND_STREAM) &&
      (!isTranslation || (same(1, fields) && same(2, ALL) && (!hasIpa || same(3, IPA_51_12))))
    );
  }

  #translate({ device }: StreamCase, { iova, access }: SmmuProbe, { words, wide }: SmmuChanges): SmmuResult {
    const memory = this.#memory;
    const before = [...words].map(([pa]) => [pa, memory.read64(BigInt(pa))] as const);
    for (const [pa, word] of words) memory.write64(BigInt(pa), word);
    const { idr5 } = this.#identification;
    const smmu = createSmmu(memory, {
      ...STREAM_TABLE_REGISTERS,
      ...this.#identification,
      idr5: wide ? (idr5 & ~7n) | OAS_48 : idr5,
    });
    const result = smmu.translate(streamOf(device), iova, { access, privileged: true });
    for (const [pa, word] of before) if (typeof word === 'bigint') memory.write64(BigInt(pa), word);
    return result;
  }
}

const TYPE_AND_STREAM = 0xffff_ffff_0000_00ffn;
const RNW = 1n << 35n;
/** S2 [103] and CLASS [105:104]. */
const S2_CLASS = (1n << 39n) | (3n << 40n);
const S2 = 1n << 39n;
const WALK_EABT = 0xbn;
const IPA_51_12 = 0xf_ffff_ffff_f000n;
const ALL = (1n << 64n) - 1n;

const bigints = (_: string, value: unknown): unknown =>
  typeof value === 'bigint' ? value.toString(16) : value;

/** The address or event of a result. */
export function answerOf(result: SmmuResult): SmmuAnswer {
  if (result.ok) return { pa: result.pa };
  return result.event && eventNumber(result.fault.kind) !== undefined ? { event: result.event } : {};
}
