/**
 * Break-before-make over a trace of writes: which steps were illegal because an invalidation was missing before
 * them, for a PE and an SMMU of each FEAT_BBM level, and which invalidation each step needs.
 * (DDI 0487 D8.17.1, D8.17.2; IHI 0070 3.21.1.)
 */
import { hex } from '../memory/hex.ts';
import { accessOutcomes } from './access.ts';
import { readBarrier } from './barrier.ts';
import { entryLog2, isEntryAddress, type TableSpace, type TraceContext, tableSpace } from './context.ts';
import { TraceError } from './errors.ts';
import { judgeWrite } from './judge.ts';
import { nearestMiss } from './miss.ts';
import { type NeededInvalidation, neededFor } from './needed.ts';
import { type MissingBarrier, Ordering } from './ordering.ts';
import { type PlaceChange, Reach, withTables } from './reach.ts';
import { choosesOne, PermissionState, type RegisterStep } from './registers.ts';
import {
  type AccessStep,
  commandName,
  type InvalidationStep,
  scopeOf,
  type TraceStep,
  type WriteStep,
} from './steps.ts';
import {
  type AccessVerdict,
  countIllegal,
  type OtherVerdict,
  type RegisterVerdict,
  type StepVerdict,
  type TracePlace,
  type TraceVerdict,
  type WriteVerdict,
} from './verdicts.ts';

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
