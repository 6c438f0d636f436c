/**
 * Operands of TLB maintenance instructions: the Xt of an operation on one address, and on a range. Pure functions.
 * (DDI 0487 D8.17.5.1, D8.17.5.2 with Tables D8-122 to D8-124.)
 */
import { field } from '../walker/bits.ts';

/** What the level hint and TG of an operand narrow an invalidation to. */
export interface LeafHint {
  readonly granuleLog2?: 12 | 14 | 16;
  readonly level?: number;
}

/** The Xt of TLBI VA*, VAA*, ASID and IPAS2*, taken apart. */
export interface AddressOperand {
  readonly asid: number;
  /** VA[55:12] or IPA[51:12], its low 12 bits 0. */
  readonly address: bigint;
  readonly hint: LeafHint;
}

/** The Xt of TLBI RVA*, RVAA* and RIPAS2*, taken apart. Addresses have 56 bits. */
export interface RangeOperand {
  readonly asid: number;
  readonly from: bigint;
  /** Last address of the range, at most the last of the address space. */
  readonly last: bigint;
  readonly hint: LeafHint;
  /** The base is not aligned to a block of the hinted level: the invalidated range is UNPREDICTABLE. */
  readonly unpredictable: boolean;
}

const GRANULES = [undefined, 12, 14, 16] as const;

/** TTL of an operation on one address: granule in [3:2], level in [1:0]; reserved values are no hint. (Table D8-123.) */
export function decodeTtl(ttl: number, lpa2: boolean): LeafHint {
  const granuleLog2 = GRANULES[ttl >> 2];
  const level = ttl & 3;
  if (granuleLog2 === undefined) return {};
  const firstLevel = granuleLog2 === 12 ? (lpa2 ? 0 : 1) : granuleLog2 === 14 && !lpa2 ? 2 : 1;
  return level < firstLevel ? {} : { granuleLog2, level };
}

/**
 * @param xt - the register, 64 bits. `ipa`: it holds an IPA, in [39:0].
 * @param lpa2 - FEAT_LPA2, on which two TTL encodings depend.
 */
export function decodeAddressOperand(xt: bigint, ipa: boolean, lpa2: boolean): AddressOperand {
  return {
    asid: field(xt, 63, 48),
    address: BigInt.asUintN(ipa ? 40 : 44, xt) << 12n,
    hint: decodeTtl(field(xt, 47, 44), lpa2),
  };
}

/** BaseADDR has 37 bits, from the granule up, or from bit 16 where DS = 1. */
const BASE_BITS = 37;

/**
 * Takes the operand of a range operation apart: `(NUM + 1) * 2^(5 * SCALE + 1)` granules from BaseADDR on.
 *
 * @param xt - the register, 64 bits.
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
  const granuleLog2 = GRANULES[field(xt, 47, 46)];
  if (granuleLog2 === undefined) return undefined;
  const [scale, num, ttl] = [field(xt, 45, 44), field(xt, 43, 39), field(xt, 38, 37)];
  const base = ipa ? BigInt.asUintN(BASE_BITS, xt) : BigInt.asIntN(BASE_BITS, xt);
  const from = BigInt.asUintN(56, base << BigInt(ds ? 16 : granuleLog2));
  const bytes = BigInt(num + 1) << BigInt(5 * scale + 1 + granuleLog2);
  // RQNPXY: a range ends at the top of the address space and does not wrap. (None is long enough to leave the lower half.)
  const end = from + bytes < 1n << 56n ? from + bytes : 1n << 56n;
  const level = ttl === 1 && granuleLog2 === 14 && !lpa2 ? 0 : ttl;
  // The text names DS = 1, 4K and TTL 0b00 too, though Table D8-124 lets that stand for any level: it is not taken over.
  const leafLog2 = granuleLog2 + (3 - level) * (granuleLog2 - 3);
  const unpredictable = level !== 0 && from % (1n << BigInt(leafLog2)) !== 0n;
  const hint = level === 0 ? { granuleLog2 } : { granuleLog2, level };
  return { asid: field(xt, 63, 48), from, last: end - 1n, hint, unpredictable };
}
