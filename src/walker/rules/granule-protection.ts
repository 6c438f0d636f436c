/** What makes GPCCR_EL3, GPCBW_EL3 or GPTBR_EL3 invalid, and which of their bits hardware ignores. (DDI 0487 D9.4; J1.3 GPCRegistersConsistent.) */
import { type BitField, fieldsOf } from '../../arch/field.ts';
import { addressOf, bitsIn, isSet, maskOf, read } from '../../arch/read.ts';
import {
  GPCBW_EL3,
  GPCCR_EL3,
  GPTBR_EL3,
  L0GPTSZ_BITS,
  PGS_BITS,
  PPS_BITS,
} from '../../arch/registers/granule-protection.ts';
import { hex } from '../../memory/hex.ts';
import type { CpuFeatures } from '../cpu.ts';
import { numbersText, type RegisterRule } from './rule.ts';

/** The register values, and what the PE implements. */
export interface GpcSubject {
  readonly gpccr: bigint;
  readonly gptbr: bigint;
  readonly gpcbw: bigint;
  readonly cpu: CpuFeatures;
}

type GpcRule = RegisterRule<GpcSubject, undefined>;

const F = GPCCR_EL3.fields;
const W = GPCBW_EL3.fields;

/** PPS3 only has an effect with FEAT_RME_GPC3. */
export function ppsCode({ gpccr, cpu }: GpcSubject): number {
  return read(gpccr, F.PPS) + (cpu.rmeGpc3 && isSet(gpccr, F.PPS3) ? 8 : 0);
}

/** Bits of the protected address space; undefined where PPS is reserved. 56 bits are FEAT_RME_GPC3's. */
export function ppsBits(subject: GpcSubject): number | undefined {
  const bits = PPS_BITS[ppsCode(subject)];
  return bits === 56 && !subject.cpu.rmeGpc3 ? undefined : bits;
}

export function hasWindows({ gpccr, cpu }: GpcSubject): boolean {
  return cpu.rmeGpc3 && isSet(gpccr, F.GPCBW);
}

/** The first table is aligned to its size, and to 4K. */
export function gptAlignLog2(ppsLog2: number, l0Log2: number): number {
  return Math.max(ppsLog2 - l0Log2 + 3, 12);
}

const WALK_FAULT = { effect: 'fault', fault: { kind: 'granule_protection', level: 0 } } as const;
const CONSEQUENCE = 'every access is a GPT walk fault at level 0';
const SHAREABLE = { reserved: 0b01, outer: 0b10 } as const;

function invalid(
  register: string,
  field: BitField,
  holds: GpcRule['holds'],
  why: (subject: GpcSubject) => string,
): GpcRule {
  const { reference } = register === GPCCR_EL3.name ? GPCCR_EL3 : GPCBW_EL3;
  const word = ({ gpccr, gpcbw }: GpcSubject) => (register === GPCCR_EL3.name ? gpccr : gpcbw);
  return {
    ...WALK_FAULT,
    holds,
    tell: (subject) => ({
      field: `${register}.${field.name}`,
      value: BigInt(read(word(subject), field)),
      rule: `${why(subject)}: ${CONSEQUENCE}`,
      section: reference,
    }),
  };
}

const codesOf = (field: BitField) => numbersText(Object.keys(field.values ?? {}).map(Number));
const ofGpccr = (field: BitField, holds: GpcRule['holds'], why: (subject: GpcSubject) => string) =>
  invalid(GPCCR_EL3.name, field, holds, why);
const ofWindow = (field: BitField, holds: GpcRule['holds'], why: string) =>
  invalid(
    GPCBW_EL3.name,
    field,
    (subject) => hasWindows(subject) && holds(subject),
    () => why,
  );

/** log2 of the distance between windows. Address bits from there on do not matter. */
const STRIDE_LOG2 = 40;

