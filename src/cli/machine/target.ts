/** What commands look at, wherever it came from. */
import type { MachineRegime } from '../../arch/regimes.ts';
import type { ImageRow } from '../../golden/image-file.ts';
import type { MachineDescription, StreamChoice, Translator } from '../../machine/machine.ts';
import type { UngivenRange } from '../../machine/ungiven.ts';

export interface Target {
  readonly name: string;
  /** A walker's regime, or `smmuv3-s1`, `-s2`, `-nested`. */
  readonly regime: MachineRegime;
  readonly walker: Translator;
  /** What the walker is made of. */
  readonly machine: MachineDescription;
  readonly stream: StreamChoice;
  /** Registers and memory came from outside: worth saying what they mean. */
  readonly dumped: boolean;
  /** Frames of an image that lists tables and nothing else: 4 KiB each. */
  readonly frames?: readonly bigint[];
  /** The row of the image that was asked for. */
  readonly row?: ImageRow;
  /** Ranges whose table base was not given: no answer about an address there is true. */
  readonly ungiven?: readonly UngivenRange[];
  /** To be said beside the result: what a request refused, what a reader assumed. */
  readonly warnings: readonly string[];
}
