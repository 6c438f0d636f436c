/**
 * The control registers of translation, AArch64 and AArch32, as people read them. (DDI 0487 D24.2.62 HCR_EL2, D24.2.175
 * SCTLR_EL1, D24.2.194 TCR_EL1, D24.2.195 TCR_EL2, D24.2.224 VTCR_EL2, G8.2.165 TTBCR.) The walker decodes the same registers
 * by itself, on purpose: this is for explaining alone.
 */
import type { Field } from '../descriptor/index.ts';
import { type RegisterLayout, rowsOf } from './register.ts';

/** Codes of the granule: TG0 and TG1 differ. */
export const TG0_VALUES = ['4K', '64K', '16K', 'reserved'];
export const TG1_VALUES = ['reserved', '16K', '4K', '64K'];
export const OUTPUT_SIZES = [
  '32 bits, 4G',
  '36 bits, 64G',
  '40 bits, 1T',
  '42 bits, 4T',
  '44 bits, 16T',
  '48 bits, 256T',
  '52 bits, 4P',
  '56 bits, 64P (FEAT_D128)',
];
const SH = ['non-shareable', 'reserved', 'outer shareable', 'inner shareable'];
const RGN = [
  'Non-cacheable',
  'Write-Back, read and write allocate',
  'Write-Through, read allocate',
  'Write-Back, read allocate',
];
const ON = ['off', 'on'];

type Rows = ReturnType<typeof rowsOf>;

/** How a walk reads its tables: TCR.SH, ORGN, IRGN of one TTBR. */
const walkRows = (r: Rows, low: number, which: '0' | '1'): Field[] => [
  r(low + 5, low + 4, `SH${which}`, 'shareability of table walks', SH),
  r(low + 3, low + 2, `ORGN${which}`, 'outer cacheability of table walks', RGN),
  r(low + 1, low, `IRGN${which}`, 'inner cacheability of table walks', RGN),
];

const T0SZ = 'the input size is 2^(64-T0SZ) bytes: 16 is 48 bits, 25 is 39 bits, 12 is 52 bits';
const updateRows = (r: Rows, hd: number): Field[] => [
  r(hd, hd, 'HD', 'hardware manages dirty state: a write clears AP[2] where DBM is 1; needs HA', ON),
  r(hd - 1, hd - 1, 'HA', 'hardware sets the access flag, so that AF = 0 does not fault', ON),
];

const tcr = rowsOf('DDI 0487 D24.2.194');
export const TCR_EL1: RegisterLayout = {
  name: 'TCR_EL1',
  aliases: ['TCR'],
  title:
    'Translation Control Register: input size, granule and table walks of both TTBRs; TCR_EL2 looks so too when HCR_EL2.E2H is 1',
  reference: 'DDI 0487 D24.2.194',
  width: 64,
  fields: [
    tcr(
      59,
      59,
      'DS',
      'FEAT_LPA2: 52-bit addresses with 4K and 16K; SH moves from descriptors into SH0 and SH1',
      ON,
    ),
    tcr(42, 42, 'HPD1', 'ignore APTable, XNTable and PXNTable below TTBR1', ['no', 'yes']),
    tcr(41, 41, 'HPD0', 'ignore APTable, XNTable and PXNTable below TTBR0', ['no', 'yes']),
    ...updateRows(tcr, 40),
    tcr(38, 38, 'TBI1', 'top byte of addresses below TTBR1 ignored', ON),
    tcr(37, 37, 'TBI0', 'top byte of addresses below TTBR0 ignored', ON),
    tcr(36, 36, 'AS', 'size of the ASID', ['8 bits', '16 bits']),
    tcr(34, 32, 'IPS', 'output size: an output address beyond it is an address size fault', OUTPUT_SIZES),
    tcr(31, 30, 'TG1', 'granule of TTBR1; other codes than TG0', TG1_VALUES),
    ...walkRows(tcr, 24, '1'),
    tcr(23, 23, 'EPD1', 'walks of TTBR1', ['allowed', 'disabled: a translation fault']),
    tcr(22, 22, 'A1', 'which TTBR holds the ASID', ['TTBR0', 'TTBR1']),
    tcr(21, 16, 'T1SZ', 'input size of TTBR1: the top 2^(64-T1SZ) bytes of the address space'),
    tcr(15, 14, 'TG0', 'granule of TTBR0', TG0_VALUES),
    ...walkRows(tcr, 8, '0'),
    tcr(7, 7, 'EPD0', 'walks of TTBR0', ['allowed', 'disabled: a translation fault']),
    tcr(5, 0, 'T0SZ', T0SZ),
  ],
};

