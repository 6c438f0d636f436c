/** The hardware's word on a driver's operation: the walker must see exactly what was mapped, and nothing where it was unmapped. */
import { hex } from '../pagetable/errors.ts';
import type { Level } from '../pagetable/format.ts';
import type { Walker, WalkResult } from '../walker/index.ts';

/** Where an address leads whatever it may be used for: a read, or a write where only writing is allowed. */
export function walkAnyAccess(walker: Walker, iova: bigint): WalkResult {
  const read = walker.walk(iova, { access: 'read', trace: false });
  if (read.ok || read.fault.kind !== 'permission') return read;
  return walker.walk(iova, { access: 'write', trace: false });
}

/**
 * Walks `[iova, iova + size)` leaf by leaf and hole by hole.
 * @param levels - how much an entry of each level covers: a translation fault speaks for its whole entry.
 * @param pa - where the range must lead, or null if every byte must fault.
 * @returns what is wrong first, in words, or undefined.
 */
export function disagreement(
  walker: Walker,
  levels: readonly Level[],
  iova: bigint,
  size: bigint,
  pa: bigint | null,
): { want: string; got: string } | undefined {
  for (let at = 0n; at < size; ) {
    const walk = walkAnyAccess(walker, iova + at);
    const want =
      pa === null ? `IOVA ${hex(iova + at)} faults` : `IOVA ${hex(iova + at)} leads to ${hex(pa + at)}`;
    if (!walk.ok) {
      if (pa !== null) return { want, got: `a ${walk.fault.kind} fault at level ${walk.fault.level}` };
      const hole =
        1n << BigInt(levels.find(({ level }) => level === walk.fault.level)?.shift ?? SMALLEST_SHIFT);
      at += hole - ((iova + at) & (hole - 1n));
      continue;
    }
    if (pa === null || walk.pa !== pa + at) return { want, got: `it leads to ${hex(walk.pa)}` };
    at += walk.leafBase + walk.size - walk.pa;
  }
  return undefined;
}

const SMALLEST_SHIFT = 12;
