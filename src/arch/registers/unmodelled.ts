/**
 * What registers hold that walks depend on and the walker does not model. A value that has one of these fields set would be
 * walked wrongly, and is refused where its regime reads the register. (DDI 0487 D8.1.2, D24.2.)
 */
import { type BitField, fieldsOf, type WordLayout } from '../field.ts';
import { isSet, maskOf } from '../read.ts';
import type { Regime } from '../regimes.ts';
import { TTBCR2 } from './aarch32-control.ts';
import { HCR2, TCR2_EL1, TCR2_EL2 } from './extended.ts';
import { VTCR_EL2 } from './stage2.ts';
import { TCR_EL3 } from './tcr.ts';

/** A field that changes what walks answer. */
export interface UnmodelledField {
  /** The manual's name of its register, and the layout that the register has. */
  readonly register: string;
  readonly layout: WordLayout;
  readonly field: BitField;
  /** What it turns on that is not modelled. */
  readonly what: string;
  /** Regimes in which it counts. */
  readonly regimes: readonly Regime[];
  /** It counts only where this field of another register is not 0; where that register is not given, it counts. */
  readonly gate?: { readonly register: string; readonly field: string };
}

const EL1: readonly Regime[] = ['el1&0', 'el1&0-nested'];
const EL2: readonly Regime[] = ['el2', 'el2&0'];
const STAGE2: readonly Regime[] = ['el1&0-s2', 'el1&0-nested'];

/** What the fields of TCR2_ELx and similar registers turn on, in words. */
const WHAT: Readonly<Record<string, string>> = {
  D128: '128-bit descriptors (FEAT_D128)',
  HPD1: 'hierarchical permissions that are disabled in AArch32 (FEAT_AA32HPD)',
  HPD0: 'hierarchical permissions that are disabled in AArch32 (FEAT_AA32HPD)',
  CD: 'data accesses that stage 2 makes Non-cacheable in AArch32',
  ID: 'instruction fetches that stage 2 makes Non-cacheable in AArch32',
};

function of(
  layout: WordLayout,
  regimes: readonly Regime[],
  names: readonly string[],
  gate?: UnmodelledField['gate'],
): UnmodelledField[] {
  return fieldsOf(layout)
    .filter(({ name }) => names.includes(name))
    .map((field) => ({
      register: layout.name,
      layout,
      field,
      what: WHAT[field.name] ?? field.meaning,
      regimes,
      ...(gate && { gate }),
    }));
}

/** Every such field. */
export const UNMODELLED_FIELDS: readonly UnmodelledField[] = [
  ...of(TCR2_EL1, EL1, ['D128'], { register: 'HCRX_EL2', field: 'TCR2En' }),
  ...of(TCR2_EL2, EL2, ['D128']),
  ...of(TCR_EL3, ['el3'], ['D128']),
  ...of(VTCR_EL2, STAGE2, ['D128']),
  ...of(TTBCR2, ['pl1&0', 'pl1&0-nested'], ['HPD1', 'HPD0'], { register: 'TTBCR', field: 'T2E' }),
  ...of(HCR2, ['pl1&0-s2', 'pl1&0-nested'], ['CD', 'ID']),
];

const TCR2_FIELDS = ['FNGNA1', 'FNGNA0', 'FNG1', 'FNG0', 'A2', 'HAFT', 'AIE', 'POE', 'E0POE', 'PIE', 'PnCH'];

/** Fields that are modelled, and count for nothing where their stage is off or their gate closed. */
export const GATED_FIELDS: readonly UnmodelledField[] = [
  ...of(TCR2_EL1, EL1, TCR2_FIELDS),
  ...of(TCR2_EL2, EL2, TCR2_FIELDS),
  ...of(TCR_EL3, ['el3'], ['HAFT', 'AIE', 'POE', 'PIE', 'PnCH']),
  ...of(VTCR_EL2, STAGE2, ['HAFT', 'TL0', 'TL1', 'S2POE', 'S2PIE', 'AssuredOnly', 'GCSH']),
];

/** Registers that count only where one of the fields above is set, and what they are for. */
export const UNMODELLED_REGISTERS: Readonly<Record<string, string>> = {
  TTBCR2: 'it has effect only with TTBCR.T2E = 1 (FEAT_AA32HPD)',
  HCR2: 'only its fields CD and ID could change an answer',
};

/** Fields that are declared, not modelled, and change no answer: tag checks, what hardware may use for itself, non-faulting loads. */
const HARMLESS = /^(MTX\d?|TCMA\d?|NFD\d|HWU\d+|PTTWI|DisCH\d|HDBSS|AMEC\d|T2E)$/;

/** Bits of control registers that are RES1: set, they say nothing. (DDI 0487 D24.2.195, D24.2.196, D24.2.224.) */
const RESERVED_ONES: Readonly<Record<string, bigint>> = {
  TCR_EL2: (1n << 31n) | (1n << 23n),
  TCR_EL3: (1n << 31n) | (1n << 23n),
  VTCR_EL2: 1n << 31n,
};

/** What of a control register's value is set and has no part in any answer: field names, and bits that no field names. */
export function idleParts(layout: WordLayout, value: bigint): { fields: string[]; bits: bigint } {
  const fields = fieldsOf(layout);
  let rest = value & ~(RESERVED_ONES[layout.name] ?? 0n);
  for (const field of fields) rest &= ~maskOf(field);
  const idle = fields.filter((field) => HARMLESS.test(field.name) && isSet(value, field));
  return { fields: idle.map(({ name }) => name), bits: rest };
}
