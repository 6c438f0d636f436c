/** What an unmap does with a leaf that it covers only in part, and why an unmap stops (DDI 0487 D8.16; Linux's io-pgtable-arm and generic_pt). */

/**
 * What happens to a block or run when only a part of it is unmapped, and what that means for break-before-make (DDI 0487 D8.16.1):
 * - `split` (Linux 6.12): smaller leaves replace it, except for the hole. A live leaf becomes a table (or a run becomes single entries),
 *   which is a change of size: a PE or SMMU without FEAT_BBM level 2 must see it invalid first, and the neighbours fault meanwhile.
 * - `refuse` (Linux 7.3): nothing is unmapped, and the reason is reported. Nothing changes, so no break is needed.
 * - `whole` (Linux's generic_pt): the whole leaf is unmapped, which is more than was asked. Valid to invalid is always legal; an invalidation follows.
 */
export const PARTIAL_UNMAP = ['split', 'refuse', 'whole'] as const;
/** What an unmap does with a block or run that it covers only in part: `split` it, `refuse`, or unmap the `whole`. */
export type PartialUnmap = (typeof PARTIAL_UNMAP)[number];

/** Why an unmap stopped where it did. Addresses and sizes as exact numbers of bytes. */
export interface UnmapStop {
  readonly reason: 'hole' | 'partial' | 'memory' | 'range';
  readonly ia: number;
  /** With `partial`: the leaf that was covered only in part. */
  readonly leafIa?: number;
  readonly leafSize?: number;
}
