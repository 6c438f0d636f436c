/** What register values mean, as data: stages, ranges, tables, levels, and what is wrong with them. (DDI 0487 D8.1, D8.2, G5.) */

import type { Regime } from '../arch/regimes.ts';
import type { PaSpace, SecurityState } from '../arch/security.ts';
import type { Cacheability, MemoryAttributes, Shareability } from '../walker/attributes.ts';
import type { CpuFeatures } from '../walker/cpu.ts';
import type { RegisterProblem } from '../walker/rules/rule.ts';
import type { GranuleProtectionDescription } from './granule-protection.ts';

export type { RegisterProblem } from '../walker/rules/rule.ts';

/** A register field that switches a stage or range off. */
export interface OffReason {
  readonly field: string;
  readonly value: bigint;
  readonly rule: string;
  readonly section: string;
}

/** A register bit that makes Normal memory Non-cacheable, whatever descriptors say: `SCTLR_EL2.C` = 0. */
export type CacheDisable = OffReason;

/** One lookup level. */
export interface LevelDescription {
  /** Arm's number: -1 to 3, or for short descriptors 1 and 2. */
  readonly level: number;
  /** Input address bits `[high:low]` that index the table. */
  readonly high: number;
  readonly low: number;
  /** Bytes that one entry maps. */
  readonly entrySize: bigint;
  /** The name of a leaf at this level; `none`: an entry here can only lead to a table or be invalid. */
  readonly leaf: 'none' | 'block' | 'page';
  /** Adjacent entries that may be marked as one (contiguous hint, supersection, large page, NAPOT): how many, and their bytes. */
  readonly run?: { readonly entries: number; readonly size: bigint };
}

/** How many bits an output address has, and what limits them. */
export interface OutputSize {
  /** Output addresses must be below 2^bits. */
  readonly bits: number;
  /** The field that asks for a size, its encoding and the number of bits that it means; absent if there is no such field. */
  readonly field?: string;
  readonly encoding?: number;
  readonly configuredBits?: number;
  /** Bits that descriptors of this format can hold. */
  readonly formatBits: number;
  /** Physical address bits implemented (PARange, or an SMMU's OAS). */
  readonly implementedBits: number;
  /** Which of the three limits the size. */
  readonly limitedBy: 'field' | 'format' | 'implemented';
}

/** Where descriptors of 52-bit addresses have OA[51:48]: nowhere; 64K with FEAT_LPA: descriptor bits [15:12]; FEAT_LPA2 (DS = 1): [9:8] and [49:48]. */
export type WideAddress = 'none' | 'lpa' | 'lpa2';

/** Memory attributes of the walk's own accesses. */
export interface WalkAttributes {
  readonly inner: Cacheability;
  readonly outer: Cacheability;
  readonly shareability: Shareability;
}

/** The tables of one range: the numbers that the walker uses. */
export interface TablesDescription {
  /** 12, 14 or 16. */
  readonly granuleLog2: number;
  /** Input address bits that the tables resolve; the range itself, with both ends included. */
  readonly inputBits: number;
  readonly firstIa: bigint;
  readonly lastIa: bigint;
  readonly startLevel: number;
  /** Entries of the first table. Concatenated tables count together. */
  readonly entries: number;
  /** Concatenated tables at the start level (stage 2): 2 to 16, or 1 if there is just one. */
  readonly concatenated: number;
  /** Base of the first table as the walker aligns it, and log2 of that alignment. An IPA if stage 2 translates it. */
  readonly tableBase: bigint;
  readonly alignLog2: number;
  readonly levels: readonly LevelDescription[];
  readonly output: OutputSize;
  readonly wideAddress: WideAddress;
  /** Whether hardware sets the access flag, and the dirty state. */
  readonly ha: boolean;
  readonly hd: boolean;
  readonly bigEndian: boolean;
}

/** The input addresses that one table base register translates. */
export interface RangeDescription {
  /** `TTBR0_EL1`, `VTTBR_EL2`, `CD.TTB0` … and its whole value. */
  readonly register: string;
  readonly value: bigint;
  /** The register was not given: its value and the base are only placeholders. */
  readonly notGiven?: true;
  /** The value of the size field, TxSZ or TTBCR.N. Absent if the input size is fixed. */
  readonly size?: { readonly field: string; readonly value: number };
  /** Why the range is not walked. Absent if it is. */
  readonly off?: OffReason;
  /** Absent if the registers fit no table. */
  readonly tables?: TablesDescription;
  readonly walks?: WalkAttributes;
  /** Stage 1: hierarchical permissions are disabled; unprivileged accesses fault; the top byte is ignored. */
  readonly hpd: boolean;
  readonly e0pd: boolean;
  readonly topByteIgnored: 'no' | 'data' | 'all';
  /** Stage 2 outside Non-secure state: the address spaces of the IPAs, of the tables, and of the outputs. */
  readonly spaces?: {
    readonly ipas: PaSpace;
    readonly tables: PaSpace;
    readonly outputs: PaSpace;
    /** Realm state: bit 55 of a leaf can lead to Non-secure memory instead. */
    readonly choosesNs: boolean;
  };
  /** CnP: other PEs of the domain share the translations. */
  readonly cnp: boolean;
  readonly problems: readonly RegisterProblem[];
}

