/**
 * What register values mean: derives a translation regime, stage by stage and range by range, with the numbers that
 * the walker takes from the same registers. (DDI 0487 issue M.a, D8.1, D8.2, G5.)
 */
import { isSet, read, widthOf, withField } from '../arch/read.ts';
import { isAArch32, isAArch32Stage, type Regime, traitsOf } from '../arch/regimes.ts';
import { TTBR_LONG, VTTBR } from '../arch/registers/aarch32-base.ts';
import { HTCR, SCTLR, TTBCR } from '../arch/registers/aarch32-control.ts';
import { TTBR0_EL1 } from '../arch/registers/base.ts';
import { SCR_EL3 } from '../arch/registers/scr.ts';
import { SCTLR_EL1 } from '../arch/registers/sctlr.ts';
import { HCR_EL2, VTCR_EL2, VTTBR_EL2 } from '../arch/registers/stage2.ts';
import { TCR_EL1 } from '../arch/registers/tcr.ts';
import { defaultSecurity, type PaSpace, type SecurityState, stageSecurity } from '../arch/security.ts';
import { type CpuFeatures, type CpuOptions, cpuFeatures } from '../walker/cpu.ts';
import { secureVtcr } from '../walker/params/aarch64.ts';
import { oneRangeFields, stage2Fields, ttbrAddress, twoRangeFields } from '../walker/params/range-fields.ts';
import { shortParams } from '../walker/params/short.ts';
import {
  type IpaSpace,
  isHost,
  rangesOf,
  stage1Enabled,
  stage2Enabled,
  stage2Params,
  usesShortDescriptors,
} from '../walker/regime-params.ts';
import { registerValues, type Values, type WalkerRegisters } from '../walker/register-values.ts';
import { EAE_IGNORED } from '../walker/rules/aarch32.ts';
import { problemsOf, type RegisterProblem } from '../walker/rules/rule.ts';
import { HYPERVISOR_RULES } from '../walker/rules/stage2.ts';
import { lpaeRange, lpaeStage2, shortControls, shortRanges } from './aarch32.ts';
import { s1Range, s2Range, stage2Controls } from './aarch64.ts';
import { SECURE_STAGE2_NAMES, STAGE2_NAMES, tcrNames } from './fields.ts';
import { describeGranuleProtection } from './granule-protection.ts';
import { maliStage, riscvStage } from './mali-riscv.ts';
import { dacrProblems, mairProblems } from './problems.ts';
import { mairTypes } from './tables.ts';
import type { OffReason, RangeDescription, RegimeDescription, StageDescription, TlbTag } from './types.ts';
import { withUncached } from './uncached.ts';

/**
 * Describes a regime: for every stage and range, whether it translates, its size, tables, levels, output, attributes, and every
 * field with a value that the architecture does not allow.
 *
 * @param registers - as a walker takes them, with the same defaults.
 * @param cpu - what the PE implements. Default `max`.
 * @param security - the Security state of the accesses. Default: Secure for EL3 (Root with FEAT_RME), Non-secure for everything else.
 * @param scr - SCR_EL3, which says whether Secure state has an EL2 (EEL2). Default: it has.
 * @throws WalkerError for an unknown regime or CPU model, or a register value that is not 64 bits. Values that the
 * architecture does not allow are no errors: the description lists them as `problems`. (DDI 0487 D8.1, D8.2, G5.)
 *
 * @example
 * const { stages } = describeRegime('el1&0', { ttbr0: 0x480f_a000n, tcr: 0x5_0000_3510n }, 'cortex-a72');
 * stages[0]?.ranges[0]?.tables?.startLevel; // 0
 */
export function describeRegime(
  regime: Regime,
  registers: WalkerRegisters,
  cpu?: CpuOptions,
  security?: SecurityState,
  scr?: bigint,
): RegimeDescription {
  const features = cpuFeatures(cpu);
  const given = registerValues(regime, registers);
  const state = security ?? defaultSecurity(regime, features.rme);
  const { el2 } = stageSecurity(regime, state, { scr });
  const values = el2 ? given : { ...given, hcr: 0n };
  const { stage1, stage2 } = traitsOf(regime);
  const first = stage1 ? [withUngiven(firstStage(regime, values, features), registers)] : [];
  const second = stage2 ? [secondStage(regime, values, features, { state, el2 })] : [];
  const stages = [...first, ...second].map((stage) => withUncached(stage, regime, values));
  const { architecture } = traitsOf(regime);
  const isPe = architecture === 'AArch64' || architecture === 'AArch32';
  const granuleProtection = isPe ? describeGranuleProtection(values, features) : undefined;
  return {
    regime,
    cpu: features,
    security: state,
    ...(granuleProtection && { granuleProtection }),
    stages,
  };
}

