/** The meaning of a target's registers: a PE's regime, or the path from a StreamID to its tables. */

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
 * The lines about registers before an answer: all of them if the registers came from outside or if asked, otherwise only
 * problems.
 */
export function registerLines(target: Target, { derivation }: TargetOptions, style: Style): string[] {
  return target.dumped || derivation ? derivationLines(target, style) : judgementLines(target, style);
}

export function derivationJson(target: Target): object {
  return text.derivationJson(derivationOf(target));
}

/** The lines that are always shown, wherever the registers come from. */
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
  return describeStream(memory, smmuRegistersOf(registers, machine.security), streamId, substreamId);
}
