/** How a StreamID leads to translations, as data: stream table, STE, CD, stages, and where the path ends. (IHI 0070 issue G.b, 3.3, 5.) */

import type { CdWords } from '../../smmu/context-descriptor.ts';
import type { SmmuFeatures } from '../../smmu/features.ts';
import type { IdleField } from '../../smmu/idle-fields.ts';
import type { SteWords, StreamWorld } from '../../smmu/stream-table-entry.ts';
import type { SmmuFault } from '../../smmu/types.ts';
import type { RegisterProblem, StageDescription } from '../types.ts';

/** SMMU_STRTAB_BASE and its configuration. */
export interface StreamTableDescription {
  /** The base as the SMMU aligns it. */
  readonly base: bigint;
  /** StreamIDs: below 2^log2Size. */
  readonly log2Size: number;
  /** Whether SMMU_IDR1.SIDSIZE is less than SMMU_STRTAB_BASE_CFG.LOG2SIZE, and counts instead. */
  readonly capped?: true;
  /** For a two-level table: the bits of a StreamID that index the second level. */
  readonly split?: number;
  /** The level 1 descriptor of this StreamID: its index, address and, if it could be read, value, Span and pointer. */
  readonly level1?: {
    readonly index: number;
    readonly address: bigint;
    readonly descriptor?: bigint;
    /** The second level has 2^(span - 1) STEs; 0: none. */
    readonly span?: number;
    readonly pointer?: bigint;
  };
}

/** A stream table entry. */
export interface SteDescription {
  /** Absent if the words were given without a table. */
  readonly address?: bigint;
  readonly words: SteWords;
  readonly valid: boolean;
  readonly config: 'abort' | 'bypass' | 'stage 1' | 'stage 2' | 'nested';
  /** STE.Config as encoded, 0 to 7. */
  readonly configValue: number;
  readonly world: StreamWorld;
  /** With stage 1: where the CDs are, how many (2^s1CdMax), in which kind of table, and which CD a transaction without SubstreamID uses. */
  readonly contexts?: {
    readonly pointer: bigint;
    readonly s1CdMax: number;
    readonly format: 'single' | 'linear' | 'two-level, 4K leaves' | 'two-level, 64K leaves';
    readonly withoutSubstream: 'CD 0' | 'terminated' | 'stage 1 bypassed';
  };
}

/** An address of a configuration structure: an IPA if stage 2 translates it, and the PA. */
export interface StructurePlace {
  readonly address: bigint;
  readonly pa?: bigint;
}

/** A context descriptor. */
export interface CdDescription {
  /** Its index: the SubstreamID, or 0. */
  readonly index: number;
  /** Absent if the words were given. */
  readonly place?: StructurePlace;
  /** The level 1 descriptor on the way to it. */
  readonly level1?: StructurePlace & { readonly descriptor?: bigint };
  /** Absent if it could not be read. */
  readonly words?: CdWords;
  readonly fields?: {
    readonly asid: number;
    readonly aarch64: boolean;
    /** Whether faults are recorded, terminated transactions abort, or are stalled instead, and privileged accesses to memory that EL0 may access fault. */
    readonly record: boolean;
    readonly abort: boolean;
    readonly stall: boolean;
    readonly pan: boolean;
  };
}

/** How the derivation ends: with a translation, or with the result that every such transaction gets. */
export type StreamEnd =
  | { readonly ok: true; readonly translation: 'bypass' | 'stage 1' | 'stage 2' | 'nested' }
  | { readonly ok: false; readonly fault: SmmuFault; readonly rule: string; readonly section: string };

/** From a StreamID to its translation. */
export interface StreamDerivation {
  readonly streamId: number;
  readonly substreamId?: number;
  readonly features: SmmuFeatures;
  /** SMMU_CR0.SMMUEN. A stream by itself counts as enabled. */
  readonly enabled: boolean;
  readonly table?: StreamTableDescription;
  readonly ste?: SteDescription;
  readonly cd?: CdDescription;
  /** Stages that translate, in order. */
  readonly stages: readonly StageDescription[];
  readonly end: StreamEnd;
  /** Why an STE or CD is ILLEGAL, rule by rule. */
  readonly problems: readonly RegisterProblem[];
  /** Fields of the legal STE and CD that are not 0 and have no part in its translations. Absent if the path ends before the STE, or at it. */
  readonly idle?: readonly IdleField[];
}