/** Marks the range whose base was not given, if the other's was. Without any base, the registers are described by themselves. */
function withUngiven(stage: StageDescription, registers: WalkerRegisters): StageDescription {
  const given = [registers.ttbr0, registers.ttbr1];
  if (given.every((base) => base === undefined)) return stage;
  const ranges = stage.ranges.map((range, i): RangeDescription => {
    return given[i] === undefined && range.off === undefined ? { ...range, notGiven: true } : range;
  });
  return { ...stage, ranges };
}

/** Every table base register has CnP in this bit. */
const { CnP } = TTBR0_EL1.fields;

function firstStage(regime: Regime, values: Values, cpu: CpuFeatures): StageDescription {
  const off = stage1Off(regime, values, cpu);
  const { descriptors } = traitsOf(regime);
  if (descriptors === 'mali' || descriptors === 'riscv') {
    const stage =
      descriptors === 'mali'
        ? maliStage(values.ttbr0, values.mair ?? 0n, cpu)
        : riscvStage(values.ttbr0, traitsOf(regime).unsigned === true, cpu);
    return off ? { ...stage, off } : stage;
  }
  if (usesShortDescriptors(regime, values)) return shortStage(regime, values, off, cpu);
  return isAArch32(regime) ? lpaeStage(regime, values, off, cpu) : aarch64Stage(regime, values, off, cpu);
}

function stage1Off(regime: Regime, values: Values, cpu: CpuFeatures): OffReason | undefined {
  if (stage1Enabled(regime, values)) return undefined;
  const section = isAArch32(regime) ? 'DDI 0487 G5.2' : 'DDI 0487 D8.2.12.1';
  const hcr = traitsOf(regime).registers.hcr ?? HCR_EL2.name;
  const flat = 'stage 1 is off, and addresses pass unchanged';
  if (!isSet(values.sctlr, SCTLR_EL1.fields.M)) {
    return { field: `${traitsOf(regime).registers.sctlr ?? 'SCTLR'}.M`, value: 0n, rule: flat, section };
  }
  const { DC, DCT } = HCR_EL2.fields;
  if (!isSet(values.hcr, DC) || isHost(regime, values.hcr))
    return { field: `${hcr}.TGE`, value: 1n, rule: flat, section };
  const tagged = !isAArch32(regime) && cpu.mte && isSet(values.hcr, DCT);
  const memory = tagged ? 'Write-Back memory, Tagged (DCT = 1)' : 'Write-Back memory';
  return { field: `${hcr}.DC`, value: 1n, rule: `${flat}, as ${memory}`, section };
}

function aarch64Stage(
  regime: Regime,
  values: Values,
  off: OffReason | undefined,
  cpu: CpuFeatures,
): StageDescription {
  const { tcr, ttbr0, ttbr1, mair, sctlr } = values;
  const { el = 1, ranges: count } = traitsOf(regime);
  const one = count === 1;
  const { spans } = rangesOf(regime, values, cpu);
  const ranges = spans.map((span, i): RangeDescription => {
    const upper = i === 1;
    const value = upper ? ttbr1 : ttbr0;
    const fields = one ? oneRangeFields(tcr, value) : twoRangeFields(tcr, value, upper);
    const names = tcrNames(el, upper ? 1 : 0, one);
    return s1Range({ names, fields, upper, value, cnp: isSet(value, CnP), span, off }, cpu);
  });
  const register = `MAIR_EL${el}`;
  return {
    stage: 1,
    format: 'AArch64',
    control: { register: `TCR_EL${el}`, value: tcr },
    ...(off && { off }),
    ranges,
    ...(!one && { tag: asidOf(values, `EL${el}`) }),
    ...(spans[0]!.params.nv1 && { nv1: true }),
    ...memoryOf(register, mair, spans[0]!.params.regions),
    wxn: isSet(sctlr, SCTLR_EL1.fields.WXN),
    uwxn: false,
    problems: mair === undefined ? [] : mairProblems(register, mair, cpu, 'DDI 0487 D24.2.127'),
  };
}

/** The memory types in MAIR, or nothing if it was not given. */
function memoryOf(
  register: string,
  mair: bigint | undefined,
  regions: Parameters<typeof mairTypes>[1],
): Pick<StageDescription, 'memory'> {
  return mair === undefined ? {} : { memory: { register, value: mair, types: mairTypes(mair, regions) } };
}

/** TCR_ELx.A1 chooses the TTBR, and AS how many bits count. */
function asidOf({ tcr, ttbr0, ttbr1 }: Values, el: string): TlbTag {
  const { A1, AS } = TCR_EL1.fields;
  const upper = isSet(tcr, A1);
  const { ASID } = (isSet(tcr, AS) ? TTBR0_EL1 : TTBR_LONG).fields;
  const value = read(upper ? ttbr1 : ttbr0, ASID);
  return { name: 'ASID', value, bits: widthOf(ASID), field: `TTBR${upper ? 1 : 0}_${el}.ASID` };
}

