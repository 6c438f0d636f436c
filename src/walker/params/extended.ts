/**
 * What TCR2_ELx and similar registers add to stage 1: permission indirection and overlays, more memory types, access flags of tables,
 * gated by HCRX_EL2 and SCR_EL3. (DDI 0487 D24.2.190, D24.2.191, D24.2.196; J1.1 AArch64.S1TTWParamsEL10, EL2, EL20, EL3,
 * IsTCR2EL1Enabled, IsTCR2EL2Enabled, S1POEnabled, S1E0POEnabled.)
 */
import { isSet } from '../../arch/read.ts';
import type { RegimeTraits } from '../../arch/regime-table.ts';
import { HCRX_EL2, TCR2_EL1 } from '../../arch/registers/extended.ts';
import { pairOf } from '../../arch/registers/parts.ts';
import { SCR_EL3 } from '../../arch/registers/scr.ts';
import { TCR_EL3 } from '../../arch/registers/tcr.ts';
import type { StageSecurity } from '../../arch/security.ts';
import type { CpuFeatures } from '../cpu.ts';
import { type S1Indirection, s1Indirection } from '../permission-indirection.ts';
import { type S1Overlays, s1Overlays } from '../permission-overlays.ts';

/** The controls in effect. They are the same for both ranges, except `neverGlobal`. */
export interface ExtendedControls {
  /** FEAT_S1PIE in use: permissions are indirect. */
  readonly indirection: S1Indirection | undefined;
  /** FEAT_S1POE in use, for at least one privilege level. */
  readonly overlays: S1Overlays | undefined;
  /** FEAT_AIE in use: bit 59 chooses MAIR2. */
  readonly aie: boolean;
  /** MAIR2, if it was given. */
  readonly mair2: bigint | undefined;
  /** FEAT_HAFT in use. It needs hardware updates of the access flag. */
  readonly haft: boolean;
  /** FEAT_THE: bit 52 is Protected, not the contiguous hint. */
  readonly pnch: boolean;
  /** FEAT_ASID2: nG counts as 1, below TTBR0 and below TTBR1. */
  readonly neverGlobal: readonly [lower: boolean, upper: boolean];
  /** FEAT_THE: nG counts as 1 if the translation is not assured. This needs a stage 2. */
  readonly neverGlobalUnassured: readonly [lower: boolean, upper: boolean];
}

/** None of these features is in use. */
export const NOT_EXTENDED: ExtendedControls = {
  indirection: undefined,
  overlays: undefined,
  aie: false,
  mair2: undefined,
  haft: false,
  pnch: false,
  neverGlobal: [false, false],
  neverGlobalUnassured: [false, false],
};

/** The registers that decide. */
export interface ExtendedRegisters {
  readonly tcr: bigint;
  readonly tcr2: bigint;
  readonly pir: bigint;
  readonly pire0: bigint;
  readonly por: bigint;
  readonly por0: bigint;
  /** Undefined: not given, and its memory types are not known. */
  readonly mair2: bigint | undefined;
  /** Undefined: not given, and TCR2_EL1 counts. */
  readonly hcrx: bigint | undefined;
}

const { PIE, POE, E0POE, AIE, HAFT, PnCH, A2 } = TCR2_EL1.fields;
const FNG = pairOf(TCR2_EL1, 'FNGx');
const FNGNA = pairOf(TCR2_EL1, 'FNGNAx');
const { TCR2En, AIEn, HXEn, EEL2 } = SCR_EL3.fields;

/** Which bits of TCR2_ELx (EL3: of TCR_EL3) are set and count. */
type Enabled = Readonly<
  Record<'pie' | 'poe' | 'e0poe' | 'aie' | 'haft' | 'pnch', boolean> &
    Record<'fng' | 'fngna', readonly [boolean, boolean]>
>;

/**
 * @param regime - the traits of an AArch64 regime: its exception level, and whether it has unprivileged accesses.
 * @param nv1 - HCR_EL2.{NV, NV1} = {1, 1}: PIRE0_EL1 counts as 0, and E0POE too. (D8.4.1.3 R_DJZHM, R_TMNYQ)
 */
