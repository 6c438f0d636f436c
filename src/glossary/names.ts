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
