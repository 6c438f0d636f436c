/**
 * Faults and translations as system registers show them: fault status codes, ESR_ELx, PAR_EL1, DFSR, IFSR, HPFAR_EL2.
 * (DDI 0487 J1.3 EncodeLDFSC, EncodeSDFSC, EncodePARAttrs; D24.2 ESR_EL1, PAR_EL1; G8.2 DFSR, IFSR, PAR. An SMMU's events and
 * context faults are in src/smmu.)
 */
import { place, placeAddress, readLow, wordOf } from '../arch/read.ts';
import {
  ABORT_CLASSES,
  ESR_DATA,
  ESR_GPC,
  ESR_INSTRUCTION,
  GPC_CLASS,
  HPFAR_EL2,
} from '../arch/registers/fault.ts';
import {
  DFSR_LONG,
  DFSR_SHORT,
  IFSR_LONG,
  IFSR_SHORT,
  SHORT_STATUS,
} from '../arch/registers/fault-aarch32.ts';
import {
  PAR_ADDRESS,
  PAR_FAULT,
  PAR_SHORT,
  PAR_SHORT_FAULT,
  PAR_SUPERSECTION,
} from '../arch/registers/par.ts';
import { type Cacheability, encodeShareability, type MemoryAttributes } from './attributes.ts';
import type { Access, Fault, FaultKind, Translation, WalkResult } from './types.ts';

const LONG_CODES: Record<FaultKind, number> = {
  address_size: 0b000000,
  translation: 0b000100,
  access_flag: 0b001000,
  permission: 0b001100,
  external_walk: 0b010100,
  // Only short descriptors have domains. 0b111101 is for a section, 0b111110 for a page, and both appear only in PAR_EL1.FST.
  domain: 0b111100,
  // For the fetch of a descriptor. The access itself has a code without a level.
  granule_protection: 0b100100,
};

/** For a granule protection fault of the access itself. */
const GPF_ON_OUTPUT = 0b101000;

/** Codes of level -1 (FEAT_LPA2), where no leaf and so no access flag or permission fault exists. */
const LEVEL_MINUS_1_CODES: Partial<Record<FaultKind, number>> = {
  address_size: 0b101001,
  translation: 0b101011,
  external_walk: 0b010011,
  granule_protection: 0b100011,
};

/** FS[4:0] of short descriptors by level 1 and 2. They have no address size faults. */
const SHORT_CODES: Record<
  Exclude<FaultKind, 'address_size' | 'granule_protection'>,
  readonly [level1: number, level2: number]
> = {
  translation: [0b00101, 0b00111],
  access_flag: [0b00011, 0b00110],
  domain: [0b01001, 0b01011],
  permission: [0b01101, 0b01111],
  external_walk: [0b01100, 0b01110],
};

/** The 6-bit fault status code of ESR_ELx.DFSC and IFSC, PAR_EL1.FST and (long descriptors) DFSR.STATUS. */
export function faultStatusCode(fault: Pick<Fault, 'kind' | 'level' | 'output'>): number {
  if (fault.output) return GPF_ON_OUTPUT;
  if (fault.level === -1) return LEVEL_MINUS_1_CODES[fault.kind] ?? LONG_CODES[fault.kind];
  return LONG_CODES[fault.kind] | fault.level;
}

/** The 5-bit FS code of short descriptors, in DFSR in two parts. An address size fault has the code of a translation fault. A granule
 * protection fault has no code and is reported as an external abort: EL3 takes it, or an EL2 with long-descriptor codes. */
export function shortFaultStatus(fault: Pick<Fault, 'kind' | 'level'>): number {
  const codes = SHORT_CODES[shortKind(fault.kind)];
  return fault.level === 2 ? codes[1] : codes[0];
}

/** Faults that are reported as others, since short descriptors have no code for them. */
const SHORT_KINDS = { address_size: 'translation', granule_protection: 'external_walk' } as const;

