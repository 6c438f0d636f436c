/**
 * Break-before-make: which changes of a translation table entry software may make in place, and which need an
 * invalid entry and an invalidation. (DDI 0487 D8.17.1 RWHZWS, D8.17.2 FEAT_BBM levels 0 to 2; IHI 0070 3.21.1.1 to 3.21.1.3.)
 */

import type { Machine } from '../tlb/conflict.ts';
import { bbmFields, type EntryFields, type EntryKind, type FieldsContext } from './fields.ts';

/** The kinds of change that the rules distinguish. */
export type BbmChange =
  | 'size'
  | 'oa'
  | 'memory'
  | 'global'
  | 'contiguous'
  | 'nt'
  | 'table'
  | 'hierarchy'
  | 'made_valid'
  | 'made_invalid'
  | 'other';

/** The place of the table entry, and the machine that reads it. */
export interface BbmContext extends FieldsContext {
  /** Default: `pe`. */
  readonly machine?: Machine;
  /** Hardware updates AF (TCR.HA), so entries with AF = 0 do not fault. Default: false. */
  readonly ha?: boolean;
  /** Memory at the old and the new output address has the same contents, and keeps them. Default: false. */
  readonly sameContents?: boolean;
  /**
   * Stage 1: APTable, UXNTable, PXNTable and NSTable of table descriptors count (TCR.HPDn = 0), and may not change in place.
   * (D8.4.1.2.2 IYQWJF.) Default: false.
   */
  readonly hierarchical?: boolean;
  /** The entries of the table that replaces a block, or is replaced by one: they must map the same. Default: not checked. */
  readonly table?: readonly bigint[];
}

/** Whether the change may be made in place, by which rule, and what else has to be done. */
export interface BbmVerdict {
  readonly legal: boolean;
  readonly changes: readonly BbmChange[];
  readonly rule: string;
  readonly section: string;
  /** Entries made from the old descriptor have to be invalidated: after a legal change, or in the middle of a break-before-make. */
  readonly invalidate: boolean;
  /** Legal, but the machine may report a TLB conflict until that invalidation. */
  readonly conflict: boolean;
}

/** The illegal changes, in the order in which a verdict names them. */
const ILLEGAL = {
  hierarchy: 'APTable, XNTable or NSTable changes, which affects every lookup level below',
  memory: 'memory type, shareability or cacheability changes',
  oa: 'the output address (or its physical address space) changes, and the mapping is writable or the contents differ',
  global: 'a global entry may overlap non-global ones in a TLB',
} as const;

/**
 * Judges the replacement of one descriptor by another at the same place, while the tables are in use.
 *
 * @param before - the old descriptor, and `after` the new one: 64 bits, of VMSAv8-64 (for AArch32 long descriptors use `bbml` 0).
 *
 * @example
 * bbm(0x8000_0701n, 0x4000_3003n, { stage: 1, level: 2, granuleLog2: 12, bbml: 1 }); // a block split without nT
 * // { legal: false, changes: ['size'], rule: 'the size changes without nT …', section: 'DDI 0487 D8.17.2', … }
 */
export function bbm(before: bigint, after: bigint, context: BbmContext): BbmVerdict {
  const [old, next] = [bbmFields(before, context), bbmFields(after, context)];
  const smmu = context.machine === 'smmu';
  const section = smmu ? 'IHI 0070 3.21.1.1' : 'DDI 0487 D8.17.1';
  const done = { legal: true, conflict: false } as const;
  if (before === after) return { ...done, changes: [], rule: 'nothing changes', section, invalidate: false };
  if (!cacheable(old, context)) {
    const rule = 'an entry that faults is never cached in a TLB';
    return { ...done, changes: ['made_valid'], rule, section: 'DDI 0487 D8.16', invalidate: false };
  }
  if (next.kind === 'invalid') {
    const rule = 'this is the break of a break-before-make';
    return { ...done, changes: ['made_invalid'], rule, section, invalidate: true };
  }
  return judgeChanges(changesBetween(old, next, context), old, next, context);
}

/** A leaf with its place: its level, and the first input address of its entry. */
export interface PlacedLeaf {
  readonly word: bigint;
  readonly level: number;
  readonly ia: bigint;
}

/**
 * Judges a new leaf while an older one, at another place, may still translate some of the same input addresses: a
 * page under a block that a TLB still holds, a block over its pages, or a neighbour in a contiguous run, which may be cached for
 * the whole run. Both are assumed to be cacheable.
 *
 * @param old - the older leaf, and `next` the new one. VMSAv8-64.
 */
export function bbmOverlap(
  old: PlacedLeaf,
  next: PlacedLeaf,
  context: Omit<BbmContext, 'level' | 'table'>,
): BbmVerdict {
  const [below, above] = [old, next].map((leaf) => bbmFields(leaf.word, { ...context, level: leaf.level }));
  // The old leaf's output, continued to the new one's first address.
  const there = { ...below!, oa: below!.oa + next.ia - old.ia };
  const found = changesBetween(there, above!, { ...context, level: next.level });
  if (old.level === next.level) return judgeChanges(found, there, above!, { ...context, level: next.level });
  const changes: BbmChange[] = ['size', ...found.filter(isPlain)];
  const [larger, smaller] = old.level < next.level ? [there, above!] : [above!, there];
  return judgeChanges(changes, larger, smaller, { ...context, level: Math.min(old.level, next.level) });
}

