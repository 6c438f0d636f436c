/** What the axes of studies are called in charts. */
import { OFFERED, type StageChoice } from '../study/combinations.ts';
import type { Compared } from '../study/compare.ts';
import { sizeText } from '../text/numbers.ts';

/** `4K`. */
export function size(bytes: number): string {
  return sizeText(BigInt(bytes));
}

/** The CPU page size of lists. */
export function cpuName({ workload }: Compared): string {
  return size(workload.cpuPageSize);
}

/** `4K, 16K and 64K`. */
export function andText(names: readonly string[]): string {
  const last = names.at(-1) ?? '';
  return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} and ${last}`;
}

/** `Stage 1.` */
export function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
}

/** `stage 1`. */
export function stageText(stage: StageChoice): string {
  return { s1: 'stage 1', s2: 'stage 2', nested: 'nested' }[stage];
}

/** `4K, pages`, `4K, blocks and contiguous`, `4K, any sizes`. */
export function tablesText(granule: string, sizes: readonly string[]): string {
  return `${granule}, ${sizesText(sizes)}`;
}

/** `pages`, `any sizes`. */
export function sizesText(sizes: readonly string[]): string {
  return sizes.length === OFFERED.length ? 'any sizes' : andText(sizes);
}

/** Those that occur, in the order of `known`. */
export function occurring<T>(known: readonly T[], items: Iterable<T>): T[] {
  const met = new Set(items);
  return known.filter((one) => met.has(one));
}
