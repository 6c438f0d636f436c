/**
 * Security states and physical address spaces, which have the same names: a state's own accesses go to the space of its name, and
 * some descriptors choose another. (DDI 0487 D1.2 Security states; D8.4.6, Tables D8-86 to D8-88.)
 */
import { isSet } from './read.ts';
import { isNested, isStage2Alone, type MachineRegime, traitsOf } from './regimes.ts';
import { SCR_EL3 } from './registers/scr.ts';

/** Whose accesses they are. */
export type SecurityState = 'non-secure' | 'secure' | 'realm' | 'root';
/** Where an address leads. */
export type PaSpace = SecurityState;

/** Every Security state; `root` is that of EL3 with FEAT_RME. (DDI 0487 D8.1.1, B2.) */
export const securityStates: readonly SecurityState[] = ['non-secure', 'secure', 'realm', 'root'];

const NAMES: Readonly<Record<SecurityState, string>> = {
  'non-secure': 'Non-secure',
  secure: 'Secure',
  realm: 'Realm',
  root: 'Root',
};

/** As the manual writes it: `Non-secure`. */
export function securityName(state: SecurityState): string {
  return NAMES[state];
}

/** The state that a word means, in any case: `nonsecure` and `Non-secure` alike. Undefined: none. */
export function securityNamed(word: string): SecurityState | undefined {
  const plain = word.toLowerCase().replaceAll(/[-_\s]/g, '');
  return securityStates.find((state) => securityWord(state) === plain);
}

/** As files have it: `nonsecure`. */
export function securityWord(state: SecurityState): string {
  return state.replace('-', '');
}

/** Where nobody says it: EL3 is Secure, everything else Non-secure. */
export function defaultSecurity(regime: MachineRegime): SecurityState {
  return traitsOf(regime).el === 3 ? 'secure' : 'non-secure';
}

/** What SCR_EL3 says of a regime: EL3 itself is Secure, or Root where NSE shows that FEAT_RME is there. Undefined: reserved. */
export function securityOfScr(scr: bigint, regime: MachineRegime): SecurityState | undefined {
  const { NSE, NS } = SCR_EL3.fields;
  const [nse, ns] = [isSet(scr, NSE), isSet(scr, NS)];
  if (traitsOf(regime).el === 3) return nse ? 'root' : 'secure';
  if (nse) return ns ? 'realm' : undefined;
  return ns ? 'non-secure' : 'secure';
}

/** Why a regime is not walked in a state: it can't be in it, or what it does there is not modelled. Undefined: it is walked. */
export function securityProblem(regime: MachineRegime, state: SecurityState): string | undefined {
  const { architecture, el } = traitsOf(regime);
  if (el === 3) {
    return state === 'secure' || state === 'root' ? undefined : 'EL3 is Secure, or Root with FEAT_RME';
  }
  if (state === 'non-secure') return undefined;
  if (state === 'root') return 'Root state is EL3 alone';
  const arm = architecture === 'AArch64' || architecture === 'AArch32';
  if (!arm)
    return `${NAMES[state]} state is not modelled for ${regime}: its accesses are taken as Non-secure`;
  if (architecture === 'AArch32' && (state === 'realm' || el === 2)) {
    return `AArch32 has no ${NAMES[state]} state ${el === 2 ? 'in Hyp mode' : 'of its own'}`;
  }
  if (isNested(regime) || isStage2Alone(regime)) {
    const missing = state === 'secure' ? 'VSTCR_EL2 and VSTTBR_EL2' : 'NS in bit 55 of a descriptor';
    return `not modelled yet: stage 2 of ${NAMES[state]} state (${missing})`;
  }
  if (state === 'realm' && el === 1) return 'not modelled yet: Realm EL1&0, which is always under a stage 2';
  return undefined;
}

/** What a state makes of stage 1: where outputs lead, and where instructions may come from. */
export interface StageSecurity {
  readonly state: SecurityState;
  /** False: nobody said the state, and it is assumed. What would be reserved in it is then not called so. */
  readonly known: boolean;
  /** Which bits of descriptors choose the output's space. */
  readonly chosenBy: 'nothing' | 'NS and NSTable' | 'NS' | 'NSE and NS';
  /** Nothing outside the state's own space is executed: Root state, EL2 of Realm state, Secure state with SCR_EL3.SIF. */
  readonly ownCodeOnly: boolean;
}

/** What {@link StageSecurity} is of a regime. `scr`: SCR_EL3. */
export function stageSecurity(
  regime: MachineRegime,
  state: SecurityState,
  { scr = 0n, known = true }: { readonly scr?: bigint | undefined; readonly known?: boolean } = {},
): StageSecurity {
  const common = { state, known } as const;
  switch (state) {
    case 'secure':
      return { ...common, chosenBy: 'NS and NSTable', ownCodeOnly: isSet(scr, SCR_EL3.fields.SIF) };
    case 'root':
      return { ...common, chosenBy: 'NSE and NS', ownCodeOnly: true };
    case 'realm':
      return traitsOf(regime).el === 2
        ? { ...common, chosenBy: 'NS', ownCodeOnly: true }
        : { ...common, chosenBy: 'nothing', ownCodeOnly: false };
    default:
      return { ...common, chosenBy: 'nothing', ownCodeOnly: false };
  }
}

export const NON_SECURE: StageSecurity = {
  state: 'non-secure',
  known: false,
  chosenBy: 'nothing',
  ownCodeOnly: false,
};

/** The space of an output, by what its descriptor says, and whether a table on the way had NSTable set. */
export function outputSpace(
  { state, chosenBy }: StageSecurity,
  { ns, nse, nsTable }: { readonly ns: boolean; readonly nse: boolean; readonly nsTable: boolean },
): PaSpace {
  switch (chosenBy) {
    case 'NS and NSTable':
      return ns || nsTable ? 'non-secure' : state;
    case 'NS':
      return ns ? 'non-secure' : state;
    case 'NSE and NS':
      return nse ? (ns ? 'realm' : 'root') : ns ? 'non-secure' : 'secure';
    default:
      return state;
  }
}
