/** Rules for AArch32: what makes a TTBCR, HTCR, VTCR, TTBRn, VTTBR or DACR illegal or unusual. (DDI 0487 G5.5, G8.2.38, G8.2.165, G8.2.172.) */
import type { ConfigurationFault } from '../params/params.ts';
import { startFits } from '../params/sizes.ts';
import { BASE_UNALIGNED, type Base, LPAE_BASE_BEYOND, type RawBase, SHORT_BASE_UNALIGNED } from './base.ts';
import type { RegisterRule } from './rule.ts';

/** The names of a long-descriptor range's fields, and where its control register is described. */
export interface LpaeNames {
  readonly base: string;
  readonly baseSection: string;
  readonly epd: string;
  readonly section: string;
}

/** A range of TTBCR, HTCR, or a context descriptor. */
export interface LpaeSubject extends Base {
  readonly epd: boolean;
}

const TRANSLATION: ConfigurationFault = { kind: 'translation', level: 1 };

/** Walks of the range are disabled. That is not unusual, so it is reported as the reason why the range is off, not as a problem. */
export const LPAE_DISABLED: RegisterRule<{ readonly epd: boolean }, { epd: string; section: string }> = {
  effect: 'fault',
  fault: TRANSLATION,
  holds: ({ epd }) => epd,
  tell: (_, { epd, section }) => ({
    field: epd,
    value: 1n,
    rule: 'no walks: every access of the range is a level 1 translation fault',
    section,
  }),
};

/** Rules with the effect `fault`, in the order of AArch32.S1Translate and S1WalkLD. */
export const LPAE_FAULTS: readonly RegisterRule<LpaeSubject, LpaeNames>[] = [LPAE_DISABLED, LPAE_BASE_BEYOND];

/** All rules for a range that is walked. */
export const LPAE_RULES: readonly RegisterRule<RawBase, Pick<LpaeNames, 'base' | 'baseSection'>>[] = [
  LPAE_BASE_BEYOND,
  BASE_UNALIGNED,
];

/** Rules for short descriptors. No base is beyond the output size. */
export const SHORT_RULES: readonly RegisterRule<RawBase, Pick<LpaeNames, 'base' | 'baseSection'>>[] = [
  SHORT_BASE_UNALIGNED,
];

/** VTCR, or the fields of a stream table entry. */
export interface VtcrSubject {
  /** Signed: -8 to 7. */
  readonly t0sz: number;
  readonly sl0: number;
  /** S, which should be the sign of T0SZ. */
  readonly s: boolean;
}

/** AArch32 only has the 4K granule. */
export const LPAE_GRANULE_LOG2 = 12;

/** Start levels by SL0: 0 is level 2, 1 is level 1, the others are reserved. */
export function vtcrStartLevel({ sl0 }: Pick<VtcrSubject, 'sl0'>): number | undefined {
  return sl0 > 1 ? undefined : 2 - sl0;
}

/** Whether the start level resolves the IPA. */
function fits({ t0sz, sl0 }: VtcrSubject): boolean {
  const level = vtcrStartLevel({ sl0 });
  return level !== undefined && startFits(32 - t0sz, level, LPAE_GRANULE_LOG2);
}

const VTCR_SECTION = 'DDI 0487 G8.2.172';

/** Names of VTCR's fields. */
export type VtcrNames = (field: string) => string;

const SL0_RESERVED: RegisterRule<VtcrSubject, VtcrNames> = {
  effect: 'fault',
  fault: TRANSLATION,
  holds: (subject) => vtcrStartLevel(subject) === undefined,
  tell: ({ sl0 }, of) => ({
    field: of('SL0'),
    value: BigInt(sl0),
    rule: 'the start level is reserved: a level 1 translation fault; 0 is level 2, 1 level 1',
    section: VTCR_SECTION,
  }),
};

const SL0_MISFIT: RegisterRule<VtcrSubject, VtcrNames> = {
  effect: 'fault',
  fault: TRANSLATION,
  holds: (subject) => vtcrStartLevel(subject) !== undefined && !fits(subject),
  tell: ({ sl0, t0sz }, of) => ({
    field: of('SL0'),
    value: BigInt(sl0),
    rule: `the start level does not fit T0SZ ${t0sz}: a level 1 translation fault; SL0 0 takes T0SZ -2 to 7, SL0 1 takes -8 to 1`,
    section: VTCR_SECTION,
  }),
};

const SIGN: RegisterRule<VtcrSubject, VtcrNames> = {
  effect: 'unpredictable',
  holds: ({ s, t0sz }) => s !== t0sz < 0,
  tell: ({ s }, of) => ({
    field: of('S'),
    value: BigInt(s),
    rule: 'must equal T0SZ[3], the sign: if not, T0SZ is UNKNOWN; here S is ignored',
    section: VTCR_SECTION,
  }),
};

/** VTCR. */
export const VTCR_RULES: readonly RegisterRule<VtcrSubject, VtcrNames>[] = [SL0_RESERVED, SL0_MISFIT, SIGN];

/** The regime's name and TTBCR.EAE disagree about the kind of descriptors. */
export const EAE_IGNORED: RegisterRule<
  { readonly eae: boolean; readonly long: boolean; readonly regime: string; readonly other: string },
  undefined
> = {
  effect: 'ignored',
  holds: ({ eae, long }) => eae !== long,
  tell: ({ eae, regime, other }) => ({
    field: 'TTBCR.EAE',
    value: BigInt(eae),
    rule: `says ${eae ? 'long' : 'short'} descriptors, but the regime asked for is ${regime}; with this value it is ${other}`,
    section: 'DDI 0487 G8.2.165',
  }),
};

/** Access types of domains. */
export const DOMAIN_TYPES = ['none', 'client', 'reserved', 'manager'] as const;

/** One domain of DACR. */
export const DOMAIN_RESERVED: RegisterRule<{ readonly domain: number; readonly type: number }, undefined> = {
  effect: 'unpredictable',
  holds: ({ type }) => DOMAIN_TYPES[type] === 'reserved',
  tell: ({ domain, type }) => ({
    field: `DACR.D${domain}`,
    value: BigInt(type),
    rule: 'the encoding is reserved: taken as no access (0 is none, 1 client, 3 manager)',
    section: 'DDI 0487 G8.2.38',
  }),
};
