/** Similarity of names, to suggest what an unknown name was meant to be. */

/** The number of letters to change, insert or delete to turn one name into the other (Levenshtein). Swapping neighbours counts as one change. */
export function distance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, before[j - 2]! + 1);
      }
      next.push(cost);
    }
    before = row;
    row = next;
  }
  return row[b.length]!;
}

/** The known name most similar to `name`, if at most a third of its letters differ. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const allowed = Math.max(1, Math.floor(name.length / 3));
  let best: string | undefined;
  let least = allowed + 1;
  for (const one of known) {
    // At least this many letters must be inserted or deleted.
    if (Math.abs(name.length - one.length) >= least) continue;
    const cost = distance(name.toLowerCase(), one.toLowerCase());
    if (cost < least) [best, least] = [one, cost];
  }
  return best;
}
