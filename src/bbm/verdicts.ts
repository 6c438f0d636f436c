/**
 * What is said of a trace and of each of its steps: on which machines it is illegal, and which invalidations and barriers are missing.
 * (DDI 0487 D8.17.1; IHI 0070 3.21.1.)
 */
import type { Machine } from '../tlb/conflict.ts';
import type { AccessOutcome } from './access.ts';
import { BBM_LEVELS, type BbmLevel, type Judgement, MACHINES, type TraceChange } from './judge.ts';
import type { Miss } from './miss.ts';
import type { NeededInvalidation } from './needed.ts';
import type { MissingBarrier } from './ordering.ts';
import type { RegisterChange, RegisterStep } from './registers.ts';
import type { AccessStep, TraceStep } from './steps.ts';

/** A place of a written entry. It may have several places, or none that a walk reaches. */
export interface TracePlace {
  /** Arm's level, -1 to 3. */
  readonly level: number;
  /** First input address of the entry, and the bytes that an entry at its level translates. */
  readonly ia: bigint;
  readonly size: bigint;
  /** Whether a walk from the root gets here. Otherwise only a table descriptor in a walk cache leads here. */
  readonly live: boolean;
}

/** The verdict on a write. */
export interface WriteVerdict {
  readonly kind: 'write';
  readonly index: number;
  readonly pa: bigint;
  readonly before: bigint;
  readonly after: bigint;
  readonly places: readonly TracePlace[];
  readonly changes: readonly TraceChange[];
  /** One for each machine and level. */
  readonly judgements: readonly Judgement[];
  /** For an illegal step: the old entry was in memory until this write, and should have been made invalid first. */
  readonly breakFirst: boolean;
  /** For an illegal step: the invalidations that were missing before it (and after the break). */
  readonly needsBefore: readonly NeededInvalidation[];
  /** The invalidations that this step needs afterwards, before the same addresses are mapped in another way. */
  readonly needsAfter: readonly NeededInvalidation[];
  /** Whether it removes a table descriptor, or points it elsewhere. */
  readonly tableLost: boolean;
  /** Barriers that are missing before it. */
  readonly missing: readonly MissingBarrier[];
}

/** The verdict on an invalidation or a barrier. It is never illegal. */
export interface OtherVerdict {
  readonly kind: 'invalidation' | 'barrier';
  readonly index: number;
  readonly step: TraceStep;
  /** For an invalidation that removes nothing although something is stale: what it comes closest to, and why it misses. */
  readonly miss?: Miss;
  /** For an invalidation: why it need not remove anything, whatever is stale, with the section. */
  readonly nothing?: string;
  /** Barriers that are missing before it; of a barrier, what it does not complete. */
  readonly missing: readonly MissingBarrier[];
}

/** The verdict on an access. */
export interface AccessVerdict {
  readonly kind: 'access';
  readonly index: number;
  readonly step: AccessStep;
  /** What it may meet, the tables in memory first. More than one: an invalidation is missing. */
  readonly outcomes: readonly AccessOutcome[];
  readonly missing: readonly MissingBarrier[];
}

/** The verdict on a write of a permission register, which is never illegal. (DDI 0487 D8.17 R_VNRFW.) */
export interface RegisterVerdict extends RegisterChange {
  readonly kind: 'register';
  readonly index: number;
  readonly step: RegisterStep;
  /** The invalidations that it needs afterwards: of leaves in these tables that choose a changed field. */
  readonly needsAfter: readonly NeededInvalidation[];
  readonly missing: readonly MissingBarrier[];
}

/** The verdict on a step. `kind` distinguishes them. */
export type StepVerdict = WriteVerdict | RegisterVerdict | OtherVerdict | AccessVerdict;

/** How many steps are illegal, for each machine by FEAT_BBM level. */
export type IllegalSteps = Readonly<Record<Machine, readonly [number, number, number]>>;

/** The verdict on a whole trace. */
export interface TraceVerdict {
  readonly steps: readonly StepVerdict[];
  readonly illegal: IllegalSteps;
  /** The invalidations still missing at the end of the trace, because TLBs may hold entries that the tables no longer have. */
  readonly owed: readonly NeededInvalidation[];
  /** The barriers still missing at the end. */
  readonly owedBarriers: readonly MissingBarrier[];
}

/** Counts the illegal steps of a trace. */
export function countIllegal(verdicts: readonly StepVerdict[]): IllegalSteps {
  const [pe, smmu] = MACHINES.map((machine) =>
    BBM_LEVELS.map((bbml) => verdicts.filter((verdict) => !isLegal(verdict, [machine], bbml)).length),
  ) as [[number, number, number], [number, number, number]];
  return { pe, smmu };
}

/** Whether a step is legal on all of these machines at a FEAT_BBM level, 0 to 2. Steps that write nothing are always legal. */
export function isLegal(verdict: StepVerdict, machines: readonly Machine[], bbml: BbmLevel): boolean {
  if (verdict.kind !== 'write') return true;
  return verdict.judgements.every((one) => one.legal || one.bbml !== bbml || !machines.includes(one.machine));
}
