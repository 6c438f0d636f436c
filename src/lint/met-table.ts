/** A table that the lint has visited. */
import type { PaSpace } from '../arch/security.ts';
import type { TableTree } from '../walker/index.ts';

/** A table that was visited. */
export interface MetTable {
  readonly tree: TableTree;
  readonly level: number;
  readonly base: number;
  /** The address space of its address. */
  readonly space: PaSpace;
  readonly bytes: number;
  /** Entries that lead to it, by their own addresses. */
  readonly parents: Set<number>;
  /** As in {@link TablePlace}, by the first path that led here. */
  readonly offset: number;
  valid: number;
}
