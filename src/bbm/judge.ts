/**
 * Judges one write of a trace: compares what it makes reachable with everything that TLBs may still hold for the same
 * input addresses. (DDI 0487 D8.17.1 RWHZWS, D8.17.2; D8.7.1.1 for runs; IHI 0070 3.21.1.)
 */

import { contiguousEntries } from '../arch/descriptors/index.ts';
import type { Machine } from '../tlb/conflict.ts';
import { type BbmChange, type BbmVerdict, bbm, bbmOverlap } from './change.ts';
import type { TableSpace } from './context.ts';
import type { CachedEntry } from './entry.ts';
import type { PlaceChange, Reach } from './reach.ts';

export const MACHINES = ['pe', 'smmu'] as const satisfies readonly Machine[];
export const BBM_LEVELS = [0, 1, 2] as const;
/** A level of FEAT_BBM (ID_AA64MMFR2_EL1.BBM), or of SMMU_IDR3.BBML. */
export type BbmLevel = (typeof BBM_LEVELS)[number];

/** The changes of a single descriptor, and `reuse`: a stale table descriptor still leads to the written table; `unreachable`: no walk gets here. */
export type TraceChange = BbmChange | 'reuse' | 'unreachable';

/** The verdict for one machine at one FEAT_BBM level (ID_AA64MMFR2_EL1.BBM), or SMMU_IDR3.BBML. */
export interface Judgement {
  readonly machine: Machine;
  readonly bbml: BbmLevel;
  readonly legal: boolean;
  /** Legal, but the machine may report a TLB conflict until the invalidation that it needs. */
  readonly conflict: boolean;
  readonly rule: string;
  readonly section: string;
}

/** An older entry that a TLB may hold, and a new one for some of the same addresses that a walk finds. */
interface Pair {
  readonly old: CachedEntry;
  readonly next: CachedEntry;
  /** Whether the old one is not stale, but a neighbour in a contiguous run. */
  readonly neighbour: boolean;
}

export interface WriteJudgement {
  readonly changes: readonly TraceChange[];
  /** One for each machine and level, the PE first. */
  readonly judgements: readonly Judgement[];
  /** The stale entries that should have been invalidated before, for some FEAT_BBM level. */
  readonly against: readonly CachedEntry[];
}

const SECTION = { pe: 'DDI 0487 D8.17', smmu: 'IHI 0070 3.21.1' } as const;

/** The same verdict for every machine and level. */
function everywhere(legal: boolean, rule: string): Judgement[] {
  return MACHINES.flatMap((machine) =>
    BBM_LEVELS.map((bbml) => ({ machine, bbml, legal, conflict: false, rule, section: SECTION[machine] })),
  );
}

const UNREACHABLE = everywhere(true, 'no walk reaches this address');
const NOTHING = everywhere(true, 'nothing that hardware may cache changes');
const MADE_VALID = everywhere(true, 'no TLB holds an entry for these addresses');
const MADE_INVALID = everywhere(true, 'this is the break of a break-before-make');
const REUSE = everywhere(
  false,
  'a walk cache may still use the written table: the table descriptor that led here was not invalidated',
);

/** Judges a write by what it changed at each place where its table is used. `same`: the word was already there. */
export function judgeWrite(
  changed: readonly PlaceChange[],
  reach: Reach,
  space: TableSpace,
  same: boolean,
): WriteJudgement {
  if (same) return { changes: [], judgements: NOTHING, against: [] };
  if (changed.length === 0) return { changes: ['unreachable'], judgements: UNREACHABLE, against: [] };
  const made = changed.filter(({ live }) => live).flatMap((change) => change.made);
  const pairs = made.flatMap((next) => pairsOf(next, reach, space));
  const judged = judgePairs(pairs, space);
  const reused = changed.filter((change) => !change.live && change.made.length > 0);
  if (reused.length > 0) {
    const through = reused.flatMap(({ mount }) => [...mount.through]);
    return {
      changes: ['reuse', ...judged.changes],
      judgements: REUSE,
      against: [...through, ...judged.against],
    };
  }
  if (judged.changes.length > 0) return judged;
  if (made.length > 0) return { changes: ['made_valid'], judgements: MADE_VALID, against: [] };
  const lost = changed.some((change) => change.lost.length > 0);
  if (lost) return { changes: ['made_invalid'], judgements: MADE_INVALID, against: [] };
  return { changes: [], judgements: NOTHING, against: [] };
}