export function extendedControls(
  regime: Pick<RegimeTraits, 'el' | 'unprivileged'>,
  registers: ExtendedRegisters,
  nv1: boolean,
  security: StageSecurity,
  cpu: CpuFeatures,
): ExtendedControls {
  const set = enabled(regime, registers, security);
  const { pir, pire0, por, por0, mair2 } = registers;
  const { unprivileged } = regime;
  const e0poe = set.e0poe && unprivileged && !nv1;
  return {
    indirection:
      set.pie && cpu.s1pie ? s1Indirection(pir, unprivileged ? (nv1 ? 0n : pire0) : undefined) : undefined,
    overlays:
      cpu.s1poe && (set.poe || e0poe)
        ? s1Overlays(set.poe ? por : undefined, e0poe ? por0 : undefined)
        : undefined,
    aie: set.aie && cpu.aie,
    mair2: mair2Counts(regime, security) ? mair2 : 0n,
    haft: set.haft && cpu.haft,
    pnch: set.pnch && cpu.the,
    neverGlobal: cpu.asid2 ? set.fng : NOT_EXTENDED.neverGlobal,
    neverGlobalUnassured: cpu.the && set.pnch ? set.fngna : NOT_EXTENDED.neverGlobalUnassured,
  };
}

function enabled(
  { el }: Pick<RegimeTraits, 'el'>,
  { tcr, tcr2, hcrx }: ExtendedRegisters,
  security: StageSecurity,
): Enabled {
  if (el === 3) {
    const { fields } = TCR_EL3;
    return {
      pie: isSet(tcr, fields.PIE),
      poe: isSet(tcr, fields.POE),
      e0poe: false,
      aie: isSet(tcr, fields.AIE),
      haft: isSet(tcr, fields.HAFT),
      pnch: isSet(tcr, fields.PnCH),
      fng: [false, false],
      fngna: [false, false],
    };
  }
  const value = tcr2Closed(el, hcrx, security) === undefined ? tcr2 : 0n;
  const both = ([lower, upper]: ReturnType<typeof pairOf>) =>
    [isSet(value, lower), isSet(value, upper)] as const;
  return {
    pie: isSet(value, PIE),
    poe: isSet(value, POE),
    e0poe: isSet(value, E0POE),
    aie: isSet(value, AIE),
    haft: isSet(value, HAFT),
    pnch: isSet(value, PnCH),
    fng: both(FNG),
    fngna: el === 1 ? both(FNGNA) : [false, false],
  };
}

/** TCR2_ELx.A2, if it counts: each range has the ASID of its own TTBR. (FEAT_ASID2) */
export function usesTwoAsids(
  { el, unprivileged }: Pick<RegimeTraits, 'el' | 'unprivileged'>,
  { tcr2, hcrx }: Pick<ExtendedRegisters, 'tcr2' | 'hcrx'>,
  security: StageSecurity,
  cpu: CpuFeatures,
): boolean {
  if (!cpu.asid2 || !unprivileged || (el !== 1 && el !== 2)) return false;
  return tcr2Closed(el, hcrx, security) === undefined && isSet(tcr2, A2);
}

/** The register bit that makes TCR2_ELx count as 0. Undefined if TCR2_ELx has its effect. A register that was not given gates nothing. */
export function tcr2Closed(
  el: RegimeTraits['el'],
  hcrx: bigint | undefined,
  { state, scr }: Pick<StageSecurity, 'state' | 'scr'>,
): 'SCR_EL3.TCR2En' | 'SCR_EL3.HXEn' | 'HCRX_EL2.TCR2En' | undefined {
  if (scr !== undefined && !isSet(scr, TCR2En)) return 'SCR_EL3.TCR2En';
  // Without EL2 there is no HCRX_EL2. Only for Secure state do registers say whether there is an EL2.
  const el2 = state !== 'secure' || (scr !== undefined && isSet(scr, EEL2));
  if (el !== 1 || hcrx === undefined || !el2) return undefined;
  if (scr !== undefined && !isSet(scr, HXEn)) return 'SCR_EL3.HXEn';
  return isSet(hcrx, HCRX_EL2.fields.TCR2En) ? undefined : 'HCRX_EL2.TCR2En';
}

/** SCR_EL3.AIEn = 0: MAIR2_EL1 and MAIR2_EL2 are taken as 0. (D24.2.169) */
function mair2Counts({ el }: Pick<RegimeTraits, 'el'>, { scr }: StageSecurity): boolean {
  return el === 3 || scr === undefined || isSet(scr, AIEn);
}
