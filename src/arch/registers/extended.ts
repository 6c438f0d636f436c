/**
 * Registers that extend those which walks are made of, as far as they matter to translation: TCR2, HCRX, HCR2, GPCCR.
 * (DDI 0487 D24.2.190, D24.2.191, D24.2.63, G8.2.66, D24.2.56.)
 */
import { bit, type FieldDeclaration, layout } from '../field.ts';
import { NO_YES, ON } from './values.ts';

/** TCR2_EL1, and TCR2_EL2 with HCR_EL2.E2H = 1. TCR2_EL2 of one range has a part of them, in the same places. */
const TCR2 = {
  FNGNA1: bit(21, 'nG is ignored below TTBR1 where the address is not assured', {
    values: NO_YES,
    feature: 'FEAT_THE',
  }),
  FNGNA0: bit(20, 'nG is ignored below TTBR0 where the address is not assured', {
    values: NO_YES,
    feature: 'FEAT_THE',
  }),
  FNG1: bit(18, 'entries below TTBR1 are not global, whatever nG says', {
    values: NO_YES,
    feature: 'FEAT_ASID2',
  }),
  FNG0: bit(17, 'entries below TTBR0 are not global, whatever nG says', {
    values: NO_YES,
    feature: 'FEAT_ASID2',
  }),
  A2: bit(16, 'each range has the ASID of its own TTBR', { values: NO_YES, feature: 'FEAT_ASID2' }),
  DisCH1: bit(15, 'with D128 = 1: no contiguous hint at the start level of TTBR1', {
    values: NO_YES,
    feature: 'FEAT_D128',
  }),
  DisCH0: bit(14, 'with D128 = 1: no contiguous hint at the start level of TTBR0', {
    values: NO_YES,
    feature: 'FEAT_D128',
  }),
  AMEC1: bit(13, 'descriptors below TTBR1 choose the MECID', { values: NO_YES, feature: 'FEAT_MEC' }),
  AMEC0: bit(12, 'descriptors below TTBR0 choose the MECID', { values: NO_YES, feature: 'FEAT_MEC' }),
  HAFT: bit(11, 'hardware sets the access flag of table descriptors too', {
    values: ON,
    feature: 'FEAT_HAFT',
  }),
  PTTWI: bit(10, 'writes of RCWS instructions may be of reduced coherence', {
    values: NO_YES,
    feature: 'FEAT_THE',
  }),
  D128: bit(5, 'descriptors', {
    values: ['64 bits, VMSAv8-64', '128 bits, VMSAv9-128'],
    feature: 'FEAT_D128',
  }),
  AIE: bit(4, 'bit 59 of leaves is AttrIndx[3], of MAIR2', { values: NO_YES, feature: 'FEAT_AIE' }),
  POE: bit(3, 'permission overlays of privileged accesses', { values: ON, feature: 'FEAT_S1POE' }),
  E0POE: bit(2, 'permission overlays of unprivileged accesses', { values: ON, feature: 'FEAT_S1POE' }),
  PIE: bit(1, 'permissions come from PIR and PIRE0, by index', { values: NO_YES, feature: 'FEAT_S1PIE' }),
  PnCH: bit(0, 'bit 52 of descriptors is Protected, not the contiguous hint', {
    values: NO_YES,
    feature: 'FEAT_THE',
  }),
} as const satisfies Readonly<Record<string, FieldDeclaration>>;

export const TCR2_EL1 = layout(
  {
    name: 'TCR2_EL1',
    title: 'Extended Translation Control Register (EL1): what FEAT_TCR2 adds to TCR_EL1',
    reference: 'DDI 0487 D24.2.190',
    width: 64,
  },
  TCR2,
);

export const TCR2_EL2 = layout(
  {
    name: 'TCR2_EL2',
    title: 'Extended Translation Control Register (EL2): what FEAT_TCR2 adds to TCR_EL2',
    reference: 'DDI 0487 D24.2.191',
    width: 64,
  },
  TCR2,
);

export const HCRX_EL2 = layout(
  {
    name: 'HCRX_EL2',
    title: 'Extended Hypervisor Configuration Register: the bits that translation depends on',
    reference: 'DDI 0487 D24.2.63',
    width: 64,
  },
  {
    D128En: bit(17, 'EL1 may have 128-bit descriptors', { values: NO_YES, feature: 'FEAT_D128' }),
    TCR2En: bit(14, 'TCR2_EL1 counts; 0: it is taken as 0', { values: NO_YES, feature: 'FEAT_TCR2' }),
  },
);

export const HCR2 = layout(
  {
    name: 'HCR2',
    title: 'Hyp Configuration Register 2 (AArch32): the bits that translation depends on',
    reference: 'DDI 0487 G8.2.66',
    width: 32,
  },
  {
    ID: bit(1, 'stage 2 makes instruction fetches Non-cacheable', ON),
    CD: bit(0, 'stage 2 makes data accesses Non-cacheable', ON),
  },
);
