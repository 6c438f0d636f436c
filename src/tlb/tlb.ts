/**
 * The TLB: translations kept from walks, found by address, ASID and VMID, and removed only when they are evicted or
 * invalidated. Between a change in memory and the invalidation it still gives the old answer. (DDI 0487 D8.16, D8.17; IHI 0070 3.21.1, 4.4.)
 */
import type { PhysicalMemory } from '../memory/index.ts';
import { WalkerError } from '../walker/errors.ts';
import type { Access, WalkResult } from '../walker/index.ts';
import { accessDenial, checkAccess } from '../walker/translate.ts';
import { conflictOf, type Machine, type TlbConflict } from './conflict.ts';
import { type TlbContext, type TlbContextOptions, tlbContext } from './context.ts';
import { answerOf, makeEntry, sideOf, type TlbEntry } from './entry.ts';
import type { Scope } from './scope.ts';
import { type StaleEntry, staleness, withReasons } from './stale.ts';
import { EntryStore } from './store.ts';
import { type TlbiOperation, tlbiScope } from './tlbi.ts';
import { WalkCache } from './walk-cache.ts';

/** The size of a TLB. */
export interface TlbOptions {
  /** Number of sets, a power of two. Default: 1, fully associative. */
  readonly sets?: number;
  /** Entries in each set. Default: 64. */
  readonly ways?: number;
  /** Tables that the walk cache holds. 0 means no walk cache. Default: 16. */
  readonly walkCache?: number;
  /**
   * Keeps a contiguous run as one entry, if only one stage translates. The output of the run follows from the descriptor that was
   * walked. Default: false, so the hint is ignored.
   */
  readonly contiguous?: boolean;
  /** Whose TLB it is: this decides what a conflict may lead to. Default: `pe`. */
  readonly machine?: Machine;
}

/** Counters since the TLB was made. */
export interface TlbStatistics {
  readonly hits: number;
  readonly misses: number;
  /** Walks: one for every miss, and one for the first write through a writable-clean entry. */
  readonly walks: number;
  /** Descriptor fetches from memory, and those that the walk cache saved. */
  readonly memoryAccesses: number;
  readonly accessesSaved: number;
  /** Walks that started at a table from the walk cache, and those that started at the first table. */
  readonly walkCacheHits: number;
  readonly walkCacheMisses: number;
  readonly evictions: number;
  /** Lookups that hit more than one entry. */
  readonly conflicts: number;
}

/** The TLB's answer to an access. */
export interface TlbAnswer {
  /** `tlb`: from an entry, with no memory access and no steps. `walk`: from a walk. */
  readonly from: 'tlb' | 'walk';
  /** The same as a walker's answer. In a conflict, the older entry's. */
  readonly result: WalkResult;
  /** Set if the lookup hit more than one entry: what else a machine may do. */
  readonly conflict?: TlbConflict;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * A TLB in front of a walker.
 *
 * @example
 * const tlb = new Tlb(memory, { regime: 'el1&0', registers: { ttbr0, tcr, mair } }, { ways: 32 });
 * tlb.translate(0x1000n, { access: 'read' }).from;          // 'walk'
 * tlb.translate(0x1fffn, { access: 'read' }).from;          // 'tlb'
 * memory.write64(pte, 0n);
 * tlb.translate(0x1000n, { access: 'read' }).result.ok;     // still true
 * tlb.tlbi('VAE1', 0x1n);
 * tlb.translate(0x1000n, { access: 'read' }).result.ok;     // false
 */
export class Tlb {
  readonly #memory: PhysicalMemory;
  readonly #store: EntryStore;
  readonly #walkCache: WalkCache;
  readonly #mergeRuns: boolean;
  readonly #machine: Machine;
  #context: TlbContext;
  readonly #counts: Mutable<TlbStatistics> = {
    hits: 0,
    misses: 0,
    walks: 0,
    memoryAccesses: 0,
    accessesSaved: 0,
    walkCacheHits: 0,
    walkCacheMisses: 0,
    evictions: 0,
    conflicts: 0,
  };

  /** @throws WalkerError for impossible sizes, an unknown regime or CPU model, or a register value wider than 64 bits. */
  constructor(memory: PhysicalMemory, registers: TlbContextOptions, options: TlbOptions = {}) {
    const { sets = 1, ways = 64, walkCache = 16, contiguous = false, machine = 'pe' } = options;
    if (!Number.isInteger(Math.log2(sets)) || sets < 1 || !isCount(ways, 1) || !isCount(walkCache, 0)) {
      throw new WalkerError(
        `the sets of a TLB are a power of two, its ways at least 1 and its walk cache at least 0, not ${sets}, ${ways} and ${walkCache}`,
      );
    }
    this.#memory = memory;
    this.#store = new EntryStore(sets, ways);
    this.#walkCache = new WalkCache(walkCache);
    this.#mergeRuns = contiguous;
    this.#machine = machine;
    this.#context = tlbContext(memory, registers);
  }

