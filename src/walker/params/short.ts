/**
 * Registers of the AArch32 short-descriptor format: table bases, TEX remap, access permissions.
 * (DDI 0487 G5.4, G5.6, G5.7; J1.2 AArch32.S1WalkSD, DefaultTEXDecode, RemappedTEXDecode, S1SDHasPermissionsFault.)
 */
import { addressOf, bitsIn, isSet, isSetLow, read, readLow } from '../../arch/read.ts';
import {
  DACR_DOMAINS,
  M4U_TTBR,
  NMRR_INNER,
  NMRR_OUTER,
  PAIR,
  PRRR,
  PRRR_NOT_OUTER,
  PRRR_TYPES,
  TTBR_SHORT,
} from '../../arch/registers/aarch32-base.ts';
import { M4U_TTBCR, SCTLR, TTBCR } from '../../arch/registers/aarch32-control.ts';
import { TEX_C_B } from '../../arch/registers/memory-type.ts';
import { NON_SECURE, type StageSecurity } from '../../arch/security.ts';
import {
  decodeShortCacheability,
  deviceFrom,
  effectiveShareability,
  type MemoryRegion,
  normalFrom,
  unknownMemory,
} from '../attributes.ts';
import { alignDown } from '../bits.ts';
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
  /** 32, except for an M4U. */
  readonly inputBits: number;
  readonly lower: ShortTable;
  readonly upper: ShortTable;
  /** DACR: the access type of each domain, as encoded. */
  readonly domains: readonly number[];
  /** SCTLR.AFE: AP[0] is the access flag. */
  readonly afe: boolean;
  readonly wxn: boolean;
  readonly uwxn: boolean;
  readonly bigEndian: boolean;
  /** The Security state of its accesses, which decides what NS means. */
  readonly security: StageSecurity;
  /** Attributes by TEX:C:B, and 32 more for S = 1. */
  readonly regions: readonly MemoryRegion[];
}

interface ShortRegisters {
  readonly ttbr0: bigint;
  readonly ttbr1: bigint;
  /** TTBCR. */
  readonly tcr: bigint;
  /** NMRR:PRRR; undefined: not given. */
  readonly mair: bigint | undefined;
  readonly dacr: bigint;
  readonly sctlr: bigint;
}

/** The size of a whole first table: 4096 entries of 4 bytes. */
const TABLE_LOG2 = 14;
/** An M4U has 34 input address bits at most. */
const M4U_MOST_ABOVE = 2;

function m4uBase(ttbr: bigint): number {
  const { base, high } = M4U_TTBR.fields;
  return Number(addressOf(ttbr, base) | addressOf(ttbr, high));
}

/**
 * The register values, decoded.
 * @param mtk - a MediaTek M4U: one table, with up to 34 bits of input address and 35 of output.
 */
