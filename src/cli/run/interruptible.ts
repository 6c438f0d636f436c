/** Work that comes result by result and may take long: progress on a terminal, and Ctrl-C ends it with what there is. */
import type { Output } from '../output.ts';
import { Progress } from '../progress.ts';

export interface Gathered<T> {
  readonly results: readonly T[];
  /** Some are missing: the exit code is `EXIT_INTERRUPTED`. */
  readonly interrupted: boolean;
}

/**
 * Gathers results until there are no more, or SIGINT, which counts after the result at hand, and is said on stderr. The second SIGINT ends the
 * program.
 * @param total - how many results there will be.
 * @param what - what they are called, many of them: `combinations`.
 */
export async function interruptible<T>(
  out: Output,
  work: AsyncIterable<T>,
  total: number,
  what: string,
): Promise<Gathered<T>> {
  const progress = new Progress(out.io.stderr, what, total);
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  process.once('SIGINT', interrupt);
  const results: T[] = [];
  try {
    for await (const result of work) {
      results.push(result);
      progress.at(results.length);
      if (stop.signal.aborted) break;
    }
  } finally {
    process.removeListener('SIGINT', interrupt);
    progress.end();
  }
  const interrupted = stop.signal.aborted && results.length < total;
  if (interrupted) out.note(`interrupted after ${results.length} of ${total} ${what}`);
  return { results, interrupted };
}
