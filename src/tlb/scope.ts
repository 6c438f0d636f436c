/**
 * The scope of a TLB maintenance operation, and whether a cached entry is in it. (DDI 0487 D8.17 RTVTYQ, RGNJPZ and
 * the scope rules of D8.17.5.4; IHI 0070 4.4.)
 */
import type { PaSpace, SecurityState } from '../arch/security.ts';
import type { StagesHeld, TranslationRegime } from './context.ts';

/** The tags of an entry in the TLB or the walk cache. */
export interface Tag {
  readonly regime: TranslationRegime;
  /** The Security state of the regime: with every state the regime is another one. (RNWYRD.) */
  readonly security: SecurityState;
  /** Secure stage 2 alone: the IPA space that it translates. */
  readonly ipas?: PaSpace | undefined;
  readonly holds: StagesHeld;
  /** Undefined outside EL1&0. */
  readonly vmid: number | undefined;
  /** Undefined: global, or a regime without ASID. */
  readonly asid: number | undefined;
  /**
   * The input addresses by which an invalidation finds the entry: those of the whole leaf of its first stage, although it may
   * cover less (if stage 2 maps smaller pieces), or those of the table of a walk-cache entry.
   */
  readonly from: bigint;
  readonly size: bigint;
  readonly granuleLog2: number;
  /** Level of the leaf, or of the table descriptor for a walk-cache entry. */
  readonly level: number;
  /** The XS attribute of a leaf's memory (FEAT_XS). Default: false. */
  readonly xs?: boolean;
}

/** The context that owns a translation: an entry is never used for another owner. */
export type Owner = Pick<Tag, 'regime' | 'security' | 'vmid' | 'asid'> & {
  readonly holds: StagesHeld | undefined;
};

export function sameOwner(a: Owner, b: Owner): boolean {
  return sameRegime(a, b) && a.holds === b.holds && a.vmid === b.vmid && a.asid === b.asid;
}

/** Whether both are of one regime of one Security state. */
export function sameRegime(
  a: Pick<Tag, 'regime' | 'security'>,
  b: Pick<Tag, 'regime' | 'security'>,
): boolean {
  return a.regime === b.regime && a.security === b.security;
}

/**
 * The scope of an invalidation: the entries that have to go. A TLB may drop more. This one never does, so that a missing
 * invalidation shows. A property that is not given matches everything.
 */
export interface Scope {
  readonly regime: TranslationRegime;
  readonly security?: SecurityState;
  /** Secure stage 2: the IPA space. */
  readonly ipas?: PaSpace;
  /** `stage1`: entries with stage-1 information, including combined ones. `stage2`: entries with only stage 2. `both`: all. */
  readonly stages: 'stage1' | 'stage2' | 'both';
  readonly vmid?: number;
  readonly asid?: number;
  /** With `asid`: global leaves go too. True for TLBI VA*, but not for TLBI ASID*. */
  readonly global?: boolean;
  /** First and last input address, 56 bits. An entry goes if it overlaps them. */
  readonly from?: bigint;
  readonly last?: bigint;
  /** Only leaves go: the walk cache is kept. */
  readonly lastLevel?: boolean;
  /** Only entries from tables with this granule, and only leaves at this level (TG and TTL). */
  readonly granuleLog2?: number;
  readonly level?: number;
  /** nXS: entries whose XS attribute is 1 need not go. */
  readonly keepsXs?: boolean;
  /** VMALLWS2: entries that are writable-dirty at stage 2 become writable-clean, and none has to go. */
  readonly cleans?: boolean;
}

/** Operands have address bits [55:0]; the top byte of a tagged address is not compared. (D8.17.5.1 RJGGKN.) */
export const ADDRESS_BITS = 56;

/** Whether an entry is in a scope. `table`: it is a walk-cache entry, not a leaf. */
export function inScope(scope: Scope, tag: Tag, table: boolean): boolean {
  if (tag.regime !== scope.regime) return false;
  if (scope.security !== undefined && tag.security !== scope.security) return false;
  if (scope.ipas !== undefined && tag.ipas !== undefined && tag.ipas !== scope.ipas) return false;
  if (scope.keepsXs && tag.xs) return false;
  if (scope.stages !== 'both' && (scope.stages === 'stage2') !== (tag.holds === 'stage2')) return false;
  if (scope.vmid !== undefined && tag.vmid !== scope.vmid) return false;
  if (!asidInScope(scope, tag)) return false;
  if (scope.granuleLog2 !== undefined && tag.granuleLog2 !== scope.granuleLog2) return false;
  if (table && scope.lastLevel === true) return false;
  if (!levelInScope(scope, tag, table)) return false;
  const { from = 0n, last = (1n << BigInt(ADDRESS_BITS)) - 1n } = scope;
  const start = BigInt.asUintN(ADDRESS_BITS, tag.from);
  return start <= last && start + tag.size > from;
}

/** A level hint is about the leaf. Tables on the way to it, at levels before it, are in scope too. (RSQXYZ; IHI 0070 4.4.1.1.) */
export function levelInScope({ level }: Scope, tag: Tag, table: boolean): boolean {
  return level === undefined || (table ? tag.level < level : tag.level === level);
}

function asidInScope({ asid, global }: Scope, tag: Tag): boolean {
  if (asid === undefined || tag.asid === asid) return true;
  return tag.asid === undefined && global === true;
}
