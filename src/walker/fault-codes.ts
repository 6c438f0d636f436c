/**
 * Faults and translations as system registers show them: fault status codes, ESR_ELx, PAR_EL1, DFSR, IFSR, HPFAR_EL2.
 * (DDI 0487 J1.3 EncodeLDFSC, EncodeSDFSC, EncodePARAttrs; D24.2 ESR_EL1, PAR_EL1; G8.2 DFSR, IFSR, PAR. An SMMU's events and
 * context faults are in src/smmu.)
 */
import { type Cacheability, encodeShareability, type MemoryAttributes } from './attributes.ts';
import type { Access, Fault, FaultKind, WalkResult } from './types.ts';

const LONG_CODES: Record<FaultKind, number> = {
  address_size: 0b000000,
  translation: 0b000100,
  access_flag: 0b001000,
  permission: 0b001100,
  external_walk: 0b010100,
  // Only short descriptors have domains: 0b111101 is a section's, 0b111110 a page's, in PAR_EL1.FST alone.
  domain: 0b111100,
};

/** Codes of level -1 (FEAT_LPA2), where no leaf and so no access flag or permission fault exists. */
const LEVEL_MINUS_1_CODES: Partial<Record<FaultKind, number>> = {
  address_size: 0b101001,
  translation: 0b101011,
  external_walk: 0b010011,
};

/** FS[4:0] of short descriptors by level 1 and 2. They have no address size faults. */
const SHORT_CODES: Record<Exclude<FaultKind, 'address_size'>, readonly [level1: number, level2: number]> = {
  translation: [0b00101, 0b00111],
  access_flag: [0b00011, 0b00110],
  domain: [0b01001, 0b01011],
  permission: [0b01101, 0b01111],
  external_walk: [0b01100, 0b01110],
};

/** The 6-bit fault status code of ESR_ELx.DFSC and IFSC, PAR_EL1.FST and (long descriptors) DFSR.STATUS. */
export function faultStatusCode(fault: Pick<Fault, 'kind' | 'level'>): number {
  if (fault.level === -1) return LEVEL_MINUS_1_CODES[fault.kind] ?? LONG_CODES[fault.kind];
  return LONG_CODES[fault.kind] | fault.level;
}

/** The 5-bit FS code of short descriptors: DFSR bits [10] and [3:0]. An address size fault has the code of a translation fault. */
export function shortFaultStatus(fault: Pick<Fault, 'kind' | 'level'>): number {
  const codes = SHORT_CODES[fault.kind === 'address_size' ? 'translation' : fault.kind];
  return fault.level === 2 ? codes[1] : codes[0];
}

/**
 * DFSR (AArch32, 32 bits) of a data access: LPAE in bit 9 chooses the format, WnR is bit 11, the short format's domain bits [7:4]. (DDI 0487 G8.2 DFSR.)
 */
export function dfsr(fault: Fault, options: { readonly long: boolean; readonly write: boolean }): number {
  const wnr = options.write ? 1 << 11 : 0;
  if (options.long) return wnr | (1 << 9) | faultStatusCode(fault);
  const fs = shortFaultStatus(fault);
  return wnr | ((fs & 0x10) << 6) | ((fault.domain ?? 0) << 4) | (fs & 0xf);
}

/** IFSR (AArch32, 32 bits) of an instruction fetch: as DFSR, without WnR and domain. (DDI 0487 G8.2 IFSR.) */
export function ifsr(fault: Fault, options: { readonly long: boolean }): number {
  const { domain: _, ...rest } = fault;
  return dfsr(rest, { ...options, write: false });
}

/** ESR_ELx.EC: an abort of an instruction fetch or a data access; one more where the exception level stays the same. */
const EC_INSTRUCTION_ABORT = 0b100000;
const EC_DATA_ABORT = 0b100100;
const ESR_IL = 1 << 25;
const ESR_S1PTW = 1 << 7;
const ESR_WNR = 1 << 6;

