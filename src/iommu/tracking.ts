/** Dirty state and access flags of a range of IOVAs: what was found, and why reading stopped (Linux's read_and_clear_dirty). */
import { readAndClear, type Tracked } from '../pagetable/dirty.ts';
import { hex, IommuError } from '../pagetable/errors.ts';
import type { PageTable } from '../pagetable/page-table.ts';
import { exact, wordOf } from './checks.ts';
import type { Address } from './word.ts';

/** A stretch of a range that was dirty (or accessed): whole leaves, neighbours joined, cut to the range. In bytes. */
export interface TrackedRange<A extends Address = bigint> {
  readonly iova: A;
  readonly size: A;
}

/** The result of reading dirty state. */
export interface TrackedReport<A extends Address = bigint> {
  /** Dirty stretches in ascending order, up to where it stopped. */
  readonly ranges: readonly TrackedRange<A>[];
  /** Why it stopped before the end of the range, or did not begin. */
  readonly stop?: IommuError;
}

/** The ranges of a report that did not stop. @throws IommuError: why it did. */
export function rangesOf<A extends Address>({ ranges, stop }: TrackedReport<A>): TrackedRange<A>[] {
  if (stop !== undefined) throw stop;
  return [...ranges];
}

/**
 * Reads `size` bytes from `iova` on, which is input address `ia` of the table, and resets them if `clear`.
 * @throws IommuError EINVAL unless `iova` and `size` are bigints of 0 to 64 bits or whole numbers below 2^53.
 */
export function trackedReport(
  table: PageTable,
  what: Tracked,
  ia: number,
  givenIova: Address,
  givenSize: Address,
  clear: boolean,
): TrackedReport<Address> {
  const [iova, size] = [wordOf('iova', givenIova), wordOf('size', givenSize)];
  const kind = (word: bigint): Address => (typeof givenIova === 'number' ? Number(word) : word);
  const { name, firstIova, ias } = table.format;
  const { tracking } = table.entries;
  if (tracking === undefined || (what === 'dirty' && !tracking.dirtyState)) {
    const [kept, how] =
      what === 'dirty'
        ? ['dirty state', "features: ['dirty_state'] or quirk arm_hd"]
        : ['hardware access flags', "features: ['access_flag']"];
    return stopped(`${name} was made without ${kept}; a format that has it takes ${how}`, iova, size);
  }
  if (size === 0n || ia >= table.iaEnd || exact(size) > table.iaEnd - ia) {
    return stopped(
      `[${hex(iova)}, +${hex(size)}) must be a range of at least one byte within the ${ias} bits of input address`,
      iova,
      size,
    );
  }
  const ranges = readAndClear(table, tracking, what, ia, exact(size), clear).map((one) => ({
    iova: kind(firstIova + BigInt(one.ia)),
    size: kind(BigInt(one.size)),
  }));
  if (table.failure === undefined) return { ranges };
  const hole = firstIova + BigInt(table.failure.ia);
  const why = `nothing is mapped at IOVA ${hex(hole)}, which lies within the requested range`;
  return { ranges, stop: new IommuError('EINVAL', why, { iova: hole, size }) };
}

function stopped(why: string, iova: bigint, size: bigint): TrackedReport {
  return { ranges: [], stop: new IommuError('EINVAL', why, { iova, size }) };
}
