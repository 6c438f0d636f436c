/** Rules for a range of stage 1 in VMSAv8-64: what makes a TCR_ELx or TTBRn_ELx illegal or unusual. (DDI 0487 D8.1.9, D8.2.3, D8.2.4, D24.2.194.) */
import type { CpuFeatures } from '../cpu.ts';
import type { RangeFields } from '../params/range-fields.ts';
import { effectiveDs, s1Effective, s1MayClamp, s1TxszLimits } from '../params/sizes.ts';
import { BASE_BEYOND, BASE_UNALIGNED, type Base, type RawBase } from './base.ts';
import { granuleRule, RANGE_RULES, type RangeSubject, type RawRangeSubject } from './range.ts';
import { numbersText, type RegisterRule } from './rule.ts';

/** The fields, and the base that follows from them. */
export type S1Subject = RangeSubject & Base;
/** The same, for reports. */
export type RawS1Subject = RawRangeSubject & RawBase;

type SizedFields = Pick<RangeFields, 'txsz' | 'granuleLog2' | 'ds'>;

/** Whether the granule takes this TxSZ, with DS and what the PE implements. */
export function takesTxsz(fields: SizedFields, cpu: CpuFeatures): boolean {
  const [least, most] = s1TxszLimits(fields, cpu);
  return fields.txsz >= least && fields.txsz <= most;
}

/** All the TxSZ values that it takes. */
export function legalTxsz(fields: SizedFields, cpu: CpuFeatures): number[] {
  const [least, most] = s1TxszLimits(fields, cpu);
  return Array.from({ length: most - least + 1 }, (_, i) => least + i);
}

/** Walks of the range are disabled. That is not unusual, so it is reported as the reason why the range is off, not as a problem. */
export const S1_DISABLED: RegisterRule<RangeSubject> = {
  effect: 'fault',
  fault: { kind: 'translation', level: 0 },
  holds: ({ fields }) => fields.epd,
  tell: (_, { numbered }) => ({
    field: numbered('EPD'),
    value: 1n,
    rule: 'no walks: every access of the range is a level 0 translation fault',
    section: 'DDI 0487 D8.2.4',
  }),
};

const TXSZ: RegisterRule<RangeSubject> = {
  effect: 'fault',
  fault: { kind: 'translation', level: 0 },
  holds: ({ fields, cpu }) => !takesTxsz(fields, cpu),
  tell: ({ fields, cpu }, { txsz }) => {
    const legal = legalTxsz(fields, cpu);
    const small = fields.txsz < legal[0]!;
    const why = small ? needsMore(fields, cpu) : '';
    const nearest = small ? legal[0]! : legal.at(-1)!;
    const choice = s1MayClamp(fields.txsz, fields, cpu)
      ? `, or it is treated as ${nearest} (hardware${small ? ' without FEAT_LVA' : ''} may do either)`
      : '';
    return {
      field: txsz,
      value: BigInt(fields.txsz),
      rule: `${64 - fields.txsz} input bits are too ${small ? 'many' : 'few'}: a level 0 translation fault${choice}; legal here: ${numbersText(legal)}${why}`,
      section: 'DDI 0487 D8.1.9',
    };
  },
};

/** A granule that stage 1 does not have. */
export const S1_GRANULE = granuleRule(({ granules1 }) => granules1);

/** For a PE that clamps: the register's value is replaced. */
export const S1_CLAMPED: RegisterRule<RangeSubject> = {
  effect: 'unpredictable',
  holds: ({ fields, cpu }) => s1Effective(fields, cpu).txsz !== fields.txsz,
  tell: ({ fields, cpu }, { txsz }) => ({
    field: txsz,
    value: BigInt(fields.txsz),
    rule: `out of range: taken as ${s1Effective(fields, cpu).txsz}; a level 0 translation fault is the other choice`,
    section: 'DDI 0487 D8.1.9',
  }),
};

/** What larger addresses would need. */
function needsMore(fields: SizedFields, cpu: CpuFeatures): string {
  if (fields.granuleLog2 === 16) return cpu.lva ? '' : '; 12 to 15 need FEAT_LVA';
  return effectiveDs(fields, cpu) ? '' : '; 12 to 15 need DS = 1 (FEAT_LPA2)';
}

/** A flag that hardware without its feature ignores. */
function needsFeature(
  name: string,
  rule: string,
  holds: (subject: RangeSubject) => boolean,
): RegisterRule<RangeSubject> {
  return {
    effect: 'ignored',
    holds,
    tell: (_, { numbered, section }) => ({
      field: numbered(name),
      value: 1n,
      rule: `RES0 without ${rule}`,
      section,
    }),
  };
}

/** A rule about the base, which only applies if the sizes are valid. */
const sized = <Subject extends RangeSubject, Names>(
  rule: RegisterRule<Subject, Names>,
): RegisterRule<Subject, Names> => ({
  ...rule,
  holds: (subject) => takesTxsz(subject.fields, subject.cpu) && rule.holds(subject),
});

const S1_BASE_BEYOND = sized<S1Subject, { base: string; baseSection: string }>(BASE_BEYOND);

/** Rules with the effect `fault`, in the order of AArch64.S1Translate and S1Walk. */
export const S1_FAULTS: readonly RegisterRule<S1Subject>[] = [S1_DISABLED, TXSZ, S1_BASE_BEYOND];

/** All rules for a range that is walked. */
export const S1_RULES: readonly RegisterRule<RawS1Subject>[] = [
  ...RANGE_RULES,
  TXSZ,
  needsFeature(
    'HPD',
    'FEAT_HPDS: hierarchical permissions have effect',
    ({ fields, cpu }) => fields.hpd && !cpu.hpds,
  ),
  needsFeature(
    'E0PD',
    'FEAT_E0PD: unprivileged accesses are translated',
    ({ fields, cpu }) => fields.e0pd && !cpu.e0pd,
  ),
  needsFeature(
    'TBID',
    'FEAT_PAuth: TBI applies to instructions too',
    ({ fields, cpu }) => fields.tbid && !cpu.pauth,
  ),
  S1_BASE_BEYOND,
  sized(BASE_UNALIGNED as RegisterRule<RawS1Subject>),
];
