/** What commands work on, wherever it comes from. */
import type { MachineRegime } from '../../arch/regimes.ts';
import type { ImageRow } from '../../golden/image-file.ts';
import type { MachineDescription, StreamChoice, Translator } from '../../machine/machine.ts';
import type { UngivenRange } from '../../machine/ungiven.ts';

export interface Target {
  readonly name: string;
  /** A walker's regime, or `smmuv3-s1`, `-s2`, `-nested`. */
  readonly regime: MachineRegime;
  readonly walker: Translator;
  /** The options from which the walker is made. */
  readonly machine: MachineDescription;
  readonly stream: StreamChoice;
  /** Whether registers and memory came from outside, so that their meaning is worth showing. */
  readonly dumped: boolean;
  /** The 4 KiB frames of an image that contains only tables. */
  readonly frames?: readonly bigint[];
  /** The chosen row of the image. */
  readonly row?: ImageRow;
  /** Ranges whose table base was not given, so that nothing can be said about addresses there. */
  readonly ungiven?: readonly UngivenRange[];
  /** The operations of a request that were refused or not done in full. They are in `warnings` too. */
  readonly undone?: readonly string[];
  /** Notes to show with the result: refusals of a request, assumptions of a reader. */
  readonly warnings: readonly string[];
  /** What `--json` tells besides: too much for every answer in words. */
  readonly details?: readonly string[];
}

/** Everything that is said beside an answer, for `--json`. */
export function notesOf({ warnings, details = [] }: Target): string[] {
  return [...warnings, ...details];
}
