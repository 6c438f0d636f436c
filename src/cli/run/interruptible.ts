/** Long work that gives result after result: shows progress on a terminal, and Ctrl-C ends it with the results so far. */
import type { Output } from '../output.ts';
import { Progress } from '../progress.ts';

export interface Gathered<T> {
  readonly results: readonly T[];
  /** Whether results are missing, so that the exit code is `EXIT_INTERRUPTED`. */
  readonly interrupted: boolean;
}

/**
 * Gathers results until there are no more, or until SIGINT, which takes effect after the current result and is reported on stderr. A second SIGINT ends the
 * program.
 * @param total - how many results there will be.
 * @param what - their name in the plural: `combinations`.
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
