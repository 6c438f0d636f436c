/** TCR_EL1, TCR_EL2, TCR_EL3: the control registers of stage 1 in AArch64. (DDI 0487 D24.2.194 to D24.2.196.) */
import { bit, bits, layout } from '../field.ts';
import {
  aieField,
  d128Field,
  disChField,
  haftField,
  hardwareUseFields,
  noYes,
  onOff,
  pnchField,
  pttwiField,
  updateFields,
  walkFields,
} from './parts.ts';
import { ON, OUTPUT_SIZES, TG0_VALUES, TG1_VALUES, WALKS } from './values.ts';

const T0SZ = 'the input size is 2^(64-T0SZ) bytes: 16 is 48 bits, 25 is 39 bits, 12 is 52 bits';
const CANONICAL_TAGS = 'FEAT_MTE_CANONICAL_TAGS';

export const TCR_EL1 = layout(
  {
    name: 'TCR_EL1',
    aliases: ['TCR'],
    title:
      'Translation Control Register: input size, granule and table walks of both TTBRs; TCR_EL2 has the same layout when HCR_EL2.E2H is 1',
    reference: 'DDI 0487 D24.2.194',
    width: 64,
  },
  {
    MTX1: noYes(61, 'bits [59:56] of addresses below TTBR1 hold a tag', CANONICAL_TAGS),
    MTX0: noYes(60, 'bits [59:56] of addresses below TTBR0 hold a tag', CANONICAL_TAGS),
    DS: onOff(
      59,
      'FEAT_LPA2: 52-bit addresses with 4K and 16K; SH moves from descriptors into SH0 and SH1',
      'FEAT_LPA2',
    ),
    TCMA1: noYes(58, 'accesses to addresses with bits [59:55] all 1 are not tag checked', 'FEAT_MTE2'),
    TCMA0: noYes(57, 'accesses to addresses with bits [59:55] all 0 are not tag checked', 'FEAT_MTE2'),
    E0PD1: noYes(56, 'unprivileged accesses below TTBR1 are level 0 translation faults', 'FEAT_E0PD'),
    E0PD0: noYes(55, 'unprivileged accesses below TTBR0 are level 0 translation faults', 'FEAT_E0PD'),
    NFD1: noYes(
      54,
      'non-fault unprivileged accesses below TTBR1 that miss the TLB fail without a walk',
      'FEAT_SVE',
    ),
    NFD0: noYes(
      53,
      'non-fault unprivileged accesses below TTBR0 that miss the TLB fail without a walk',
      'FEAT_SVE',
    ),
    TBID1: bit(52, 'TBI1 is for', { values: ['instructions and data', 'data only'], feature: 'FEAT_PAuth' }),
    TBID0: bit(51, 'TBI0 is for', { values: ['instructions and data', 'data only'], feature: 'FEAT_PAuth' }),
    ...hardwareUseFields(50, '1', 'HPD1'),
    ...hardwareUseFields(46, '0', 'HPD0'),
    HPD1: noYes(42, 'ignore APTable, XNTable and PXNTable below TTBR1', 'FEAT_HPDS'),
    HPD0: noYes(41, 'ignore APTable, XNTable and PXNTable below TTBR0', 'FEAT_HPDS'),
    ...updateFields(40),
    TBI1: bit(38, 'top byte of addresses below TTBR1 ignored', ON),
    TBI0: bit(37, 'top byte of addresses below TTBR0 ignored', ON),
    AS: bit(36, 'size of the ASID', ['8 bits', '16 bits']),
    IPS: bits(34, 32, 'output size: an output address beyond it is an address size fault', OUTPUT_SIZES),
    TG1: bits(31, 30, 'granule of TTBR1; other codes than TG0', TG1_VALUES),
    ...walkFields(24, '1'),
    EPD1: bit(23, 'walks of TTBR1', WALKS),
    A1: bit(22, 'which TTBR holds the ASID', ['TTBR0', 'TTBR1']),
    T1SZ: bits(21, 16, 'input size of TTBR1: the top 2^(64-T1SZ) bytes of the address space'),
    TG0: bits(15, 14, 'granule of TTBR0', TG0_VALUES),
    ...walkFields(8, '0'),
    EPD0: bit(7, 'walks of TTBR0', WALKS),
    T0SZ: bits(5, 0, T0SZ),
  },
);

/** What TCR_EL2 and TCR_EL3 have alike. */
const ONE_RANGE = {
  MTX: noYes(33, 'bits [59:56] of addresses hold a tag', CANONICAL_TAGS),
  DS: onOff(
    32,
    'FEAT_LPA2: 52-bit addresses with 4K and 16K; SH moves from descriptors into SH0',
    'FEAT_LPA2',
  ),
  TCMA: noYes(30, 'accesses to addresses with bits [59:56] all 0 are not tag checked', 'FEAT_MTE2'),
  TBID: bit(29, 'TBI is for', { values: ['instructions and data', 'data only'], feature: 'FEAT_PAuth' }),
  ...hardwareUseFields(28, '', 'HPD'),
  HPD: noYes(24, 'ignore APTable and XNTable', 'FEAT_HPDS'),
  ...updateFields(22),
  TBI: bit(20, 'top byte of addresses ignored', ON),
  PS: bits(18, 16, 'output size: an output address beyond it is an address size fault', OUTPUT_SIZES),
  TG0: bits(15, 14, 'granule of TTBR0', TG0_VALUES),
  ...walkFields(8, '0'),
  T0SZ: bits(5, 0, T0SZ),
};

export const TCR_EL2 = layout(
  {
    name: 'TCR_EL2',
    title:
      "Translation Control Register (EL2) with HCR_EL2.E2H = 0: one TTBR, PS instead of IPS, fields in other places; with E2H = 1 it has TCR_EL1's layout",
    reference: 'DDI 0487 D24.2.195',
    width: 64,
  },
  ONE_RANGE,
);

export const TCR_EL3 = layout(
  {
    name: 'TCR_EL3',
    title: 'Translation Control Register (EL3): one TTBR, the layout of TCR_EL2 with HCR_EL2.E2H = 0',
    reference: 'DDI 0487 D24.2.196',
    width: 64,
  },
  {
    DisCH0: disChField(43, '0'),
    HAFT: haftField(42),
    PTTWI: pttwiField(41),
    D128: d128Field(38),
    AIE: aieField(37, 'MAIR2_EL3'),
    POE: onOff(36, 'permission overlays of POR_EL3', 'FEAT_S1POE'),
    PIE: noYes(35, 'permissions come from PIR_EL3, by index', 'FEAT_S1PIE'),
    PnCH: pnchField(34),
    ...ONE_RANGE,
  },
);
