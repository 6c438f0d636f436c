/** In the place of what talks to a running machine, which a page can't. */
import { usageError } from '../../io.ts';

export function liveTarget(address: string): never {
  throw usageError(`${address}: a page can't talk to a running machine`, 'lpae in a terminal can');
}
