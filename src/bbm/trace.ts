/**
 * Break-before-make over a trace of writes: which steps were illegal because an invalidation was missing before
 * them, for a PE and an SMMU of each FEAT_BBM level, and which invalidation each step needs.
 * (DDI 0487 D8.17.1, D8.17.2; IHI 0070 3.21.1.)
 */
import { hex } from '../memory/hex.ts';
import type { Machine } from '../tlb/conflict.ts';
import { type AccessOutcome, accessOutcomes } from './access.ts';
import { readBarrier } from './barrier.ts';
import { entryLog2, isEntryAddress, type TableSpace, type TraceContext, tableSpace } from './context.ts';
import { TraceError } from './errors.ts';
import {
  BBM_LEVELS,
  type BbmLevel,
  type Judgement,
  judgeWrite,
  MACHINES,
  type TraceChange,
} from './judge.ts';
import { type Miss, nearestMiss } from './miss.ts';
import { type NeededInvalidation, neededFor } from './needed.ts';
import { type MissingBarrier, Ordering } from './ordering.ts';
import { type PlaceChange, Reach, withTables } from './reach.ts';
import { choosesOne, PermissionState, type RegisterChange, type RegisterStep } from './registers.ts';
import {
  type AccessStep,
  commandName,
  type InvalidationStep,
  scopeOf,
  type TraceStep,
  type WriteStep,
} from './steps.ts';

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

/** Judges a trace step by step, while it is made. */
export class TraceJudge {
  /** @internal The context with its defaults. */
  space: TableSpace;
  readonly #permissions: PermissionState;
  readonly #words = new Map<number, bigint>();
  readonly #initial: ((pa: bigint) => bigint) | undefined;
  readonly #reach: Reach;
  readonly #ordering: Ordering | undefined;
  #index = 0;

  /** @throws TraceError for a context that no registers can describe. */
  constructor(context: TraceContext) {
    this.space = tableSpace(context);
    this.#permissions = new PermissionState(this.space);
    this.#initial = context.initial;
    this.#ordering = context.barriers ? new Ordering() : undefined;
    this.#reach = new Reach(this.space, (pa) => this.#read(pa));
  }

  /** @throws TraceError for an impossible step. */
  judge(step: TraceStep): StepVerdict {
    const index = this.#index++;
    if ('write' in step) return this.#write(step, index);
    if ('register' in step) return this.#register(step, index);
    if ('access' in step) return this.#access(step, index);
    if ('barrier' in step) {
      const missing = this.#ordering?.barrier(index, readBarrier(step.barrier)) ?? [];
      return { kind: 'barrier', index, step, missing };
    }
    return this.#invalidate(step, index);
  }

