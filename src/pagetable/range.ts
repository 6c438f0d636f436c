/** Ranges of any size over a page table: Linux's __iommu_map and __iommu_unmap, with their page-size choice and unwinding. */
import { ERRNO } from './errors.ts';
import { choosePageSize, isAligned, type PageChoice, pow2 } from './page-size.ts';
import type { PageTable } from './page-table.ts';
import type { ProtBits } from './prot-bits.ts';
import { unmapPage, unmapPages } from './unmap.ts';

const choice: PageChoice = { sizeLog2: 0, count: 0 };

/**
 * Maps `[ia, ia + size)` to `[pa, pa + size)`, exact numbers of bytes. On failure, everything this call had mapped is unmapped
 * again; the tables it made stay, empty, as in Linux.
 * @returns 0, or a negative errno with `table.failure` set.
 */
export function mapRange(table: PageTable, ia: number, pa: number, size: number, prot: ProtBits): number {
  const smallest = table.sizes[0];
  if (
    smallest === undefined ||
    !isAligned(ia, smallest) ||
    !isAligned(pa, smallest) ||
    !isAligned(size, smallest)
  ) {
    const { level } = table.levels.at(-1)!;
    table.failure = { errno: ERRNO.EINVAL, ia, pa, sizeLog2: smallest ?? 0, level };
    return ERRNO.EINVAL;
  }
  for (let done = 0; done < size; ) {
    choosePageSize(table.sizes, ia + done, pa + done, size - done, choice);
    const { sizeLog2 } = choice;
    const pages = table.mapPages(ia + done, pa + done, sizeLog2, choice.count, prot);
    if (pages < 0) {
      unmapRange(table, ia, done);
      return pages;
    }
    done += pages * pow2(sizeLog2);
  }
  return 0;
}

/**
 * Unmaps from `ia` on until `size` bytes are done or it meets a hole. Page sizes follow from the IA's alignment alone, so
 * whole tables are freed where possible. Address and size must be multiples of the smallest page.
 * @returns bytes unmapped from `ia` on: 0 for an unaligned request, more than `size` if a whole leaf was unmapped.
 */
export function unmapRange(table: PageTable, ia: number, size: number): number {
  table.unmapStop = undefined;
  table.unmapFrom = ia;
  const smallest = table.sizes[0];
  if (smallest === undefined || !isAligned(ia, smallest) || !isAligned(size, smallest)) return 0;
  if (size === pow2(smallest)) return unmapPage(table, ia);
  let done = 0;
  while (done < size) {
    choosePageSize(table.sizes, ia + done, ia + done, size - done, choice);
    const bytes = unmapPages(table, ia + done, choice.sizeLog2, choice.count);
    if (bytes === 0) break;
    done += bytes;
  }
  return done;
}
