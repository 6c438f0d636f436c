/** What a measurement runs: one piece of work, and how many units of it there are. */
export interface Workload {
  readonly name: string;
  /** What one unit is: `descriptor`, `block`, `call`, `walk`. */
  readonly unit: string;
  readonly units: number;
  /** The limit of the machine to compare with. */
  readonly limit: LimitName;
  /** How many samples to take, after as many warm-up rounds: fewer for slow work. Default: 15. */
  readonly samples?: number;
  /** Makes what the work needs, once, in the process that measures it. */
  readonly make: () => Work;
}

/** The work itself. */
export interface Work {
  /** Runs before each sample, untimed. */
  readonly prepare?: () => void;
  readonly run: () => void;
}

/** The limits, each measured in the same process: storing words, copying them, reading them at random places. */
export const LIMIT_NAMES = ['fill', 'copy', 'random'] as const;
/** The name of a limit. */
export type LimitName = (typeof LIMIT_NAMES)[number];

/** Nanoseconds of CPU time a unit, except `wall`, which is time that passed. */
export interface Timing {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly wall: number;
  /** The fastest sample as a multiple of the fastest sample of its limit. */
  readonly ratio: number;
}

/** The name of a process that measures all workloads one after another, and of one that measures a single one. */
export const MODES = ['alone', 'together'] as const;
/** Whether a process measures one workload or all of them. */
export type Mode = (typeof MODES)[number];

/** A workload with what was measured of it, in each kind of process. */
export interface Row {
  readonly name: string;
  readonly unit: string;
  readonly limit: LimitName;
  readonly alone?: Timing;
  readonly together?: Timing;
}

/** A result that is not a time: memory, or how a cost grows. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly value: () => number;
}
