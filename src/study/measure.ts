/** Measures one combination of a comparison: maps a workload into real tables, then counts and walks them. */
import { IommuDomain } from '../iommu/domain.ts';
import { PhysicalMemory } from '../memory/index.ts';
import { IommuError } from '../pagetable/errors.ts';
import { createWalker } from '../walker/index.ts';
import { type Combination, formatOf, formatRequest } from './combinations.ts';
import { addTablesOf, type Counts, Tally } from './counts.ts';
import { nestedMachine, PROT, TABLE_RAM } from './memory.ts';
import type { Refusal } from './semantics.ts';
import { spacesOf, type Workload } from './workload.ts';

/** The cost of a TLB miss that ends at a leaf of this kind. */
export interface MissCost {
  /** In the driver's tables: the level of the leaf, and the entries of its contiguous run, or 1. */
  readonly level: number;
  readonly run: number;
  /** Descriptors that a walk read: in total, of stage 1, and of stage 2. */
  readonly accesses: number;
  readonly stage1: number;
  readonly stage2: number;
}

/** The measured result of a combination. */
export interface Measured {
  readonly combination: Combination;
  /** One bit for each page size that tables may use. */
  readonly pgsizeBitmap: bigint;
  /** Levels from the root to the last, and those of stage 2 for a nested combination. */
  readonly levels: number;
  readonly stage2Levels?: number;
  /** Every request was mapped. */
  readonly maps: boolean;
  readonly refusedRequests: number;
  /** The first few requests that were not mapped. */
  readonly refusals: readonly (Refusal & { readonly code: IommuError['code'] })[];
  /** The contents of the driver's tables. */
  readonly counts: Counts;
  /** The contents of the stage 2 tables, for a nested combination with at least one mapped request. */
  readonly stage2?: Counts;
  readonly misses: readonly MissCost[];
}

const MAX_REFUSALS = 8;

/**
 * Maps a workload, address space by address space, each with tables of its own, and counts the tables. Nothing stays allocated.
 * @throws IommuError when stage 2 can't map a guest's RAM.
 */
export function measure(workload: Workload, combination: Combination): Measured {
  const one = new Measurement(workload, combination);
  for (const indexes of spacesOf(workload).values()) one.addSpace(indexes);
  return one.result();
}

class Measurement {
  readonly #workload: Workload;
  readonly #combination: Combination;
  readonly #memory = new PhysicalMemory(TABLE_RAM);
  readonly #format;
  readonly #tally: Tally;
  readonly #misses: MissCost[] = [];
  readonly #refusals: (Refusal & { code: IommuError['code'] })[] = [];
  #refused = 0;
  #stage2: { counts: Counts; levels: number } | undefined;

  constructor(workload: Workload, combination: Combination) {
    this.#workload = workload;
    this.#combination = combination;
    this.#format = formatOf(combination).configure(formatRequest(combination));
    this.#tally = new Tally(this.#format);
  }

  addSpace(indexes: readonly number[]): void {
    const combination = this.#combination;
    const domain = new IommuDomain(this.#memory, formatOf(combination), formatRequest(combination));
    const refusedBefore = this.#refused;
    for (const index of indexes) this.#map(domain, index);
    // A refused request leaves empty tables behind, which are not part of the cost.
    if (this.#refused > refusedBefore) domain.reclaim();
    const fresh: { level: number; run: number; iova: bigint }[] = [];
    addTablesOf(domain, this.#tally, (level, run, iova) => fresh.push({ level, run, iova }));
    if (fresh.length > 0) this.#walk(domain, fresh);
    domain.free();
  }

  #map(domain: IommuDomain, request: number): void {
    const { iova, sg } = this.#workload.requests[request]!;
    try {
      domain.mapSg(iova, sg, PROT);
    } catch (error) {
      if (!(error instanceof IommuError)) throw error;
      this.#refused++;
      const { code, message, operands } = error;
      const entry = operands.entry === undefined ? {} : { entry: operands.entry };
      if (this.#refusals.length < MAX_REFUSALS) this.#refusals.push({ request, ...entry, code, message });
    }
  }

  /** Does one walk to a leaf of each kind. */
  #walk(domain: IommuDomain, leaves: readonly { level: number; run: number; iova: bigint }[]): void {
    let walker = createWalker(domain.memory, domain.registers.hardware);
    if (this.#combination.stage === 'nested') {
      const nested = nestedMachine(domain, this.#workload.requests, this.#combination);
      walker = nested.walker;
      const tally = new Tally(nested.stage2.format);
      addTablesOf(nested.stage2, tally);
      this.#stage2 ??= { counts: tally.result(), levels: nested.stage2.format.levels.length };
    }
    for (const { level, run, iova } of leaves) {
      const { steps } = walker.walk(iova, { access: 'read' });
      const stage1 = steps.filter(({ stage }) => stage === 1).length;
      const accesses = steps.length;
      this.#misses.push({ level, run, accesses, stage1, stage2: accesses - stage1 });
    }
  }

  result(): Measured {
    const stage2 = this.#stage2;
    return {
      combination: this.#combination,
      pgsizeBitmap: this.#format.pgsizeBitmap,
      levels: this.#format.levels.length,
      ...(stage2 && { stage2Levels: stage2.levels }),
      maps: this.#refused === 0,
      refusedRequests: this.#refused,
      refusals: this.#refusals,
      counts: this.#tally.result(),
      ...(stage2 && { stage2: stage2.counts }),
      misses: this.#misses.sort((a, b) => a.level - b.level || b.run - a.run),
    };
  }
}
