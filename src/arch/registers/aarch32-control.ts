/** Control registers of AArch32: TTBCR, TTBCR2, HTCR, VTCR, SCTLR, HSCTLR, HCR. (DDI 0487 G8.2.165, G8.2.166, G8.2.76, G8.2.172, G8.2.127, G8.2.73, G8.2.65.) */
import { bit, bits, layout } from '../field.ts';
import { hardwareUseFields, walkFields } from './parts.ts';
import { ENDIANNESS, NO_YES, ON, WALKS } from './values.ts';

export const TTBCR = layout(
  {
    name: 'TTBCR',
    title: 'Translation Table Base Control Register (AArch32): EAE chooses long or short descriptors',
    reference: 'DDI 0487 G8.2.165',
    width: 32,
  },
  {
    EAE: bit(31, 'descriptor format', ['short (32-bit) descriptors', 'long (64-bit) descriptors, LPAE']),
    ...walkFields(24, '1', ' (EAE = 1)'),
    EPD1: bit(23, 'walks of TTBR1 (EAE = 1)', WALKS),
    A1: bit(22, 'which TTBR holds the ASID (EAE = 1)', ['TTBR0', 'TTBR1']),
    T1SZ: bits(18, 16, 'input size of TTBR1: 2^(32-T1SZ) bytes (EAE = 1)'),
    ...walkFields(8, '0', ' (EAE = 1)'),
    EPD0: bit(7, 'walks of TTBR0 (EAE = 1)', WALKS),
    T2E: bit(6, 'TTBCR2 has effect (EAE = 1)', { values: NO_YES, feature: 'FEAT_AA32HPD' }),
    PD1: bit(5, 'walks of TTBR1 (EAE = 0)', WALKS),
    PD0: bit(4, 'walks of TTBR0 (EAE = 0)', WALKS),
    N: bits(2, 0, 'TTBR0 covers the lowest 2^(32-N) bytes (EAE = 0); with EAE = 1 these bits are T0SZ'),
    T0SZ: bits(2, 0, 'input size of TTBR0: 2^(32-T0SZ) bytes (EAE = 1); with EAE = 0 these bits are N'),
  },
);

/** What `tcr` holds of a MediaTek M4U: its one table's size, which is fixed in a real one. */
export const M4U_TTBCR = layout(
  {
    name: 'TTBCR of an M4U',
    title: 'The input size of a MediaTek M4U',
    reference: 'Linux io-pgtable-arm-v7s.c, IO_PGTABLE_QUIRK_ARM_MTK_EXT',
    width: 32,
  },
  { wider: bits(1, 0, 'input address bits above 32', ['none', '1', '2', '2']) },
);

export const TTBCR2 = layout(
  {
    name: 'TTBCR2',
    title:
      'Translation Table Base Control Register 2 (AArch32 with long descriptors): has effect where TTBCR.T2E is 1',
    reference: 'DDI 0487 G8.2.166',
    width: 32,
  },
  {
    ...hardwareUseFields(18, '1', 'HPD1'),
    ...hardwareUseFields(14, '0', 'HPD0'),
    HPD1: bit(10, 'ignore APTable, XNTable and PXNTable below TTBR1', NO_YES),
    HPD0: bit(9, 'ignore APTable, XNTable and PXNTable below TTBR0', NO_YES),
  },
);

export const HTCR = layout(
  {
    name: 'HTCR',
    title: 'Hyp Translation Control Register (AArch32): stage 1 of Hyp mode, with long descriptors',
    reference: 'DDI 0487 G8.2.76',
    width: 32,
  },
  {
    ...hardwareUseFields(28, '', 'HPD'),
    HPD: bit(24, 'ignore APTable and XNTable', { values: NO_YES, feature: 'FEAT_AA32HPD' }),
    ...walkFields(8, '0'),
    T0SZ: bits(2, 0, 'the input size is 2^(32-T0SZ) bytes'),
  },
);