/** Whether leaves of different sizes can differ in this way. */
function isPlain(change: BbmChange): boolean {
  return change === 'memory' || change === 'oa' || change === 'global';
}

function judgeChanges(
  changes: readonly BbmChange[],
  old: EntryFields,
  next: EntryFields,
  context: BbmContext,
): BbmVerdict {
  const section = context.machine === 'smmu' ? 'IHI 0070 3.21.1.1' : 'DDI 0487 D8.17.1';
  for (const change of ['memory', 'oa', 'global', 'hierarchy'] as const) {
    if (!changes.includes(change)) continue;
    const where = change === 'hierarchy' ? 'DDI 0487 D8.4.1.2' : section;
    return {
      legal: false,
      changes,
      rule: ILLEGAL[change],
      section: where,
      invalidate: true,
      conflict: false,
    };
  }
  return judgeSize(changes, old, next, context);
}

/** RXCLRD: an entry that gives a translation or access flag fault is not cached. */
function cacheable({ kind, accessFlag }: EntryFields, { ha }: BbmContext): boolean {
  return kind === 'table' || (kind === 'leaf' && (accessFlag || ha === true));
}

/** Judges a change of size, with no other change that needs break-before-make. */
function judgeSize(
  changes: readonly BbmChange[],
  old: EntryFields,
  next: EntryFields,
  { bbml, machine }: BbmContext,
): BbmVerdict {
  const smmu = machine === 'smmu';
  const section = smmu ? `IHI 0070 3.21.1.${bbml + 1}` : 'DDI 0487 D8.17.2';
  const sized = changes.includes('size');
  const verdict = { changes, section, invalidate: true };
  if (!sized && !changes.includes('contiguous')) {
    const rule = changes.includes('table')
      ? 'the new table is assumed to map the same as the old one'
      : 'memory type, output address, size and global entries stay the same';
    return { ...verdict, legal: true, rule, conflict: false };
  }
  if (bbml === 0) {
    const rule = 'the size changes, and FEAT_BBM is not implemented';
    return { ...verdict, legal: false, rule, conflict: false };
  }
  if (!sized) return { ...verdict, legal: true, rule: 'only the Contiguous bit changes', conflict: !smmu };
  if (bbml === 2) {
    return { ...verdict, legal: true, rule: 'FEAT_BBM level 2: the size may change', conflict: !smmu };
  }
  // Level 1: nT keeps the block out of the TLB before it is split, or until the entries that it replaces are invalidated.
  const block = old.kind === 'leaf' ? old : next;
  if (block.nT) return { ...verdict, legal: true, rule: 'the size changes under nT', conflict: !smmu };
  const rule = 'the size changes without nT in the block, at FEAT_BBM level 1';
  return { ...verdict, legal: false, rule, conflict: false };
}

function changesBetween(old: EntryFields, next: EntryFields, context: BbmContext): BbmChange[] {
  const kinds: EntryKind[] = [old.kind, next.kind];
  if (kinds.includes('table')) {
    if (old.kind === next.kind) {
      if (context.hierarchical && old.hierarchy !== next.hierarchy) return ['hierarchy'];
      return old.oa === next.oa ? ['other'] : ['table'];
    }
    const [block, isOld] = old.kind === 'leaf' ? [old, true] : [next, false];
    return ['size', ...resized(block, isOld, context)];
  }
  const found: (BbmChange | false)[] = [
    old.memory !== next.memory && 'memory',
    oaChanges(old, next, context) && 'oa',
    !old.global && next.global && 'global',
    old.contiguous !== next.contiguous && 'contiguous',
    old.nT !== next.nT && 'nt',
  ];
  const changes = found.filter((change) => change !== false);
  return changes.length > 0 ? changes : ['other'];
}

/** How a block differs from the leaves of a table in its place. Invalid entries and tables are not judged. */
function resized(block: EntryFields, isOld: boolean, context: BbmContext): BbmChange[] {
  const below = { ...context, level: context.level + 1 };
  const found = new Set<BbmChange>();
  context.table?.forEach((word, i) => {
    const leaf = bbmFields(word, below);
    if (leaf.kind !== 'leaf') return;
    const part = { ...block, oa: block.oa + BigInt(i) * leaf.size };
    const [from, to] = isOld ? [part, leaf] : [leaf, part];
    for (const change of changesBetween(from, to, below)) if (isPlain(change)) found.add(change);
  });
  return [...found];
}

/** A PE lets a read-only mapping move to a copy. The SMMU's list has every change of the output address. */
function oaChanges(old: EntryFields, next: EntryFields, { sameContents, machine }: BbmContext): boolean {
  if (old.oa === next.oa && old.space === next.space) return false;
  return machine === 'smmu' || old.writable || next.writable || sameContents !== true;
}
