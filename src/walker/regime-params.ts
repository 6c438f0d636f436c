/**
 * What register values say of a regime: which of its stages are on, and the parameters of each.
 * (DDI 0487 D8.1.2; J1.1 AArch64.S1Enabled, GetS1TTWParams, GetS2TTWParams; G5.1 for AArch32.)
 */
import { isSet } from '../arch/read.ts';
import {
  isAArch32,
  isAArch32Stage,
  isNested,
  isStage2Alone,
  type Regime,
  traitsOf,
} from '../arch/regimes.ts';
import { TTBCR } from '../arch/registers/aarch32-control.ts';
import { SCTLR_EL1 } from '../arch/registers/sctlr.ts';
import { HCR_EL2 } from '../arch/registers/stage2.ts';
import {
  defaultSecurity,
  type PaSpace,
  type SecurityState,
  type StageSecurity,
  stage2Security,
  stageSecurity,
} from '../arch/security.ts';
import type { CpuFeatures } from './cpu.ts';
import { s1ParamsHyp, s1ParamsLpae, s2ParamsLpae, ttbcrSizes } from './params/aarch32.ts';
import { hypervisorControl, s1Params, s2Params, secureVtcr, systemControl } from './params/aarch64.ts';
import { extendedControls, NOT_EXTENDED } from './params/extended.ts';
import type { S2Params } from './params/params.ts';
import { oneRangeFields, ttbrAddress, twoRangeFields } from './params/range-fields.ts';
import { withAArch32Ipas } from './params/sizes.ts';
import { lpaeRanges, oneLpaeRange, oneRange, type S1Ranges, twoRanges } from './ranges.ts';
import type { Values } from './register-values.ts';

/** HCR and SCTLR of AArch32 have these fields in the same bits, except NV and NV1, which do not exist there. */
const { VM, DC, E2H, TGE, NV, NV1 } = HCR_EL2.fields;
const { M } = SCTLR_EL1.fields;

/** For accesses whose Security state is not given. */
export function usualSecurity(regime: Regime): StageSecurity {
  return stageSecurity(regime, defaultSecurity(regime), { known: false });
}

/** Whether the regime has a stage 2 and HCR switches it on. (HCR.DC implies VM.) */
export function stage2Enabled(regime: Regime, { hcr }: Pick<Values, 'hcr'>): boolean {
  return traitsOf(regime).stage2 && !isHost(regime, hcr) && (isSet(hcr, VM) || isSet(hcr, DC));
}

/** HCR_EL2.{E2H, TGE} = {1, 1}: EL0 belongs to EL2&0, and VM and DC count as 0. AArch32's HCR has no E2H. (D24.2.62) */
export function isHost(regime: Regime, hcr: bigint): boolean {
  return !isAArch32Stage(regime, 2) && isSet(hcr, E2H) && isSet(hcr, TGE);
}

/** Parameters of the regime's stage 2, whether it is on or off, in a Security state and for one of its IPA spaces. */
export function stage2Params(
  regime: Regime,
  values: Values,
  cpu: CpuFeatures,
  { state, ipas }: IpaSpace = NON_SECURE_IPAS,
): S2Params {
  const { vtcr, vttbr, vsttbr, vstcr, hcr } = values;
  const control = hypervisorControl(hcr);
  if (isAArch32Stage(regime, 2)) return s2ParamsLpae(vtcr, vttbr, control, cpu);
  const own = isAArch32(regime) ? withAArch32Ipas(cpu) : cpu;
  if (state === 'non-secure') return s2Params(vtcr, ttbrAddress(vttbr), control, own, values);
  const secured = { ...control, security: stage2Security(state, ipas, { vstcr, vtcr }) };
  return ipas === 'secure'
    ? s2Params(secureVtcr(vtcr, vstcr), ttbrAddress(vsttbr), secured, own, values)
    : s2Params(vtcr, ttbrAddress(vttbr), secured, own, values);
}

/** The Security state and the space of the IPAs. Only Secure state has two spaces: its own, and the Non-secure one. */
export interface IpaSpace {
  readonly state: SecurityState;
  readonly ipas: PaSpace;
}

const NON_SECURE_IPAS: IpaSpace = { state: 'non-secure', ipas: 'non-secure' };

/** TTBCR.EAE = 0 means short descriptors, unless the regime's name gives the format. */
export function usesShortDescriptors(regime: Regime, { tcr }: Values): boolean {
  const { descriptors } = traitsOf(regime);
  return (
    descriptors === 'short' ||
    descriptors === 'mtk' ||
    (descriptors === 'long or short' && !isSet(tcr, TTBCR.fields.EAE))
  );
}

/** AArch64.S1Enabled: SCTLR.M and, for regimes under EL2, neither HCR.DC nor HCR.TGE. */
export function stage1Enabled(regime: Regime, { sctlr, hcr }: Values): boolean {
  if (isStage2Alone(regime)) return false;
  const overridden = isNested(regime) && (isSet(hcr, DC) || isSet(hcr, TGE));
  return isSet(sctlr, M) && !overridden;
}

/** Parameters of the regime's stage 1 with 64-bit descriptors, range by range, whether it is on or off. */
export function rangesOf(
  regime: Regime,
  values: Values,
  cpu: CpuFeatures,
  security: StageSecurity = usualSecurity(regime),
): S1Ranges {
  const { ttbr0, ttbr1, tcr, mair, sctlr } = values;
  const { ranges } = traitsOf(regime);
  if (isAArch32(regime) && ranges === 1) {
    return oneLpaeRange(s1ParamsHyp({ htcr: tcr, ttbr: ttbr0, mair, sctlr }, cpu));
  }
  if (isAArch32(regime)) {
    const { t0sz, t1sz } = ttbcrSizes(tcr);
    const lower = s1ParamsLpae({ ttbcr: tcr, ttbr: ttbr0, mair, sctlr, security }, false, cpu);
    const upper = s1ParamsLpae({ ttbcr: tcr, ttbr: ttbr1, mair, sctlr, security }, true, cpu);
    return lpaeRanges(lower, upper, t0sz, t1sz);
  }
  const nv1 = hostsGuestHypervisor(regime, values, cpu);
  const extended = extendedControls(traitsOf(regime), values, nv1, security, cpu);
  const underStage2 = isNested(regime) && isSet(values.hcr, VM);
  const neverGlobalUnassured = underStage2
    ? extended.neverGlobalUnassured
    : NOT_EXTENDED.neverGlobalUnassured;
  const control = systemControl(sctlr, nv1, security, cpu, { ...extended, neverGlobalUnassured });
  if (ranges === 1) {
    return oneRange(s1Params(oneRangeFields(tcr, ttbr0), mair, control, cpu), cpu);
  }
  const lower = s1Params(twoRangeFields(tcr, ttbr0, false), mair, control, cpu);
  const upper = s1Params(twoRangeFields(tcr, ttbr1, true), mair, control, cpu, true);
  return twoRanges(lower, upper, cpu);
}

/** HCR_EL2.{NV, NV1} = {1, 1}, which only affects EL1&0. {0, 1} may count as {0, 0}, {0, 1} or {1, 1}: {0, 0} here. (D8.14.4) */
export function hostsGuestHypervisor(regime: Regime, { hcr }: Values, cpu: CpuFeatures): boolean {
  const { architecture, el } = traitsOf(regime);
  return architecture === 'AArch64' && el === 1 && cpu.nv && isSet(hcr, NV) && isSet(hcr, NV1);
}
