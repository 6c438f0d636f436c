/**
 * What register values mean: the derivation of a translation regime, stage by stage and range by range, in the numbers that
 * the walker takes from the same registers. (DDI 0487 issue M.a, D8.1, D8.2, G5.)
 */
import { isAArch32, type Regime, traitsOf } from '../arch/regimes.ts';
import { field, flag } from '../walker/bits.ts';
import { type CpuFeatures, type CpuOptions, cpuFeatures } from '../walker/cpu.ts';
import { oneRangeFields, ttbrAddress, twoRangeFields } from '../walker/params/aarch64.ts';
import { shortParams } from '../walker/params/short.ts';
import {
  rangesOf,
  registerValues,
  stage1Enabled,
  stage2Enabled,
  stage2Params,
  usesShortDescriptors,
  type Values,
  type WalkerRegisters,
} from '../walker/regimes.ts';
import { lpaeRange, lpaeStage2, shortControls, shortRanges } from './aarch32.ts';
import { s1Range, s2Range, stage2Controls } from './aarch64.ts';
import { type FieldNames, tcrFields, tcrNames } from './fields.ts';
import { maliStage, riscvStage } from './mali-riscv.ts';
import { mairProblems } from './problems.ts';
import { mairTypes } from './tables.ts';
import type {
  OffReason,
  RangeDescription,
  RegimeDescription,
  RegisterProblem,
  StageDescription,
  TlbTag,
} from './types.ts';

/**
 * Describes a regime: for every stage and range whether it translates, its size, tables, levels, output, attributes, and every
 * field that is not as the architecture wants it.
 *
 * @param registers - as a walker takes them, with the same defaults.
 * @param cpu - what the PE implements. Default `max`.
 * @throws WalkerError for an unknown regime or CPU model, or a register value that is not 64 bits. Contents that the
 * architecture does not allow are no errors: they are among the description's `problems`. (DDI 0487 D8.1, D8.2, G5.)
 *
 * @example
 * const { stages } = describeRegime('el1&0', { ttbr0: 0x480f_a000n, tcr: 0x5_0000_3510n }, 'cortex-a72');
 * stages[0]?.ranges[0]?.tables?.startLevel; // 0
 */
export function describeRegime(
  regime: Regime,
  registers: WalkerRegisters,
  cpu?: CpuOptions,
): RegimeDescription {
  const features = cpuFeatures(cpu);
  const values = registerValues(regime, registers);
  const { stage1, stage2 } = traitsOf(regime);
  const first = stage1 ? [firstStage(regime, values, features)] : [];
  const second = stage2 ? [secondStage(regime, values, features)] : [];
  return { regime, cpu: features, stages: [...first, ...second] };
}

function firstStage(regime: Regime, values: Values, cpu: CpuFeatures): StageDescription {
  const off = stage1Off(regime, values);
  const { descriptors } = traitsOf(regime);
  if (descriptors === 'mali' || descriptors === 'riscv') {
    const stage =
      descriptors === 'mali' ? maliStage(values.ttbr0, values.mair, cpu) : riscvStage(values.ttbr0, cpu);
    return off ? { ...stage, off } : stage;
  }
  if (usesShortDescriptors(regime, values)) return shortStage(regime, values, off, cpu);
  return isAArch32(regime) ? lpaeStage(regime, values, off, cpu) : aarch64Stage(regime, values, off, cpu);
}

