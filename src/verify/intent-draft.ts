/** An intention while it is being read: what was read so far, and what could not be understood. */
import type { MachineRegime } from '../arch/regimes.ts';
import { type SecurityState, securityWord } from '../arch/security.ts';
import type { AddressRange } from '../space/address-range.ts';
import { type Intent, IntentError, type IntentLine, type IntentProblem, type IntentRule } from './intent.ts';
import type { Complain } from './words.ts';

export class IntentDraft {
  readonly lines: IntentLine[] = [];
  readonly rules: IntentRule[] = [];
  readonly only: AddressRange[] = [];
  readonly notes: string[] = [];
  rounded = false;
  #regimes: readonly MachineRegime[] | undefined;
  #security: SecurityState | undefined;
  #rest: Intent['rest'] | undefined;
  readonly #problems: IntentProblem[] = [];

  complain(line: number, message: string, hint?: string): void {
    this.#problems.push({ line, message, ...(hint !== undefined && { hint }) });
  }

  /** @param several - several values are allowed, and any of them will do. Otherwise they must all be the same. */
  addRegimes(regimes: readonly MachineRegime[], complain: Complain, several = false): void {
    const known = this.#regimes;
    if (known !== undefined && regimes.some((one) => !known.includes(one)))
      complain(`it is for ${regimes.join(', ')} here, and for ${known.join(', ')} above`);
    else if (regimes.length > 0 && (several || known === undefined)) this.#regimes = regimes;
  }

  setSecurity(state: SecurityState, complain: Complain): void {
    if (this.#security !== undefined && this.#security !== state)
      complain(`the state is ${securityWord(state)} here, and ${securityWord(this.#security)} above`);
    this.#security = state;
  }

  setRest(value: string, complain: Complain): void {
    const rest = value.toLowerCase();
    if (rest !== 'unmapped' && rest !== 'any') {
      complain(`rest is unmapped or any, not '${value}'`);
    } else if (this.#rest !== undefined && this.#rest !== rest) {
      complain(`rest is ${rest} here, and ${this.#rest} above`);
    } else this.#rest = rest;
  }

  /** @throws IntentError with everything that could not be understood. */
  finish(): Intent {
    if (this.#problems.length > 0) throw new IntentError(this.#problems);
    const lines = this.rounded ? this.lines.map((line) => ({ ...line, rounded: true })) : this.lines;
    return {
      ...(this.#regimes !== undefined && { regimes: this.#regimes }),
      ...(this.#security !== undefined && { security: this.#security }),
      rest: this.#rest ?? 'unmapped',
      ...(this.only.length > 0 && { only: this.only }),
      lines,
      rules: this.rules,
      notes: this.notes,
    };
  }
}
