/** The fields of one range of input addresses, read from TCR_ELx or VTCR_EL2. (DDI 0487 D24.2.194 to D24.2.196, D24.2.224.) */
import type { BitField } from '../../arch/field.ts';
import { addressOf, isSet, read } from '../../arch/read.ts';
import { TTBR0_EL1, WIDE_BASE } from '../../arch/registers/base.ts';
import {
  ONE_RANGE,
  type RangeControl,
  STAGE2_RANGE,
  TWO_RANGES,
} from '../../arch/registers/range-control.ts';

/** The fields that a walk uses, whatever register and bits they come from. */
export interface RangeFields {
  readonly txsz: number;
  readonly granuleLog2: number;
  readonly sh: number;
  readonly ps: number;
  readonly ds: boolean;
  readonly tbi: boolean;
  readonly tbid: boolean;
  readonly hpd: boolean;
  readonly epd: boolean;
  readonly e0pd: boolean;
  /** HWU62 to HWU59: of bits [62:59] of a leaf those that hardware uses. */
  readonly hwu: number;
  readonly ha: boolean;
  readonly hd: boolean;
  /** CD.AFFD of an SMMU: AF = 0 is no fault. */
  readonly affd: boolean;
  /** The table's address, not aligned yet. Up to 52 bits. */
  readonly base: TableAddress;
}

/** All fields that a register has for a range, including those that do not affect translation. */
export interface RawFields extends RangeFields {
  /** TG0 or TG1, as encoded. */
  readonly tg: number;
  readonly irgn: number;
  readonly orgn: number;
}

/** A table address as a register holds it. Its bits depend on whether addresses have 52 bits. */
export type TableAddress = (is52Bit: boolean) => number;

/** TTBR and VTTBR: bits [47:1], and with 52-bit addresses BADDR[51:48] in bits [5:2]. CnP, ASID and VMID are left out. */
export function ttbrAddress(ttbr: bigint): TableAddress {
  const { low, high } = WIDE_BASE.fields;
  const narrow = Number(addressOf(ttbr, TTBR0_EL1.fields.BADDR));
  return (is52Bit) => (is52Bit ? Number(addressOf(ttbr, low) | addressOf(ttbr, high)) : narrow);
}

/** Reserved TG0 and TG1 encodings are an IMPLEMENTATION DEFINED granule: 4K here. (AArch64.S1DecodeTG0, S1DecodeTG1.) */
const IMPLEMENTATION_DEFINED_GRANULE = 12;

/** Reads the declared fields of a range from a register value, or from all words of a structure in memory as one number. */
export function rangeFields(control: RangeControl, register: bigint, base: TableAddress): RawFields {
  const flag = (field: BitField | undefined) => field !== undefined && isSet(register, field);
  const tg = read(register, control.tg);
  return {
    txsz: read(register, control.txsz),
    tg,
    granuleLog2: control.granules[tg] ?? IMPLEMENTATION_DEFINED_GRANULE,
    sh: read(register, control.sh),
    orgn: read(register, control.orgn),
    irgn: read(register, control.irgn),
    ps: read(register, control.ps),
    ds: flag(control.ds),
    tbi: flag(control.tbi),
    tbid: flag(control.tbid),
    hpd: flag(control.hpd),
    epd: flag(control.epd),
    e0pd: flag(control.e0pd),
    hwu: control.hwu === undefined ? 0 : read(register, control.hwu),
    ha: flag(control.ha),
    hd: flag(control.hd),
    affd: false,
    base,
  };
}

/** TCR_EL1, or TCR_EL2 with HCR_EL2.E2H = 1: the lower range (TTBR0) or the upper (TTBR1). */
export function twoRangeFields(tcr: bigint, ttbr: bigint, upper: boolean): RawFields {
  return rangeFields(TWO_RANGES[upper ? 1 : 0], tcr, ttbrAddress(ttbr));
}

/** TCR_EL2 with HCR_EL2.E2H = 0, and TCR_EL3: one range. */
export function oneRangeFields(tcr: bigint, ttbr: bigint): RawFields {
  return rangeFields(ONE_RANGE, tcr, ttbrAddress(ttbr));
}

/** VTCR_EL2: the one range of stage 2. */
export function stage2Fields(vtcr: bigint, base: TableAddress): RawFields {
  return rangeFields(STAGE2_RANGE, vtcr, base);
}
