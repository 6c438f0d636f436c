/**
 * The fields of one AArch64 range beside what the walker made of them, and the names they have in their register: TCR_ELx,
 * VTCR_EL2, or a context descriptor or stream table entry of an SMMU. (DDI 0487 D24.2.194 to D24.2.196, D24.2.224.)
 */
import { field } from '../walker/bits.ts';
import type { RangeFields } from '../walker/params/aarch64.ts';

/** What a register says of a range: the walker's fields, and those that are not about translation alone. */
export interface RawFields extends RangeFields {
  /** TG0 or TG1, as encoded. */
  readonly tg: number;
  readonly irgn: number;
  readonly orgn: number;
}

/** How the fields of a range are called. */
export interface FieldNames {
  /** The table base register: `TTBR0_EL1`. */
  readonly base: string;
  readonly txsz: string;
  readonly tg: string;
  readonly ps: string;
  readonly sh: string;
  /** Any other field of the control register, by its name there. */
  readonly of: (name: string) => string;
  /** HPD, E0PD, TBI and their like: numbered where there are two ranges. */
  readonly numbered: (name: string) => string;
  /** Where the manual describes the control register, and the base register. */
  readonly section: string;
  readonly baseSection: string;
}

/** Names in TCR_ELx and TTBRn_ELx of the range `n`; `one`: the only range, whose flags have no number. */
export function tcrNames(el: 1 | 2 | 3, n: 0 | 1, one: boolean): FieldNames {
  const control = `TCR_EL${el}`;
  return {
    base: `TTBR${n}_EL${el}`,
    txsz: `${control}.T${n}SZ`,
    tg: `${control}.TG${n}`,
    ps: `${control}.${one ? 'PS' : 'IPS'}`,
    sh: `${control}.SH${n}`,
    of: (name) => `${control}.${name}`,
    numbered: (name) => `${control}.${name}${one ? '' : n}`,
    section: `DDI 0487 D24.2.${193 + el}`,
    baseSection: 'DDI 0487 D8.2.3',
  };
}

/** TCR_ELx beside the fields that the walker takes from it; `upper`: of TTBR1. */
export function tcrFields(fields: RangeFields, tcr: bigint, upper: boolean): RawFields {
  return upper
    ? { ...fields, tg: field(tcr, 31, 30), irgn: field(tcr, 25, 24), orgn: field(tcr, 27, 26) }
    : { ...fields, tg: field(tcr, 15, 14), irgn: field(tcr, 9, 8), orgn: field(tcr, 11, 10) };
}