function pairsOf(next: CachedEntry, { stale }: Reach, space: TableSpace): Pair[] {
  const { kind, level, ia } = next;
  const older =
    kind === 'table'
      ? [...stale.at('table', level, ia), ...stale.at('leaf', level, ia)]
      : [...stale.at('table', level, ia), ...stale.leavesOver(next)];
  const pairs = older.filter((old) => old !== next).map((old) => ({ old, next, neighbour: false }));
  if (kind === 'table') return pairs;
  return [...pairs, ...neighbours(next, space).map((old) => ({ old, next, neighbour: true }))];
}

/** The other leaves of the same run, if either has its Contiguous bit set. */
function neighbours({ mount, ia, level, size, contiguous }: CachedEntry, space: TableSpace): CachedEntry[] {
  const run = contiguousEntries(space.granuleLog2, level);
  const index = (ia - mount.ia) / size;
  const first = index - (index % run);
  const found: CachedEntry[] = [];
  for (let at = first; run > 1 && at < first + run; at++) {
    const other = at === index ? undefined : mount.held.get(at);
    if (other?.kind === 'leaf' && (other.contiguous || contiguous)) found.push(other);
  }
  return found;
}

/** Without changes the new entry equals what a TLB may still hold at the same place, or nothing is held. */
function judgePairs(pairs: readonly Pair[], space: TableSpace): WriteJudgement {
  const changes = new Set<TraceChange>();
  const against = new Set<CachedEntry>();
  const judgements: Judgement[] = [];
  for (const machine of MACHINES) {
    for (const bbml of BBM_LEVELS) {
      let worst: BbmVerdict | undefined;
      for (const pair of pairs) {
        const verdict = judgePair(pair, machine, bbml, space);
        for (const change of verdict.changes) changes.add(change);
        if (!verdict.legal && !pair.neighbour) against.add(pair.old);
        if (worst === undefined || badness(verdict) > badness(worst)) worst = verdict;
      }
      if (worst === undefined) continue;
      const { legal, conflict, rule, section } = worst;
      judgements.push({ machine, bbml, legal, conflict, rule, section });
    }
  }
  return { changes: [...changes], judgements, against: [...against] };
}

function badness({ legal, conflict, changes }: BbmVerdict): number {
  if (!legal) return 3;
  if (conflict) return 2;
  return changes.length > 0 ? 1 : 0;
}

function judgePair(
  { old, next, neighbour }: Pair,
  machine: Machine,
  bbml: BbmLevel,
  space: TableSpace,
): BbmVerdict {
  const context = { ...space, machine, bbml };
  if (old.level === next.level && old.ia === next.ia)
    return bbm(old.word, next.word, { ...context, level: old.level });
  const { iaBase } = space;
  const placed = ({ word, level, ia }: CachedEntry) => ({ word, level, ia: iaBase + BigInt(ia) });
  const verdict = bbmOverlap(placed(old), placed(next), context);
  if (!neighbour) return verdict;
  // Permissions of neighbours may differ temporarily: a TLB answers with either of them.
  const told = verdict.changes.filter((change) => change !== 'other' && change !== 'nt');
  if (verdict.legal) return { ...verdict, changes: told };
  const section = machine === 'pe' ? 'DDI 0487 D8.7.1.1' : verdict.section;
  return {
    ...verdict,
    changes: told,
    rule: `${verdict.rule}; a neighbour's Contiguous bit covers this entry`,
    section,
  };
}
