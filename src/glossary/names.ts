/** Names as people type them: any case, with or without blanks, underscores, dots and ranges of bits. */

/** `AP[2:1]`, `ap` and `A P` alike. */
export function normalName(name: string): string {
  return name
    .replace(/\[[^\]]*\]?/g, '')
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '');
}

export function sameName(a: string, b: string): boolean {
  return normalName(a) === normalName(b);
}

/** How many letters must change, come or go to make one name of the other (Levenshtein); a swap of neighbours is one change. */
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
