/** Where QEMU's CPU leaves the architecture in walks of 64-bit descriptors, and all rules of the CPU. (DDI 0487; QEMU 7.2 and 10.0.) */
import { cpuFeatures } from '../../../src/walker/cpu.ts';
import { faultStatusCode } from '../../../src/walker/fault-codes.ts';
import type { Fault, WalkResult, WalkStep } from '../../../src/walker/index.ts';
import { answerOf } from './answer.ts';
import type { Deviation } from './deviation.ts';
import { attributeDeviations } from './deviations-attributes.ts';
import { granuleDeviations } from './deviations-granules.ts';
import { indirectionDeviations } from './deviations-indirection.ts';
import { registerDeviations } from './deviations-registers.ts';
import { shortDeviations } from './deviations-short.ts';
import type { Case, CpuAnswer, Probe } from './probe.ts';
import { outputSizeOf, type StageSize } from './sizes.ts';
import { type Changes, physicalAddress } from './view.ts';

/** A probe, and the walk of it under the changes so far. */
export interface Situation {
  readonly case: Case;
  readonly probe: Probe;
  readonly result: WalkResult;
  readonly changes: Changes;
}

/** A rule of the CPU. */
export interface CpuDeviation extends Deviation {
  /** What QEMU sees instead, if the rule applies; undefined when it does not, or has been applied. */
  view?(situation: Situation): Changes | undefined;
  /** What QEMU answers instead of `answer`. */
  answer?(situation: Situation, answer: CpuAnswer): CpuAnswer | undefined;
}

const ADDRESS_47_12 = 0xffff_ffff_f000n;
const BITS_15_12 = 0xf000n;
const BITS_9_8 = 0x300n;

/** Steps that hold a descriptor which has not been changed yet, with its PA. */
function* openSteps({ result, changes }: Situation): Generator<{ step: WalkStep; pa: number; word: bigint }> {
  for (const step of result.steps) {
    const pa = physicalAddress(result.steps, step);
    if (pa === undefined || step.descriptor === undefined || changes.words?.has(pa)) continue;
    yield { step, pa, word: step.descriptor };
  }
}

const stageSize = ({ case: one, probe, changes }: Situation, stage: 1 | 2): StageSize =>
  outputSizeOf({ ...one.registers, ...changes.registers }, one, probe.va, stage);

/** Bits of a descriptor that are upper bits of its address, but that QEMU does not look at. */
function unseenAddressBits({ granuleLog2, ps, paBits, ds }: StageSize): bigint {
  if (ps === 6) return 0n;
  return granuleLog2 === 16 && paBits >= 52 ? BITS_15_12 : ds ? BITS_9_8 : 0n;
}

const high64K: CpuDeviation = {
  name: 'high-address-64k-needs-ps',
  section:
    'D8.3.1, NextTableBase: with FEAT_LPA and the 64K granule, bits [15:12] are OA[51:48] whatever the output size',
  text: 'bits [15:12] count as address bits only where IPS (PS) says 52 bits',
  view(situation) {
    for (const { step, pa, word } of openSteps(situation)) {
      const high = unseenAddressBits(stageSize(situation, step.stage));
      if (!(word & high) || step.kind === 'invalid') continue;
      return { words: new Map([[pa, word & ~high]]) };
    }
    return undefined;
  },
};

const reservedBitsCount: CpuDeviation = {
  name: 'reserved-address-bits-in-size-check',
  section: 'D8.3.1: address bits below the size of a block are RES0, and no part of its output address',
  text: 'they count in the output size check',
  view(situation) {
    for (const { step, pa, word } of openSteps(situation)) {
      if (step.kind !== 'block' || step.output === undefined) continue;
      const { granuleLog2, oaBits } = stageSize(situation, step.stage);
      const field = word & ADDRESS_47_12 & ~((1n << BigInt(granuleLog2)) - 1n);
      if (step.output >> BigInt(oaBits) !== 0n || field >> BigInt(oaBits) === 0n) continue;
      // The same descriptor with an address that is out of range without those bits.
      return { words: new Map([[pa, word | (1n << 47n)]]) };
    }
    return undefined;
  },
};

const blocksAnywhere: CpuDeviation = {
  name: 'block-at-any-level',
  before: 800,
  section:
    'D8.3.1, table D8-48; BlockDescSupported: a block at a level that has none is a reserved encoding, a translation fault',
  text: '0b01 is a block at every level above 3',
  view(situation) {
    const { result } = situation;
    if (result.ok || result.fault.kind !== 'translation' || situation.case.regime === 'pl1&0-short')
      return undefined;
    const step = result.steps.at(-1);
    if (step?.descriptor === undefined || (step.descriptor & 3n) !== 1n || step.level >= 3) return undefined;
    const pa = physicalAddress(result.steps, step);
    if (pa === undefined) return undefined;
    return asSmallerBlocks(situation, step, pa);
  },
};

