/**
 * Decodes operands of TLB maintenance instructions: the Xt of an operation on one address or a range. Pure functions.
 * (DDI 0487 D8.17.5.1, D8.17.5.2 with Tables D8-122 to D8-124.)
 */
import { addressOf, bitsIn, read, readLow, widthOf } from '../arch/read.ts';
import { TLBI_IPA, TLBI_RANGE, TLBI_VA, TTL_HINT } from '../arch/registers/tlbi.ts';
import { ADDRESS_BITS } from './scope.ts';

/** The limits that the level hint and TG of an operand put on an invalidation. */
export interface LeafHint {
  readonly granuleLog2?: 12 | 14 | 16;
  readonly level?: number;
}

/** The decoded Xt of TLBI VA*, VAA*, ASID and IPAS2*. */
export interface AddressOperand {
  readonly asid: number;
  /** VA[55:12] or IPA[51:12]; the low 12 bits are 0. */
  readonly address: bigint;
  readonly hint: LeafHint;
}

/** The decoded Xt of TLBI RVA*, RVAA* and RIPAS2*. Addresses have 56 bits. */
export interface RangeOperand {
  readonly asid: number;
  readonly from: bigint;
  /** The last address of the range, at most the last of the address space. */
  readonly last: bigint;
  readonly hint: LeafHint;
  /** Whether the base is not aligned to a block of the hinted level, which makes the invalidated range UNPREDICTABLE. */
  readonly unpredictable: boolean;
}

const GRANULES = [undefined, 12, 14, 16] as const;

/** Decodes TTL of an operation on one address. Reserved values give no hint. (Table D8-123.) */
export function decodeTtl(ttl: number, lpa2: boolean): LeafHint {
  const granuleLog2 = GRANULES[readLow(ttl, TTL_HINT.fields.granule)];
  const level = readLow(ttl, TTL_HINT.fields.level);
  if (granuleLog2 === undefined) return {};
  const firstLevel = granuleLog2 === 12 ? (lpa2 ? 0 : 1) : granuleLog2 === 14 && !lpa2 ? 2 : 1;
  return level < firstLevel ? {} : { granuleLog2, level };
}

/**
 * @param xt - the 64-bit register. `ipa`: it holds an IPA, in [39:0].
 * @param lpa2 - FEAT_LPA2, on which two TTL encodings depend.
 */
export function decodeAddressOperand(xt: bigint, ipa: boolean, lpa2: boolean): AddressOperand {
  const { ASID, TTL, VA } = TLBI_VA.fields;
  return {
    asid: read(xt, ASID),
    address: addressOf(xt, ipa ? TLBI_IPA.fields.IPA : VA),
    hint: decodeTtl(read(xt, TTL), lpa2),
  };
}

/** With DS = 1, BaseADDR is in units of 64K. */
const DS_UNIT_LOG2 = 16;
const ADDRESS_END = 1n << BigInt(ADDRESS_BITS);

/**
 * Decodes the operand of a range operation: `(NUM + 1) * 2^(5 * SCALE + 1)` granules from BaseADDR on.
 *
 * @param xt - the 64-bit register.
 * @param options - `ipa`: BaseADDR is an IPA (no sign). `ds`: the Effective value of TCR_ELx.DS. `lpa2`: FEAT_LPA2.
 * @returns undefined for the reserved TG 0b00: nothing has to be invalidated.
 *
 * @example
 * decodeRangeOperand(0x4000_0000_0000_0010n, { ipa: false, ds: false, lpa2: false }); // 4K: 0x10000 to 0x11fff
 */
export function decodeRangeOperand(
  xt: bigint,
  { ipa, ds, lpa2 }: { readonly ipa: boolean; readonly ds: boolean; readonly lpa2: boolean },
): RangeOperand | undefined {
  const { ASID, TG, SCALE, NUM, TTL, BaseADDR } = TLBI_RANGE.fields;
  const granuleLog2 = GRANULES[read(xt, TG)];
  if (granuleLog2 === undefined) return undefined;
  const [scale, num, ttl] = [read(xt, SCALE), read(xt, NUM), read(xt, TTL)];
  const units = bitsIn(xt, BaseADDR);
  const base = ipa ? units : BigInt.asIntN(widthOf(BaseADDR), units);
  const from = BigInt.asUintN(ADDRESS_BITS, base << BigInt(ds ? DS_UNIT_LOG2 : granuleLog2));
  const bytes = BigInt(num + 1) << BigInt(5 * scale + 1 + granuleLog2);
  // RQNPXY: a range ends at the top of the address space and does not wrap. (None is long enough to leave the lower half.)
  const end = from + bytes < ADDRESS_END ? from + bytes : ADDRESS_END;
  const level = ttl === 1 && granuleLog2 === 14 && !lpa2 ? 0 : ttl;
  // The text also lists DS = 1 with 4K and TTL 0b00, but in Table D8-124 that means any level, so it is left out here.
  const leafLog2 = granuleLog2 + (3 - level) * (granuleLog2 - 3);
  const unpredictable = level !== 0 && from % (1n << BigInt(leafLog2)) !== 0n;
  const hint = level === 0 ? { granuleLog2 } : { granuleLog2, level };
  return { asid: read(xt, ASID), from, last: end - 1n, hint, unpredictable };
}
