/** Checks whether an intention can be compared with an address space at all. */
import { type MachineRegime, traitsOf } from '../arch/regimes.ts';
import { securityWord } from '../arch/security.ts';
import type { Translator } from '../machine/machine.ts';
import type { AddressRange } from '../space/address-range.ts';
import { hex } from '../text/numbers.ts';
import { type Intent, IntentError, type IntentLine, type IntentProblem } from './intent.ts';

/**
 * @param windows - input addresses that the registers translate. Undefined: do not check lines against them.
 * @throws IntentError for anything that can't be compared with this address space.
 */
export function checkAskable(
  { regimes, security, lines }: Intent,
  target: Translator,
  windows: readonly AddressRange[] | undefined,
): void {
  const { regime, security: state = 'non-secure' } = target;
  const problems: IntentProblem[] = [];
  if (regimes !== undefined && !regimes.some((one) => one === regime)) {
    const message = `it is meant for ${regimes.join(', ')}, and these tables are of ${regime}`;
    problems.push({ line: 0, message, hint: 'regime any is for all of them' });
  }
  if (security !== undefined && security !== state) {
    const message = `it is meant for ${securityWord(security)} state, and these accesses are ${securityWord(state)}`;
    problems.push({ line: 0, message, hint: '--security says whose they are' });
  }
  for (const line of lines) {
    const message = lineProblem(line, regime, windows);
    if (message !== undefined) problems.push({ line: line.line, ...message });
  }
  if (problems.length > 0) throw new IntentError(problems);
}

function lineProblem(
  { first, last, want }: IntentLine,
  regime: MachineRegime,
  windows: readonly AddressRange[] | undefined,
): Omit<IntentProblem, 'line'> | undefined {
  if (windows !== undefined && !windows.some((one) => one.first <= first && last <= one.last)) {
    const known = windows.map((one) => `${hex(one.first)}-${hex(one.last)}`).join(' and ');
    const message = `${hex(first)}-${hex(last)} is beyond the input of ${regime}`;
    return {
      message,
      hint: known === '' ? 'its registers translate nothing' : `its registers translate ${known}`,
    };
  }
  if (want.state !== 'mapped' || traitsOf(regime).unprivileged) return undefined;
  const { read, write, execute } = want.unprivileged ?? {};
  if (!read && !write && !execute) return undefined;
  return { message: `${regime} has no unprivileged accesses`, hint: 'its rights are three letters: rw-' };
}
