/**
 * The walk cache: table descriptors of earlier walks, so that a walk of a neighbouring address can start at a lower table.
 * (DDI 0487 D8.17: an intermediate TLB caching structure, indexed by IA; IHI 0070 3.21.1.)
 *
 * An entry is a table that a walk descended to, with the fetches that led there. In a nested regime, these include the stage 2
 * fetches on the way, so the entry is a combined one. Tables are never global (RCHVGJ).
 */

import { granuleOf } from '../walker/descriptor64.ts';
import type { WalkResult, WalkStep } from '../walker/index.ts';
import { ipasOf, type TlbContext } from './context.ts';
import { inScope, type Scope, sameOwner, sameRegime, type Tag } from './scope.ts';
import type { TableFetch, WalkPort } from './walk-port.ts';

interface WalkCacheEntry {
  readonly tag: Tag;
  readonly fetches: readonly TableFetch[];
  lastUse: number;
}

export class WalkCache {
  readonly #capacity: number;
  #entries: WalkCacheEntry[] = [];
  #clock = 0;

  /** Makes a fully associative walk cache. `capacity` 0 means no walk cache. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#entries.length;
  }

  /** The fetches on the way to the lowest known table for an address. Empty if no table is known. */
  find(context: TlbContext, ia: bigint): readonly TableFetch[] {
    let nearest: WalkCacheEntry | undefined;
    for (const entry of this.#entries) {
      if (!covers(entry.tag, context, ia)) continue;
      if (nearest === undefined || entry.fetches.length > nearest.fetches.length) nearest = entry;
    }
    if (nearest === undefined) return [];
    nearest.lastUse = ++this.#clock;
    return nearest.fetches;
  }

  /** Adds every table that a walk descended to. A descriptor that faulted has no table below it. */
  fill(context: TlbContext, result: WalkResult, port: WalkPort): void {
    const { holds } = context;
    if (this.#capacity === 0 || holds === undefined) return;
    const stage = holds === 'stage2' ? 2 : 1;
    const own = result.steps.flatMap((step, index) =>
      step.stage === stage && step.s1Level === undefined ? [{ step, index }] : [],
    );
    own.slice(0, -1).forEach(({ step }, i) => {
      if (step.kind !== 'table') return;
      const tag = tableTag(context, holds, result.ia, step, own);
      this.#insert(tag, port.fetches.slice(0, own[i + 1]!.index));
    });
  }

  /** Drops the entries in scope, and returns their number. */
  invalidate(scope: Scope): number {
    const before = this.#entries.length;
    this.#entries = this.#entries.filter(({ tag }) => !inScope(scope, tag, true));
    return before - this.#entries.length;
  }

  /** Replaces the same table's older entry, or the least recently used one. */
  #insert(tag: Tag, fetches: readonly TableFetch[]): void {
    this.#entries = this.#entries.filter((entry) => !sameTable(entry.tag, tag));
    if (this.#entries.length === this.#capacity) {
      const oldest = this.#entries.reduce((a, b) => (a.lastUse < b.lastUse ? a : b));
      this.#entries = this.#entries.filter((entry) => entry !== oldest);
    }
    this.#entries.push({ tag, fetches, lastUse: ++this.#clock });
  }
}

interface OwnStep {
  readonly step: WalkStep;
  readonly index: number;
}

function tableTag(
  context: TlbContext,
  holds: Tag['holds'],
  ia: bigint,
  step: WalkStep,
  own: readonly OwnStep[],
): Tag {
  const { regime, security, vmid } = context;
  const last = own.at(-1)!.step;
  const granuleLog2 = context.aarch32 ? 12 : granuleOf(last.level, last.size);
  return {
    regime,
    security,
    ipas: ipasOf(context),
    holds,
    vmid,
    asid: context.asidOf(ia),
    from: ia - (ia % step.size),
    size: step.size,
    granuleLog2,
    level: step.level,
  };
}

function covers(tag: Tag, context: TlbContext, ia: bigint): boolean {
  return (
    ia >= tag.from &&
    ia < tag.from + tag.size &&
    sameRegime(tag, context) &&
    tag.holds === context.holds &&
    tag.vmid === context.vmid &&
    tag.asid === context.asidOf(ia)
  );
}

function sameTable(a: Tag, b: Tag): boolean {
  return sameOwner(a, b) && a.from === b.from && a.size === b.size;
}