/** GPCRegistersConsistent: each makes every access fault. */
export const GPC_FAULTS: readonly GpcRule[] = [
  ofGpccr(
    F.PPS,
    (subject) => ppsBits(subject) === undefined,
    ({ cpu }) => `reserved${cpu.rmeGpc3 ? '' : ' without FEAT_RME_GPC3'}`,
  ),
  ofGpccr(
    F.PPS,
    (subject) => (ppsBits(subject) ?? 0) > subject.cpu.paBits,
    (subject) =>
      `${ppsBits(subject)} bits are more than the ${subject.cpu.paBits} physical address bits implemented`,
  ),
  ofGpccr(
    F.PGS,
    ({ gpccr }) => PGS_BITS[read(gpccr, F.PGS)] === undefined,
    () => `reserved; legal here: ${codesOf(F.PGS)}`,
  ),
  ofGpccr(
    F.L0GPTSZ,
    ({ gpccr }) => L0GPTSZ_BITS[read(gpccr, F.L0GPTSZ)] === undefined,
    () => `reserved; legal here: ${codesOf(F.L0GPTSZ)}`,
  ),
  ofGpccr(
    F.SH,
    ({ gpccr }) => read(gpccr, F.SH) === SHAREABLE.reserved,
    () => 'reserved',
  ),
  ofGpccr(
    F.SH,
    ({ gpccr }) =>
      !isSet(gpccr, F.ORGN) &&
      !isSet(gpccr, F.IRGN) &&
      ![SHAREABLE.reserved, SHAREABLE.outer].includes(read(gpccr, F.SH) as 1 | 2),
    () => 'fetches that are inner and outer Non-cacheable need Outer Shareable (2)',
  ),
  ofWindow(W.BWSIZE, ({ gpcbw }) => W.BWSIZE.values?.[read(gpcbw, W.BWSIZE)] === undefined, 'reserved'),
  ofWindow(W.BWSTRIDE, ({ gpcbw }) => W.BWSTRIDE.values?.[read(gpcbw, W.BWSTRIDE)] === undefined, 'reserved'),
  ofWindow(
    W.BWADDR,
    ({ gpcbw }) => addressOf(gpcbw, W.BWADDR) >= 1n << BigInt(STRIDE_LOG2 + read(gpcbw, W.BWSTRIDE)),
    'the window begins beyond its own stride',
  ),
  ofWindow(
    W.BWADDR,
    ({ gpcbw }) => BigInt.asUintN(read(gpcbw, W.BWSIZE), BigInt(read(gpcbw, W.BWADDR))) !== 0n,
    'the window is not aligned to its size',
  ),
];

/** AbovePPS of the base: every access that asks the table faults. */
export const GPTBR_BEYOND: GpcRule = {
  effect: 'fault',
  fault: { kind: 'granule_protection', level: 0 },
  holds: (subject) =>
    addressOf(subject.gptbr, GPTBR_EL3.fields.BADDR) >> BigInt(ppsBits(subject) ?? 64) !== 0n,
  tell: (subject) => ({
    field: `${GPTBR_EL3.name}.BADDR`,
    value: addressOf(subject.gptbr, GPTBR_EL3.fields.BADDR),
    rule: `the table is beyond the ${ppsBits(subject)} bits of GPCCR_EL3.PPS: a GPT address size fault at level 0`,
    section: GPTBR_EL3.reference,
  }),
};

const GPTBR_UNALIGNED: GpcRule = {
  effect: 'ignored',
  holds: (subject) =>
    BigInt.asUintN(alignOf(subject), addressOf(subject.gptbr, GPTBR_EL3.fields.BADDR)) !== 0n,
  tell: (subject) => ({
    field: `${GPTBR_EL3.name}.BADDR`,
    value: addressOf(subject.gptbr, GPTBR_EL3.fields.BADDR),
    rule: `the table is aligned to its size, ${hex(1n << BigInt(alignOf(subject)))} bytes: lower address bits are treated as 0`,
    section: GPTBR_EL3.reference,
  }),
};

function alignOf(subject: GpcSubject): number {
  const l0Log2 = L0GPTSZ_BITS[read(subject.gpccr, F.L0GPTSZ)];
  const pps = ppsBits(subject);
  return pps === undefined || l0Log2 === undefined ? 0 : gptAlignLog2(pps, l0Log2);
}

const FEATURES = { FEAT_RME_GPC2: 'rmeGpc2', FEAT_RME_GPC3: 'rmeGpc3', FEAT_RME_GDI: 'rmeGdi' } as const;

/** Bits that a PE without their feature ignores. */
const FEATURELESS: readonly GpcRule[] = fieldsOf(GPCCR_EL3).flatMap((field): GpcRule[] => {
  const feature = field.feature as keyof typeof FEATURES | undefined;
  if (feature === undefined || !(feature in FEATURES)) return [];
  return [
    {
      effect: 'ignored',
      holds: ({ gpccr, cpu }) => isSet(gpccr, field) && !cpu[FEATURES[feature]],
      tell: ({ gpccr }) => ({
        field: `${GPCCR_EL3.name}.${field.name}`,
        value: BigInt(read(gpccr, field)),
        rule: `RES0 without ${feature}`,
        section: GPCCR_EL3.reference,
      }),
    },
  ];
});

const RES0: GpcRule = {
  effect: 'ignored',
  holds: ({ gpccr }) => unnamed(gpccr) !== 0n,
  tell: ({ gpccr }) => ({
    field: GPCCR_EL3.name,
    value: unnamed(gpccr),
    rule: 'these bits are RES0',
    section: GPCCR_EL3.reference,
  }),
};

function unnamed(gpccr: bigint): bigint {
  return fieldsOf(GPCCR_EL3).reduce((rest, field) => rest & ~maskOf(field), gpccr);
}

/** All rules, for tools that report them. With GPC = 0 none applies. */
export const GPC_RULES: readonly GpcRule[] = [
  ...GPC_FAULTS,
  GPTBR_BEYOND,
  GPTBR_UNALIGNED,
  ...FEATURELESS,
  RES0,
].map((rule) => ({
  ...rule,
  holds: (subject) => bitsIn(subject.gpccr, F.GPC) !== 0n && rule.holds(subject),
}));
