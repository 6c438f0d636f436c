/** Why an invalidation left an entry that it was probably meant for: what its operand says, and what the entry is tagged with. (DDI 0487 D8.17.5; IHI 0070 4.4.) */
import { securityName } from '../arch/security.ts';
import { hex } from '../memory/hex.ts';
import type { Scope } from '../tlb/index.ts';
import { ADDRESS_BITS, inScope, levelInScope, type Tag } from '../tlb/scope.ts';
import type { TableSpace } from './context.ts';
import { type CachedEntry, tagOf } from './entry.ts';

/** A property in which an operation and an entry differ. */
export interface Mismatch {
  readonly property:
    | 'regime'
    | 'IPA space'
    | 'stage'
    | 'VMID'
    | 'ASID'
    | 'granule'
    | 'level'
    | 'address'
    | 'last level';
  /** What the operation names, and what the entry has. */
  readonly operation: string;
  readonly entry: string;
}

/** An entry that an invalidation left, and why. */
export interface Miss {
  /** The first input address of the entry, and its level. */
  readonly ia: bigint;
  readonly level: number;
  readonly kind: 'table' | 'leaf';
  readonly why: readonly Mismatch[];
}

/** Of the entries that stay, the one that differs from the scope in the fewest properties. */
export function nearestMiss(
  scope: Scope,
  entries: Iterable<CachedEntry>,
  space: TableSpace,
): Miss | undefined {
  let best: Miss | undefined;
  for (const entry of entries) {
    const tag = tagOf(entry, space);
    if (inScope(scope, tag, entry.kind === 'table')) continue;
    const why = mismatches(scope, tag, entry.kind === 'table');
    if (best !== undefined && best.why.length <= why.length) continue;
    best = { ia: space.iaBase + BigInt(entry.ia), level: entry.level, kind: entry.kind, why };
  }
  return best;
}

const size = (log2: number) => `${2 ** (log2 - 10)}K`;
const STAGES = { stage1: 'stage 1', stage2: 'stage 2', both: 'both stages' } as const;

function mismatches(scope: Scope, tag: Tag, table: boolean): Mismatch[] {
  const found: Mismatch[] = [];
  const differs = (property: Mismatch['property'], operation: string, entry: string) =>
    found.push({ property, operation, entry });
  if (tag.regime !== scope.regime) differs('regime', scope.regime, tag.regime);
  if (scope.ipas !== undefined && tag.ipas !== undefined && tag.ipas !== scope.ipas)
    differs('IPA space', securityName(scope.ipas), securityName(tag.ipas));
  if (scope.stages !== 'both' && (scope.stages === 'stage2') !== (tag.holds === 'stage2'))
    differs('stage', STAGES[scope.stages], tag.holds === 'stage2' ? 'stage 2' : 'stage 1');
  if (scope.vmid !== undefined && tag.vmid !== scope.vmid)
    differs('VMID', String(scope.vmid), tag.vmid === undefined ? 'none' : String(tag.vmid));
  if (scope.asid !== undefined && tag.asid !== scope.asid && !(tag.asid === undefined && scope.global))
    differs('ASID', hex(scope.asid), tag.asid === undefined ? 'none: it is global' : hex(tag.asid));
  if (scope.granuleLog2 !== undefined && tag.granuleLog2 !== scope.granuleLog2)
    differs('granule', size(scope.granuleLog2), size(tag.granuleLog2));
  if (!levelInScope(scope, tag, table)) differs('level', String(scope.level), String(tag.level));
  if (table && scope.lastLevel) differs('last level', 'only leaves', 'a table descriptor');
  const { from = 0n, last = (1n << BigInt(ADDRESS_BITS)) - 1n } = scope;
  const start = BigInt.asUintN(ADDRESS_BITS, tag.from);
  if (start > last || start + tag.size <= from)
    differs('address', rangeText(from, last), rangeText(start, start + tag.size - 1n));
  return found;
}

function rangeText(first: bigint, last: bigint): string {
  return first === last ? hex(first) : `${hex(first)} to ${hex(last)}`;
}
