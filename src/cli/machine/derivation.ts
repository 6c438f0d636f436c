/** What the registers of a target mean: a PE's regime, or the way from a StreamID to its tables. */

import { isStream } from '../../arch/regimes.ts';
import {
  describeRegime,
  describeSte,
  describeStream,
  type RegimeDescription,
  type StreamDerivation,
} from '../../describe/index.ts';
import { cpuOf, smmuRegistersOf, streamOf } from '../../machine/machine.ts';
import type { Style } from '../../text/style.ts';
import * as text from '../text/derivation-text.ts';
import type { Target } from './target.ts';

export function derivationLines(target: Target, style: Style): string[] {
  return text.derivationLines(derivationOf(target), style);
}

export function derivationJson(target: Target): object {
  return text.derivationJson(derivationOf(target));
}

/** As data. */
export function derivationOf({ machine, stream, walker }: Target): RegimeDescription | StreamDerivation {
  const { regime, registers, memory } = machine;
  const { streamId = 0, substreamId } = stream;
  if (!isStream(regime)) return describeRegime(regime, registers, cpuOf(machine), walker.security);
  if (registers.strtab_base === undefined) return describeSte(memory, streamOf(machine), substreamId);
  return describeStream(memory, smmuRegistersOf(registers), streamId, substreamId);
}
