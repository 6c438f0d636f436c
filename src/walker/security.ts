/** The Security state of a walker's accesses, from the given values. (DDI 0487 D1.2, D24.2.169 SCR_EL3.) */
import { isRegime, type Regime, traitsOf } from '../arch/regimes.ts';
import {
  defaultSecurity,
  type SecurityState,
  type StageSecurity,
  securityName,
  securityOfScr,
  securityProblem,
  securityStates,
  stageSecurity,
} from '../arch/security.ts';
import type { CpuFeatures } from './cpu.ts';
import { WalkerError } from './errors.ts';

/** What may be given: the state itself, and SCR_EL3. */
export interface SaidSecurity {
  readonly regime: Regime;
  readonly security?: SecurityState | undefined;
  readonly scr?: bigint | undefined;
  readonly secure?: boolean | undefined;
  readonly cpu?: Pick<CpuFeatures, 'rme' | 'sel2'> | undefined;
}

/** @throws WalkerError for states that disagree, do not exist, are impossible for the regime, or whose walks are not modelled. */
export function walkerSecurity(said: SaidSecurity): StageSecurity {
  const { regime, scr, cpu } = said;
  // The code that reads the registers refuses an unknown regime.
  if (!isRegime(regime)) return stageSecurity('el1&0', 'non-secure');
  const state = securityStateOf(said);
  const problem = securityProblem(regime, state);
  if (problem !== undefined) throw new WalkerError(`${regime} in ${securityName(state)} state: ${problem}`);
  const known = scr !== undefined || said.security !== undefined || said.secure !== undefined;
  // Root and Realm state imply FEAT_RME. Which other features the PE lacks is only known if it was given as having FEAT_RME.
  const secureState = cpu === undefined || !cpu.rme || cpu.sel2;
  const found = stageSecurity(regime, state, { scr, known, secureState });
  if (!found.el2 && traitsOf(regime).el === 2) {
    throw new WalkerError(
      `${regime} in Secure state: SCR_EL3 0x${scr?.toString(16)} has EEL2 = 0, there is no Secure EL2 (DDI 0487 D24.2.169)`,
    );
  }
  return found;
}

function securityStateOf({ regime, security, scr, secure, cpu }: SaidSecurity): SecurityState {
  const rme = cpu?.rme === true;
  if (security !== undefined && !securityStates.includes(security)) {
    throw new WalkerError(
      `unknown security state '${String(security)}'; known are ${securityStates.join(', ')}`,
    );
  }
  if (secure === true && security !== undefined && security !== 'secure') {
    throw new WalkerError(`secure: true and security: '${security}' disagree`);
  }
  const asked = security ?? (secure === true ? 'secure' : undefined);
  if (scr === undefined) return asked ?? defaultSecurity(regime, rme);
  if (typeof scr !== 'bigint' || scr < 0n || scr >> 64n) {
    throw new WalkerError(`scr must be a bigint of at most 64 bits, not ${String(scr)}`);
  }
  const hex = `0x${scr.toString(16)}`;
  const of = securityOfScr(scr, regime, rme || asked === 'root');
  if (of === undefined)
    throw new WalkerError(`SCR_EL3 ${hex}: {NSE, NS} = {1, 0} is reserved (DDI 0487 D24.2.169)`);
  if (asked !== undefined && asked !== of) {
    throw new WalkerError(
      `SCR_EL3 ${hex} is ${securityName(of)} state of ${regime}, not ${securityName(asked)}`,
    );
  }
  return of;
}
