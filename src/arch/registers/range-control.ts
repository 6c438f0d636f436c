/**
 * What a control register says of one range of input addresses, whichever register and position it stands in: TCR_ELx for
 * stage 1, VTCR_EL2 for stage 2. (DDI 0487 D24.2.194 to D24.2.196, D24.2.224.)
 */
import type { BitField } from '../field.ts';
import type { FieldBits } from '../read.ts';
import { pairOf } from './parts.ts';
import { VTCR_EL2 } from './stage2.ts';
import { TCR_EL1, TCR_EL2 } from './tcr.ts';

/** log2 of the granule by the code of TG0 or TG1; undefined for the reserved one. */
export type GranuleCodes = readonly (12 | 14 | 16 | undefined)[];

/** TG0, of every register that has one; TG1 has other codes. */
export const TG0_CODES: GranuleCodes = [12, 16, 14, undefined];
export const TG1_CODES: GranuleCodes = [undefined, 14, 12, 16];

/** The fields of one range. A register without one of the optional fields has none of the kind. */
export interface RangeControl {
  readonly txsz: BitField;
  readonly tg: BitField;
  readonly granules: GranuleCodes;
  readonly sh: BitField;
  readonly orgn: BitField;
  readonly irgn: BitField;
  readonly ps: BitField;
  readonly ds: BitField;
  readonly ha: BitField;
  readonly hd: BitField;
  readonly tbi?: BitField;
  readonly tbid?: BitField;
  readonly hpd?: BitField;
  readonly epd?: BitField;
  readonly e0pd?: BitField;
  /** HWU62 to HWU59 together. */
  readonly hwu?: FieldBits;
}

const { HWU162, HWU159, HWU062, HWU059 } = TCR_EL1.fields;
const HARDWARE_USE = [
  { high: HWU062.high, low: HWU059.low },
  { high: HWU162.high, low: HWU159.low },
] as const;

function rangeOfTcr(range: 0 | 1): RangeControl {
  const { IPS, DS, HA, HD } = TCR_EL1.fields;
  return {
    txsz: pairOf(TCR_EL1, 'TxSZ')[range],
    tg: pairOf(TCR_EL1, 'TGx')[range],
    granules: range === 0 ? TG0_CODES : TG1_CODES,
    sh: pairOf(TCR_EL1, 'SHx')[range],
    orgn: pairOf(TCR_EL1, 'ORGNx')[range],
    irgn: pairOf(TCR_EL1, 'IRGNx')[range],
    tbi: pairOf(TCR_EL1, 'TBIx')[range],
    tbid: pairOf(TCR_EL1, 'TBIDx')[range],
    hpd: pairOf(TCR_EL1, 'HPDx')[range],
    epd: pairOf(TCR_EL1, 'EPDx')[range],
    e0pd: pairOf(TCR_EL1, 'E0PDx')[range],
    hwu: HARDWARE_USE[range],
    ps: IPS,
    ds: DS,
    ha: HA,
    hd: HD,
  };
}

/** TCR_EL1, and TCR_EL2 with HCR_EL2.E2H = 1: the range of TTBR0, and that of TTBR1. */
export const TWO_RANGES = [rangeOfTcr(0), rangeOfTcr(1)] as const;

const { T0SZ, TG0, SH0, ORGN0, IRGN0, PS, DS, HA, HD, TBI, TBID, HPD, HWU62, HWU59 } = TCR_EL2.fields;

/** TCR_EL2 with HCR_EL2.E2H = 0, and TCR_EL3. */
export const ONE_RANGE: RangeControl = {
  txsz: T0SZ,
  tg: TG0,
  granules: TG0_CODES,
  sh: SH0,
  orgn: ORGN0,
  irgn: IRGN0,
  tbi: TBI,
  tbid: TBID,
  hpd: HPD,
  hwu: { high: HWU62.high, low: HWU59.low },
  ps: PS,
  ds: DS,
  ha: HA,
  hd: HD,
};

const { fields: vtcr } = VTCR_EL2;

/** VTCR_EL2. */
export const STAGE2_RANGE: RangeControl = {
  txsz: vtcr.T0SZ,
  tg: vtcr.TG0,
  granules: TG0_CODES,
  sh: vtcr.SH0,
  orgn: vtcr.ORGN0,
  irgn: vtcr.IRGN0,
  ps: vtcr.PS,
  ds: vtcr.DS,
  ha: vtcr.HA,
  hd: vtcr.HD,
  hwu: { high: vtcr.HWU62.high, low: vtcr.HWU59.low },
};
