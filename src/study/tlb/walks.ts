/**
 * A trace walked: every leaf that it comes to is walked once, and what a TLB would keep of that walk is written down, so that a
 * TLB of any size can then be run over numbers alone. (DDI 0487 D8.16, D8.17, Table D8-104; as `src/tlb` has them.)
 */

import { contiguousEntries, STAGE1_LEAF } from '../../arch/descriptors/index.ts';
import { maskOf } from '../../arch/read.ts';
import { isAArch32 } from '../../arch/regimes.ts';
import type { Translator } from '../../machine/machine.ts';
import { granuleOf } from '../../walker/descriptor64.ts';
import type { Access, Translation, WalkStep } from '../../walker/index.ts';
import type { Trace } from './trace.ts';

/** Tables, as hardware walks them. */
export interface StudiedTables {
  readonly walker: Pick<Translator, 'regime' | 'walk'>;
  /** Blocks with nT = 1 are not held: a PE with FEAT_BBM (an SMMU with BBML) of level 1 or 2. Default: true. */
  readonly nT?: boolean;
}

/**
 * The different walks of a trace, as columns: of walk `i` the fetches are those from `fetchStart[i]` to `fetchStart[i + 1]`, and the
 * tables those from `tableStart[i]` to `tableStart[i + 1]`.
 */
export interface Walks {
  readonly count: number;
  /** 1 where it ends in a translation, 0 where in a fault. */
  readonly ok: Uint8Array;
  /** An address in it, and the bytes that an entry holds: of the leaf, and of its contiguous run. 0: no entry is made. */
  readonly ia: Float64Array;
  readonly leafSize: Float64Array;
  readonly runSize: Float64Array;
  /** Where each descriptor was read: a PA, of stage 1 under stage 2 an IPA. Tells fetches apart. And the stage of each. */
  readonly fetchStart: Uint32Array;
  readonly fetch: Float64Array;
  readonly stage: Uint8Array;
  /** Tables that it descended to, from the first one down; fetches that led there, 0 where the walk ended before it was read. */
  readonly tableStart: Uint32Array;
  readonly table: Uint32Array;
  readonly depth: Uint8Array;
}

/** A trace, and the walk of each access. */
export interface WalkedTrace {
  readonly trace: Trace;
  /** By access: which walk it needs, where no entry answers. */
  readonly walkOf: Uint32Array;
  readonly walks: Walks;
  /** How many different tables there are. */
  readonly tables: number;
}

/** Memory stays as it is: what hardware would write back is not the study's to repeat. */
const READ: Access = { access: 'read', update: false };
/** Where a walk faults nothing says how far that reaches. No table tells addresses within this apart. */
const SMALLEST = 4096;

/** Naturally aligned regions of addresses, numbered as they come. */
export class Regions {
  count = 0;
  readonly #bySize = new Map<number, Map<number, number>>();

