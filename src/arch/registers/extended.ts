/**
 * Registers that extend those which walks are made of, as far as they matter to translation: TCR2_ELx, HCRX_EL2, HCR2.
 * (DDI 0487 D24.2.190, D24.2.191, D24.2.63, G8.2.66.)
 */
import { bit, type FieldDeclaration, layout } from '../field.ts';
import { aieField, d128Field, disChField, haftField, noYes, onOff, pnchField, pttwiField } from './parts.ts';
import { ON } from './values.ts';

/** TCR2_EL1, and TCR2_EL2 with HCR_EL2.E2H = 1. TCR2_EL2 of one range has a part of them, in the same places. */
const TCR2 = {
  FNGNA1: noYes(21, 'nG is ignored below TTBR1 where the address is not assured', 'FEAT_THE'),
  FNGNA0: noYes(20, 'nG is ignored below TTBR0 where the address is not assured', 'FEAT_THE'),
  FNG1: noYes(18, 'entries below TTBR1 are not global, whatever nG says', 'FEAT_ASID2'),
  FNG0: noYes(17, 'entries below TTBR0 are not global, whatever nG says', 'FEAT_ASID2'),
  A2: noYes(16, 'each range has the ASID of its own TTBR', 'FEAT_ASID2'),
  DisCH1: disChField(15, '1'),
  DisCH0: disChField(14, '0'),
  AMEC1: noYes(13, 'descriptors below TTBR1 choose the MECID', 'FEAT_MEC'),
  AMEC0: noYes(12, 'descriptors below TTBR0 choose the MECID', 'FEAT_MEC'),
  HAFT: haftField(11),
  PTTWI: pttwiField(10),
  D128: d128Field(5),
  AIE: aieField(4, 'MAIR2'),
  POE: onOff(3, 'permission overlays of privileged accesses', 'FEAT_S1POE'),
  E0POE: onOff(2, 'permission overlays of unprivileged accesses', 'FEAT_S1POE'),
  PIE: noYes(1, 'permissions come from PIR and PIRE0, by index', 'FEAT_S1PIE'),
  PnCH: pnchField(0),
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
    D128En: noYes(17, 'EL1 may have 128-bit descriptors', 'FEAT_D128'),
    TCR2En: noYes(14, 'TCR2_EL1 has effect; 0: it is treated as 0', 'FEAT_TCR2'),
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