function stage1Off(regime: Regime, values: Values): OffReason | undefined {
  if (stage1Enabled(regime, values)) return undefined;
  const section = isAArch32(regime) ? 'DDI 0487 G5.2' : 'DDI 0487 D8.2.12.1';
  const hcr = isAArch32(regime) ? 'HCR' : 'HCR_EL2';
  const flat = 'stage 1 is off, and addresses pass unchanged';
  if (!flag(values.sctlr, 0)) {
    return { field: `${traitsOf(regime).registers.sctlr ?? 'SCTLR'}.M`, value: 0n, rule: flat, section };
  }
  return flag(values.hcr, 12)
    ? { field: `${hcr}.DC`, value: 1n, rule: `${flat}, as Write-Back memory`, section }
    : { field: `${hcr}.TGE`, value: 1n, rule: flat, section };
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
    const raw = tcrFields(fields, tcr, upper);
    return s1Range({ names, fields: raw, upper, value, cnp: flag(value, 0), span, off }, cpu);
  });
  const register = `MAIR_EL${el}`;
  return {
    stage: 1,
    format: 'AArch64',
    control: { register: `TCR_EL${el}`, value: tcr },
    ...(off && { off }),
    ranges,
    ...(!one && { tag: asidOf(values, `EL${el}`) }),
    memory: { register, value: mair, types: mairTypes(mair, spans[0]!.params.regions) },
    wxn: flag(sctlr, 19),
    uwxn: false,
    problems: mairProblems(register, mair, cpu, 'DDI 0487 D24.2.127'),
  };
}

/** TCR_ELx.A1 chooses the TTBR, AS how many bits count. */
function asidOf({ tcr, ttbr0, ttbr1 }: Values, el: string): TlbTag {
  const [upper, wide] = [flag(tcr, 22), flag(tcr, 36)];
  const value = field(upper ? ttbr1 : ttbr0, wide ? 63 : 55, 48);
  return { name: 'ASID', value, bits: wide ? 16 : 8, field: `TTBR${upper ? 1 : 0}_${el}.ASID` };
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
  const section = hyp ? 'DDI 0487 G8.2.76' : 'DDI 0487 G8.2.165';
  const { spans } = rangesOf(regime, values, cpu);
  // HTCR has no EPD0 in bit 7.
  const ttbcr = hyp ? tcr & ~0x80n : tcr;
  const ranges = spans.map((span, i) => {
    const base = hyp ? 'HTTBR' : `TTBR${i}`;
    const value = i === 1 ? ttbr1 : ttbr0;
    const names = { base, txsz: `${control}.T${i}SZ`, epd: `${control}.EPD${i}`, section };
    return lpaeRange({ ...names, value, ttbcr, upper: i === 1, cnp: flag(value, 0), span, off }, cpu);
  });
  const upper = flag(tcr, 22);
  const asid = { value: field(upper ? ttbr1 : ttbr0, 55, 48), bits: 8, field: `TTBR${upper ? 1 : 0}.ASID` };
  const register = hyp ? 'HMAIR1:HMAIR0' : 'MAIR1:MAIR0';
  return {
    stage: 1,
    format: 'AArch32 long',
    control: { register: control, value: tcr },
    ...(off && { off }),
    ranges,
    ...(!hyp && { tag: { name: 'ASID', ...asid } }),
    memory: { register, value: mair, types: mairTypes(mair, spans[0]!.params.regions) },
    wxn: flag(sctlr, 19),
    uwxn: !hyp && flag(sctlr, 20),
    problems: [
      ...(hyp ? [] : eaeProblems(regime, tcr)),
      ...mairProblems(register, mair, { mte: false, xs: false }, 'DDI 0487 G8.2.111'),
    ],
  };
}

/** Where the regime's name says which descriptors there are, and TTBCR.EAE says the other. */
function eaeProblems(regime: Regime, tcr: bigint): RegisterProblem[] {
  const long = traitsOf(regime).descriptors !== 'short';
  if (flag(tcr, 31) === long) return [];
  return [
    {
      field: 'TTBCR.EAE',
      value: BigInt(flag(tcr, 31)),
      effect: 'ignored',
      rule: `says ${long ? 'short' : 'long'} descriptors, but the regime asked for is ${regime}; with this value it is ${long ? 'pl1&0-short' : 'pl1&0'}`,
      section: 'DDI 0487 G8.2.165',
    },
  ];
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
    // Without TEX remap TEX, C and B say the type by themselves.
    ...(controls.tre && { memory: { register: 'NMRR:PRRR', value: values.mair, types } }),
    wxn: params.wxn,
    uwxn: params.uwxn,
    short: controls,
    problems: mtk
      ? []
      : [...(descriptors === 'short' ? eaeProblems(regime, values.tcr) : []), ...dacrProblems(values.dacr)],
  };
}