  /** The current regime, ASID and VMID. */
  get context(): TlbContext {
    return this.#context;
  }

  /** Counters since the TLB was made. */
  get statistics(): TlbStatistics {
    return { ...this.#counts };
  }

  /** All entries, the oldest first, whether or not they belong to the current context. */
  get entries(): readonly TlbEntry[] {
    return this.#store.entries;
  }

  /** Tables in the walk cache. */
  get walkCacheSize(): number {
    return this.#walkCache.size;
  }

  /** Writes registers, which makes another address space, VM or regime current. Nothing is invalidated. */
  switchTo(registers: TlbContextOptions): void {
    this.#context = tlbContext(this.#memory, registers);
  }

  /**
   * Translates one access, from an entry or by a walk. An access with `update: false` is a probe: it fills nothing.
   * @throws WalkerError for an address that is not 64 bits or an unknown kind of access.
   */
  translate(ia: bigint, access: Access): TlbAnswer {
    checkAccess(ia, access);
    const context = this.#context;
    // What an entry says of Guarded Control Stacks and of tags is not looked at: such accesses walk.
    const special = access.gcs === true || access.tagChecked === true;
    if (special || context.denied(ia, access))
      return { from: 'walk', result: context.walker.walk(ia, access) };
    const found = this.#store.find(context, ia, sideOf(context, access));
    const [entry, other] = found;
    if (entry === undefined) {
      this.#counts.misses++;
      return { from: 'walk', result: this.#walk(ia, access) };
    }
    this.#counts.hits++;
    const conflict = other && conflictOf(entry, other, this.#machine);
    if (conflict) this.#counts.conflicts++;
    const hazard = conflict && { conflict };
    const answer = protectedAnswer(answerOf(entry, ia, access), context, access);
    const result = answer.ok ? answer : { ...answer, fault: withReasons(answer.fault, entry, ia, access) };
    if (result.ok && entry.clean && access.access === 'write' && access.update !== false) {
      return { from: 'walk', result: this.#walk(ia, access), ...hazard };
    }
    return { from: 'tlb', result, ...hazard };
  }

  /**
   * Executes and completes `TLBI operation, xt`: entries in its scope are gone from the TLB and the walk cache. Entries that need not go stay,
   * such as those whose XS attribute is 1 with nXS.
   *
   * @param xt - the register operand, 64 bits, in the layout of the operation. Default 0.
   * @returns the number of entries removed.
   * @throws RangeError for an unknown operation.
   */
  tlbi(operation: TlbiOperation, xt = 0n): number {
    const scope = tlbiScope(operation, xt, this.#context);
    return scope === undefined ? 0 : this.invalidate(scope);
  }

  /**
   * Drops the entries in a scope (or makes them writable-clean for VMALLWS2), whichever instruction or command has that scope. Returns
   * their number.
   */
  invalidate(scope: Scope): number {
    if (scope.cleans) return this.#store.clean(scope);
    return this.#store.invalidate(scope) + this.#walkCache.invalidate(scope);
  }

  /** The entries that a walk of the present memory would not make. Does not count as a use, and changes nothing. */
  staleEntries(): StaleEntry[] {
    return this.entries.flatMap((entry) => staleness(entry) ?? []);
  }

  /** All pairs of entries that one access would hit, because invalidations are missing. */
  conflicts(): TlbConflict[] {
    const { entries } = this;
    return entries.flatMap((newer, i) =>
      entries.slice(0, i).flatMap((older) => conflictOf(older, newer, this.#machine) ?? []),
    );
  }

  #walk(ia: bigint, access: Access): WalkResult {
    const context = this.#context;
    const { port, walker } = context;
    const cached = this.#walkCache.find(context, ia);
    port.begin(cached);
    const result = walker.walk(ia, { ...access, trace: true });
    this.#counts.walks++;
    this.#counts.memoryAccesses += port.fetches.length - port.saved;
    this.#counts.accessesSaved += port.saved;
    this.#counts[port.saved > 0 ? 'walkCacheHits' : 'walkCacheMisses']++;
    if (access.update !== false) this.#walkCache.fill(context, result, port);
    const entry = result.ok ? makeEntry(context, access, result, this.#mergeRuns) : undefined;
    if (entry && this.#store.insert(entry)) this.#counts.evictions++;
    return access.trace === false ? { ...result, steps: [] } : result;
  }
}

/** An entry holds nothing of granule protection tables: every access is checked anew. */
function protectedAnswer(answer: WalkResult, { walker }: TlbContext, { gpc = 'all' }: Access): WalkResult {
  if (!answer.ok || walker.granuleProtection === undefined || gpc !== 'all') return answer;
  const fault = accessDenial(walker.granuleProtection, Number(answer.pa), answer.paSpace);
  if (fault === undefined) return answer;
  return { ok: false, ia: answer.ia, fault, security: answer.security, steps: answer.steps };
}

function isCount(value: number, least: number): boolean {
  return Number.isInteger(value) && value >= least;
}