function shortKind(kind: FaultKind): keyof typeof SHORT_CODES {
  return kind === 'address_size' || kind === 'granule_protection' ? SHORT_KINDS[kind] : kind;
}

/** FS of short descriptors, as in DFSR and IFSR: the highest bit is separate. */
function shortStatusFields(fault: Fault) {
  const fs = shortFaultStatus(fault);
  return { FS4: readLow(fs, SHORT_STATUS.fields.high), FS: readLow(fs, SHORT_STATUS.fields.low) };
}

/** DFSR (AArch32, 32 bits) of a data access: LPAE chooses the format; only the short one contains the domain. (DDI 0487 G8.2 DFSR.) */
export function dfsr(fault: Fault, options: { readonly long: boolean; readonly write: boolean }): number {
  const { long, write: WnR } = options;
  const word = long
    ? wordOf(DFSR_LONG, { WnR, LPAE: long, STATUS: faultStatusCode(fault) })
    : wordOf(DFSR_SHORT, { WnR, Domain: fault.domain ?? 0, ...shortStatusFields(fault) });
  return Number(word);
}

/** IFSR (AArch32, 32 bits) of an instruction fetch: as DFSR, without WnR and domain. (DDI 0487 G8.2 IFSR.) */
export function ifsr(fault: Fault, options: { readonly long: boolean }): number {
  const word = options.long
    ? wordOf(IFSR_LONG, { LPAE: true, STATUS: faultStatusCode(fault) })
    : wordOf(IFSR_SHORT, shortStatusFields(fault));
  return Number(word);
}

/**
 * ESR_ELx[31:0] (HSR in AArch32 Hyp mode) of an abort, unsigned; ISV and its related fields are 0.
 * @param fromLower - the access was made at a lower exception level than the one that takes the abort. This is true for every access
 * with a fault at stage 2.
 * @param gpf - SCR_EL3.GPF: EL3 takes granule protection faults of lower levels as granule protection check exceptions. Default false.
 */
export function esr(
  fault: Fault,
  {
    access,
    fromLower,
    gpf = false,
  }: { readonly access: Access['access']; readonly fromLower: boolean; readonly gpf?: boolean },
): number {
  if (isGpcException(fault, gpf)) return gpcSyndrome(fault, access);
  const { instructionFromLower, instruction, dataFromLower, data } = ABORT_CLASSES;
  const common = { IL: true, S1PTW: fault.ptw };
  const code = faultStatusCode(fault);
  const word =
    access === 'execute'
      ? wordOf(ESR_INSTRUCTION, { EC: fromLower ? instructionFromLower : instruction, ...common, IFSC: code })
      : wordOf(ESR_DATA, {
          EC: fromLower ? dataFromLower : data,
          ...common,
          WnR: access === 'write',
          DFSC: code,
        });
  return Number(word);
}

/** ReportAsGPCException: EL3 takes it as a separate exception, not as an abort. `gpf`: SCR_EL3.GPF, for an access below EL3. */
export function isGpcException(fault: Pick<Fault, 'gpc'>, gpf: boolean): boolean {
  return fault.gpc !== undefined && (fault.gpc !== 'fail' || gpf);
}

/** TakeGPCException. */
function gpcSyndrome(fault: Fault, access: Access['access']): number {
  const code = GPC_CODES[fault.gpc ?? 'fail'] | (fault.gptLevel ?? 0);
  return Number(
    wordOf(ESR_GPC, {
      EC: GPC_CLASS,
      IL: true,
      S2PTW: fault.stage === 2,
      InD: access === 'execute',
      GPCSC: code,
      S1PTW: Boolean(fault.ptw),
      WnR: access === 'write',
      xFSC: faultStatusCode(fault),
    }),
  );
}

/** EncodeGPCSC. The level is the lowest bit. */
const GPC_CODES = { address_size: 0b000000, walk: 0b000100, fail: 0b001100, external: 0b010100 } as const;

