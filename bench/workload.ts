/** What is measured: one piece of work, and how many units of it a run does. */
export interface Workload {
  readonly name: string;
  /** What one unit is: `descriptor`, `block`, `call`, `walk`. */
  readonly unit: string;
  readonly units: number;
  /** Runs untimed before each sample. */
  readonly prepare?: () => void;
  readonly run: () => void;
  /** The limit of the machine that it is held against. */
  readonly limit: LimitName;
  /** Samples and rounds before them; fewer for what takes long. Default: 15. */
  readonly samples?: number;
}

/** The limits, each measured in the same run: storing words, copying them, reading them at random places. */
export type LimitName = 'fill' | 'copy' | 'random';

/** A number that is no time: memory, or how a cost grows. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly value: () => number;
}
