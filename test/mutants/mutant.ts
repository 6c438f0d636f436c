/** What a mutant is: one wrong behaviour, written into the sources as the replacement of a text, and the tests that must see it. */

export interface Mutant {
  /** Unique, in small letters with hyphens. */
  readonly name: string;
  /** Path from the root of the repository. */
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  /** One sentence: what is then wrong, and by which rule. */
  readonly breaks: string;
  /** Test files of which at least one must fail. */
  readonly tests: readonly string[];
}

/** The source with the mutant in it. @throws Error where its text does not occur exactly once. */
export function mutated(source: string, { name, file, find, replace }: Mutant): string {
  const parts = source.split(find);
  if (parts.length !== 2) {
    throw new Error(`${name}: its text occurs ${parts.length - 1} times in ${file}, not once`);
  }
  return parts.join(replace);
}