export const VTCR = layout(
  {
    name: 'VTCR',
    title: 'Virtualization Translation Control Register (AArch32): stage 2, with long descriptors',
    reference: 'DDI 0487 G8.2.172',
    width: 32,
  },
  {
    ...hardwareUseFields(28, '', undefined),
    ...walkFields(8, '0'),
    SL0: bits(7, 6, 'start level, which must fit T0SZ, or every access is a translation fault at level 1', [
      'level 2',
      'level 1',
      'reserved',
      'reserved',
    ]),
    S: bit(4, 'must be as T0SZ[3], the sign'),
    T0SZ: bits(3, 0, 'signed, -8 to 7: the IPA size is 2^(32-T0SZ) bytes'),
  },
);

const WXN = bit(19, 'writable memory is execute-never', ON);
const EE = bit(25, 'endianness of data and table walks', ENDIANNESS);
const LOWEST = {
  I: bit(12, 'instruction fetches may be cacheable', NO_YES),
  C: bit(2, 'data accesses and table walks may be cacheable', NO_YES),
  A: bit(1, 'unaligned accesses fault', NO_YES),
  M: bit(0, 'the MMU: stage-1 translation', ON),
};

export const SCTLR = layout(
  {
    name: 'SCTLR',
    title: 'System Control Register (AArch32): the bits that translation depends on',
    reference: 'DDI 0487 G8.2.127',
    width: 32,
  },
  {
    AFE: bit(29, 'AP[0] of short descriptors is the access flag', NO_YES),
    TRE: bit(28, 'TEX remap: TEX[0], C and B of short descriptors name a region of PRRR and NMRR', ON),
    EE,
    SPAN: bit(23, 'an exception to PL1', {
      values: ['sets PSTATE.PAN', 'leaves PSTATE.PAN'],
      feature: 'FEAT_PAN',
    }),
    UWXN: bit(20, 'memory that EL0 may write is execute-never at PL1', ON),
    WXN,
    ...LOWEST,
  },
);

/** Two bits that tell how old a CPU is: ARMv7 has them as ones (one is SPAN today), ARMv6 may set them, before it they were 0. */
export const SCTLR_AGE = layout(
  {
    name: 'SCTLR of older CPUs',
    title: 'System Control Register of ARMv4 to ARMv6: the bits that tell them apart',
    reference: 'DDI 0406 B4.1.130',
    width: 32,
  },
  {
    XP: bit(23, 'subpages', ['in use: table formats of ARMv5', 'none: table formats of ARMv6']),
    U: bit(22, 'unaligned accesses', ['as in ARMv5', 'as in ARMv6']),
    A: bit(1, 'alignment checks', ON),
  },
);

export const HSCTLR = layout(
  {
    name: 'HSCTLR',
    title: 'Hyp System Control Register (AArch32): the bits that translation depends on',
    reference: 'DDI 0487 G8.2.73',
    width: 32,
  },
  { EE, WXN, ...LOWEST },
);

const TRAPPED = ['not trapped', 'trapped to Hyp mode'] as const;

export const HCR = layout(
  {
    name: 'HCR',
    title: 'Hyp Configuration Register (AArch32): the bits that translation depends on',
    reference: 'DDI 0487 G8.2.65',
    width: 32,
  },
  {
    TRVM: bit(30, 'reads of the translation registers at PL1', TRAPPED),
    TGE: bit(27, 'exceptions of EL0 go to Hyp mode; stage 1 is off for it', ON),
    TVM: bit(26, 'writes of the translation registers at PL1', TRAPPED),
    TTLB: bit(25, 'TLB maintenance at PL1', TRAPPED),
    DC: bit(12, 'default cacheable: stage 1 off, stage 2 on', ON),
    BSU: bits(11, 10, 'barriers at PL1 and EL0 reach at least', [
      'what they say',
      'the inner shareable domain',
      'the outer shareable domain',
      'the full system',
    ]),
    FB: bit(9, 'TLB and instruction cache maintenance at PL1 is for the inner shareable domain', NO_YES),
    PTW: bit(2, 'a stage-1 walk through Device memory of stage 2', ['allowed', 'a stage-2 permission fault']),
    VM: bit(0, 'stage-2 translation', ON),
  },
);