/**
 * ESR_ELx[31:0] (HSR in AArch32 Hyp mode) of an abort, unsigned; ISV and what goes with it is 0.
 * @param fromLower - the access was made at a lower exception level than the one that takes the abort, as every access is
 * whose stage 2 faults.
 */
export function esr(
  fault: Fault,
  { access, fromLower }: { readonly access: Access['access']; readonly fromLower: boolean },
): number {
  const fetch = access === 'execute';
  const ec = (fetch ? EC_INSTRUCTION_ABORT : EC_DATA_ABORT) | (fromLower ? 0 : 1);
  const s1ptw = fault.ptw ? ESR_S1PTW : 0;
  const wnr = access === 'write' ? ESR_WNR : 0;
  return ((ec << 26) | ESR_IL | s1ptw | wnr | faultStatusCode(fault)) >>> 0;
}

const RES1_BIT_11 = 1n << 11n;
const PAR_NS = 1n << 9n;
const PAR_S = 1n << 9n;
const PAR_PTW = 1n << 8n;
const PA_51_12 = 0xf_ffff_ffff_f000n;

/** PAR_EL1 (64 bits) as an address translation instruction leaves it; also the 64-bit AArch32 PAR of long descriptors. */
export function parEl1(result: WalkResult): bigint {
  if (!result.ok) {
    const { fault } = result;
    const stage = fault.stage === 2 ? PAR_S : 0n;
    const ptw = fault.ptw ? PAR_PTW : 0n;
    return RES1_BIT_11 | stage | ptw | (BigInt(faultStatusCode(fault)) << 1n) | 1n;
  }
  const sh = BigInt(encodeShareability(result.shareability)) << 7n;
  const ns = result.ns ? PAR_NS : 0n;
  return (BigInt(result.attributes.byte) << 56n) | (result.pa & PA_51_12) | RES1_BIT_11 | ns | sh;
}

/** The 32-bit PAR of AArch32 short descriptors, unsigned. (G8.2 PAR.) */
export function parShort(result: WalkResult): number {
  if (!result.ok) {
    const { fault } = result;
    return (shortFaultStatus(fault) << 1) | 1;
  }
  const { pa, shareability, ns } = result;
  const supersection = (result.stage1?.size ?? result.size) === SUPERSECTION;
  // Of a supersection bits [23:16] are the PA's [39:32].
  const address = supersection
    ? Number(pa & 0xff00_0000n) + Number((pa >> 32n) & 0xffn) * 0x1_0000 + 2
    : Number(pa & 0xffff_f000n);
  const nos = shareability === 'inner' ? 1 << 10 : 0;
  const sh = shareability === 'non' ? 0 : 1 << 7;
  return (address | nos | (ns ? 1 << 9 : 0) | sh | shortAttributes(result.attributes)) >>> 0;
}

const SUPERSECTION = 1n << 24n;

/** Inner[2:0] at [6:4], Outer[1:0] at [3:2]. */
function shortAttributes(memory: MemoryAttributes): number {
  if (memory.type === 'device') return (memory.device === 'nGnRnE' ? 0b001 : 0b011) << 4;
  const inner = shortCacheability(memory.inner);
  // Inner cacheability has the same two bits, above them a 1 where it is cacheable at all.
  return ((inner === 0 ? 0 : 0b100 | inner) << 4) | (shortCacheability(memory.outer) << 2);
}

function shortCacheability({ policy, writeAllocate }: Cacheability): number {
  if (policy === 'non-cacheable') return 0b00;
  if (policy === 'write-through') return 0b10;
  return writeAllocate ? 0b01 : 0b11;
}

/**
 * HPFAR_EL2 (64 bits) of a stage-2 fault: FIPA, IPA[51:12] in bits [43:4]; undefined for a fault of stage 1. (DDI 0487 D24.2 HPFAR_EL2.)
 */
export function hpfarEl2(fault: Fault): bigint | undefined {
  if (fault.stage !== 2 || fault.ipa === undefined) return undefined;
  return ((fault.ipa & PA_51_12) >> 12n) << 4n;
}
