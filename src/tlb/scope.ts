/**
 * What a TLB maintenance operation applies to, and whether a cached entry is within it. (DDI 0487 D8.17 RTVTYQ, RGNJPZ and
 * the scope rules of D8.17.5.4; IHI 0070 4.4.)
 */
import type { StagesHeld, TranslationRegime } from './context.ts';

/** What an entry of the TLB or the walk cache is tagged with. */
export interface Tag {
  readonly regime: TranslationRegime;
  readonly holds: StagesHeld;
  /** Undefined outside EL1&0. */
  readonly vmid: number | undefined;
  /** Undefined: global, or a regime without ASID. */
  readonly asid: number | undefined;
  /**
   * The input addresses that an invalidation finds the entry by: those of the whole leaf of its first stage, though it may
   * hold less of it (where stage 2 maps in smaller pieces), or of the table of a walk-cache entry.
   */
  readonly from: bigint;
  readonly size: bigint;
  readonly granuleLog2: number;
  /** Level of the leaf; of a walk-cache entry, of the table descriptor. */
  readonly level: number;
  /** The XS attribute of a leaf's memory (FEAT_XS). Default false. */
  readonly xs?: boolean;
}

/** Whose translation it is: entries of different owners never stand for each other. */
export type Owner = Pick<Tag, 'regime' | 'vmid' | 'asid'> & { readonly holds: StagesHeld | undefined };

export function sameOwner(a: Owner, b: Owner): boolean {
  return a.regime === b.regime && a.holds === b.holds && a.vmid === b.vmid && a.asid === b.asid;
}

/**
 * The scope of an invalidation: which entries have to go. A TLB may drop more; this one never does, so that a missing
 * invalidation shows. Everything that is not given applies to all.
 */
export interface Scope {
  readonly regime: TranslationRegime;
  /** `stage1`: entries with stage-1 information, combined ones too. `stage2`: entries with nothing else. `both`: all. */
  readonly stages: 'stage1' | 'stage2' | 'both';
  readonly vmid?: number;
  readonly asid?: number;
  /** With `asid`: global leaves go too, as TLBI VA* has it and ASID has not. */
  readonly global?: boolean;
  /** First and last input address, 56 bits. An entry goes if it has to do with any of them. */
  readonly from?: bigint;
  readonly last?: bigint;
  /** Leaves only: the walk cache keeps what it has. */
  readonly lastLevel?: boolean;
  /** Only entries of tables of this granule, and leaves of this level: TG and TTL. */
  readonly granuleLog2?: number;
  readonly level?: number;
  /** nXS: entries whose XS attribute is 1 need not go. */
  readonly keepsXs?: boolean;
  /** VMALLWS2: what is writable-dirty by stage 2 becomes writable-clean, and nothing has to go. */
  readonly cleans?: boolean;
}

/** Operands have address bits [55:0]: the top byte of a tagged address is not compared. (D8.17.5.1 RJGGKN.) */
export const ADDRESS_BITS = 56;

/** Whether an entry is within a scope. `table`: it is one of the walk cache, and no leaf. */
export function inScope(scope: Scope, tag: Tag, table: boolean): boolean {
  if (tag.regime !== scope.regime) return false;
  if (scope.keepsXs && tag.xs) return false;
  if (scope.stages !== 'both' && (scope.stages === 'stage2') !== (tag.holds === 'stage2')) return false;
  if (scope.vmid !== undefined && tag.vmid !== scope.vmid) return false;
  if (!asidInScope(scope, tag)) return false;
  if (scope.granuleLog2 !== undefined && tag.granuleLog2 !== scope.granuleLog2) return false;
  // A level hint speaks of the leaf; tables on the way to it are in scope as ever.
  if (table ? scope.lastLevel === true : scope.level !== undefined && tag.level !== scope.level) return false;
  const { from = 0n, last = (1n << BigInt(ADDRESS_BITS)) - 1n } = scope;
  const start = BigInt.asUintN(ADDRESS_BITS, tag.from);
  return start <= last && start + tag.size > from;
}

function asidInScope({ asid, global }: Scope, tag: Tag): boolean {
  if (asid === undefined || tag.asid === asid) return true;
  return tag.asid === undefined && global === true;
}
