/** Of the advice on many combinations what is worth saying first: of each CPU page size and kind the piece that saves the largest share. */
import type { Advice } from './advice.ts';
import type { CombinationResult } from './compare.ts';

export interface BestAdvice {
  readonly advice: Advice;
  /** What it is given on. */
  readonly result: CombinationResult;
  /** Pieces of the same kind, on other combinations. */
  readonly others: number;
}

/** In the order in which the kinds are met. */
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

/** Of what was refused, else of leaves, else of tables. */
function share({ gain }: Advice, { refusedRequests, counts }: CombinationResult): number {
  if (refusedRequests > 0) return gain.refusedRequests / refusedRequests;
  return gain.leaves > 0 ? gain.leaves / counts.leaves : (gain.tables / counts.tables) * 0.01;
}
