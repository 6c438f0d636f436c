/** Bits of descriptors flipped by hand: what the walker answers then, what lint says, and what a driver would have had to do. */
import { type BbmVerdict, bbm } from '../bbm/change.ts';
import type { Finding } from '../lint/findings.ts';
import { lint } from '../lint/index.ts';
import type { TreeEntry, TreeTable } from '../pagetable/tree.ts';
import { diffMeaning, type MeaningDifference } from '../space/diff-meaning.ts';
import { listSpace, type Space } from '../space/space.ts';
import { type Played, type Playground, play } from './playground.ts';
import type { Flip } from './share.ts';

/** A word of a table, in use or not. */
export interface Word {
  readonly table: TreeTable;
  readonly index: number;
  readonly pa: bigint;
  readonly value: bigint;
  /** Absent for an entry that is invalid. */
  readonly entry?: TreeEntry;
}

/** The tables with bits flipped, beside what they were. */
export interface Flipped {
  readonly before: Played;
  readonly after: Played;
  readonly space: Space;
  readonly differences: readonly MeaningDifference[];
  /** What lint finds that it did not find before. */
  readonly findings: readonly Finding[];
  readonly changed: readonly Changed[];
}

/** One word that was changed. */
export interface Changed {
  readonly word: Word;
  readonly now: bigint;
  /** Whether the change may be made while the tables are in use. */
  readonly verdict: BbmVerdict;
}

const WORD = 8n;

/** The word at an address, if a table has one there. */
export function wordAt({ tables, domain }: Played, pa: bigint): Word | undefined {
  const table = tables.find(
    ({ pa: base, bytes }) => pa >= base && pa < base + BigInt(bytes) && pa % WORD === 0n,
  );
  if (table === undefined) return undefined;
  const value = domain.memory.read64(pa);
  if (typeof value !== 'bigint') return undefined;
  const index = Number((pa - table.pa) / WORD);
  const entry = table.entries.find((one) => one.index === index);
  return { table, index, pa, value, ...(entry && { entry }) };
}

/** Makes the tables again, and flips bits in them. Flips outside the tables do nothing. @param before - the answer to `asked`, if it is there. */
export function withFlips(asked: Playground, flips: readonly Flip[], before = play(asked)): Flipped {
  const after = play(asked);
  const words = new Map<bigint, bigint>();
  for (const { pa, bit } of flips) {
    const word = wordAt(before, pa);
    if (word !== undefined) words.set(pa, (words.get(pa) ?? word.value) ^ (1n << BigInt(bit)));
  }
  for (const [pa, value] of words) after.domain.memory.write64(pa, value);
  const space = listSpace(after.walker);
  const { regime } = after.walker;
  const known = findingsOf(before, before.space);
  return {
    before,
    after,
    space,
    differences: diffMeaning(before.space.ranges, space.ranges, { regimes: [regime, regime], sizes: true }),
    findings: findingsOf(after, space).filter((finding) => !known.some((old) => isPartOf(finding, old))),
    changed: [...words].map(([pa, now]) => changedWord(before, wordAt(before, pa)!, now)),
  };
}

function findingsOf({ walker }: Played, { ranges }: Space): readonly Finding[] {
  return lint({ translator: walker, ranges }).findings;
}

/** A range that is cut in two has its finding in both parts. */
function isPartOf(finding: Finding, old: Finding): boolean {
  if (finding.rule !== old.rule || finding.message !== old.message) return false;
  if (finding.first === undefined || old.first === undefined) return finding.at === old.at;
  return finding.first >= old.first && (finding.last ?? finding.first) <= (old.last ?? old.first);
}

/** Judged for a PE of FEAT_BBM level 0, the strictest. */
function changedWord({ domain }: Played, word: Word, now: bigint): Changed {
  const { stage, granuleLog2 } = domain.format;
  const context = {
    stage,
    level: word.table.level,
    granuleLog2: granuleLog2 as 12 | 14 | 16,
    bbml: 0,
  } as const;
  return { word, now, verdict: bbm(word.value, now, context) };
}
