/** Names as people type them: in any case, with or without spaces, underscores, dots and bit ranges. */

/** The normal form of a name: the same for `AP[2:1]`, `ap` and `A P`. */
export function normalName(name: string): string {
  return name
    .replace(/\[[^\]]*\]?/g, '')
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '');
}

export function sameName(a: string, b: string): boolean {
  return normalName(a) === normalName(b);
}
