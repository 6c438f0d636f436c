/** Names of the axes of studies in charts. */
import { OFFERED } from '../study/combinations.ts';
import type { Compared } from '../study/compare.ts';
import { sizeText } from '../text/numbers.ts';
import { capitalised, listed } from '../text/sentence.ts';

/** The CPU page size of a workload's lists. */
export function cpuName({ workload }: Compared): string {
  return sizeText(workload.cpuPageSize);
}

/** `Stage 1.` */
export function sentence(text: string): string {
  return `${capitalised(text)}.`;
}

/** `4K, pages`, `4K, blocks and contiguous`, `4K, any sizes`. */
export function tablesText(granule: string, sizes: readonly string[]): string {
  return `${granule}, ${sizesText(sizes)}`;
}

/** `pages`, `any sizes`. */
export function sizesText(sizes: readonly string[]): string {
  return sizes.length === OFFERED.length ? 'any sizes' : listed(sizes);
}

/** The items that occur, in the order of `known`. */
export function occurring<T>(known: readonly T[], items: Iterable<T>): T[] {
  const met = new Set(items);
  return known.filter((one) => met.has(one));
}
