/** The request and the answer of a walk: access, translation, fault and the steps taken. */
import type { PaSpace, SecurityState } from '../arch/security.ts';
import type { MemoryAttributes, MemoryRegion, Shareability } from './attributes.ts';
import type { Denial } from './denial-causes.ts';

/** The access to translate. */
export interface Access {
  readonly access: 'read' | 'write' | 'execute';
  /** From EL1 or higher (or a privileged transaction); false: from EL0. Default true. Regimes of only EL2 or EL3 have no EL0. */
  readonly privileged?: boolean;
  /** PSTATE.PAN in effect: privileged data accesses to memory that EL0 may access fault. Default false. */
  readonly pan?: boolean;
  /** A Guarded Control Stack access, a read or a write (FEAT_GCS). Default false. */
  readonly gcs?: boolean;
  /** A data access whose allocation tag is checked (FEAT_MTE2): NoTagAccess memory denies it. Default false. */
  readonly tagChecked?: boolean;
  /**
   * Hardware may write the access flag and dirty state back, if TCR.HA and HD say so. Default true; false gives the
   * same answer and does not change memory.
   */
  readonly update?: boolean;
  /**
   * Which granule protection checks are made, if GPCCR_EL3 turns them on. An address translation instruction makes only those
   * of fetches. Default `all`.
   */
  readonly gpc?: 'all' | 'fetches' | 'none';
  /** Record `steps`. Default true. Without them most walks take a tenth of the time. */
  readonly trace?: boolean;
}

/** What one privilege level may do. */
export interface AccessPermissions {
  readonly read: boolean;
  readonly write: boolean;
  readonly execute: boolean;
  /** Guarded Control Stack accesses, which need permission indirection (FEAT_GCS). */
  readonly gcs?: true;
}

/** Both privilege levels. Regimes of only EL2 or EL3 allow `unprivileged` nothing. */
export interface Permissions {
  readonly privileged: AccessPermissions;
  readonly unprivileged: AccessPermissions;
}

/** One descriptor fetch. Addresses and descriptors are unsigned, at most 52 and 64 bits. */
export interface WalkStep {
  /** The stage whose table this is. */
  readonly stage: 1 | 2;
  /** Arm's level, -1 to 3. Short descriptors: 1 and 2. */
  readonly level: number;
  /** Base of the table (several, if concatenated) and the entry's index in it. */
  readonly tableBase: bigint;
  readonly index: number;
  /** Address of the descriptor: an IPA if stage 2 translates the addresses of stage 1, else a PA. */
  readonly address: bigint;
  /** Bytes that an entry of this level maps (for a short descriptor: that this entry maps). */
  readonly size: bigint;
  /** Absent when the fetch got an external abort. */
  readonly descriptor?: bigint;
  /** `granule_protection`: it was not read, because a granule protection check failed. */
  readonly kind: 'invalid' | 'table' | 'block' | 'page' | 'external_abort' | 'granule_protection';
  /** The next table's base, or the block's or page's. */
  readonly output?: bigint;
  /** Set on a stage-2 step for a stage-1 table fetch: the stage-1 level of that fetch. */
  readonly s1Level?: number;
}

/** Why a walk ended without a translation. */
export type FaultKind =
  | 'translation'
  | 'access_flag'
  | 'permission'
  | 'address_size'
  | 'external_walk'
  | 'domain'
  | 'granule_protection';

/** Why a granule protection check fails: the table forbids it, is invalid, leads beyond the protected addresses, or can't be read. */
export type GpcKind = 'fail' | 'walk' | 'address_size' | 'external';

/** A fault, as the architecture would record it. (DDI 0487 J1.3 FaultRecord.) */
export interface Fault {
  readonly kind: FaultKind;
  /** Level of the lookup that faulted, -1 to 3; 0 (AArch32: 1) for faults of the configuration before any lookup, and with `output`. */
  readonly level: number;
  readonly stage: 1 | 2;
  /** A stage-2 fault on the fetch or update of a stage-1 descriptor. */
  readonly ptw?: true;
  /** With `ptw`: the stage-1 level of that descriptor. */
  readonly s1Level?: number;
  /** With `ptw`: the fault was not on the descriptor's fetch but on its hardware update, a write. */
  readonly update?: true;
  /** With stage 2: the intermediate physical address that could not be translated. */
  readonly ipa?: bigint;
  /** With `ipa`: its space. Secure state has two, each with its own tables of stage 2. */
  readonly ipaSpace?: PaSpace;
  /** The descriptor that caused the fault and where it was read (an IPA for a stage-1 descriptor under stage 2). */
  readonly descriptor?: bigint;
  readonly descriptorAddress?: bigint;
  /** With `external_walk`: the physical address of the fetch that was aborted. */
  readonly fetchAddress?: bigint;
  /** Short descriptors: the domain of the entry, 0 to 15. */
  readonly domain?: number;
  /** For a permission fault, bits of ESR_ELx.ISS2: an overlay denied it; dirty state that software manages; AssuredOnly; TopLevel; NoTagAccess. */
  readonly overlay?: true;
  readonly dirtyBit?: true;
  readonly assuredOnly?: true;
  readonly topLevel?: true;
  readonly tagAccess?: true;
  /** For a granule protection fault: the reason, and the level of the granule protection table, 0 or 1. */
  readonly gpc?: GpcKind;
  readonly gptLevel?: 0 | 1;
  /** Whether the check failed for the access itself, not for the fetch of a descriptor. */
  readonly output?: true;
  /** The physical address that was checked, and its space. */
  readonly pa?: bigint;
  readonly paSpace?: PaSpace;
  /** Its GPI in the granule protection table, if there is one. */
  readonly gpi?: number;
  /**
   * For a permission fault in Arm's tables: everything that denies the access by itself. For a translation fault: E0PD,
   * if that is the reason. A fault from a TLB entry has them if
   * memory still holds the same as the entry.
   */
  readonly denied?: readonly Denial[];
}