  /** The region that an address is in, or undefined. There is one at most, where regions do not overlap. */
  find(ia: number): number | undefined {
    for (const [size, numbers] of this.#bySize) {
      const found = numbers.get(Math.floor(ia / size));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** The number of the region of this size around an address: a new one, if need be. */
  numberOf(ia: number, size: number): number {
    let numbers = this.#bySize.get(size);
    if (numbers === undefined) {
      numbers = new Map();
      this.#bySize.set(size, numbers);
    }
    const index = Math.floor(ia / size);
    const found = numbers.get(index);
    if (found !== undefined) return found;
    numbers.set(index, this.count);
    return this.count++;
  }
}

/**
 * Walks a trace, all accesses being privileged reads. Memory must not change meanwhile, and is not written.
 *
 * Short descriptors and contiguous runs are taken to be what the architecture asks for, alike in all entries of a run, and no
 * AArch32 block to reach from one range of addresses into the other; tables that are otherwise are for `lpae/tlb`, the exact model.
 */
export function walkTrace(tables: StudiedTables, trace: Trace): WalkedTrace {
  const { addresses } = trace;
  const walkOf = new Uint32Array(addresses.length);
  const leaves = new Regions();
  const walker = new ColumnWalker(tables);
  let [first, end, last] = [0, 0, 0];
  for (let i = 0; i < addresses.length; i++) {
    const ia = addresses[i]!;
    if (ia < first || ia >= end) {
      last = leaves.find(ia) ?? leaves.numberOf(ia, walker.walk(ia));
      const region = walker.regions[last]!;
      first = Math.floor(ia / region) * region;
      end = first + region;
    }
    walkOf[i] = last;
  }
  return { trace, walkOf, walks: walker.columns(), tables: walker.tables };
}

/** Walks, and writes down what came of it. */
class ColumnWalker {
  /** By walk: bytes around its address that have the very same one. */
  readonly regions: number[] = [];
  readonly #tables: StudiedTables;
  readonly #known = new Regions();
  readonly #ok: number[] = [];
  readonly #ia: number[] = [];
  readonly #leafSize: number[] = [];
  readonly #runSize: number[] = [];
  readonly #fetchStart: number[] = [0];
  readonly #fetch: number[] = [];
  readonly #stage: number[] = [];
  readonly #tableStart: number[] = [0];
  readonly #table: number[] = [];
  readonly #depth: number[] = [];

  constructor(tables: StudiedTables) {
    this.#tables = tables;
  }

  get tables(): number {
    return this.#known.count;
  }

  /** Adds the walk of an address. Answers the bytes of its region. */
  walk(ia: number): number {
    const { walker, nT = true } = this.#tables;
    const result = walker.walk(BigInt.asUintN(64, BigInt(ia)), READ);
    const aarch32 = isAArch32(walker.regime);
    const steps = tableSteps(result.steps);
    const { leafSize, runSize } = result.ok ? heldSize(result, steps, aarch32, nT) : NOTHING;
    this.#ok.push(result.ok ? 1 : 0);
    this.#ia.push(ia);
    this.#leafSize.push(leafSize);
    this.#runSize.push(runSize);
    for (const { address, stage } of steps) {
      this.#fetch.push(Number(address));
      this.#stage.push(stage);
    }
    this.#fetchStart.push(this.#fetch.length);
    this.#addTables(ia, steps);
    const region = result.ok ? Number(result.size) : SMALLEST;
    this.regions.push(region);
    return region;
  }

  #addTables(ia: number, steps: readonly WalkStep[]): void {
    const own = steps.some(({ stage }) => stage === 1) ? 1 : 2;
    const indexes = steps.flatMap((step, index) => (isOwn(step, own) ? [index] : []));
    for (const [i, index] of indexes.entries()) {
      const { kind, size } = steps[index]!;
      if (kind !== 'table') continue;
      this.#table.push(this.#known.numberOf(ia, Number(size)));
      this.#depth.push(indexes[i + 1] ?? 0);
    }
    this.#tableStart.push(this.#table.length);
  }

  columns(): Walks {
    return {
      count: this.regions.length,
      ok: Uint8Array.from(this.#ok),
      ia: Float64Array.from(this.#ia),
      leafSize: Float64Array.from(this.#leafSize),
      runSize: Float64Array.from(this.#runSize),
      fetchStart: Uint32Array.from(this.#fetchStart),
      fetch: Float64Array.from(this.#fetch),
      stage: Uint8Array.from(this.#stage),
      tableStart: Uint32Array.from(this.#tableStart),
      table: Uint32Array.from(this.#table),
      depth: Uint8Array.from(this.#depth),
    };
  }
}

/** Without those that fetch an SMMU's context descriptor, which is cached by itself. (IHI 0070 3.17) */
function tableSteps(steps: readonly WalkStep[]): readonly WalkStep[] {
  const first = steps.findIndex(({ stage, s1Level }) => stage === 1 || s1Level !== undefined);
  return first > 0 ? steps.slice(first) : steps;
}

/** The steps of the stage that input addresses go through, not those of stage 2 on its behalf. */
function isOwn({ stage, s1Level }: WalkStep, own: 1 | 2): boolean {
  return stage === own && s1Level === undefined;
}

const NT = maskOf(STAGE1_LEAF.fields.nT);

interface HeldSize {
  readonly leafSize: number;
  readonly runSize: number;
}

const NOTHING: HeldSize = { leafSize: 0, runSize: 0 };

/** What an entry of a translation holds: nothing where no stage is on or a block's nT says so. Runs are held of one stage alone. */
function heldSize(result: Translation, steps: readonly WalkStep[], aarch32: boolean, nT: boolean): HeldSize {
  const leafOf = (stage: 1 | 2) =>
    steps.findLast((step) => isOwn(step, stage) && (step.kind === 'block' || step.kind === 'page'));
  const leaves = [leafOf(1), leafOf(2)].filter((step) => step !== undefined);
  const [leaf] = leaves;
  const kept = leaves.some(({ kind, descriptor = 0n }) => kind === 'block' && (descriptor & NT) !== 0n);
  if (leaf === undefined || (nT && !aarch32 && kept)) return NOTHING;
  const leafSize = Number(result.size);
  if (leaves.length > 1 || !result.contiguous) return { leafSize, runSize: leafSize };
  const granuleLog2 = aarch32 ? 12 : granuleOf(leaf.level, leaf.size);
  return { leafSize, runSize: leafSize * contiguousEntries(granuleLog2, leaf.level) };
}