const tcr2 = rowsOf('DDI 0487 D24.2.195');
export const TCR_EL2: RegisterLayout = {
  name: 'TCR_EL2',
  title:
    "Translation Control Register (EL2) with HCR_EL2.E2H = 0: one TTBR, PS instead of IPS, fields in other places; with E2H = 1 it has TCR_EL1's layout",
  reference: 'DDI 0487 D24.2.195',
  width: 64,
  fields: [
    tcr2(32, 32, 'DS', 'FEAT_LPA2: 52-bit addresses with 4K and 16K; SH moves from descriptors into SH0', ON),
    tcr2(24, 24, 'HPD', 'ignore APTable and XNTable', ['no', 'yes']),
    ...updateRows(tcr2, 22),
    tcr2(20, 20, 'TBI', 'top byte of addresses ignored', ON),
    tcr2(18, 16, 'PS', 'output size: an output address beyond it is an address size fault', OUTPUT_SIZES),
    tcr2(15, 14, 'TG0', 'granule of TTBR0', TG0_VALUES),
    ...walkRows(tcr2, 8, '0'),
    tcr2(5, 0, 'T0SZ', T0SZ),
  ],
};

const vtcr = rowsOf('DDI 0487 D24.2.224');
export const VTCR_EL2: RegisterLayout = {
  name: 'VTCR_EL2',
  aliases: ['VTCR'],
  title: 'Virtualization Translation Control Register: stage 2',
  reference: 'DDI 0487 D24.2.224',
  width: 64,
  fields: [
    vtcr(33, 33, 'SL2', 'with DS = 1 and 4K: SL0 0 starts at level -1'),
    vtcr(32, 32, 'DS', 'FEAT_LPA2: 52-bit addresses with 4K and 16K', ON),
    ...updateRows(vtcr, 22),
    vtcr(19, 19, 'VS', 'size of the VMID', ['8 bits', '16 bits']),
    vtcr(18, 16, 'PS', 'output size: an output address beyond it is an address size fault', OUTPUT_SIZES),
    vtcr(15, 14, 'TG0', 'granule', TG0_VALUES),
    ...walkRows(vtcr, 8, '0'),
    vtcr(7, 6, 'SL0', 'start level, which must fit T0SZ, or every access is a translation fault at level 0', {
      0: 'level 2 with 4K, level 3 with 16K and 64K',
      1: 'level 1 with 4K, level 2 with 16K and 64K',
      2: 'level 0 with 4K, level 1 with 16K and 64K',
      3: 'level 3 with 4K (FEAT_TTST), level 0 with 16K (FEAT_LPA2), reserved with 64K',
    }),
    vtcr(5, 0, 'T0SZ', 'the IPA size is 2^(64-T0SZ) bytes'),
  ],
};