/** Tables in the scratch frames that map the one address as a block of `step` would; its level is put right in the answer. */
function asSmallerBlocks(situation: Situation, step: WalkStep, pa: number): Changes | undefined {
  const stage = stageSize(situation, step.stage);
  const { granuleLog2, oaBits, ps, paBits, firstBlockLevel } = stage;
  const word = step.descriptor ?? 0n;
  const base = word & ADDRESS_47_12 & ~(step.size - 1n);
  const stride = BigInt(granuleLog2 - 3);
  const ia = lowBits(situation, step);
  const words = new Map<number, bigint>();
  const attributes = word & ~ADDRESS_47_12 & ~3n & ~unseenAddressBits(stage);
  let at = pa;
  let size = step.size;
  let level = step.level;
  let frame = situation.case.scratch;
  const bytes = 2 ** granuleLog2;
  for (; level < firstBlockLevel; level++) {
    words.set(at, BigInt(step.stage === 1 ? frame.address : frame.pa) | 3n);
    size >>= stride;
    at = frame.pa + Number((ia / size) % (1n << stride)) * 8;
    frame = { pa: frame.pa + bytes, address: frame.address + bytes };
  }
  words.set(at, attributes | base | (ia & (step.size - 1n) & ~(size - 1n)) | 1n);
  const inRange = base >> BigInt(oaBits) === 0n;
  return {
    words,
    standIns: new Map([[at, pa]]),
    ...(inRange && (ps < 6 || paBits < 52) && wider(situation, step.stage)),
  };
}

/** The input address bits below the size of a step. */
function lowBits({ probe, result }: Situation, step: WalkStep): bigint {
  if (step.stage === 1) return probe.va & (step.size - 1n);
  if (result.ok || result.fault.ipa === undefined) return 0n;
  return result.fault.ipa & (step.size - 1n);
}

/**
 * An output size of 48 bits at least for one stage, so that it does not stop an address that QEMU does not check. Where that takes a
 * larger PE, the other stage keeps its size.
 */
function wider({ case: one }: Situation, stage: 1 | 2): Changes {
  const { paBits } = cpuFeatures(one.cpu);
  const shift = one.regime === 'el2' ? 16n : 32n;
  const larger = paBits < 48;
  const most = larger ? (paBits < 42 ? 2n : 4n) : 7n;
  const resized = (value: bigint, at: bigint, mine: boolean): bigint => {
    const ps = (value >> at) & 7n;
    return (value & ~(7n << at)) | ((mine ? 5n : ps < most ? ps : most) << at);
  };
  const { tcr, vtcr } = one.registers;
  const registers = { tcr: resized(tcr, shift, stage === 1), vtcr: resized(vtcr, 16n, stage === 2) };
  return { registers, ...(larger && { cpu: { paBits: 48 } }) };
}

const sizeCheckOnBase: CpuDeviation = {
  name: 'size-check-on-block-base',
  section:
    'AArch64.S1Walk, S1OAOutOfRange on StageOA: the whole output address, untranslated bits included, is checked',
  text: "only the descriptor's address field is checked",
  view(situation) {
    const { result } = situation;
    if (result.ok || result.fault.kind !== 'address_size') return undefined;
    const step = result.steps.at(-1);
    const stage = result.fault.stage;
    if (step?.kind !== 'block' || step.output === undefined) return undefined;
    const { oaBits } = stageSize(situation, stage);
    if (step.output >> BigInt(oaBits) !== 0n) return undefined;
    return wider(situation, stage);
  },
};

const PAR_FST = 0x3fn << 1n;

/** PAR of this fault with another level. */
function withLevel(par: bigint, { kind }: Fault, level: number): bigint {
  return (par & ~PAR_FST) | (BigInt(faultStatusCode({ kind, level })) << 1n);
}

const blockLevel: CpuDeviation = {
  name: 'block-at-any-level (level)',
  before: 800,
  section: blocksAnywhere.section,
  text: 'a fault of such a block has the level of the block',
  answer(situation, answer) {
    const { result, changes, case: one } = situation;
    if (result.ok || answer.esr !== 0n) return undefined;
    const { stage, level } = result.fault;
    const last = result.steps.at(-1);
    const pa = last?.stage === stage ? physicalAddress(result.steps, last) : undefined;
    if (pa === undefined || !changes.words?.has(pa)) return undefined;
    const depth = Math.floor((pa - one.scratch.pa) / 2 ** stageSize(situation, stage).granuleLog2);
    if (depth < 0 || depth > 1) return undefined;
    return { ...answer, par: withLevel(answer.par, result.fault, level - depth - 1) };
  },
};

const walkFaultLevel: CpuDeviation = {
  name: 'level-of-stage-2-fault-on-walk',
  before: 800,
  section: 'AArch64.S2Walk: FaultRecord.level is that of the stage-2 lookup',
  text: 'a stage-2 fault on a stage-1 walk reports the level of the stage-1 lookup',
  answer({ result }, answer) {
    if (result.ok || !result.fault.ptw) return undefined;
    const { s1Level = 0 } = result.fault;
    if (answer.esr !== 0n) return answerOf({ ...result, fault: { ...result.fault, level: s1Level } });
    return { ...answer, par: withLevel(answer.par, result.fault, s1Level) };
  },
};

/** Rules that change what is walked come first, in the order in which a walk meets them. */
export const cpuDeviations: readonly CpuDeviation[] = [
  ...registerDeviations,
  high64K,
  reservedBitsCount,
  blocksAnywhere,
  sizeCheckOnBase,
  ...indirectionDeviations,
  blockLevel,
  walkFaultLevel,
  ...attributeDeviations,
  ...shortDeviations,
  ...granuleDeviations,
];
