/** What register values mean for stage 1: whether it is on, its ranges, memory types and ASID. (DDI 0487 D8.1, D8.2, G5.) */
import { isSet, read, widthOf, withField } from '../arch/read.ts';
import { isAArch32, type Regime, traitsOf } from '../arch/regimes.ts';
import { TTBR_LONG } from '../arch/registers/aarch32-base.ts';
import { HTCR, SCTLR, TTBCR } from '../arch/registers/aarch32-control.ts';
import { TTBR0_EL1 } from '../arch/registers/base.ts';
import { SCTLR_EL1 } from '../arch/registers/sctlr.ts';
import { HCR_EL2 } from '../arch/registers/stage2.ts';
import { TCR_EL1 } from '../arch/registers/tcr.ts';
import type { CpuFeatures } from '../walker/cpu.ts';
import { oneRangeFields, twoRangeFields } from '../walker/params/range-fields.ts';
import { shortParams } from '../walker/params/short.ts';
import { isHost, rangesOf, stage1Enabled, usesShortDescriptors } from '../walker/regime-params.ts';
import type { Values } from '../walker/register-values.ts';
import { EAE_IGNORED } from '../walker/rules/aarch32.ts';
import { problemsOf, type RegisterProblem } from '../walker/rules/rule.ts';
import { lpaeRange, shortControls, shortRanges } from './aarch32.ts';
import { s1Range } from './aarch64.ts';
import { stage1Extended } from './extended.ts';
import { tcrNames } from './fields.ts';
import { maliStage, riscvStage } from './mali-riscv.ts';
import { dacrProblems, mairProblems } from './problems.ts';
import { mairTypes } from './tables.ts';
import type { OffReason, RangeDescription, StageDescription, TlbTag } from './types.ts';

/** Every table base register has CnP in this bit. */
const { CnP } = TTBR0_EL1.fields;

/** Stage 1 of a regime that has one. */
export function firstStage(regime: Regime, values: Values, cpu: CpuFeatures): StageDescription {
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
  const extended = stage1Extended(regime, spans[0]!.params, values.mair2);
  return {
    stage: 1,
    format: 'AArch64',
    control: { register: `TCR_EL${el}`, value: tcr },
    ...(off && { off }),
    ranges,
    ...(!one && { tag: asidOf(values, `EL${el}`) }),
    ...(spans[0]!.params.nv1 && { nv1: true }),
    ...memoryOf(register, mair, spans[0]!.params.regions),
    ...(extended.length > 0 && { extended }),
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
