/**
 * What registers hold that walks depend on and the walker does not model. A value that has one of these fields set would be
 * walked wrongly, and is refused where its regime reads the register. (DDI 0487 D8.1.2, D24.2.)
 */
import { type BitField, fieldsOf, type WordLayout } from '../field.ts';
import { isSet, maskOf } from '../read.ts';
import type { Regime } from '../regimes.ts';
import { TTBCR2 } from './aarch32-control.ts';
import { GPCCR_EL3, HCR2, TCR2_EL1, TCR2_EL2 } from './extended.ts';
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
const AARCH64: readonly Regime[] = [...EL1, ...EL2, 'el1&0-s2', 'el3'];

/** Words for what the fields of TCR2 and their like turn on. */
const WHAT: Readonly<Record<string, string>> = {
  PIE: 'permission indirection (FEAT_S1PIE)',
  POE: 'permission overlays (FEAT_S1POE)',
  E0POE: 'permission overlays (FEAT_S1POE)',
  AIE: 'a second set of memory attributes (FEAT_AIE)',
  D128: '128-bit descriptors (FEAT_D128)',
  HAFT: 'access flags of table descriptors (FEAT_HAFT)',
  PnCH: 'protected descriptors (FEAT_THE)',
  FNGNA1: 'assured translations (FEAT_THE)',
  FNGNA0: 'assured translations (FEAT_THE)',
  FNG1: 'entries that are never global (FEAT_ASID2)',
  FNG0: 'entries that are never global (FEAT_ASID2)',
  S2PIE: 'permission indirection of stage 2 (FEAT_S2PIE)',
  S2POE: 'permission overlays of stage 2 (FEAT_S2POE)',
  TL0: 'checks of the top level of tables (FEAT_THE)',
  TL1: 'checks of the top level of tables (FEAT_THE)',
  AssuredOnly: 'assured translations (FEAT_THE)',
  HPD1: 'hierarchical permissions that are disabled in AArch32 (FEAT_AA32HPD)',
  HPD0: 'hierarchical permissions that are disabled in AArch32 (FEAT_AA32HPD)',
  CD: 'data accesses that stage 2 makes Non-cacheable in AArch32',
  ID: 'instruction fetches that stage 2 makes Non-cacheable in AArch32',
  GPC: 'granule protection checks (FEAT_RME)',
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

const TCR2_FIELDS = [
  'FNGNA1',
  'FNGNA0',
  'FNG1',
  'FNG0',
  'HAFT',
  'D128',
  'AIE',
  'POE',
  'E0POE',
  'PIE',
  'PnCH',
];

/** Every such field. */
export const UNMODELLED_FIELDS: readonly UnmodelledField[] = [
  ...of(TCR2_EL1, EL1, TCR2_FIELDS, { register: 'HCRX_EL2', field: 'TCR2En' }),
  ...of(TCR2_EL2, EL2, TCR2_FIELDS),
  ...of(TCR_EL3, ['el3'], ['HAFT', 'D128', 'AIE', 'POE', 'PIE', 'PnCH']),
  ...of(VTCR_EL2, STAGE2, ['HAFT', 'TL0', 'D128', 'S2POE', 'S2PIE', 'TL1', 'AssuredOnly']),
  ...of(TTBCR2, ['pl1&0', 'pl1&0-nested'], ['HPD1', 'HPD0'], { register: 'TTBCR', field: 'T2E' }),
  ...of(HCR2, ['pl1&0-s2', 'pl1&0-nested'], ['CD', 'ID']),
  ...of(GPCCR_EL3, AARCH64, ['GPC']),
];

/** Registers that count only where one of the fields above is set, and what they are for. */
export const UNMODELLED_REGISTERS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ['TCR2_EL1', 'TCR2_EL2', 'HCRX_EL2'].map((name) => [name, 'what FEAT_TCR2 turns on is not modelled']),
  ),
  ...Object.fromEntries(
    ['PIR_EL1', 'PIRE0_EL1', 'PIR_EL2', 'PIRE0_EL2', 'PIR_EL3', 'S2PIR_EL2'].map((name) => [
      name,
      'it counts with permission indirection alone (FEAT_S1PIE, FEAT_S2PIE)',
    ]),
  ),
  ...Object.fromEntries(
    ['POR_EL0', 'POR_EL1', 'POR_EL2', 'POR_EL3', 'S2POR_EL1'].map((name) => [
      name,
      'it counts with permission overlays alone (FEAT_S1POE, FEAT_S2POE)',
    ]),
  ),
  ...Object.fromEntries(
    ['MAIR2_EL1', 'MAIR2_EL2', 'MAIR2_EL3'].map((name) => [name, 'it counts with FEAT_AIE alone']),
  ),
  TTBCR2: 'it counts with TTBCR.T2E = 1 alone (FEAT_AA32HPD)',
  HCR2: 'of its fields only CD and ID could change an answer',
  GPCCR_EL3: 'granule protection checks are off',
  GPTBR_EL3: 'it counts with granule protection checks alone (FEAT_RME)',
};

/** Fields that are declared, not modelled, and change no answer: tag checks, what hardware may use for itself, non-faulting loads. */
const HARMLESS = /^(MTX\d?|TCMA\d?|NFD\d|HWU\d+|PTTWI|DisCH\d|GCSH|HDBSS|AMEC\d|A2|FNG\d|FNGNA\d|T2E)$/;

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
