/** Binary search among sorted pieces that do not overlap. */

/** The index of the first piece that ends after `at`; the number of pieces if there is none. */
export function firstEndingAfter(pieces: readonly { readonly end: number }[], at: number): number {
  let [low, high] = [0, pieces.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (pieces[middle]!.end > at) high = middle;
    else low = middle + 1;
  }
  return low;
}
