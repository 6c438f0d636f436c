/** The result of running one golden file of any kind. */

/** One difference from the file: where it is, what was wanted, what was found. */
export interface Difference {
  /** A path a reader can find in the file: `ops[3].ret`, `tables level 2 entry 511 AF`, `translations[7]`. */
  readonly where: string;
  readonly want: string;
  readonly got: string;
  /** For a known difference from Linux: what Linux does there, as a sentence with the place. */
  readonly known?: string;
}

/** The outcome of one golden file: it agrees when `differences` is empty. */
export interface GoldenResult {
  readonly name: string;
  /** How many facts of the file were compared: operations, registers, descriptors, translations. */
  readonly checked: number;
  readonly differences: readonly Difference[];
  /** For an image: the number of members of its rows that were compared. */
  readonly claims?: number;
  /** In words, what the file says that was not compared. */
  readonly notes?: readonly string[];
  /** What the hardware that the tables were made for can't do with them. */
  readonly warnings?: readonly string[];
}

/** How much of a file is checked. */
export interface CheckLimits {
  /** The maximum number of leaves that a file's operations may make. A file with more is refused. Default: no limit. */
  readonly mostLeaves?: number;
  /** Reads the JSON of a file that lies beside the checked one, by its name. Needed for lists of mutations of a trace. */
  readonly readBeside?: (name: string) => unknown;
}

/** A file that is not golden-file JSON, or whose kind, format or regime is not known here. The message says which part. */
export class GoldenFileError extends Error {
  override readonly name = 'GoldenFileError';
}
