/** A table as the lint remembers it. */
import type { PaSpace } from '../arch/security.ts';
import type { TableTree } from '../walker/index.ts';

/** A table that was met. */
export interface MetTable {
  readonly tree: TableTree;
  readonly level: number;
  readonly base: number;
  /** The address space of its address. */
  readonly space: PaSpace;
  readonly bytes: number;
  /** Entries that lead to it, by their own addresses. */
  readonly parents: Set<number>;
  /** As in {@link TablePlace}, of the first way that led to it. */
  readonly offset: number;
  valid: number;
}
