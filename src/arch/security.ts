/**
 * Security states and physical address spaces, which have the same names: a state's own accesses go to the space of its name, and
 * some descriptors choose another space. (DDI 0487 D1.2 Security states; D8.4.6, Tables D8-86 to D8-88.)
 */
import { isSet } from './read.ts';
import { isAArch32Stage, isPe, isStream, type MachineRegime, traitsOf } from './regimes.ts';
import { SCR_EL3 } from './registers/scr.ts';
import { VTCR_EL2 } from './registers/stage2.ts';
import { VSTCR_EL2 } from './registers/stage2-secure.ts';

/** A Security state of a PE. */
export type SecurityState = 'non-secure' | 'secure' | 'realm' | 'root';
/** A physical address space. */
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

/** The default: EL3 is Secure, or Root with FEAT_RME (`rme`), everything else Non-secure. */
export function defaultSecurity(regime: MachineRegime, rme = false): SecurityState {
  if (traitsOf(regime).el !== 3) return 'non-secure';
  return rme ? 'root' : 'secure';
}

/** What SCR_EL3 says of a regime: EL3 itself is Secure, or Root where `rme` or NSE shows that FEAT_RME is there. Undefined: reserved. */
export function securityOfScr(scr: bigint, regime: MachineRegime, rme = false): SecurityState | undefined {
  const { NSE, NS } = SCR_EL3.fields;
  const [nse, ns] = [isSet(scr, NSE), isSet(scr, NS)];
  if (traitsOf(regime).el === 3) return rme || nse ? 'root' : 'secure';
  if (nse) return ns ? 'realm' : undefined;
  return ns ? 'non-secure' : 'secure';
}

/** Why a regime is not walked in a state: the combination is impossible or not modelled. Undefined: it is walked. */
export function securityProblem(regime: MachineRegime, state: SecurityState): string | undefined {
  const { architecture, el } = traitsOf(regime);
  if (el === 3) {
    return state === 'secure' || state === 'root' ? undefined : 'EL3 is Secure, or Root with FEAT_RME';
  }
  if (state === 'non-secure') return undefined;
  if (state === 'root') return 'only EL3 is in Root state';
  if (isStream(regime) && state === 'secure') return undefined;
  if (!isPe(regime))
    return `${NAMES[state]} state is not modelled for ${regime}: its accesses are taken as Non-secure`;
  if (architecture === 'AArch32' && (state === 'realm' || el === 2)) {
    return `AArch32 has no ${NAMES[state]} state ${el === 2 ? 'in Hyp mode' : 'of its own'}`;
  }
  if (isAArch32Stage(regime, 2)) {
    return `${NAMES[state]} state has no stage 2 of AArch32: its EL2 is AArch64`;
  }
  return undefined;
}

/** The effect of a state on stage 1: where outputs lead, and where instructions may come from. */
export interface StageSecurity {
  readonly state: SecurityState;
  /** False: the state was not given, but assumed. Values that are reserved in it are then not reported. */
  readonly known: boolean;
  /** Which bits of descriptors choose the output's space. */
  readonly chosenBy: 'nothing' | 'NS and NSTable' | 'NS' | 'NSE and NS';
  /** SCR_EL3, if it was given. It gates registers such as TCR2_ELx. */
  readonly scr?: bigint;
  /** Nothing outside the state's own space is executed: Root state, EL2 of Realm state, Secure state with SCR_EL3.SIF. */
  readonly ownCodeOnly: boolean;
  /** Whether there is a Secure state. Without one, Secure addresses of Root state are Non-secure. */
  readonly secureState: boolean;
  /** Secure streams of an SMMU: the root itself is in Non-secure memory, as if there were an NSTable above it. */
  readonly nsRoot?: boolean;
  /** Whether the state has an EL2. For Secure state, SCR_EL3.EEL2 decides. Without it HCR_EL2 counts as 0. */
  readonly el2: boolean;
}

/** The {@link StageSecurity} of a regime. `scr`: SCR_EL3. `secureState` false: the PE has no Secure state. */
export function stageSecurity(
  regime: MachineRegime,
  state: SecurityState,
  {
    scr,
    known = true,
    secureState = true,
  }: {
    readonly scr?: bigint | undefined;
    readonly known?: boolean;
    readonly secureState?: boolean;
  } = {},
): StageSecurity {
  const common = { state, known, secureState, el2: true, ...(scr !== undefined && { scr }) } as const;
  switch (state) {
    case 'secure': {
      const { SIF, EEL2 } = SCR_EL3.fields;
      const ownCodeOnly = scr !== undefined && isSet(scr, SIF);
      const el2 = scr === undefined || isSet(scr, EEL2);
      return { ...common, chosenBy: 'NS and NSTable', ownCodeOnly, el2 };
    }
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

/** The effect of a state on stage 2: where its tables are, and where its outputs lead. (DDI 0487 D8.2.6; J1.1 AArch64.SS2InitialTTWState.) */
export interface Stage2Security {
  readonly tables: PaSpace;
  readonly outputs: PaSpace;
  /** Realm state: bit 55 of a leaf says that its output is in Non-secure memory. Nothing is executed from there, and no table is read. */
  readonly choosesNs: boolean;
}

/**
 * Stage 2 of IPAs of the space `ipas`, which in Secure state may be the Non-secure one. SW and SA are VSTCR_EL2's, NSW and NSA
 * VTCR_EL2's. What SW and SA allow for Secure IPAs they allow for Non-secure ones too, and tables in Non-secure memory only lead to
 * Non-secure memory. (J1.1 AArch64.SS2OutputPASpace.)
 */
export function stage2Security(
  state: SecurityState,
  ipas: PaSpace,
  { vstcr, vtcr }: { readonly vstcr: bigint; readonly vtcr: bigint },
): Stage2Security {
  if (state !== 'secure') return { tables: state, outputs: state, choosesNs: state === 'realm' };
  const { SW, SA } = VSTCR_EL2.fields;
  const { NSW, NSA } = VTCR_EL2.fields;
  const own = ipas === 'secure';
  const tables = own ? isSet(vstcr, SW) : isSet(vtcr, NSW);
  const secureIpas = isSet(vstcr, SW) || isSet(vstcr, SA);
  const outputs = own ? secureIpas : secureIpas || isSet(vtcr, NSW) || isSet(vtcr, NSA);
  return {
    tables: tables ? 'non-secure' : 'secure',
    outputs: outputs ? 'non-secure' : 'secure',
    choosesNs: false,
  };
}

/** Stage 2 of Non-secure state. */
export const NON_SECURE_STAGE2: Stage2Security = {
  tables: 'non-secure',
  outputs: 'non-secure',
  choosesNs: false,
};

export const NON_SECURE: StageSecurity = {
  state: 'non-secure',
  known: false,
  chosenBy: 'nothing',
  ownCodeOnly: false,
  secureState: true,
  el2: true,
};

/** The space of an output, from the bits of its descriptor and whether a table on the way had NSTable set. */
export function outputSpace(
  { state, chosenBy, secureState }: StageSecurity,
  { ns, nse, nsTable }: { readonly ns: boolean; readonly nse: boolean; readonly nsTable: boolean },
): PaSpace {
  switch (chosenBy) {
    case 'NS and NSTable':
      return ns || nsTable ? 'non-secure' : state;
    case 'NS':
      return ns ? 'non-secure' : state;
    case 'NSE and NS':
      if (nse) return ns ? 'realm' : 'root';
      return ns || !secureState ? 'non-secure' : 'secure';
    default:
      return state;
  }
}
