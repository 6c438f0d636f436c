/**
 * What an access changes in an image's memory (hardware updates of the access flag and dirty state, DDI 0487 D8.5): recorded, undone,
 * and compared with what a golden image wants.
 */
import { STAGE2_LEAF } from '../arch/descriptors/index.ts';
import { maskOf, place } from '../arch/read.ts';
import type { Answer } from '../machine/machine.ts';
import type { PhysicalMemory } from '../memory/index.ts';
import { hex } from '../pagetable/errors.ts';
import type { Update } from './image-file.ts';

/** A 64-bit word that an access changed. */
export interface Change {
  readonly pa: bigint;
  readonly before: bigint;
  readonly after: bigint;
}

/** An answer, and what the access changed in memory, in ascending order of PA. */
export interface Answered {
  readonly answer: Answer;
  readonly changes: readonly Change[];
}

/** Answers a question, then undoes its changes to memory, so that the next question finds the memory as it was. */
export type AskAndRestore = (ask: () => Answer) => Answered;

/** Watches a memory from now on. Later readers must not use views of it from before. */
export function restoring(memory: PhysicalMemory): AskAndRestore {
  // The previous value of each word for which a view was requested for writing.
  const before = new Map<bigint, bigint>();
  const read = (pa: bigint) => memory.read64(pa) as bigint;
  for (const region of memory.regions) {
    const { peek, words } = region;
    region.watch(peek, (pa) => {
      const word = BigInt(pa - (pa % 8));
      if (!before.has(word)) before.set(word, read(word));
      return words.call(region, pa);
    });
  }
  return (ask) => {
    before.clear();
    const answer = ask();
    const changes = [...before]
      .map(([pa, word]) => ({ pa, before: word, after: read(pa) }))
      .filter((change) => change.before !== change.after)
      .sort((a, b) => (a.pa < b.pa ? -1 : 1));
    for (const change of changes) memory.write64(change.pa, change.before);
    return { answer, changes };
  };
}

/**
 * Whether the changes are exactly the wanted ones. One freedom remains: for a page of stage-1 tables that the walk only
 * read, stage 2 may or may not record that it is dirty. (D8.5, R_JCXVS.)
 */
export function areUpdates(wanted: readonly Update[], { answer, changes }: Answered): boolean {
  const words = new Map(wanted.map(({ pa, word }) => [pa, word]));
  const changed = new Set(changes.map(({ pa }) => pa));
  const either = tablePages(answer, wanted);
  const same = (pa: bigint, one: bigint, other: bigint) =>
    one === other || (either.has(pa) && dirtied(one) === dirtied(other));
  return (
    changes.every(({ pa, before, after }) => same(pa, words.get(pa) ?? before, after)) &&
    wanted.every(({ pa, word }) => changed.has(pa) || same(pa, word, either.get(pa) ?? 0n))
  );
}

const DBM = maskOf(STAGE2_LEAF.fields.DBM);
const S2AP_WRITE = place(STAGE2_LEAF.fields.S2AP, 0b10);

/** A stage-2 leaf, with writable-clean made writable-dirty. */
function dirtied(descriptor: bigint): bigint {
  return descriptor & DBM ? descriptor | S2AP_WRITE : descriptor;
}

/** The stage-2 leaves that lead to stage-1 tables in which nothing is updated: the PA of each, and its value as it was read. */
function tablePages({ steps }: Answer, wanted: readonly Update[]): Map<bigint, bigint> {
  const stage2 = steps.filter(({ stage }) => stage === 2);
  const stage1Updates = wanted.filter(({ pa }) => !stage2.some(({ address }) => address === pa));
  const pages = new Map<bigint, bigint>();
  for (const { s1Level, kind, address, descriptor, output = 0n, size } of stage2) {
    if (s1Level === undefined || (kind !== 'block' && kind !== 'page')) continue;
    const isWritten = stage1Updates.some(({ pa }) => pa >= output && pa < output + size);
    if (!isWritten && descriptor !== undefined) pages.set(address, descriptor);
  }
  return pages;
}

/** `0x40001000 becomes 0x60000000000f43`, one a word; `none`. */
export function updatesText(updates: readonly Update[]): string {
  return updates.map(({ pa, word }) => `${hex(pa)} becomes ${hex(word)}`).join(', ') || 'none';
}
