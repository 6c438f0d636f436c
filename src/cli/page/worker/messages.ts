/** What the page and its worker tell each other. */

/** A file that was opened: chosen or dropped in the page, pasted, or served beside it. */
export interface OpenedFile {
  /** Unique among the files. */
  readonly name: string;
  readonly size: number;
  /** Read in windows. */
  readonly source: Blob | { readonly url: string };
}

/** A command line to run over the opened files. */
export interface Asked {
  readonly id: number;
  readonly argv: readonly string[];
  readonly files: readonly OpenedFile[];
}

export type Told =
  /** A line that says how far a command is. */
  | { readonly id: number; readonly progress: string }
  | { readonly id: number; readonly code: number; readonly out: string; readonly err: string };
