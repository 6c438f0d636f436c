/** What a measurement runs: one piece of work, and how many units of it there are. */
export interface Workload {
  readonly name: string;
  /** What one unit is: `descriptor`, `block`, `call`, `walk`. */
  readonly unit: string;
  readonly units: number;
  /** Runs before each sample, untimed. */
  readonly prepare?: () => void;
  readonly run: () => void;
  /** The limit of the machine to compare with. */
  readonly limit: LimitName;
  /** How many samples to take, after as many warm-up rounds: fewer for slow work. Default: 15. */
  readonly samples?: number;
}

/** The limits, each measured in the same run: storing words, copying them, reading them at random places. */
export type LimitName = 'fill' | 'copy' | 'random';

/** A result that is not a time: memory, or how a cost grows. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly value: () => number;
}
