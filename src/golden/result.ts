/** What running one golden file answers, whatever its kind. */

/** One thing that is not as the file says: where, what was wanted, what was got. */
export interface Difference {
  /** A path a reader can find in the file: `ops[3].ret`, `tables level 2 entry 511 AF`, `translations[7]`. */
  readonly where: string;
  readonly want: string;
  readonly got: string;
  /** Of a known difference from Linux: what it does there, as a sentence with the place. */
  readonly known?: string;
}

/** The outcome of one golden file: it agrees when `differences` is empty. */
export interface GoldenResult {
  readonly name: string;
  /** How many facts of the file were compared: operations, registers, descriptors, translations. */
  readonly checked: number;
  readonly differences: readonly Difference[];
  /** Of an image: members of its rows that were compared. */
  readonly claims?: number;
  /** What the file says that nothing was compared with, in words. */
  readonly notes?: readonly string[];
  /** What hardware of the size that the tables were made for can't do with them. */
  readonly warnings?: readonly string[];
}

/** How much of a file is checked. */
export interface CheckLimits {
  /** The most leaves that a file's operations may make: above that it is refused. Default: any number. */
  readonly mostLeaves?: number;
}

/** A file that is not golden-file JSON, or of a kind, format or regime that is not known here. The message says which part. */
export class GoldenFileError extends Error {
  override readonly name = 'GoldenFileError';
}
