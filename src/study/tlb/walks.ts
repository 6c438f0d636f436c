/**
 * Walks a trace: each leaf that it touches is walked once, and what a TLB would keep of that walk is recorded, so that a
 * TLB of any size can then run over numbers alone. (DDI 0487 D8.16, D8.17, Table D8-104, with the rules of `src/tlb`.)
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
  /** Whether blocks with nT = 1 are not cached, as on a PE with FEAT_BBM (an SMMU with BBML) level 1 or 2. Default: true. */
  readonly nT?: boolean;
}

/**
 * The distinct walks of a trace, as columns. The fetches of walk `i` are those from `fetchStart[i]` to `fetchStart[i + 1]`, and its
 * tables are those from `tableStart[i]` to `tableStart[i + 1]`.
 */
export interface Walks {
  readonly count: number;
  /** 1 if the walk ends in a translation, 0 if in a fault. */
  readonly ok: Uint8Array;
  /** An address of the walk, and the bytes that a TLB entry covers: for the leaf, and for its contiguous run. 0 means no entry. */
  readonly ia: Float64Array;
  readonly leafSize: Float64Array;
  readonly runSize: Float64Array;
  /** Where each descriptor was read, to tell fetches apart: a PA, or an IPA for stage 1 under stage 2. And its stage. */
  readonly fetchStart: Uint32Array;
  readonly fetch: Float64Array;
  readonly stage: Uint8Array;
  /** Tables on the way down, and how many fetches led to each: 0 if the walk ended before it was read. */
  readonly tableStart: Uint32Array;
  readonly table: Uint32Array;
  readonly depth: Uint8Array;
}

/** A trace, and the walk of each access. */
export interface WalkedTrace {
  readonly trace: Trace;
  /** By access: the walk that it needs if no entry answers. */
  readonly walkOf: Uint32Array;
  readonly walks: Walks;
  /** How many distinct tables there are. */
  readonly tables: number;
}

/** Memory stays as it is: a study does not repeat hardware updates. */
const READ: Access = { access: 'read', update: false };
/** The region of a fault, whose extent nothing says. No table distinguishes addresses within this many bytes. */
const SMALLEST = 4096;

/** Naturally aligned regions of addresses, numbered in the order in which they are added. */
export class Regions {
  count = 0;
  readonly #bySize = new Map<number, Map<number, number>>();

  /** The region that contains an address, or undefined. There is at most one, since regions do not overlap. */
  find(ia: number): number | undefined {
    for (const [size, numbers] of this.#bySize) {
      const found = numbers.get(Math.floor(ia / size));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** The number of the region of this size around an address, added if it is new. */
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
 * Walks a trace of privileged reads. Memory must not change meanwhile, and is not written.
 *
 * It assumes well-formed tables: the entries of a run (of short descriptors, or contiguous) are all alike, and no
 * AArch32 block reaches from one address range into the other. For other tables use `lpae/tlb`, the exact model.
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

/** Walks addresses and records the results in columns. */
class ColumnWalker {
  /** By walk: the bytes around its address that share this walk. */
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

  /** Adds the walk of an address. Returns the size of its region in bytes. */
  walk(ia: number): number {
    const { walker, nT = true } = this.#tables;
    const result = walker.walk(BigInt.asUintN(64, BigInt(ia)), READ);
    const aarch32 = isAArch32(walker.regime);
    const steps = tableSteps(result.steps);
    const held = result.ok ? heldSize(result, steps, aarch32, nT) : NOTHING;
    const { leafSize, runSize } = this.#reachesWhole(ia, held.leafSize) ? held : NOTHING;
    this.#ok.push(result.ok ? 1 : 0);
    this.#ia.push(ia);
    this.#leafSize.push(leafSize);
    this.#runSize.push(runSize);
    for (const { address, stage, kind } of steps) {
      // A granule protection check kept the descriptor from being read.
      if (kind === 'granule_protection') continue;
      this.#fetch.push(Number(address));
      this.#stage.push(stage);
    }
    this.#fetchStart.push(this.#fetch.length);
    this.#addTables(ia, steps);
    const region = result.ok ? Number(result.size) : SMALLEST;
    this.regions.push(region);
    return region;
  }

  /** Whether the last byte of a leaf has a translation too: one of more than 4 GiB may lie across the end of the output addresses. */
  #reachesWhole(ia: number, size: number): boolean {
    if (size <= 2 ** 32) return true;
    const last = BigInt.asUintN(64, BigInt(Math.floor(ia / size) * size + size - 1));
    return this.#tables.walker.walk(last, { ...READ, trace: false }).ok;
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

/** Leaves out the steps that fetch an SMMU's context descriptor, which is cached separately. (IHI 0070 3.17) */
function tableSteps(steps: readonly WalkStep[]): readonly WalkStep[] {
  const first = steps.findIndex(({ stage, s1Level }) => stage === 1 || s1Level !== undefined);
  return first > 0 ? steps.slice(first) : steps;
}

/** Whether a step belongs to the stage that translates input addresses, and is not stage 2 working for it. */
function isOwn({ stage, s1Level }: WalkStep, own: 1 | 2): boolean {
  return stage === own && s1Level === undefined;
}

const NT = maskOf(STAGE1_LEAF.fields.nT);

interface HeldSize {
  readonly leafSize: number;
  readonly runSize: number;
}

const NOTHING: HeldSize = { leafSize: 0, runSize: 0 };

/** What the TLB entry of a translation covers: nothing if no stage is on or a block's nT forbids it. Runs count only for one stage. */
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