/**
 * PAR_EL1 (64 bits) after an address translation instruction; also the 64-bit AArch32 PAR of long descriptors. NS says that
 * the address is not in the memory of the current Security state. In Root state, NS and NSE say in which space. In Non-secure state NS is
 * UNKNOWN, and 1 here. (D24.2.142; J1.1 AArch64.EncodePAR.)
 */
export function parEl1(result: WalkResult): bigint {
  if (!result.ok) {
    const { fault } = result;
    const FST = faultStatusCode(fault);
    return wordOf(PAR_FAULT, { LPAE: true, S: fault.stage === 2, PTW: fault.ptw, FST, F: true });
  }
  const { attributes, shareability, pa } = result;
  const SH = encodeShareability(shareability);
  const word = wordOf(PAR_ADDRESS, { ATTR: attributes.byte, ...parSpace(result), SH });
  return word | placeAddress(PAR_ADDRESS.fields.PA, pa);
}

/** NSE and NS. If bit 11 is not NSE, it is RES1 or UNKNOWN. */
function parSpace({ security, paSpace }: Translation): { readonly NSE: boolean; readonly NS: boolean } {
  if (security === 'root') {
    return {
      NSE: paSpace === 'root' || paSpace === 'realm',
      NS: paSpace === 'non-secure' || paSpace === 'realm',
    };
  }
  return { NSE: true, NS: security === 'non-secure' || paSpace !== security };
}

/** The 32-bit PAR of AArch32 short descriptors, unsigned. (G8.2 PAR.) */
export function parShort(result: WalkResult): number {
  if (!result.ok) return Number(wordOf(PAR_SHORT_FAULT, { FS: shortFaultStatus(result.fault), F: true }));
  const { pa, shareability, ns, attributes } = result;
  const word = wordOf(PAR_SHORT, {
    NOS: shareability === 'inner',
    NS: ns,
    SH: shareability !== 'non',
    ...shortAttributes(attributes),
    SS: isSupersection(result),
  });
  const { low, high } = PAR_SUPERSECTION.fields;
  const address = isSupersection(result)
    ? placeAddress(low, pa) | placeAddress(high, pa)
    : placeAddress(PAR_SHORT.fields.PA, pa);
  return Number(word | address);
}

const SUPERSECTION = 0x100_0000n;

function isSupersection({ stage1, size }: Extract<WalkResult, { ok: true }>): boolean {
  return (stage1?.size ?? size) === SUPERSECTION;
}

/** PAR.Inner of Device memory, and the bit that Inner has above the two bits of Outer if memory is cacheable at all. */
const INNER = { nGnRnE: 0b001, device: 0b011, cacheable: 0b100 } as const;

function shortAttributes(memory: MemoryAttributes): { readonly Inner: number; readonly Outer: number } {
  if (memory.type === 'device') {
    return { Inner: memory.device === 'nGnRnE' ? INNER.nGnRnE : INNER.device, Outer: 0 };
  }
  const inner = shortCacheability(memory.inner);
  return { Inner: inner === 0 ? 0 : INNER.cacheable | inner, Outer: shortCacheability(memory.outer) };
}

function shortCacheability({ policy, writeAllocate }: Cacheability): number {
  if (policy === 'non-cacheable') return 0b00;
  if (policy === 'write-through') return 0b10;
  return writeAllocate ? 0b01 : 0b11;
}

/**
 * HPFAR_EL2 (64 bits) of a stage-2 fault: FIPA is IPA[51:12]; undefined for a fault of stage 1. (DDI 0487 D24.2 HPFAR_EL2.)
 */
export function hpfarEl2(fault: Fault): bigint | undefined {
  if (fault.stage !== 2 || fault.ipa === undefined) return undefined;
  const { NS, FIPA } = HPFAR_EL2.fields;
  return place(NS, fault.ipaSpace === 'non-secure') | placeAddress(FIPA, fault.ipa);
}