export function shortParams(
  registers: ShortRegisters,
  mtk = false,
  security: StageSecurity = NON_SECURE,
): ShortParams {
  const { ttbr0, ttbr1, tcr, mair, dacr, sctlr } = registers;
  const { N, PD0, PD1 } = TTBCR.fields;
  const { TRE, AFE, WXN, UWXN, EE } = SCTLR.fields;
  const n = mtk ? 0 : read(tcr, N);
  const regions = isSet(sctlr, TRE) ? remappedRegions(mair) : DEFAULT_REGIONS;
  const base = (ttbr: bigint, log2: number) =>
    alignDown(Number(addressOf(ttbr, TTBR_SHORT.fields.TTB)), log2);
  return {
    n,
    mtk,
    inputBits: mtk ? 32 + Math.min(M4U_MOST_ABOVE, read(tcr, M4U_TTBCR.fields.wider)) : 32,
    lower: {
      base: mtk ? m4uBase(ttbr0) : base(ttbr0, TABLE_LOG2 - n),
      disabled: !mtk && isSet(tcr, PD0),
    },
    upper: { base: base(ttbr1, TABLE_LOG2), disabled: isSet(tcr, PD1) },
    domains: DACR_DOMAINS.map((domain) => read(dacr, domain)),
    afe: isSet(sctlr, AFE),
    wxn: isSet(sctlr, WXN),
    uwxn: isSet(sctlr, UWXN),
    bigEndian: isSet(sctlr, EE),
    security,
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
  const { cached, inner, outer } = TEX_C_B.fields;
  if (isSetLow(texCb, cached)) return [readLow(texCb, inner), readLow(texCb, outer)];
  if (texCb === 0b00010) return [2, 2];
  if (texCb === 0b00011) return [3, 3];
  return texCb === 0b00111 ? [1, 1] : [0, 0];
}

/** By TEX:C:B, and 32 more for S = 1. */
const DEFAULT_REGIONS: readonly MemoryRegion[] = [false, true].flatMap((shareable) =>
  Array.from({ length: 32 }, (_, texCb) => Object.freeze(defaultTex(texCb, shareable))),
);

/** By TEX[0]:C:B, if PRRR and NMRR were not given and nothing more is known; and 32 more for S = 1. */
const UNKNOWN_REGIONS: MemoryRegion[] = (['non', 'outer'] as const).flatMap((shareability) =>
  Array.from({ length: 32 }, (_, texCb) =>
    Object.freeze({ attributes: unknownMemory(texCb % PRRR_TYPES.length), shareability }),
  ),
);

/** The same from NMRR:PRRR. TEX[2:1] have no effect. */
function remappedRegions(mair: bigint | undefined): MemoryRegion[] {
  if (mair === undefined) return UNKNOWN_REGIONS;
  const prrr = bitsIn(mair, PAIR.fields.low);
  const nmrr = addressOf(mair, PAIR.fields.high);
  return [false, true].flatMap((shareable) => {
    const regions = PRRR_TYPES.map((_, n) => Object.freeze(remappedTex(n, shareable, prrr, nmrr)));
    return [regions, regions, regions, regions].flat();
  });
}

/** AArch32.RemappedTEXDecode (SCTLR.TRE = 1): TEX[0]:C:B names a region of PRRR and NMRR. */
function remappedTex(n: number, shareable: boolean, prrr: bigint, nmrr: bigint): MemoryRegion {
  const type = read(prrr, PRRR_TYPES[n]!);
  if (type < NORMAL) return { attributes: deviceFrom(type), shareability: 'outer' };
  const { NS0, NS1 } = PRRR.fields;
  const notOuter = isSet(prrr, PRRR_NOT_OUTER[n]!);
  const shareability = !isSet(prrr, shareable ? NS1 : NS0) ? 'non' : notOuter ? 'inner' : 'outer';
  return normal(read(nmrr, NMRR_INNER[n]!), read(nmrr, NMRR_OUTER[n]!), shareability);
}

/** PRRR.TRn of Normal memory. The reserved value 3 counts as Normal too. */
const NORMAL = 2;

function normal(inner: number, outer: number, shareability: MemoryRegion['shareability']): MemoryRegion {
  const attributes = normalFrom(decodeShortCacheability(inner), decodeShortCacheability(outer));
  return { attributes, shareability: effectiveShareability(attributes, shareability) };
}

/** AP[2:0] with AFE = 0. The reserved 0b100 gives no access. */
const AP_FULL = [0, PR | PW, PR | PW | UR, PR | PW | UR | UW, 0, PR, PR | UR, PR | UR] as const;
/** With AFE = 1, the simplified model: AP[0] is the access flag. */
const ALL = PR | PW | UR | UW;
const AP_SIMPLIFIED = [PR | PW, PR | PW, ALL, ALL, PR, PR, PR | UR, PR | UR] as const;

/** AArch32.S1SDHasPermissionsFault, as a mask. */
export function shortPermissions(ap: number, xn: boolean, pxn: boolean, params: ShortParams): number {
  const mask = params.afe ? AP_SIMPLIFIED[ap]! : AP_FULL[ap]!;
  return mask | executeAArch32(mask, xn, pxn, params);
}
