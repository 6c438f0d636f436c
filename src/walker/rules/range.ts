/** Rules for the fields of a range that stage 1 and stage 2 of VMSAv8-64 have alike: granule, output size, DS, HA, HD, SH. (DDI 0487 D24.2.) */
import type { CpuFeatures } from '../cpu.ts';
import type { RangeFields, RawFields } from '../params/range-fields.ts';
import { effectiveDs } from '../params/sizes.ts';
import type { RegisterProblem, RegisterRule } from './rule.ts';

/** What the parameters of a range depend on. */
export interface RangeSubject {
  readonly fields: RangeFields;
  readonly cpu: CpuFeatures;
}

/** What reports need besides: every field as the register holds it, and whether the granule is a code of TG1. */
export interface RawRangeSubject extends RangeSubject {
  readonly fields: RawFields;
  readonly upper: boolean;
}

/** The code of IPS and PS that only 128-bit descriptors can follow. */
const PS_56 = 7;
const RESERVED_SH = 1;
/** The reserved codes of TG0 and TG1. */
const RESERVED_TG = { lower: 3, upper: 0 } as const;

type Told = Omit<RegisterProblem, 'effect'>;

/** A granule that the PE does not have at this stage. `granulesOf`: those that it has. */
export function granuleRule(
  granulesOf: (cpu: CpuFeatures) => readonly number[] | undefined,
): RegisterRule<RawRangeSubject> {
  const lacks = ({ fields, cpu }: RangeSubject) => granulesOf(cpu)?.includes(fields.granuleLog2) === false;
  const text = (log2: number) => `${2 ** (log2 - 10)}K`;
  return {
    effect: 'unpredictable',
    holds: lacks,
    tell: ({ fields, cpu }, { tg, section }) => {
      const granules = granulesOf(cpu) ?? [];
      return {
        field: tg,
        value: BigInt(fields.tg),
        rule: `this PE has no granule of ${text(fields.granuleLog2)} at this stage (ID_AA64MMFR0_EL1): hardware chooses one, here ${text(granules[0] ?? fields.granuleLog2)}; it has ${granules.map(text).join(', ') || 'none'}`,
        section,
      };
    },
  };
}

export const RANGE_RULES: readonly RegisterRule<RawRangeSubject>[] = [
  {
    effect: 'unpredictable',
    holds: ({ fields, upper }) => fields.tg === (upper ? RESERVED_TG.upper : RESERVED_TG.lower),
    tell: ({ fields, upper }, { tg, section }) => ({
      field: tg,
      value: BigInt(fields.tg),
      rule: `the encoding is reserved: hardware chooses a granule, here 4K (${upper ? '1 is 16K, 2 4K, 3 64K' : '0 is 4K, 1 64K, 2 16K'})`,
      section,
    }),
  },
  {
    effect: 'ignored',
    holds: ({ fields }) => fields.ps === PS_56,
    tell: ({ cpu }, { ps }) => ({
      field: ps,
      value: BigInt(PS_56),
      rule: `56 bits need FEAT_D128: the size is treated as the ${cpu.paBits} bits implemented; 6 is the largest that this format has`,
      section: 'DDI 0487 D8.1.7',
    }),
  },
  {
    effect: 'ignored',
    holds: ({ fields, cpu }) => fields.ds && !effectiveDs(fields, cpu),
    tell: ({ cpu }, { of, section }): Told => ({
      field: of('DS'),
      value: 1n,
      rule: cpu.lpa2
        ? 'RES0 with the 64K granule, which needs no DS for 52-bit addresses'
        : 'RES0 without FEAT_LPA2: addresses have 48 bits',
      section,
    }),
  },
  {
    effect: 'ignored',
    holds: ({ fields, cpu }) => (fields.ha || fields.hd) && !cpu.hafdbs,
    tell: ({ fields }, { of, section }) => ({
      field: of(fields.ha ? 'HA' : 'HD'),
      value: 1n,
      rule: 'RES0 without FEAT_HAFDBS: software sets access flag and dirty state',
      section,
    }),
  },
  {
    effect: 'ignored',
    holds: ({ fields, cpu }) => fields.hd && !fields.ha && cpu.hafdbs,
    tell: (_, { of, section }) => ({
      field: of('HD'),
      value: 1n,
      rule: 'behaves as 0 while HA is 0: dirty state is managed only together with the access flag',
      section,
    }),
  },
  {
    effect: 'unpredictable',
    holds: ({ fields }) => fields.sh === RESERVED_SH,
    tell: (_, { sh, section }) => ({
      field: sh,
      value: BigInt(RESERVED_SH),
      rule: 'the encoding is reserved: taken as outer shareable (0 is non-shareable, 2 outer, 3 inner)',
      section,
    }),
  },
];
