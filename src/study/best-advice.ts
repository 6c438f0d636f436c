/** Picks the advice to show first from many combinations: for each CPU page size and kind, the piece that saves the largest share. */
import type { Advice } from './advice.ts';
import type { CombinationResult } from './compare.ts';

export interface BestAdvice {
  readonly advice: Advice;
  /** The result that it is about. */
  readonly result: CombinationResult;
  /** How many other combinations have advice of the same kind. */
  readonly others: number;
}

/** In the order in which the kinds first appear. */
export function bestAdvice(results: readonly CombinationResult[]): BestAdvice[] {
  const best = new Map<string, BestAdvice>();
  for (const result of results) {
    for (const advice of result.advice) {
      const key = `${result.combination.cpuPageSize} ${advice.kind}`;
      const known = best.get(key);
      if (known === undefined) best.set(key, { advice, result, others: 0 });
      else if (share(advice, result) > share(known.advice, known.result)) {
        best.set(key, { advice, result, others: known.others + 1 });
      } else best.set(key, { ...known, others: known.others + 1 });
    }
  }
  return [...best.values()];
}

/** The share saved: of refused requests if any, or else of leaves, or else of tables. */
function share({ gain }: Advice, { refusedRequests, counts }: CombinationResult): number {
  if (refusedRequests > 0) return gain.refusedRequests / refusedRequests;
  return gain.leaves > 0 ? gain.leaves / counts.leaves : (gain.tables / counts.tables) * 0.01;
}
