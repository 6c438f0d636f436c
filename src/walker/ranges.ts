/**
 * Which translation tables an input address belongs to, and whether it lies within their input size.
 * (DDI 0487 D8.1 and D8.2.10; J1.1 AArch64.GetVARange, AddrTop, VAIsOutOfRange; J1.2 AArch32.GetVARange, VAIsOutOfRange.)
 */
import { highMask } from '../arch/read.ts';
import { VA } from '../arch/registers/address.ts';
import { lowBits, POW2, shiftRight } from './bits.ts';
import type { CpuFeatures } from './cpu.ts';
import {
  type S1Denials,
  s1DenialsAArch32,
  s1DenialsGuestHypervisor,
  s1DenialsOneLevel,
  s1DenialsTwoLevels,
} from './denials.ts';
import type { InputAddress } from './first-stage.ts';
import type { S1Params } from './params/params.ts';
import {
  type S1PermissionControls,
  type S1PermissionFields,
  s1PermissionsAArch32,
  s1PermissionsGuestHypervisor,
  s1PermissionsOneLevel,
  s1PermissionsTwoLevels,
} from './permissions.ts';

/** Input addresses of one range that a double can hold, as signed 64-bit numbers: `[first, end)`, and what to subtract for the address within it. */
export interface RangeSpan {
  readonly params: S1Params;
  readonly first: number;
  readonly end: number;
  readonly bias: number;
}

/** How a regime's registers divide its input addresses. */
export interface S1Ranges {
  /** The range of an address and the address within it; undefined if the address is in no range. */
  select(ia: InputAddress, fetch: boolean): { readonly params: S1Params; readonly ia: number } | undefined;
  /** The same for addresses whose top bits are all equal (no tag), which the fast path takes. They do not overlap. */
  readonly spans: readonly RangeSpan[];
  /** The level that a translation fault outside every range reports: 0, or 1 in AArch32. */
  readonly outOfRangeLevel: number;
  /** Whether the regime has unprivileged accesses. Without them, nG is ignored too. */
  readonly unprivileged: boolean;
  readonly guardedPages: boolean;
  readonly permissions: (fields: S1PermissionFields, controls: S1PermissionControls) => number;
  /** Why the permissions deny an access. */
  readonly denials: S1Denials;
}

/** In the upper half of an address: the bit that chooses the range, whatever the size of either, and the bits that no table resolves. */
const RANGE_BIT = highMask(VA.fields.range);
const SIGN = highMask(VA.fields.sign);
const SIGN_BELOW_TAG = highMask(VA.fields.signBelowTag);
const LOW = highMask(VA.fields.low);

/**
 * The address within the tables' input size, or undefined if a bit above it differs from `upper`.
 * Bits [63:56] do not count if the top byte is ignored.
 */
function resolve(
  ia: InputAddress,
  params: S1Params,
  upper: boolean,
  topByteIgnored: boolean,
): number | undefined {
  const low52 = (ia.hi & LOW) * POW2[32]! + ia.lo;
  const above = shiftRight(low52, params.iaBits);
  const sign = topByteIgnored ? SIGN_BELOW_TAG : SIGN;
  const wantedAbove = upper ? POW2[52 - params.iaBits]! - 1 : 0;
  return (ia.hi & sign) === (upper ? sign : 0) && above === wantedAbove
    ? lowBits(low52, params.iaBits)
    : undefined;
}

/** EL1&0 and EL2&0: TTBR0 from the bottom of the address space, TTBR1 from the top. */
export function twoRanges(lower: S1Params, upper: S1Params, cpu: CpuFeatures): S1Ranges {
  return {
    select(ia, fetch) {
      const isUpper = (ia.hi & RANGE_BIT) !== 0;
      const params = isUpper ? upper : lower;
      const address = resolve(ia, params, isUpper, fetch ? params.tbiFetch : params.tbi);
      return address === undefined ? undefined : { params, ia: address };
    },
    spans: [
      { params: lower, first: 0, end: POW2[lower.iaBits]!, bias: 0 },
      { params: upper, first: -POW2[upper.iaBits]!, end: 0, bias: -POW2[upper.iaBits]! },
    ],
    outOfRangeLevel: 0,
    unprivileged: true,
    guardedPages: cpu.bti,
    permissions: lower.nv1 ? s1PermissionsGuestHypervisor : s1PermissionsTwoLevels,
    denials: lower.nv1 ? s1DenialsGuestHypervisor : s1DenialsTwoLevels,
  };
}

/** EL2 and EL3: one range, from the bottom. */
export function oneRange(params: S1Params, cpu: CpuFeatures): S1Ranges {
  return {
    select(ia, fetch) {
      const address = resolve(ia, params, false, fetch ? params.tbiFetch : params.tbi);
      return address === undefined ? undefined : { params, ia: address };
    },
    spans: [{ params, first: 0, end: POW2[params.iaBits]!, bias: 0 }],
    outOfRangeLevel: 0,
    unprivileged: false,
    guardedPages: cpu.bti,
    permissions: s1PermissionsOneLevel,
    denials: s1DenialsOneLevel,
  };
}

/** PL1&0: T0SZ and T1SZ (3 bits each) give the ranges. If one of them is 0, its range is what the other leaves. */
export function lpaeRanges(lower: S1Params, upper: S1Params, t0sz: number, t1sz: number): S1Ranges {
  const lowerEnd = POW2[32 - t0sz]!;
  const upperStart = POW2[32]! - POW2[32 - t1sz]!;
  const all = POW2[32]!;
  const isUpper = (va: number): boolean | undefined => {
    if (t1sz === 0) return t0sz !== 0 && va >= lowerEnd;
    if (va >= upperStart) return true;
    return t0sz === 0 || va < lowerEnd ? false : undefined;
  };
  return {
    select(ia) {
      const up = ia.hi === 0 ? isUpper(ia.lo) : undefined;
      if (up === undefined) return undefined;
      const params = up ? upper : lower;
      return { params, ia: lowBits(ia.lo, params.iaBits) };
    },
    spans: [
      { params: lower, first: 0, end: t0sz === 0 && t1sz !== 0 ? upperStart : lowerEnd, bias: 0 },
      t1sz === 0
        ? { params: upper, first: lowerEnd, end: all, bias: 0 }
        : { params: upper, first: upperStart, end: all, bias: upperStart },
    ],
    outOfRangeLevel: 1,
    unprivileged: true,
    guardedPages: false,
    permissions: s1PermissionsAArch32,
    denials: s1DenialsAArch32,
  };
}

/** PL2: one range of up to 32 bits. */
export function oneLpaeRange(params: S1Params): S1Ranges {
  const end = POW2[params.iaBits]!;
  return {
    select: (ia) => (ia.hi === 0 && ia.lo < end ? { params, ia: ia.lo } : undefined),
    spans: [{ params, first: 0, end, bias: 0 }],
    outOfRangeLevel: 1,
    unprivileged: false,
    guardedPages: false,
    permissions: s1PermissionsOneLevel,
    denials: s1DenialsOneLevel,
  };
}
