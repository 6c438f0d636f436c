/**
 * Registers of the AArch32 short-descriptor format: table bases, TEX remap, access permissions.
 * (DDI 0487 G5.4, G5.6, G5.7; J1.2 AArch32.S1WalkSD, DefaultTEXDecode, RemappedTEXDecode, S1SDHasPermissionsFault.)
 */
import {
  decodeShortCacheability,
  deviceFrom,
  effectiveShareability,
  type MemoryRegion,
  normalFrom,
} from '../attributes.ts';
import { field, flag } from '../bits.ts';
import { executeAArch32, PR, PW, UR, UW } from '../permissions.ts';

/** The tables of one range. */
interface ShortTable {
  readonly base: number;
  /** TTBCR.PDn: no walk. */
  readonly disabled: boolean;
}

export interface ShortParams {
  /** TTBCR.N. */
  readonly n: number;
  /** Descriptors hold PA[34:32] in bits 5, 4 and 9, as in a MediaTek M4U. */
  readonly mtk: boolean;
  /** 32, but for an M4U. */
  readonly inputBits: number;
  readonly lower: ShortTable;
  readonly upper: ShortTable;
  readonly dacr: number;
  /** SCTLR.AFE: AP[0] is the access flag. */
  readonly afe: boolean;
  readonly wxn: boolean;
  readonly uwxn: boolean;
  readonly bigEndian: boolean;
  /** Attributes by TEX:C:B, and 32 more for S = 1. */
  readonly regions: readonly MemoryRegion[];
}

interface ShortRegisters {
  readonly ttbr0: bigint;
  readonly ttbr1: bigint;
  /** TTBCR. */
  readonly tcr: bigint;
  /** NMRR:PRRR. */
  readonly mair: bigint;
  readonly dacr: bigint;
  readonly sctlr: bigint;
}

/**
 * The register values, decoded.
 * @param mtk - a MediaTek M4U: one table, with up to 34 bits of input address and 35 of output.
 */
export function shortParams(registers: ShortRegisters, mtk = false): ShortParams {
  const { ttbr0, ttbr1, tcr, mair, dacr, sctlr } = registers;
  const n = mtk ? 0 : field(tcr, 2, 0);
  const remap = flag(sctlr, 28);
  const [prrr, nmrr] = [field(mair, 31, 0), field(mair, 63, 32)];
  const regions = Array.from({ length: 64 }, (_, key) => {
    const shareable = key >= 32;
    const region = remap ? remappedTex(key & 7, shareable, prrr, nmrr) : defaultTex(key & 31, shareable);
    return Object.freeze(region);
  });
  return {
    n,
    mtk,
    inputBits: mtk ? 32 + Math.min(2, field(tcr, 1, 0)) : 32,
    lower: {
      base: field(ttbr0, 31, 14 - n) * 2 ** (14 - n) + (mtk ? field(ttbr0, 2, 0) * 2 ** 32 : 0),
      disabled: !mtk && flag(tcr, 4),
    },
    upper: { base: field(ttbr1, 31, 14) * 2 ** 14, disabled: flag(tcr, 5) },
    dacr: field(dacr, 31, 0),
    afe: flag(sctlr, 29),
    wxn: flag(sctlr, 19),
    uwxn: flag(sctlr, 20),
    bigEndian: flag(sctlr, 25),
    regions,
  };
}

/** AArch32.DefaultTEXDecode (SCTLR.TRE = 0). Reserved encodings are taken as Normal Non-cacheable. */
function defaultTex(texCb: number, shareable: boolean): MemoryRegion {
  if (texCb === 0b00000) return { attributes: deviceFrom(0), shareability: 'outer' };
  if (texCb === 0b00001 || texCb === 0b01000) return { attributes: deviceFrom(1), shareability: 'outer' };
  return normal(...defaultCacheability(texCb), shareable ? 'outer' : 'non');
}

/** Inner and outer, as two-bit cacheabilities: 0 Non-cacheable, 1 WB RWA, 2 WT RA, 3 WB RA. */
function defaultCacheability(texCb: number): [inner: number, outer: number] {
  if (texCb & 0b10000) return [texCb & 3, (texCb >> 2) & 3];
  if (texCb === 0b00010) return [2, 2];
  if (texCb === 0b00011) return [3, 3];
  return texCb === 0b00111 ? [1, 1] : [0, 0];
}

/** AArch32.RemappedTEXDecode (SCTLR.TRE = 1): TEX[0]:C:B names a region of PRRR and NMRR. */
function remappedTex(region: number, shareable: boolean, prrr: number, nmrr: number): MemoryRegion {
  const type = (prrr >>> (region * 2)) & 3;
  if (type < 2) return { attributes: deviceFrom(type), shareability: 'outer' };
  const nsBit = shareable ? 19 : 18;
  const isShareable = (prrr >>> nsBit) & 1;
  const notOuter = (prrr >>> (24 + region)) & 1;
  const shareability = !isShareable ? 'non' : notOuter ? 'inner' : 'outer';
  return normal((nmrr >>> (region * 2)) & 3, (nmrr >>> (region * 2 + 16)) & 3, shareability);
}

function normal(inner: number, outer: number, shareability: MemoryRegion['shareability']): MemoryRegion {
  const attributes = normalFrom(decodeShortCacheability(inner), decodeShortCacheability(outer));
  return { attributes, shareability: effectiveShareability(attributes, shareability) };
}

/** AP[2:0] with AFE = 0. The reserved 0b100 gives no access. */
const AP_FULL = [0, PR | PW, PR | PW | UR, PR | PW | UR | UW, 0, PR, PR | UR, PR | UR] as const;
/** AP[2:1] with AFE = 1, the simplified model. */
const AP_SIMPLIFIED = [PR | PW, PR | PW | UR | UW, PR, PR | UR] as const;

/** AArch32.S1SDHasPermissionsFault, as a mask. */
export function shortPermissions(ap: number, xn: boolean, pxn: boolean, params: ShortParams): number {
  const mask = params.afe ? AP_SIMPLIFIED[ap >> 1]! : AP_FULL[ap]!;
  return mask | executeAArch32(mask, xn, pxn, params);
}
