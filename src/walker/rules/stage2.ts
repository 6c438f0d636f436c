/** Rules for stage 2 of VMSAv8-64: what makes a VTCR_EL2, VTTBR_EL2 or HCR_EL2 illegal or unusual. (DDI 0487 D8.1.10, D8.2.8.2, D8.2.9.2, D8.2.10.2, D24.2.224.) */
import type { BitField } from '../../arch/field.ts';
import { isSet } from '../../arch/read.ts';
import { HCR_EL2 } from '../../arch/registers/stage2.ts';
import type { CpuFeatures } from '../cpu.ts';
import type { ConfigurationFault } from '../params/params.ts';
import {
  countsSl2,
  s2Effective,
  s2MayClamp,
  s2StartLevel,
  s2TxszLimits,
  startCodes,
} from '../params/sizes.ts';
import { BASE_BEYOND, BASE_UNALIGNED, type Base, type RawBase } from './base.ts';
import { granuleRule, RANGE_RULES, type RangeSubject, type RawRangeSubject } from './range.ts';
import { faultOf, numbersText, type RegisterRule } from './rule.ts';

/** The fields of VTCR_EL2, or of a stream table entry. */
export interface StartSubject extends RangeSubject {
  readonly sl0: number;
  /** SL2, as the register holds it. */
  readonly sl2: boolean;
}

export type S2Subject = StartSubject & Base;
export type RawS2Subject = StartSubject & RawRangeSubject & RawBase;

const EVERY_T0SZ = Array.from({ length: 64 }, (_, t0sz) => t0sz);

/** SL2:SL0, or SL0 alone if SL2 has no effect. */
function startCode({ sl0, sl2, fields, cpu }: StartSubject): number {
  return sl2 && countsSl2(fields, cpu) ? sl0 + 4 : sl0;
}

/** The start level that T0SZ and SL2:SL0 give. Undefined if they do not fit each other or the PE. */
export function startLevelOf(subject: StartSubject): number | undefined {
  return s2StartLevel(subject.fields.txsz, startCode(subject), subject.fields, subject.cpu);
}

/** T0SZ values that a start level takes. */
function legalT0sz(sl: number, { fields, cpu }: RangeSubject): number[] {
  return EVERY_T0SZ.filter((t0sz) => s2StartLevel(t0sz, sl, fields, cpu) !== undefined);
}

/** The codes of SL2:SL0 that fit T0SZ. */
function legalStarts({ fields, cpu }: RangeSubject): number[] {
  return startCodes(fields, cpu).filter((sl) => s2StartLevel(fields.txsz, sl, fields, cpu) !== undefined);
}

/** The smallest T0SZ that any start level takes. */
export function smallestT0sz(subject: RangeSubject): number {
  return Math.min(...startCodes(subject.fields, subject.cpu).flatMap((sl) => legalT0sz(sl, subject)));
}

function wanted(subject: RangeSubject): string {
  const { fields, cpu } = subject;
  const words = legalStarts(subject).map((sl) => {
    const level = s2StartLevel(fields.txsz, sl, fields, cpu);
    return `${sl >= 4 ? `SL2:SL0 1:${sl - 4}` : `SL0 ${sl}`} (level ${level})`;
  });
  return `T0SZ ${fields.txsz} needs ${words.join(' or ')}`;
}

const INVALID = { effect: 'fault', fault: { kind: 'translation', level: 0 } } as const;
const START_SECTION = 'DDI 0487 D8.2.8.2, D8.2.9.2, D8.2.10.2';

/** Which limit T0SZ exceeds, and why that is the limit. (AArch64.S2MinTxSZ, MaxTxSZ.) */
function limitOf({ fields, cpu }: RangeSubject): readonly [broken: string, why: string] {
  const [least, most] = s2TxszLimits(fields, cpu);
  if (fields.txsz > most) return ['too few', cpu.ttst ? '' : '; tables for fewer bits need FEAT_TTST'];
  if (fields.txsz >= least) return ['out of range', ''];
  const { ipaBits, paBits } = cpu;
  if (ipaBits !== undefined && ipaBits < 52) return ['too many', `; an IPA has at most ${ipaBits} bits`];
  if (paBits < 52) return ['too many', `; an IPA is no larger than a PA (${paBits} bits)`];
  return ['too many', least === 16 ? '; more than 48 bits need DS = 1 or the 64K granule' : ''];
}

/** What hardware may take T0SZ for instead of faulting, and the consequence. */
function clampText(subject: StartSubject): string {
  const { fields, cpu } = subject;
  if (!s2MayClamp(fields.txsz, fields, cpu)) return '';
  const [least, most] = s2TxszLimits(fields, cpu);
  const small = fields.txsz < least;
  const nearest = small ? least : most;
  const level = s2StartLevel(nearest, startCode(subject), fields, cpu);
  const who = small ? 'hardware without FEAT_LPA may do either' : 'hardware may do either';
  const then = level === undefined ? ', a value that this start level does not take' : '';
  return `, or it is treated as ${nearest} (${who})${then}`;
}

