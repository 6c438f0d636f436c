/** Which writes an answer comes of that memory as it is does not give: the one that made what may be cached, and the one that replaced it. (IHI 0070 3.21.) */
import type { Answer, StreamTransaction } from '../caches/answers.ts';
import { FROM, STILL } from '../caches/timeline.ts';
import type { SmmuDevice } from '../device/device.ts';

/** Moments, or steps of a trace. */
export interface Origin {
  /** The write that made it; -1: it was there before. Undefined: it can't be told from others that came with it. */
  readonly written?: number;
  /** The write, or the change of a register, since which memory says something else. */
  readonly replaced: number;
}

/**
 * Undefined: of memory as it is. In moments.
 * @internal
 */
export function originOf(
  device: SmmuDevice,
  transaction: StreamTransaction,
  { mask, until }: Answer,
): Origin | undefined {
  const { changes } = device;
  if (mask === FROM.memory) return undefined;
  if (until === STILL) {
    // An older value that can still be read, or an entry that another stream makes of its own tables.
    const looked = device.wordsFor(transaction, changes.now);
    const older = [...changes.words.unobservable.keys()].filter((word) => looked.has(word));
    return lastWrite(device, older, changes.now);
  }
  const change = changes.at(until + 1);
  if (change.kind !== 'words') return { replaced: until + 1 };
  return lastWrite(device, among(change.words, device.wordsFor(transaction, until)), until);
}

/** Those that a transaction looks at; all of them where it is not known to look at any, as for tables of stage 2 behind those of stage 1. */
function among(words: ReadonlySet<number>, looked: ReadonlySet<number>): readonly number[] {
  const both = [...words].filter((word) => looked.has(word));
  return both.length > 0 ? both : [...words];
}

/** The last write to one of some words up to a moment, at which both its value and the one before could be read. */
function lastWrite(device: SmmuDevice, words: readonly number[], moment: number): Origin | undefined {
  const { words: history } = device.changes;
  let found: Origin | undefined;
  for (const word of words) {
    const writes = history.writesTo(word).filter((at) => at <= moment);
    const replaced = writes.at(-1);
    if (replaced === undefined || replaced <= (found?.replaced ?? -1)) continue;
    const two = history.readable(word, moment)?.length === 2;
    found = { replaced, ...(two && { written: writes.at(-2) ?? -1 }) };
  }
  return found;
}
