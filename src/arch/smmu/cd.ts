/** CD, the context descriptor. Its bits count through all 512. (IHI 0070 G.b, 5.4.) */
import { type BitField, bit, bits, layout } from '../field.ts';
import { byNumber } from '../registers/parts.ts';
import { type RangeControl, TG0_CODES, TG1_CODES } from '../registers/range-control.ts';
import {
  CACHEABILITIES,
  ENDIANNESS,
  NO_YES,
  ON,
  OUTPUT_SIZES,
  SHAREABILITIES,
  TG0_VALUES,
  TG1_VALUES,
} from '../registers/values.ts';
import { CD_PERMISSION_DECLARATIONS } from './permissions.ts';

export const CD = layout(
  {
    name: 'CD',
    title: 'Context Descriptor: stage 1 of an SMMUv3 stream or substream',
    reference: 'IHI 0070 5.4',
    width: 512,
  },
  {
    ...CD_PERMISSION_DECLARATIONS,
    MAIR1: bits(255, 224, 'memory types of AttrIndx 4 to 7'),
    MAIR0: bits(223, 192, 'memory types of AttrIndx 0 to 3'),
    PIE: bit(187, 'permissions of stage 1', {
      values: ['direct', 'indirect, by PIIP and PIIU'],
      feature: 'SMMU_IDR3.S1PI',
    }),
    DS: bit(186, '52-bit addresses with 4K and 16K, as TCR.DS', ON),
    TTB1: bits(183, 132, 'root of the upper range, address bits [55:4]', { address: 4 }),
    AIE: bit(131, 'AttrIndx has 4 bits', { values: NO_YES, feature: 'SMMU_IDR3.AIE' }),
    E0PD1: bit(130, 'unprivileged accesses to the upper range fault', {
      values: NO_YES,
      feature: 'SMMU_IDR3.E0PD',
    }),
    HAD1: bit(129, 'ignore APTable, XNTable and PXNTable below TTB1', NO_YES),
    NSCFG1: bit(128, 'of a Secure stream: the root of the upper range is in memory that is', [
      'Secure',
      'Non-secure',
    ]),
    EPAN: bit(123, 'PAN applies also to memory that EL0 may execute', {
      values: NO_YES,
      feature: 'SMMU_IDR3.EPAN',
    }),
    PnCH: bit(122, 'the Protected attribute replaces Contiguous', {
      values: NO_YES,
      feature: 'SMMU_IDR3.THE',
    }),
    TTB0: bits(119, 68, 'root of the lower range, address bits [55:4]', { address: 4 }),
    HAFT: bit(67, 'hardware sets the access flag of table descriptors', {
      values: ON,
      feature: 'SMMU_IDR0.HTTU = 3',
    }),
    E0PD0: bit(66, 'unprivileged accesses to the lower range fault', {
      values: NO_YES,
      feature: 'SMMU_IDR3.E0PD',
    }),
    HAD0: bit(65, 'ignore APTable, XNTable and PXNTable below TTB0', NO_YES),
    NSCFG0: bit(64, 'of a Secure stream: the root of the lower range is in memory that is', [
      'Secure',
      'Non-secure',
    ]),
    ASID: bits(63, 48, 'address space of TLB entries'),
    A: bit(46, 'a terminated transaction', ['reads as zero, ignores writes', 'is aborted']),
    R: bit(45, 'stage-1 faults leave an event', NO_YES),
    S: bit(44, 'stage-1 faults stall the transaction', NO_YES),
    HA: bit(43, 'hardware sets the access flag', ON),
    HD: bit(42, 'hardware manages dirty state', ON),
    AA64: bit(41, 'table format', ['VMSAv8-32 LPAE', 'VMSAv8-64']),
    PAN: bit(40, 'privileged data accesses to what EL0 may access fault', ON),
    TBI1: bit(39, 'top byte ignored below TTB1', ON),
    TBI0: bit(38, 'top byte ignored below TTB0', ON),
    UWXN: bit(37, 'what is writable unprivileged is execute-never for privileged accesses (AArch32)', ON),
    WXN: bit(36, 'writable memory is execute-never', ON),
    AFFD: bit(35, 'access flag faults', ['taken', 'disabled']),
    IPS: bits(34, 32, 'output size, as TCR.IPS', OUTPUT_SIZES),
    V: bit(31, 'the CD is valid; else C_BAD_CD', NO_YES),
    EPD1: bit(30, 'walks of TTB1', ['allowed', 'disabled: F_TRANSLATION']),
    SH1: bits(29, 28, 'shareability of walks of TTB1', SHAREABILITIES),
    OR1: bits(27, 26, 'outer cacheability of walks of TTB1', CACHEABILITIES),
    IR1: bits(25, 24, 'inner cacheability of walks of TTB1', CACHEABILITIES),
    TG1: bits(23, 22, 'granule of TTB1; other codes than TG0', TG1_VALUES),
    T1SZ: bits(21, 16, 'input size of TTB1: the top 2^(64-T1SZ) bytes'),
    ENDI: bit(15, 'endianness of tables', ENDIANNESS),
    EPD0: bit(14, 'walks of TTB0', ['allowed', 'disabled: F_TRANSLATION']),
    SH0: bits(13, 12, 'shareability of walks of TTB0', SHAREABILITIES),
    OR0: bits(11, 10, 'outer cacheability of walks of TTB0', CACHEABILITIES),
    IR0: bits(9, 8, 'inner cacheability of walks of TTB0', CACHEABILITIES),
    TG0: bits(7, 6, 'granule of TTB0', TG0_VALUES),
    T0SZ: bits(5, 0, 'the input size of TTB0 is 2^(64-T0SZ) bytes'),
  },
);

/** PIIP by PIIndex, in the last word of the CD. PIIU has the same places in the word before. */
export const CD_PERMISSION_FIELDS: readonly BitField[] = byNumber(CD, 'PIIP').map((field) => ({
  ...field,
  high: field.high % 64,
  low: field.low % 64,
}));
/** The 64-bit words of the CD that hold PIIU and PIIP. */
export const PIIU_WORD = 6;
export const PIIP_WORD = 7;

/** The fields of one of the two ranges. */
export interface CdRangeControl extends RangeControl {
  readonly upper: boolean;
  /** The address of its tables. */
  readonly base: BitField;
  readonly epd: BitField;
  /** Of a Secure stream: its root is in Non-secure memory. */
  readonly nscfg: BitField;
}

const { IPS, DS, HA, HD, ...fields } = CD.fields;
const BOTH = { ps: IPS, ds: DS, ha: HA, hd: HD } as const;

export const CD_LOWER: CdRangeControl = {
  ...BOTH,
  upper: false,
  base: fields.TTB0,
  txsz: fields.T0SZ,
  tg: fields.TG0,
  granules: TG0_CODES,
  irgn: fields.IR0,
  orgn: fields.OR0,
  sh: fields.SH0,
  epd: fields.EPD0,
  nscfg: fields.NSCFG0,
  tbi: fields.TBI0,
  hpd: fields.HAD0,
  e0pd: fields.E0PD0,
};

export const CD_UPPER: CdRangeControl = {
  ...BOTH,
  upper: true,
  base: fields.TTB1,
  txsz: fields.T1SZ,
  tg: fields.TG1,
  granules: TG1_CODES,
  irgn: fields.IR1,
  orgn: fields.OR1,
  sh: fields.SH1,
  epd: fields.EPD1,
  nscfg: fields.NSCFG1,
  tbi: fields.TBI1,
  hpd: fields.HAD1,
  e0pd: fields.E0PD1,
};