/** T0SZ and SL2:SL0: at most one of them holds. */
const START_RULES: readonly RegisterRule<StartSubject>[] = [
  {
    ...INVALID,
    holds: (subject) => startLevelOf(subject) === undefined && legalStarts(subject).length === 0,
    tell: (subject, { txsz }) => {
      const { fields, cpu } = subject;
      const all = startCodes(fields, cpu).flatMap((sl) => legalT0sz(sl, subject));
      const legal = [...new Set(all)].sort((a, b) => a - b);
      const [broken, why] = limitOf(subject);
      return {
        field: txsz,
        value: BigInt(fields.txsz),
        rule: `${64 - fields.txsz} IPA bits are ${broken}: a level 0 translation fault${clampText(subject)}; legal here: ${numbersText(legal)}${why}`,
        section: 'DDI 0487 D8.1.10; J1.1 AArch64.S2TxSZFaults',
      };
    },
  },
  {
    ...INVALID,
    holds: (subject) =>
      startLevelOf(subject) === undefined &&
      legalStarts(subject).length > 0 &&
      legalT0sz(startCode(subject), subject).length === 0,
    tell: (subject, { of }) => ({
      field: of('SL0'),
      value: BigInt(subject.sl0),
      rule: `the start level is reserved with this granule and ${subject.cpu.paBits} PA bits: a level 0 translation fault; ${wanted(subject)}`,
      section: START_SECTION,
    }),
  },
  {
    ...INVALID,
    holds: (subject) =>
      startLevelOf(subject) === undefined &&
      legalStarts(subject).length > 0 &&
      legalT0sz(startCode(subject), subject).length > 0,
    tell: (subject, { of }) => ({
      field: of('SL0'),
      value: BigInt(subject.sl0),
      rule: `the start level does not fit T0SZ ${subject.fields.txsz}: a level 0 translation fault; it takes T0SZ ${numbersText(legalT0sz(startCode(subject), subject))}, and ${wanted(subject)}`,
      section: START_SECTION,
    }),
  },
];

/** The fault of a T0SZ or start level that is out of range, or of two that don't fit each other. */
export function startFaultOf(subject: StartSubject): ConfigurationFault | undefined {
  return faultOf(START_RULES, subject);
}

/** A granule that stage 2 does not have. */
export const S2_GRANULE = granuleRule(({ granules2 }) => granules2);

/** For a PE that clamps: the register's value is replaced. */
export const S2_CLAMPED: RegisterRule<RangeSubject> = {
  effect: 'unpredictable',
  holds: ({ fields, cpu }) => s2Effective(fields, cpu).txsz !== fields.txsz,
  tell: ({ fields, cpu }, { txsz }) => ({
    field: txsz,
    value: BigInt(fields.txsz),
    rule: `out of range: taken as ${s2Effective(fields, cpu).txsz}; a level 0 translation fault is the other choice`,
    section: 'DDI 0487 D8.1.10; J1.1 AArch64.S2TxSZFaults',
  }),
};

const SL2_IGNORED: RegisterRule<StartSubject> = {
  effect: 'ignored',
  holds: ({ sl2, fields, cpu }) => sl2 && !countsSl2(fields, cpu),
  tell: ({ cpu }, { of, section }) => ({
    field: of('SL2'),
    value: 1n,
    rule: `RES0 ${cpu.lpa2 ? 'unless DS = 1 with the 4K granule' : 'without FEAT_LPA2'}: SL0 alone gives the start level`,
    section,
  }),
};

/** A rule about the base, which only applies if the start level is valid. */
const started = <Subject extends StartSubject>(rule: RegisterRule<Subject>): RegisterRule<Subject> => ({
  ...rule,
  holds: (subject) => startLevelOf(subject) !== undefined && rule.holds(subject),
});

const S2_BASE_BEYOND = started<S2Subject>(BASE_BEYOND);

/** All. */
export const S2_RULES: readonly RegisterRule<RawS2Subject>[] = [
  ...RANGE_RULES,
  ...START_RULES,
  SL2_IGNORED,
  S2_BASE_BEYOND,
  started<RawS2Subject>(BASE_UNALIGNED),
];

/** HCR_EL2, and what the PE implements. */
interface HypervisorSubject {
  readonly hcr: bigint;
  readonly cpu: CpuFeatures;
}

const { DCT, FWB, NV, NV1 } = HCR_EL2.fields;

/** A bit of HCR_EL2 that hardware without its feature ignores. */
function needsFeature(
  field: BitField,
  feature: keyof CpuFeatures,
  rule: string,
): RegisterRule<HypervisorSubject, string> {
  return {
    effect: 'ignored',
    holds: ({ hcr, cpu }) => isSet(hcr, field) && !cpu[feature],
    tell: (_, register) => ({
      field: `${register}.${field.name}`,
      value: 1n,
      rule: `RES0 without ${rule}`,
      section: HCR_EL2.reference,
    }),
  };
}

/** Rules for HCR_EL2. Reports need the register's name. */
export const HYPERVISOR_RULES: readonly RegisterRule<HypervisorSubject, string>[] = [
  needsFeature(FWB, 's2fwb', 'FEAT_S2FWB: MemAttr combines with what stage 1 says'),
  needsFeature(DCT, 'mte', 'FEAT_MTE2: default memory is not Tagged'),
  needsFeature(NV, 'nv', 'FEAT_NV: no nested virtualization'),
  needsFeature(NV1, 'nv', 'FEAT_NV: stage-1 descriptors keep their usual meaning'),
  {
    effect: 'unpredictable',
    holds: ({ hcr, cpu }) => cpu.nv && isSet(hcr, NV1) && !isSet(hcr, NV),
    tell: (_, register) => ({
      field: `${register}.NV1`,
      value: 1n,
      rule: 'it is set without NV: hardware may treat {NV, NV1} as {0, 0}, which this walker does, or as {1, 1}',
      section: 'DDI 0487 D8.14.4',
    }),
  },
];
