/**
 * The direct path of map_sg. It gathers physically adjacent entries into runs, as Linux's iommu_map_sg does, and writes the
 * descriptors of a run straight into the table that the last run ended in; only where that table ends, a larger page fits, or
 * something is in the way does it take the general path from the root. `mapSgByRange` is the plain loop that it must equal.
 */
import type { Prot } from './format.ts';
import type { PageTable } from './page-table.ts';
import { mapRange, unmapRange } from './range.ts';

/** Scatterlist columns: `count` entries, addresses and lengths as exact numbers of bytes. */
export interface SgColumns {
  readonly count: number;
  readonly addresses: Float64Array;
  readonly lengths: Float64Array;
}

/** What map_sg came to: bytes mapped, or an errno, the index of the entry that its run began with, and `table.failure`. */
export interface SgOutcome {
  readonly mapped: number;
  readonly errno: number;
  readonly entry: number;
}

const TWO_32 = 2 ** 32;

/** The reference: each run through the general path, from the root. Also the path of a format that has no direct one. */
export function mapSgByRange(table: PageTable, ia: number, sg: SgColumns, prot: Prot): SgOutcome {
  const { count, addresses, lengths } = sg;
  let mapped = 0;
  for (let i = 0; i < count; ) {
    const entry = i;
    const pa = addresses[i]!;
    let size = lengths[i++]!;
    while (i < count && addresses[i] === pa + size) size += lengths[i++]!;
    const errno = mapRange(table, ia + mapped, pa, size, prot);
    if (errno < 0) {
      unmapRange(table, ia, mapped);
      return { mapped: 0, errno, entry };
    }
    mapped += size;
  }
  return { mapped, errno: 0, entry: 0 };
}

/** The same, writing leaves through a cursor. Its answer, every bit of memory and the allocator's state equal the reference's. */
export function mapSg(table: PageTable, ia: number, sg: SgColumns, prot: Prot): SgOutcome {
  const { direct, wordsPerEntry } = table.entries;
  if (direct === undefined) return mapSgByRange(table, ia, sg, prot);
  const { count, addresses, lengths } = sg;
  const { oaEnd } = table;
  const bits = table.bitsOf(prot);

  // The cursor: the table that `ia + mapped` lies in, while every page of a run has this size. `room` is what is left of it, in bytes.
  let words: Uint32Array = new Uint32Array(0);
  let at = 0;
  let room = 0;
  let sizeLog2 = 0;
  let pageMask = 0;
  let perPage = 0;
  let largerSize = 0;
  let leafBits = bits[0]!;

  let mapped = 0;
  for (let i = 0; i < count; ) {
    const entry = i;
    const pa = addresses[i]!;
    let size = lengths[i++]!;
    while (i < count && addresses[i] === pa + size) size += lengths[i++]!;

    // No division and no remainder in here: doubles only add and compare, the rest is 32-bit integers.
    if (size <= room && size < largerSize && pa + size <= oaEnd && ((pa | size) & pageMask) === 0) {
      const pages = (size * perPage) | 0;
      if (direct.areEmpty(words, at, pages)) {
        direct.writeLeaves(words, at, pages, pa | 0, (pa / TWO_32) | 0, sizeLog2, leafBits);
        at += pages * wordsPerEntry;
        room -= size;
        mapped += size;
        continue;
      }
    }

    const errno = mapRange(table, ia + mapped, pa, size, prot);
    if (errno < 0) {
      unmapRange(table, ia, mapped);
      return { mapped: 0, errno, entry };
    }
    mapped += size;
    const place = size > 0 ? table.placeAfter(ia + mapped) : undefined;
    if (place === undefined) {
      room = 0;
      continue;
    }
    ({ words, at, room, sizeLog2 } = place);
    pageMask = 2 ** sizeLog2 - 1;
    perPage = 2 ** -sizeLog2;
    const larger = table.sizes.find((log2) => log2 > sizeLog2);
    largerSize = larger === undefined ? Number.POSITIVE_INFINITY : 2 ** larger;
    leafBits = bits[place.depth]!;
  }
  return { mapped, errno: 0, entry: 0 };
}
