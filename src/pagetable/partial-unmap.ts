/** The choice of what an unmap does with a leaf that holds more than what is to go, and why an unmap stops (DDI 0487 D8.16; Linux's io-pgtable-arm and generic_pt). */

/**
 * What becomes of a block or run of which only a part is to be unmapped. Each has its consequence for break-before-make (DDI 0487 D8.16.1):
 * - `split` (Linux 6.12): smaller leaves take its place, without the hole. A live leaf becomes a table (or a run its entries), a change
 *   of size: a PE or SMMU without FEAT_BBM level 2 must see it invalid first, and the neighbours fault meanwhile.
 * - `refuse` (Linux since 6.14): nothing is unmapped, and a reason is left. Nothing changes, so nothing needs breaking.
 * - `whole` (Linux's generic_pt): all of it goes, more than was asked. Valid to invalid is always legal; an invalidation follows.
 */
export const PARTIAL_UNMAP = ['split', 'refuse', 'whole'] as const;
/** What an unmap does with a block or run of which only a part is to go: `split` it, `refuse`, or unmap the `whole`. */
export type PartialUnmap = (typeof PARTIAL_UNMAP)[number];

/** Why an unmap stopped where it did. Addresses and sizes as exact numbers of bytes. */
export interface UnmapStop {
  readonly reason: 'hole' | 'partial' | 'memory' | 'range';
  readonly ia: number;
  /** With `partial`: the leaf that holds more than what was to go. */
  readonly leafIa?: number;
  readonly leafSize?: number;
}
