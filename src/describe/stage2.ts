/** What register values mean for stage 2: whether it is on, its tables and VMID. (DDI 0487 D8.1, D8.2, D8.4.6, G5.) */
import { isSet, read, widthOf } from '../arch/read.ts';
import { isAArch32Stage, type Regime } from '../arch/regimes.ts';
import { VTTBR } from '../arch/registers/aarch32-base.ts';
import { TTBR0_EL1 } from '../arch/registers/base.ts';
import { SCR_EL3 } from '../arch/registers/scr.ts';
import { HCR_EL2, VTCR_EL2, VTTBR_EL2 } from '../arch/registers/stage2.ts';
import type { PaSpace, SecurityState } from '../arch/security.ts';
import type { CpuFeatures } from '../walker/cpu.ts';
import { secureVtcr } from '../walker/params/aarch64.ts';
import { stage2Fields, ttbrAddress } from '../walker/params/range-fields.ts';
import { type IpaSpace, isHost, stage2Enabled, stage2Params } from '../walker/regime-params.ts';
import type { Values } from '../walker/register-values.ts';
import { problemsOf } from '../walker/rules/rule.ts';
import { HYPERVISOR_RULES } from '../walker/rules/stage2.ts';
import { lpaeStage2 } from './aarch32.ts';
import { s2Range, stage2Controls } from './aarch64.ts';
import { stage2Extended } from './extended.ts';
import { SECURE_STAGE2_NAMES, STAGE2_NAMES } from './fields.ts';
import type { OffReason, RangeDescription, StageDescription } from './types.ts';

/** Every table base register has CnP in this bit. */
const { CnP } = TTBR0_EL1.fields;

const STAGE2_OFF = 'stage 2 is off: an IPA is the PA';

function stage2Off(regime: Regime, values: Values, el2: boolean): OffReason | undefined {
  const aarch32 = isAArch32Stage(regime, 2);
  if (!el2) {
    const rule = `there is no Secure EL2, and HCR_EL2 counts as 0: ${STAGE2_OFF}`;
    return { field: 'SCR_EL3.EEL2', value: 0n, rule, section: SCR_EL3.reference };
  }
  if (stage2Enabled(regime, values)) return undefined;
  if (isHost(regime, values.hcr)) {
    const rule = `with E2H = 1 the tables of EL0 are those of EL2&0, and VM and DC count as 0: ${STAGE2_OFF}`;
    return { field: 'HCR_EL2.TGE', value: 1n, rule, section: HCR_EL2.reference };
  }
  return {
    field: aarch32 ? 'HCR.VM' : 'HCR_EL2.VM',
    value: 0n,
    rule: STAGE2_OFF,
    section: aarch32 ? 'DDI 0487 G5.2' : 'DDI 0487 D8.2.12.2',
  };
}

/** Stage 2 of one IPA space. */
function aarch64Stage2(
  regime: Regime,
  values: Values,
  cpu: CpuFeatures,
  ipa: IpaSpace,
  off: OffReason | undefined,
): RangeDescription {
  const secure = ipa.ipas === 'secure';
  const value = secure ? values.vsttbr : values.vttbr;
  const vtcr = secure ? secureVtcr(values.vtcr, values.vstcr) : values.vtcr;
  const params = stage2Params(regime, values, cpu, ipa);
  const names = secure ? SECURE_STAGE2_NAMES : STAGE2_NAMES;
  const fields = stage2Fields(vtcr, ttbrAddress(value));
  const range = s2Range({ value, cnp: isSet(value, CnP), vtcr, params, off, names, fields }, cpu);
  return ipa.state === 'non-secure' ? range : { ...range, spaces: { ipas: ipa.ipas, ...params.security } };
}

/** Stage 2 of a regime that has one. `el2`: there is an EL2 in this Security state. */
export function secondStage(
  regime: Regime,
  values: Values,
  cpu: CpuFeatures,
  { state, el2 }: { readonly state: SecurityState; readonly el2: boolean },
): StageDescription {
  const { vtcr, vttbr, hcr } = values;
  const aarch32 = isAArch32Stage(regime, 2);
  const off = stage2Off(regime, values, el2);
  const params = stage2Params(regime, values, cpu, { state, ipas: state });
  const common = { value: vttbr, cnp: isSet(vttbr, CnP), vtcr, params, off };
  const spaces: readonly PaSpace[] = state === 'secure' ? ['secure', 'non-secure'] : [state];
  const ranges = aarch32
    ? [lpaeStage2({ ...common, base: 'VTTBR', of: (name) => `VTCR.${name}` }, cpu)]
    : spaces.map((ipas) => aarch64Stage2(regime, values, cpu, { state, ipas }, off));
  const { VMID } = (!aarch32 && isSet(vtcr, VTCR_EL2.fields.VS) ? VTTBR_EL2 : VTTBR).fields;
  const vmid = {
    value: read(vttbr, VMID),
    bits: widthOf(VMID),
    field: aarch32 ? 'VTTBR.VMID' : 'VTTBR_EL2.VMID',
  };
  const extended = aarch32 ? [] : stage2Extended(params);
  return {
    stage: 2,
    format: aarch32 ? 'AArch32 long' : 'AArch64',
    control: { register: aarch32 ? 'VTCR' : 'VTCR_EL2', value: vtcr },
    ...(off && { off }),
    ranges,
    tag: { name: 'VMID', ...vmid },
    ...(extended.length > 0 && { extended }),
    wxn: false,
    uwxn: false,
    ...(!aarch32 && { stage2: stage2Controls(vtcr, params, cpu) }),
    problems: aarch32 ? [] : problemsOf(HYPERVISOR_RULES, { hcr, cpu }, HCR_EL2.name),
  };
}
