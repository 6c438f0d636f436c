/**
 * TLB conflicts: two entries for one address, because something was changed without the invalidation it needs, and how
 * the architecture lets a machine react. (DDI 0487 D8.15.1.6, D8.17.1, D8.17.2; IHI 0070 3.21.1, 7.3.17.)
 */
import type { TlbEntry } from './entry.ts';
import { sameRegime } from './scope.ts';

/** The owner of a TLB: an SMMU promises more than a PE. */
export type Machine = 'pe' | 'smmu';

/** How two entries for one address differ. */
export type EntryDifference = 'size' | 'contiguous' | 'oa' | 'memory' | 'permissions' | 'global';

/** The permitted results of a lookup that hits two entries. One of the two translations is always permitted. */
export interface ConflictVerdict {
  /** A TLB conflict abort (fault status 0b110000), or F_TLB_CONFLICT for an SMMU. */
  readonly abort: boolean;
  /** A mixture of both entries. */
  readonly amalgamation: boolean;
  readonly section: string;
}

/** Two entries that one access would hit, and the permitted results. (DDI 0487 D8.15.1.6; IHI 0070 3.21.1.) */
export interface TlbConflict extends ConflictVerdict {
  /** The older entry first. */
  readonly entries: readonly [TlbEntry, TlbEntry];
  /** The first input address that both translate. */
  readonly ia: bigint;
  readonly differences: readonly EntryDifference[];
}

/** What a machine with FEAT_BBM level `bbml` (SMMU_IDR3.BBML) may do with entries that differ like this. */
export function judgeConflict(
  differences: readonly EntryDifference[],
  bbml: 0 | 1 | 2,
  machine: Machine,
): ConflictVerdict {
  const only = (...allowed: EntryDifference[]) =>
    differences.every((difference) => allowed.includes(difference));
  const sizeAlone = bbml === 2 && only('size', 'contiguous');
  const contiguousAlone = bbml >= 1 && only('contiguous');
  if (machine === 'smmu') {
    const resolved = sizeAlone || contiguousAlone;
    const section = `IHI 0070 3.21.1.${resolved ? bbml + 1 : 1}`;
    return { abort: !resolved, amalgamation: !resolved, section };
  }
  // A PE keeps coherency here, but may demand the missing invalidation by a TLB conflict abort.
  if (sizeAlone || contiguousAlone) return { abort: true, amalgamation: false, section: 'DDI 0487 D8.17.2' };
  return { abort: true, amalgamation: true, section: 'DDI 0487 D8.17.1' };
}

/** How two entries for a common address differ. */
export function entryDifferences(a: TlbEntry, b: TlbEntry): EntryDifference[] {
  const [s, t] = [a.translation, b.translation];
  const same = (x: unknown, y: unknown) => JSON.stringify(x) === JSON.stringify(y);
  const memory = same(s.attributes, t.attributes) && s.shareability === t.shareability;
  const found: (EntryDifference | false)[] = [
    s.size !== t.size && 'size',
    s.size === t.size && s.contiguous !== t.contiguous && 'contiguous',
    a.oaBase - a.base !== b.oaBase - b.base && 'oa',
    !memory && 'memory',
    !same(s.permissions, t.permissions) && 'permissions',
    (a.tag.asid === undefined) !== (b.tag.asid === undefined) && 'global',
  ];
  return found.filter((difference) => difference !== false);
}

/** The conflict of two entries, or undefined if no access can hit both. */
export function conflictOf(older: TlbEntry, newer: TlbEntry, machine: Machine): TlbConflict | undefined {
  const [s, t] = [older.tag, newer.tag];
  const sameAsid = s.asid === undefined || t.asid === undefined || s.asid === t.asid;
  const sameSpace =
    (s.holds === 'stage2') === (t.holds === 'stage2') && sameRegime(s, t) && s.vmid === t.vmid;
  const sameView =
    older.side === newer.side && older.upper === newer.upper && older.context.dacr === newer.context.dacr;
  if (!sameAsid || !sameSpace || !sameView) return undefined;
  const ia = older.base > newer.base ? older.base : newer.base;
  if (ia >= older.base + older.size || ia >= newer.base + newer.size) return undefined;
  const differences = entryDifferences(older, newer);
  const verdict = judgeConflict(differences, newer.context.cpu.bbm, machine);
  return { entries: [older, newer], ia, differences, ...verdict };
}