/** One memory type that descriptors may name. */
export interface MemoryTypeDescription {
  readonly index: number;
  /** The byte of MAIR (or MEMATTR); absent if the type comes from two registers (PRRR and NMRR). */
  readonly byte?: number;
  readonly attributes: MemoryAttributes;
}

/** The tag of TLB entries: an ASID or VMID, its register, and how many bits count. */
export interface TlbTag {
  readonly name: 'ASID' | 'VMID';
  readonly value: number;
  readonly bits: number;
  readonly field: string;
}

/** Properties of stage 2 besides its tables. */
export interface Stage2Controls {
  /** SL0 and, with DS = 1 and 4K, SL2. */
  readonly sl0: number;
  readonly sl2: number;
  /** The smallest T0SZ that any start level allows here, since an IPA is no larger than a PA. */
  readonly smallestT0sz: number;
  /** HCR_EL2.FWB, in effect. */
  readonly fwb: boolean;
  /** HCR_EL2.PTW: a stage-1 walk may not read Device memory. */
  readonly ptw: boolean;
}

/** Properties of short descriptors besides their tables. */
export interface ShortControls {
  /** SCTLR.TRE: TEX[0]:C:B names a region of PRRR and NMRR. */
  readonly tre: boolean;
  /** SCTLR.AFE: AP[0] is the access flag. */
  readonly afe: boolean;
  /** DACR by domain, 0 to 15. `reserved` means no access here. */
  readonly domains: readonly ('none' | 'client' | 'reserved' | 'manager')[];
}

export type DescriptorFormat =
  | 'AArch64'
  | 'AArch32 long'
  | 'AArch32 short'
  | 'MediaTek M4U'
  | 'Mali'
  | 'RISC-V Sv39'
  | 'RISC-V Sv48'
  | 'RISC-V Sv57'
  | 'RISC-V';

/** An extension in effect: the bit that turns it on, and the registers that it reads. */
export interface ExtendedFeature {
  readonly feature:
    | 'FEAT_S1PIE'
    | 'FEAT_S1POE'
    | 'FEAT_S2PIE'
    | 'FEAT_S2POE'
    | 'FEAT_AIE'
    | 'FEAT_HAFT'
    | 'FEAT_THE';
  /** `TCR2_EL1.PIE`. */
  readonly control: string;
  readonly registers: readonly { readonly name: string; readonly value: bigint }[];
}

/** One stage of translation. */
export interface StageDescription {
  readonly stage: 1 | 2;
  readonly format: DescriptorFormat;
  /** The register that controls it, with its value: `TCR_EL1`. Absent if there is none. */
  readonly control?: { readonly register: string; readonly value: bigint };
  /** Why it does not translate, so that addresses pass unchanged. Absent if it translates. */
  readonly off?: OffReason;
  readonly ranges: readonly RangeDescription[];
  readonly tag?: TlbTag;
  /** The register of the memory types, and each type. */
  readonly memory?: {
    readonly register: string;
    readonly value: bigint;
    readonly types: readonly MemoryTypeDescription[];
  };
  /** HCR_EL2.{NV, NV1} = {1, 1}: descriptors have the permission fields of a guest hypervisor. */
  readonly nv1?: boolean;
  /** SCTLR.WXN: writable memory is not executable. UWXN (AArch32): PL1 can't execute memory that PL0 may write. */
  readonly wxn: boolean;
  readonly uwxn: boolean;
  readonly stage2?: Stage2Controls;
  readonly short?: ShortControls;
  /** What extensions of FEAT_TCR2 and its like are in effect; absent if none is. */
  readonly extended?: readonly ExtendedFeature[];
  /** What makes Normal memory Non-cacheable in spite of its descriptors; absent if nothing does. */
  readonly uncached?: readonly CacheDisable[];
  /** Problems of all its ranges. */
  readonly problems: readonly RegisterProblem[];
}

/** A regime: its stages, in order. */
export interface RegimeDescription {
  readonly regime: Regime;
  readonly cpu: CpuFeatures;
  /** The Security state of the accesses. */
  readonly security: SecurityState;
  /** Present if GPCCR_EL3 turns granule protection checks on. */
  readonly granuleProtection?: GranuleProtectionDescription;
  readonly stages: readonly StageDescription[];
}
