/** Access flags and dirty state of a range, read and reset: Linux's read_and_clear_dirty (arm_lpae_read_and_clear_dirty) and its counterpart for the access flag. */
import { ERRNO } from './errors.ts';
import type { TrackingCodec } from './format.ts';
import { pow2 } from './page-size.ts';
import type { PageTable } from './page-table.ts';

/** A dirty (or accessed) stretch: its first input address and its bytes, as exact numbers. Adjacent leaves are joined. */
export interface Stretch {
  readonly ia: number;
  readonly size: number;
}

export type Tracked = 'dirty' | 'accessed';

/**
 * Reads which leaves of `[ia, ia + size)` are dirty (or accessed), and with `clear` makes them clean (or idle). A leaf is dirty as a whole,
 * and so is a contiguous run, of which hardware may mark any one entry (DDI 0487 D8.5.5, D8.7.1).
 * @returns the stretches, cut to the range. At a hole it stops, as Linux does, with `table.failure` set and everything before it cleared.
 */
export function readAndClear(
  table: PageTable,
  tracking: TrackingCodec,
  what: Tracked,
  ia: number,
  size: number,
  clear: boolean,
): Stretch[] {
  const found: { ia: number; size: number }[] = [];
  const end = ia + size;
  table.failure = undefined;
  for (let at = ia; at < end; ) {
    const leaf = findLeaf(table, at);
    if (leaf === undefined) {
      table.failure = { errno: ERRNO.EINVAL, ia: at, pa: 0, sizeLog2: 0, level: 0 };
      return found;
    }
    const { words, first, count, leafIa, leafEnd } = leaf;
    const { wordsPerEntry } = table.entries;
    let marked = false;
    for (let i = 0; i < count; i++) {
      const entry = first + i * wordsPerEntry;
      if (!(what === 'dirty' ? tracking.isDirty(words, entry) : tracking.isAccessed(words, entry))) continue;
      marked = true;
      if (!clear) break;
      if (what === 'dirty') tracking.setClean(words, entry);
      else tracking.setIdle(words, entry);
    }
    if (marked) add(found, Math.max(leafIa, ia), Math.min(leafEnd, end));
    at = leafEnd;
  }
  return found;
}

function add(found: { ia: number; size: number }[], from: number, end: number): void {
  const last = found.at(-1);
  if (last !== undefined && last.ia + last.size === from) last.size = end - last.ia;
  else found.push({ ia: from, size: end - from });
}

/** The entries of the leaf that translates `ia`: for a run, all of its entries. */
function findLeaf(table: PageTable, ia: number) {
  const leaf = table.lookup(ia);
  if (leaf === undefined) return undefined;
  const { level, sizeLog2, descriptorPa } = leaf;
  const count = 1 << (sizeLog2 - level.shift);
  const leafSize = pow2(sizeLog2);
  const leafIa = Math.floor(ia / leafSize) * leafSize;
  const at = table.region.wordIndex(descriptorPa);
  const first = table.runStart(at, table.indexOf(ia, level), sizeLog2 - level.shift);
  return { words: table.region.words(descriptorPa), first, count, leafIa, leafEnd: leafIa + leafSize };
}