function lpaeStage(
  regime: Regime,
  values: Values,
  off: OffReason | undefined,
  cpu: CpuFeatures,
): StageDescription {
  const { tcr, ttbr0, ttbr1, mair, sctlr } = values;
  const hyp = !traitsOf(regime).unprivileged;
  const control = hyp ? 'HTCR' : 'TTBCR';
  const section = (hyp ? HTCR : TTBCR).reference;
  const { spans } = rangesOf(regime, values, cpu);
  // HTCR has TTBCR's fields for TTBR0 in the same bits, except EPD0.
  const ttbcr = hyp ? withField(tcr, TTBCR.fields.EPD0, 0) : tcr;
  const ranges = spans.map((span, i) => {
    const base = hyp ? 'HTTBR' : `TTBR${i}`;
    const value = i === 1 ? ttbr1 : ttbr0;
    const names = { base, txsz: `${control}.T${i}SZ`, epd: `${control}.EPD${i}`, section };
    return lpaeRange({ ...names, value, ttbcr, upper: i === 1, cnp: isSet(value, CnP), span, off }, cpu);
  });
  const upper = isSet(tcr, TTBCR.fields.A1);
  const { ASID } = TTBR_LONG.fields;
  const asid = {
    value: read(upper ? ttbr1 : ttbr0, ASID),
    bits: widthOf(ASID),
    field: `TTBR${upper ? 1 : 0}.ASID`,
  };
  const register = hyp ? 'HMAIR1:HMAIR0' : 'MAIR1:MAIR0';
  return {
    stage: 1,
    format: 'AArch32 long',
    control: { register: control, value: tcr },
    ...(off && { off }),
    ranges,
    ...(!hyp && { tag: { name: 'ASID', ...asid } }),
    ...memoryOf(register, mair, spans[0]!.params.regions),
    wxn: isSet(sctlr, SCTLR_EL1.fields.WXN),
    uwxn: !hyp && isSet(sctlr, SCTLR.fields.UWXN),
    problems: [
      ...(hyp ? [] : eaeProblems(regime, tcr)),
      ...(mair === undefined
        ? []
        : mairProblems(register, mair, { mte: false, xs: false }, 'DDI 0487 G8.2.111')),
    ],
  };
}

/** The problem if the regime's name and TTBCR.EAE disagree about the kind of descriptors. */
function eaeProblems(regime: Regime, tcr: bigint): RegisterProblem[] {
  const long = traitsOf(regime).descriptors !== 'short';
  const eae = isSet(tcr, TTBCR.fields.EAE);
  return problemsOf([EAE_IGNORED], { eae, long, regime, other: eae ? 'pl1&0' : 'pl1&0-short' }, undefined);
}

function shortStage(
  regime: Regime,
  values: Values,
  off: OffReason | undefined,
  cpu: CpuFeatures,
): StageDescription {
  const { descriptors } = traitsOf(regime);
  const mtk = descriptors === 'mtk';
  const params = shortParams(values, mtk);
  const controls = shortControls(values.sctlr, params);
  const types = Array.from({ length: 8 }, (_, index) => ({
    index,
    attributes: params.regions[index]!.attributes,
  }));
  return {
    stage: 1,
    format: mtk ? 'MediaTek M4U' : 'AArch32 short',
    ...(!mtk && { control: { register: 'TTBCR', value: values.tcr } }),
    ...(off && { off }),
    ranges: shortRanges(params, values, off, cpu),
    // Without TEX remap, TEX, C and B give the type directly.
    ...(controls.tre &&
      values.mair !== undefined && { memory: { register: 'NMRR:PRRR', value: values.mair, types } }),
    wxn: params.wxn,
    uwxn: params.uwxn,
    short: controls,
    problems: mtk
      ? []
      : [...(descriptors === 'short' ? eaeProblems(regime, values.tcr) : []), ...dacrProblems(values.dacr)],
  };
}

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

function secondStage(
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
  return {
    stage: 2,
    format: aarch32 ? 'AArch32 long' : 'AArch64',
    control: { register: aarch32 ? 'VTCR' : 'VTCR_EL2', value: vtcr },
    ...(off && { off }),
    ranges,
    tag: { name: 'VMID', ...vmid },
    wxn: false,
    uwxn: false,
    ...(!aarch32 && { stage2: stage2Controls(vtcr, params, cpu) }),
    problems: aarch32 ? [] : problemsOf(HYPERVISOR_RULES, { hcr, cpu }, HCR_EL2.name),
  };
}