  #register(step: RegisterStep, index: number): RegisterVerdict {
    const { indirect: old } = this.space;
    if (old === undefined) {
      throw new TraceError(
        `a write of ${step.register}: permissions of these tables are direct (TCR2.PIE, or VTCR_EL2.S2PIE, is 0)`,
        { value: step.value },
      );
    }
    const change = this.#permissions.write(step);
    const affected = change.cached && change.indexes.length > 0;
    const lost = affected ? this.#reach.changeRights(choosesOne(this.space, change.indexes), index) : [];
    if (affected) {
      // What was writable counts as writable from then on: a TLB may hold it as such.
      const writes = this.#permissions.writes();
      this.space = { ...this.space, indirect: writes.map((now, i) => now || old[i] === true) };
    }
    return { kind: 'register', index, step, ...change, needsAfter: neededFor(lost, this.space), missing: [] };
  }

  #invalidate(step: InvalidationStep, index: number): OtherVerdict {
    const scope = scopeOf(step, this.space);
    const ignored = 'command' in step && this.space.machine === 'pe';
    const { stale } = this.#reach;
    // Before entries go: the nearest one is looked for where none does.
    const removed = ignored ? 0 : this.#reach.invalidate(scope);
    const miss = removed === 0 && scope.own ? nearestMiss(scope.own, stale, this.space) : undefined;
    const { why } = scope;
    const said = { ...(miss && { miss }), ...(why !== undefined && { nothing: why }) };
    return { kind: 'invalidation', index, step, ...said, missing: this.#orderOf(step, index) };
  }

  #orderOf(step: InvalidationStep, index: number): readonly MissingBarrier[] {
    const ordering = this.#ordering;
    if (ordering === undefined) return [];
    if ('command' in step) return ordering.command(index, commandName(step));
    if (!('tlbi' in step)) return [];
    const [, broadcast, nxs] = /(IS|OS)?(NXS)?$/.exec(step.tlbi) ?? [];
    return ordering.tlbi(index, `TLBI ${step.tlbi}`, broadcast !== undefined, nxs !== undefined);
  }

  #access(step: AccessStep, index: number): AccessVerdict {
    const { iaBase, iaBits } = this.space;
    const ia = step.access - iaBase;
    if (ia < 0n || ia >> BigInt(iaBits)) {
      throw new TraceError(
        `an access at ${hex(step.access)}: the tables are for ${hex(iaBase)} to ${hex(iaBase + (1n << BigInt(iaBits)) - 1n)}`,
        { value: step.access },
      );
    }
    const outcomes = accessOutcomes(Number(ia), this.#reach, this.space);
    return {
      kind: 'access',
      index,
      step,
      outcomes,
      missing: this.#ordering?.access(step.fetch === true) ?? [],
    };
  }

  /** The invalidations that are missing now. */
  owed(): NeededInvalidation[] {
    return neededFor(this.#reach.stale, this.space);
  }

  /** The barriers that are missing now. Empty if they are not judged. */
  owedBarriers(): readonly MissingBarrier[] {
    return this.#ordering?.owed() ?? [];
  }

  #write({ write: pa, value }: WriteStep, index: number): WriteVerdict {
    if (!isEntryAddress(pa)) {
      throw new TraceError(
        `a write to ${hex(pa)}: a descriptor of VMSAv8-64 has 8 bytes, at a multiple of 8 below 2^52 (DDI 0487 D8.3)`,
        { pa, value },
      );
    }
    if (value < 0n || value >= 2n ** 64n)
      throw new TraceError(`${hex(value)} has more than 64 bits`, { pa, value });
    const at = Number(pa);
    const before = this.#read(at);
    this.#words.set(at, value);
    const changed = before === value ? [] : this.#reach.write(at, value, index);
    const { space } = this;
    const { changes, judgements, against } = judgeWrite(changed, this.#reach, space, before === value);
    const lost = changed.flatMap((change) => change.lost);
    const breakFirst = against.some((entry) => lost.includes(entry));
    const makes = changed.some((change) => change.live && change.made.length > 0);
    const missing = before === value ? [] : (this.#ordering?.write(index, makes, lost.length > 0) ?? []);
    return {
      kind: 'write',
      index,
      pa,
      before,
      after: value,
      places: changed.map((change) => placeOf(change, space)),
      changes,
      judgements,
      breakFirst,
      needsBefore: neededFor(withTables(breakFirst ? [...against, ...lost] : against), space),
      needsAfter: neededFor(lost, space),
      tableLost: lost.some(({ kind }) => kind === 'table'),
      missing,
    };
  }

  #read(pa: number): bigint {
    return this.#words.get(pa) ?? this.#initial?.(BigInt(pa)) ?? 0n;
  }
}

function placeOf({ mount, index, live }: PlaceChange, space: TableSpace): TracePlace {
  const size = 2 ** entryLog2(space, mount.level);
  return { level: mount.level, ia: space.iaBase + BigInt(mount.ia + index * size), size: BigInt(size), live };
}

/**
 * Judges a whole trace.
 *
 * @param steps - writes of descriptors, invalidations and barriers, in the order in which the machine sees them.
 * @param context - the tables that they are about.
 * @throws TraceError for an impossible context or step.
 *
 * @example
 * const { steps, illegal } = judgeTrace(
 *   [{ write: 0x8000_3000n, value: 0n }, { write: 0x8000_3000n, value: 0x9_0000_0f47n }], // no TLBI in between
 *   { stage: 1, granuleLog2: 12, iaBits: 48, root: 0x8000_0000n, initial: (pa) => words.get(pa) ?? 0n },
 * );
 * illegal.pe; // [1, 1, 1]: at each FEAT_BBM level
 */
export function judgeTrace(steps: Iterable<TraceStep>, context: TraceContext): TraceVerdict {
  const judge = new TraceJudge(context);
  const verdicts = Array.from(steps, (step) => judge.judge(step));
  return {
    steps: verdicts,
    illegal: countIllegal(verdicts),
    owed: judge.owed(),
    owedBarriers: judge.owedBarriers(),
  };
}

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
