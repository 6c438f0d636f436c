/**
 * The direct path of map_sg. It gathers physically adjacent entries into runs, as Linux's iommu_map_sg does, and writes the
 * descriptors of a run straight into the table where the last run ended. It takes the general path from the root only where that
 * table ends, a larger page fits, or an entry is not empty. `mapSgByRange` is the plain loop without this shortcut; both must give the same result.
 */
import type { DirectCodec, LeafBits } from './format.ts';
import type { PageTable, Place } from './page-table.ts';
import type { ProtBits } from './prot-bits.ts';
import { mapRange, unmapRange } from './range.ts';

/** Scatterlist columns: `count` entries, addresses and lengths as exact numbers of bytes. */
export interface SgColumns {
  readonly count: number;
  readonly addresses: Float64Array;
  readonly lengths: Float64Array;
}

/** The result of map_sg: bytes mapped, or an errno with the index of the first entry of the failed run. `table.failure` has the details. */
export interface SgOutcome {
  readonly mapped: number;
  readonly errno: number;
  readonly entry: number;
}

/** A division, even by a power of two, costs more than all other work for an entry. */
const PER_TWO_32 = 2 ** -32;

/** The reference: each run through the general path, from the root. Formats without a direct codec always take it. */
export function mapSgByRange(table: PageTable, ia: number, sg: SgColumns, prot: ProtBits): SgOutcome {
  return mapRuns(table, ia, sg, prot, undefined);
}

/** The same, writing leaves through a cursor. The answer, every bit of memory and the allocator's state equal those of the reference. */
export function mapSg(table: PageTable, ia: number, sg: SgColumns, prot: ProtBits): SgOutcome {
  return mapRuns(table, ia, sg, prot, table.entries.direct);
}

/** Maps run after run. With a direct codec, runs that follow in the same table are written straight into it. */
function mapRuns(
  table: PageTable,
  ia: number,
  sg: SgColumns,
  prot: ProtBits,
  direct: DirectCodec | undefined,
): SgOutcome {
  const { count, addresses, lengths } = sg;
  let mapped = 0;
  for (let i = 0; i < count; ) {
    const entry = i;
    const pa = addresses[i]!;
    let size = lengths[i++]!;
    while (i < count && addresses[i] === pa + size) size += lengths[i++]!;
    if (size === 0) continue;
    const errno = mapRange(table, ia + mapped, pa, size, prot);
    if (errno < 0) {
      unmapRange(table, ia, mapped);
      return { mapped: 0, errno, entry };
    }
    mapped += size;
    const place = direct && i < count ? table.placeAfter(ia + mapped) : undefined;
    if (direct === undefined || place === undefined) continue;
    const { room } = place;
    i = fillTable(direct, table, place, prot.leaves[place.size]!, sg, i);
    mapped += room - place.room;
  }
  return { mapped, errno: 0, entry: 0 };
}

/**
 * Writes run after run into the table that `place` is in, as long as each is made of pages of its size, fits, and finds empty entries.
 * These are the hot loops. Each has its own function so that its numbers keep their machine types: no division and no remainder,
 * doubles only add, multiply and compare, everything else is 32-bit integers. (Measured: one division per entry costs as much as
 * the rest, and one call per entry as much again. Entries of one page each are checked and then written without either.)
 * @param place - is updated: its `at` and `room` are what is left.
 * @returns index of the first entry that was not written.
 */
function fillTable(
  direct: DirectCodec,
  table: PageTable,
  place: Place,
  bits: LeafBits,
  sg: SgColumns,
  from: number,
): number {
  const { count, addresses, lengths } = sg;
  const { words, isFresh } = place;
  const { runLog2 } = bits;
  const sizeLog2 = bits.shift + runLog2;
  const wordsPerEntry = table.entries.wordsPerEntry << runLog2;
  const oaEnd = table.oaEnd;
  const pageSize = 1 << sizeLog2;
  const pageMask = pageSize - 1;
  const perPage = 1 / pageSize;
  let at = place.at;
  let room = place.room;
  let i = from;
  while (i < count) {
    if (runLog2 === 0) {
      const single = singlePages(sg, i, (room * perPage) | 0, pageSize, oaEnd);
      if (single > 0 && (isFresh || direct.areEmpty(words, at, single))) {
        direct.writePages(words, at, single, addresses, i, bits);
        at += single * wordsPerEntry;
        room -= single * pageSize;
        i += single;
        continue;
      }
    }
    const pa = addresses[i]!;
    let size = lengths[i]!;
    let next = i + 1;
    while (next < count && addresses[next] === pa + size) size += lengths[next++]!;
    // This table has no room for a page of the next larger size.
    if (size > room || size === 0 || pa + size > oaEnd || ((pa | size) & pageMask) !== 0) break;
    const pages = (size * perPage) | 0;
    if (!isFresh && !direct.areEmpty(words, at, pages << runLog2)) break;
    direct.writeLeaves(words, at, pages, pa | 0, (pa * PER_TWO_32) | 0, bits);
    at += pages * wordsPerEntry;
    room -= size;
    i = next;
  }
  place.at = at;
  place.room = room;
  return i;
}

/** How many entries from `from` on, at most `most`, are one aligned page each, and end with the run that they are in. */
function singlePages(
  { count, addresses, lengths }: SgColumns,
  from: number,
  most: number,
  pageSize: number,
  oaEnd: number,
): number {
  const end = from + most < count ? from + most : count;
  const pageMask = pageSize - 1;
  const lastPa = oaEnd - pageSize;
  let i = from;
  for (; i < end; i++) {
    const pa = addresses[i]!;
    if (lengths[i] !== pageSize || (pa & pageMask) !== 0 || pa > lastPa) break;
  }
  // If the run continues, leave it to the general path, which may choose another size or refuse all of it.
  if (i < count) while (i > from && addresses[i] === addresses[i - 1]! + pageSize) i--;
  return i - from;
}
