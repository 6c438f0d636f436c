/** Bits of descriptors flipped by hand: what the walker answers then, what lint says, and what a driver would have had to do. */
import { traitsOf } from '../arch/regimes.ts';
import { type BbmVerdict, bbm } from '../bbm/change.ts';
import type { Finding } from '../lint/findings.ts';
import { lint } from '../lint/index.ts';
import type { TreeEntry, TreeTable } from '../pagetable/tree.ts';
import { diffMeaning, type MeaningDifference } from '../space/diff-meaning.ts';
import { listSpace, type Space } from '../space/space.ts';
import type { Made } from './made.ts';
import { type Playground, play } from './playground.ts';
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
  readonly before: Made;
  readonly after: Made;
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
  /** Whether the change may be made while the tables are in use. Absent for descriptors of which break-before-make says nothing. */
  readonly verdict?: BbmVerdict;
}

/** The word at an address, if a table has one there. */
export function wordAt({ tables, domain }: Made, pa: bigint): Word | undefined {
  const bytes = wordBytes(domain);
  const table = tables.find(
    ({ pa: base, bytes: size }) => pa >= base && pa < base + BigInt(size) && pa % bytes === 0n,
  );
  if (table === undefined) return undefined;
  const value = bytes === 8n ? domain.memory.read64(pa) : domain.memory.read32(pa);
  if (typeof value === 'symbol') return undefined;
  const index = Number((pa - table.pa) / bytes);
  const entry = table.entries.find((one) => one.index === index);
  return { table, index, pa, value: BigInt(value), ...(entry && { entry }) };
}

/** Bytes of a descriptor. */
export function wordBytes({ format }: Made['domain']): bigint {
  return BigInt(4 * format.entries.wordsPerEntry);
}

/** Makes the tables of a question again, and flips bits in them. @param before - the answer to `asked`, if it is there. */
export function withFlips(asked: Playground, flips: readonly Flip[], before: Made = play(asked)): Flipped {
  return flippedIn(() => play(asked), flips, before);
}

/** Makes tables again, and flips bits in them. Flips outside the tables do nothing. @param before - the tables as they are. */
export function flippedIn(make: () => Made, flips: readonly Flip[], before: Made): Flipped {
  const after = make();
  const words = new Map<bigint, bigint>();
  for (const { pa, bit } of flips) {
    const word = wordAt(before, pa);
    if (word !== undefined) words.set(pa, (words.get(pa) ?? word.value) ^ (1n << BigInt(bit)));
  }
  for (const [pa, value] of words) {
    if (wordBytes(after.domain) === 8n) after.domain.memory.write64(pa, value);
    else after.domain.memory.write32(pa, Number(value));
  }
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

function findingsOf({ walker }: Made, { ranges }: Space): readonly Finding[] {
  return lint({ translator: walker, ranges }).findings;
}

/** A range that is cut in two has its finding in both parts. */
function isPartOf(finding: Finding, old: Finding): boolean {
  if (finding.rule !== old.rule || finding.message !== old.message) return false;
  if (finding.first === undefined || old.first === undefined) return finding.at === old.at;
  return finding.first >= old.first && (finding.last ?? finding.first) <= (old.last ?? old.first);
}

/** Judged for a PE of FEAT_BBM level 0, the strictest. */
function changedWord({ domain }: Made, word: Word, now: bigint): Changed {
  if (traitsOf(domain.registers.hardware.regime).architecture !== 'AArch64') return { word, now };
  const { stage, granuleLog2 } = domain.format;
  const context = {
    stage,
    level: word.table.level,
    granuleLog2: granuleLog2 as 12 | 14 | 16,
    bbml: 0,
  } as const;
  return { word, now, verdict: bbm(word.value, now, context) };
}
