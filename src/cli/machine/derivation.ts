/** What the registers of a target mean: a PE's regime, or the way from a StreamID to its tables. */

import { isStream } from '../../arch/regimes.ts';
import {
  describeRegime,
  describeSte,
  describeStream,
  type RegimeDescription,
  type StreamDerivation,
} from '../../describe/index.ts';
import { cpuOf, smmuRegistersOf, streamOf, walkerRegistersOf } from '../../machine/machine.ts';
import type { Style } from '../../text/style.ts';
import * as text from '../text/derivation-text.ts';
import type { TargetOptions } from './options.ts';
import type { Target } from './target.ts';

export function derivationLines(target: Target, style: Style): string[] {
  return text.derivationLines(derivationOf(target), style);
}

/**
 * What is said of the registers before an answer: all of it where they came from outside or where that is asked, else what is not
 * as it must be.
 */
export function registerLines(target: Target, { derivation }: TargetOptions, style: Style): string[] {
  return target.dumped || derivation ? derivationLines(target, style) : judgementLines(target, style);
}

export function derivationJson(target: Target): object {
  return text.derivationJson(derivationOf(target));
}

/** Of it the lines that have to be said wherever the registers come from. */
function judgementLines(target: Target, style: Style): string[] {
  return text.judgementLines(derivationOf(target), style);
}

/** As data. */
export function derivationOf({ machine, stream, walker }: Target): RegimeDescription | StreamDerivation {
  const { regime, registers, memory } = machine;
  const { streamId = 0, substreamId } = stream;
  if (!isStream(regime))
    return describeRegime(
      regime,
      walkerRegistersOf(machine),
      cpuOf(machine),
      walker.security,
      registers.scr_el3,
    );
  if (registers.strtab_base === undefined) return describeSte(memory, streamOf(machine), substreamId);
  return describeStream(memory, smmuRegistersOf(registers), streamId, substreamId);
}
