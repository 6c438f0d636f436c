/** The same list for each CPU page size and each granule: what would come of it, in a cell each. */
import { GRANULES } from '../study/combinations.ts';
import { type CpuPage, type Played, type Playground, play } from './playground.ts';

export interface Cell {
  readonly playground: Playground;
  readonly ok: boolean;
  /** Why not, in the library's words. */
  readonly why?: string;
  readonly descriptors: number;
  readonly tables: number;
  readonly overMapped: bigint;
  /** Shares of the mapped bytes by leaf size, the largest first. They add up to 1. */
  readonly shares: readonly { readonly size: bigint; readonly share: number }[];
}

/** Rows by CPU page size, columns by granule. */
export function matrixOf(playground: Playground): Cell[][] {
  return GRANULES.map((cpuPage: CpuPage) =>
    GRANULES.map((granule) => {
      const here = { ...playground, cpuPage, granule };
      return cellOf(here, play(here));
    }),
  );
}

function cellOf(playground: Playground, { error, plan, counts, leaves }: Played): Cell {
  const bytes = leaves.reduce((sum, { size, count }) => sum + Number(size) * count, 0);
  return {
    playground,
    ok: error === undefined,
    ...(error && { why: error.message }),
    descriptors: counts.leaves,
    tables: counts.tables,
    overMapped: error === undefined ? (plan?.overMapped ?? 0n) : 0n,
    shares: leaves.map(({ size, count }) => ({ size, share: (Number(size) * count) / bytes })),
  };
}
