/** How a StreamID becomes translations, as data: stream table, STE, CD, stages, and where it ends. (IHI 0070 issue G.b, 3.3, 5.) */

import type { CdWords } from '../../smmu/context-descriptor.ts';
import type { SmmuFeatures } from '../../smmu/features.ts';
import type { SteWords, StreamWorld } from '../../smmu/stream-table-entry.ts';
import type { SmmuFault } from '../../smmu/types.ts';
import type { RegisterProblem, StageDescription } from '../types.ts';

/** SMMU_STRTAB_BASE and its configuration. */
export interface StreamTableDescription {
  /** As the SMMU aligns it. */
  readonly base: bigint;
  /** StreamIDs: below 2^log2Size. */
  readonly log2Size: number;
  /** Where SMMU_IDR1.SIDSIZE is less than SMMU_STRTAB_BASE_CFG.LOG2SIZE, and counts in its place. */
  readonly capped?: true;
  /** Of a two-level table: the bits of a StreamID that index the second level. */
  readonly split?: number;
  /** The level 1 descriptor of this StreamID: its index, address and, where it could be read, value, Span and pointer. */
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
  /** Absent where the words were given without a table. */
  readonly address?: bigint;
  readonly words: SteWords;
  readonly valid: boolean;
  readonly config: 'abort' | 'bypass' | 'stage 1' | 'stage 2' | 'nested';
  /** STE.Config as encoded, 0 to 7. */
  readonly configValue: number;
  readonly world: StreamWorld;
  /** With stage 1: where the CDs are, how many (2^s1CdMax), in which kind of table, and what a transaction without SubstreamID takes. */
  readonly contexts?: {
    readonly pointer: bigint;
    readonly s1CdMax: number;
    readonly format: 'single' | 'linear' | 'two-level, 4K leaves' | 'two-level, 64K leaves';
    readonly withoutSubstream: 'CD 0' | 'terminated' | 'stage 1 bypassed';
  };
}

/** An address of a configuration structure: an IPA where stage 2 translates it, and the PA. */
export interface StructurePlace {
  readonly address: bigint;
  readonly pa?: bigint;
}

/** A context descriptor. */
export interface CdDescription {
  /** Its index: the SubstreamID, or 0. */
  readonly index: number;
  /** Absent where the words were given. */
  readonly place?: StructurePlace;
  /** The level 1 descriptor on the way to it. */
  readonly level1?: StructurePlace & { readonly descriptor?: bigint };
  /** Absent where it could not be read. */
  readonly words?: CdWords;
  readonly fields?: {
    readonly asid: number;
    readonly aarch64: boolean;
    /** Faults are recorded; a terminated transaction aborts; it is stalled instead; privileged accesses to what EL0 may access fault. */
    readonly record: boolean;
    readonly abort: boolean;
    readonly stall: boolean;
    readonly pan: boolean;
  };
}

/** Where the derivation ends: with a translation, or with what every such transaction gets. */
export type StreamEnd =
  | { readonly ok: true; readonly translation: 'bypass' | 'stage 1' | 'stage 2' | 'nested' }
  | { readonly ok: false; readonly fault: SmmuFault; readonly rule: string; readonly section: string };

/** From a StreamID to its translation. */
export interface StreamDerivation {
  readonly streamId: number;
  readonly substreamId?: number;
  readonly features: SmmuFeatures;
  /** SMMU_CR0.SMMUEN. A stream by itself is taken as enabled. */
  readonly enabled: boolean;
  readonly table?: StreamTableDescription;
  readonly ste?: SteDescription;
  readonly cd?: CdDescription;
  /** Stages that translate, the first one first. */
  readonly stages: readonly StageDescription[];
  readonly end: StreamEnd;
  /** Why an STE or CD is ILLEGAL, rule by rule. */
  readonly problems: readonly RegisterProblem[];
}