/** A register bit that makes Normal memory Non-cacheable: SCTLR_ELx.C = 0 for data and walks, I = 0 for instruction fetches, HCR_EL2.CD = 1 and ID = 1 likewise at stage 2. */
export type CacheControl = 'SCTLR.C' | 'SCTLR.I' | 'HCR.CD' | 'HCR.ID';

/** Memory as an access sees it, and the controls that have this effect. */
export interface EffectiveRegion extends MemoryRegion {
  readonly by: readonly CacheControl[];
}

/** What one stage of a walk contributes. */
export interface StageTranslation {
  /** The stage's output for the input address: for stage 1 under stage 2 the IPA. */
  readonly oa: bigint;
  /** Level of the leaf; undefined if the stage is off. */
  readonly level: number | undefined;
  /** Bytes the leaf maps, and its base in the stage's output space. */
  readonly size: bigint;
  readonly leafBase: bigint;
  readonly attributes: MemoryAttributes;
  readonly shareability: Shareability;
  readonly permissions: Permissions;
}

/** A translation. */
export interface Translation {
  readonly ok: true;
  /** The input address, 64 bits. */
  readonly ia: bigint;
  /** The physical address, at most 52 bits. */
  readonly pa: bigint;
  /** Level of the leaf (of stage 1 if both stages translate); undefined if translation is off. */
  readonly level: number | undefined;
  /** The last stage that translates: 1 or 2. */
  readonly stage: 1 | 2;
  /** Bytes around `ia` that this leaf maps contiguously: the block or page, or with two stages the smaller one. */
  readonly size: bigint;
  /** PA of the first of these bytes. */
  readonly leafBase: bigint;
  /** Attributes of both stages together, assuming SCTLR_ELx.C and .I are 1 (as PAR_EL1 may report them). */
  readonly attributes: MemoryAttributes;
  /** Effective: Device and Normal Non-cacheable memory is outer shareable. */
  readonly shareability: Shareability;
  /** The memory that this access sees, if SCTLR_ELx.C or I, or HCR_EL2.CD or ID, changes `attributes` and `shareability`. */
  readonly effective?: EffectiveRegion;
  /** Permissions of both stages together, for an access like the requested one (PAN included). */
  readonly permissions: Permissions;
  /** nG = 0: the entry is for every ASID. Regimes without ASID are global; a Secure translation below an NSTable never is. */
  readonly global: boolean;
  /** The Security state of the access. */
  readonly security: SecurityState;
  /** The physical address space of the PA: the state's own, or the one that NS, NSTable and NSE choose. (DDI 0487 D8.4.6.) */
  readonly paSpace: PaSpace;
  /** The PA is in the Non-secure address space. */
  readonly ns: boolean;
  /** The leaf of the last stage has its contiguous hint set. */
  readonly contiguous: boolean;
  /** FEAT_BBM: the nT bit of the last stage's block. */
  readonly nT: boolean;
  /** FEAT_BTI: a guarded page. */
  readonly guarded: boolean;
  /** Short descriptors: the domain, 0 to 15. */
  readonly domain?: number;
  /** For an instruction fetch from Device memory: the Normal Non-cacheable memory that it counts as, if there is no fault. */
  readonly fetchedAs?: MemoryRegion;
  /** Faults that the architecture permits instead of this answer. (DDI 0487 B2.10.2: a fetch from Device memory.) */
  readonly permitted?: readonly Fault[];
  /** Under stage 2: the space of the IPA, `stage1.oa` (or `ia`, if stage 1 is off). */
  readonly ipaSpace?: PaSpace;
  /** Each stage by itself, if it is part of the regime. */
  readonly stage1?: StageTranslation;
  readonly stage2?: StageTranslation;
  readonly steps: readonly WalkStep[];
}

/** A fault and the steps that led to it. */
export interface FaultedWalk {
  readonly ok: false;
  readonly ia: bigint;
  readonly fault: Fault;
  /** The Security state of the access. */
  readonly security: SecurityState;
  /** Faults that the architecture permits instead of this one. */
  readonly permitted?: readonly Fault[];
  readonly steps: readonly WalkStep[];
}

/** The answer of a walk; `ok` tells a translation from a fault. */
export type WalkResult = Translation | FaultedWalk;