/** Domains whose access type is reserved. */
function dacrProblems(dacr: bigint): RegisterProblem[] {
  const reserved = Array.from({ length: 16 }, (_, d) => d).filter((d) => field(dacr, d * 2 + 1, d * 2) === 2);
  return reserved.map((domain) => ({
    field: `DACR.D${domain}`,
    value: 2n,
    effect: 'unpredictable',
    rule: 'the encoding is reserved: taken as no access (0 is none, 1 client, 3 manager)',
    section: 'DDI 0487 G8.2.38',
  }));
}

/** VTCR_EL2 and VTTBR_EL2. */
const STAGE2_NAMES: FieldNames = {
  base: 'VTTBR_EL2',
  txsz: 'VTCR_EL2.T0SZ',
  tg: 'VTCR_EL2.TG0',
  ps: 'VTCR_EL2.PS',
  sh: 'VTCR_EL2.SH0',
  of: (name) => `VTCR_EL2.${name}`,
  numbered: (name) => `VTCR_EL2.${name}`,
  section: 'DDI 0487 D24.2.224',
  baseSection: 'DDI 0487 D8.2.3',
};

function secondStage(regime: Regime, values: Values, cpu: CpuFeatures): StageDescription {
  const { vtcr, vttbr, hcr } = values;
  const aarch32 = isAArch32(regime);
  const params = stage2Params(regime, values, cpu);
  const off: OffReason | undefined = stage2Enabled(regime, values)
    ? undefined
    : {
        field: aarch32 ? 'HCR.VM' : 'HCR_EL2.VM',
        value: 0n,
        rule: 'stage 2 is off: an IPA is the PA',
        section: aarch32 ? 'DDI 0487 G5.2' : 'DDI 0487 D8.2.12.2',
      };
  const common = { value: vttbr, cnp: flag(vttbr, 0), vtcr, params, off };
  const range = aarch32
    ? lpaeStage2({ ...common, base: 'VTTBR', of: (name) => `VTCR.${name}` }, cpu)
    : s2Range({ ...common, names: STAGE2_NAMES, fields: vtcrFields(vtcr, vttbr) }, cpu);
  const wide = !aarch32 && flag(vtcr, 19);
  const vmid = {
    value: field(vttbr, wide ? 63 : 55, 48),
    bits: wide ? 16 : 8,
    field: `${range.register}.VMID`,
  };
  return {
    stage: 2,
    format: aarch32 ? 'AArch32 long' : 'AArch64',
    control: { register: aarch32 ? 'VTCR' : 'VTCR_EL2', value: vtcr },
    ...(off && { off }),
    ranges: [range],
    tag: { name: 'VMID', ...vmid },
    wxn: false,
    uwxn: false,
    ...(!aarch32 && { stage2: stage2Controls(vtcr, params, cpu) }),
    problems: flag(hcr, 46) && !aarch32 && !cpu.s2fwb ? [FWB] : [],
  };
}

const FWB: RegisterProblem = {
  field: 'HCR_EL2.FWB',
  value: 1n,
  effect: 'ignored',
  rule: 'RES0 without FEAT_S2FWB: MemAttr combines with what stage 1 says',
  section: 'DDI 0487 D24.2.62',
};

/** The fields of VTCR_EL2 that TCR_EL2 has in the same places; stage 2 has none of the others. */
export function vtcrFields(vtcr: bigint, vttbr: bigint) {
  const none = { tbi: false, tbid: false, hpd: false, epd: false, e0pd: false };
  return { ...tcrFields(oneRangeFields(vtcr, vttbr), vtcr, false), ...none, base: ttbrAddress(vttbr) };
}