const hcr = rowsOf('DDI 0487 D24.2.62');
export const HCR_EL2: RegisterLayout = {
  name: 'HCR_EL2',
  aliases: ['HCR'],
  title: 'Hypervisor Configuration Register: the bits that translation depends on',
  reference: 'DDI 0487 D24.2.62',
  width: 64,
  fields: [
    hcr(46, 46, 'FWB', 'FEAT_S2FWB: stage-2 MemAttr overrides stage 1 instead of being combined with it', ON),
    hcr(
      34,
      34,
      'E2H',
      'EL2 hosts an operating system: the EL2&0 regime, TCR_EL2 with the layout of TCR_EL1',
      ON,
    ),
    hcr(33, 33, 'ID', 'stage 2 makes instruction fetches Non-cacheable', ON),
    hcr(32, 32, 'CD', 'stage 2 makes data accesses Non-cacheable', ON),
    hcr(27, 27, 'TGE', 'exceptions of EL0 go to EL2; stage 2 is off for them', ON),
    hcr(12, 12, 'DC', 'default cacheable: stage 1 off, stage 2 on', ON),
    hcr(2, 2, 'PTW', 'a stage-1 walk through Device memory of stage 2', [
      'allowed',
      'a stage-2 permission fault',
    ]),
    hcr(0, 0, 'VM', 'stage-2 translation', ON),
  ],
};

const sctlr = rowsOf('DDI 0487 D24.2.175');
export const SCTLR_EL1: RegisterLayout = {
  name: 'SCTLR_EL1',
  aliases: ['SCTLR', 'SCTLR_EL2'],
  title:
    'System Control Register: the bits that translation depends on; SCTLR_EL2 has M, C, I, WXN and EE in the same places',
  reference: 'DDI 0487 D24.2.175',
  width: 64,
  fields: [
    sctlr(57, 57, 'EPAN', 'PAN also for what EL0 may only execute (FEAT_PAN3)', ON),
    sctlr(25, 25, 'EE', 'endianness of data and table walks', ['little', 'big']),
    sctlr(23, 23, 'SPAN', 'an exception to EL1', ['sets PSTATE.PAN', 'leaves PSTATE.PAN']),
    sctlr(19, 19, 'WXN', 'what is writable is execute-never', ON),
    sctlr(12, 12, 'I', 'instruction fetches may be cacheable', ['no', 'yes']),
    sctlr(2, 2, 'C', 'data accesses and table walks may be cacheable', ['no', 'yes']),
    sctlr(0, 0, 'M', 'the MMU: stage-1 translation', ON),
  ],
};

const ttbcr = rowsOf('DDI 0487 G8.2.165');
export const TTBCR: RegisterLayout = {
  name: 'TTBCR',
  title: 'Translation Table Base Control Register (AArch32): EAE chooses long or short descriptors',
  reference: 'DDI 0487 G8.2.165',
  width: 32,
  fields: [
    ttbcr(31, 31, 'EAE', 'descriptor format', [
      'short (32-bit) descriptors',
      'long (64-bit) descriptors, LPAE',
    ]),
    ...walkRows(ttbcr, 24, '1').map((field) => ({ ...field, meaning: `${field.meaning} (EAE = 1)` })),
    ttbcr(23, 23, 'EPD1', 'walks of TTBR1 (EAE = 1)', ['allowed', 'disabled: a translation fault']),
    ttbcr(22, 22, 'A1', 'which TTBR holds the ASID (EAE = 1)', ['TTBR0', 'TTBR1']),
    ttbcr(18, 16, 'T1SZ', 'input size of TTBR1: 2^(32-T1SZ) bytes (EAE = 1)'),
    ...walkRows(ttbcr, 8, '0').map((field) => ({ ...field, meaning: `${field.meaning} (EAE = 1)` })),
    ttbcr(7, 7, 'EPD0', 'walks of TTBR0 (EAE = 1)', ['allowed', 'disabled: a translation fault']),
    ttbcr(5, 5, 'PD1', 'walks of TTBR1 (EAE = 0)', ['allowed', 'disabled: a translation fault']),
    ttbcr(4, 4, 'PD0', 'walks of TTBR0 (EAE = 0)', ['allowed', 'disabled: a translation fault']),
    ttbcr(2, 0, 'N', 'TTBR0 covers the lowest 2^(32-N) bytes (EAE = 0); with EAE = 1 these bits are T0SZ'),
    ttbcr(2, 0, 'T0SZ', 'input size of TTBR0: 2^(32-T0SZ) bytes (EAE = 1); with EAE = 0 these bits are N'),
  ],
};
