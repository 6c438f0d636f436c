/**
 * Bits of given registers that are set and have no part in an answer: reserved ones, and those that count only with another field.
 * (DDI 0487 D24.2, G8.2; RISC-V Privileged Architecture, "sstatus".)
 */
import { type FieldBits, isSet, maskOf } from '../../arch/read.ts';
import { type Regime, traitsOf } from '../../arch/regimes.ts';
import { TTBR0_EL1 } from '../../arch/registers/base.ts';
import { HCRX_EL2, TCR2_EL1 } from '../../arch/registers/extended.ts';
import { AS_TRANSTAB } from '../../arch/registers/other.ts';
import { SSTATUS } from '../../arch/registers/riscv.ts';
import { SCR_EL3 } from '../../arch/registers/scr.ts';
import { SCTLR_EL1 } from '../../arch/registers/sctlr.ts';
import { HCR_EL2, VTCR_EL2, VTTBR_EL2 } from '../../arch/registers/stage2.ts';
import { VSTCR_EL2, VSTTBR_EL2 } from '../../arch/registers/stage2-secure.ts';
import { TCR_EL1, TCR_EL2, TCR_EL3 } from '../../arch/registers/tcr.ts';
import { hex } from '../../memory/hex.ts';
import { bitsWithout, holesOf, type Idle, reserved, UPPER_HALF, type ValueOf } from './idle.ts';
import { aarch32Of, mediatekOf } from './idle-aarch32.ts';
import { type ByManualName, tcr2Gate } from './unmodelled.ts';

/** Each register with such bits, and why they do nothing. */
export function idleBits(regime: Regime, values: ByManualName): { register: string; why: string }[] {
  // A TCR2 that does not count is said as such, and is 0 to everything that goes by its bits.
  const { tcr2 } = traitsOf(regime).registers;
  const closed = tcr2Gate(regime, values) !== undefined;
  const effective: ValueOf = (register) =>
    closed && register === tcr2 ? 0n : (values.get(register ?? '') ?? 0n);
  return idleOf(regime, effective).flatMap(({ register, fields, why }) => {
    if (why === false || register === undefined) return [];
    const set = fields.reduce((mask, field) => mask | maskOf(field), 0n) & (values.get(register) ?? 0n);
    return set === 0n ? [] : [{ register, why: `bits ${hex(set)} have no part: ${why}` }];
  });
}

function idleOf(regime: Regime, value: ValueOf): readonly Idle[] {
  const { architecture, stage1, stage2 } = traitsOf(regime);
  switch (architecture) {
    case 'AArch64':
      return [
        ...(stage1 ? stage1Of(regime, value) : []),
        ...(stage2 ? stage2Of(regime, value) : []),
        ...hypervisorOf(regime, value),
        ...secureOf(regime, value),
        ...permissionsOf(regime, value),
      ];
    case 'AArch32':
      return aarch32Of(regime, value);
    case 'MediaTek':
      return mediatekOf(regime, value);
    case 'RISC-V':
      return [
        { register: SSTATUS.name, fields: holesOf(SSTATUS), why: 'of sstatus a walk reads SUM and MXR' },
      ];
    case 'Mali':
      return [
        reserved(AS_TRANSTAB),
        {
          register: AS_TRANSTAB.name,
          fields: [AS_TRANSTAB.fields.READ_INNER, AS_TRANSTAB.fields.SHARE_OUTER],
          why: "they are for the walk's own reads",
        },
      ];
    default:
      return [];
  }
}

const NO_HIERARCHY = 'with indirect permissions, overlays or MAIR2 tables have no permissions of their own';
const HAFT_NEEDS = 'HAFT counts with HA = 1';

function stage1Of(regime: Regime, value: ValueOf): Idle[] {
  const { registers, ranges, unprivileged } = traitsOf(regime);
  const { tcr: control, ttbr0, ttbr1, sctlr } = registers;
  const tcr = value(control);
  const { ASID } = TTBR0_EL1.fields;
  const { EPAN } = SCTLR_EL1.fields;
  const { PIE, POE, AIE, E0POE } = TCR2_EL1.fields;
  const tcr2 = value(registers.tcr2);
  const noPan: Idle = {
    register: sctlr,
    fields: [EPAN],
    why: unprivileged
      ? isSet(tcr2, PIE) && 'with indirect permissions PAN is as with EPAN = 1'
      : 'the regime has no PAN',
  };
  // J1.1: hpd is 1 under any of them. (R_JHSVW)
  const noHierarchy = [PIE, POE, AIE, E0POE].some((field) => isSet(tcr2, field)) && NO_HIERARCHY;
  if (ranges === 1) {
    const { TBI, TBID } = TCR_EL2.fields;
    const { HPD, PIE: pie, POE: poe, AIE: aie } = TCR_EL3.fields;
    // EL3 has no TCR2: its TCR has these bits.
    const own = control === TCR_EL3.name && [pie, poe, aie].some((field) => isSet(tcr, field));
    return [
      noPan,
      { register: control, fields: [HPD], why: own ? NO_HIERARCHY : noHierarchy },
      { register: ttbr0, fields: [ASID], why: 'the regime has no ASIDs' },
      { register: control, fields: [TBID], why: !isSet(tcr, TBI) && 'TBID counts with TBI = 1' },
      {
        register: control,
        fields: [TCR_EL3.fields.HAFT],
        why: control === TCR_EL3.name && !isSet(tcr, TCR_EL3.fields.HA) && HAFT_NEEDS,
      },
    ];
  }
  const { A1, AS, TBI0, TBI1, TBID0, TBID1, HPD0, HPD1, EPD0, EPD1, TG0, TG1 } = TCR_EL1.fields;
  const [chosen, other] = isSet(tcr, A1) ? [ttbr1, ttbr0] : [ttbr0, ttbr1];
  // With FEAT_ASID2 each range may have an ASID of its own.
  const both = isSet(tcr2, TCR2_EL1.fields.A2);
  return [
    noPan,
    { register: control, fields: [HPD0, HPD1], why: noHierarchy },
    { register: control, fields: [TG0], why: isSet(tcr, EPD0) && 'with EPD0 = 1 no table is read' },
    { register: control, fields: [TG1], why: isSet(tcr, EPD1) && 'with EPD1 = 1 no table is read' },
    {
      register: other,
      fields: [ASID],
      why: !both && `the ASID is ${chosen}'s (${control}.A1 = ${Number(isSet(tcr, A1))})`,
    },
    {
      register: chosen,
      fields: [UPPER_HALF],
      why: !isSet(tcr, AS) && `with ${control}.AS = 0 an ASID has 8 bits`,
    },
    { register: control, fields: [TBID0], why: !isSet(tcr, TBI0) && 'TBID0 counts with TBI0 = 1' },
    { register: control, fields: [TBID1], why: !isSet(tcr, TBI1) && 'TBID1 counts with TBI1 = 1' },
  ];
}

function stage2Of(regime: Regime, value: ValueOf): Idle[] {
  const { registers, stage1 } = traitsOf(regime);
  const { vttbr, vtcr: control, vsttbr, vstcr } = registers;
  const vtcr = value(control);
  const { VS, NSW, NSA, S2PIE, S2POE, TL0, TL1, GCSH, HA, HAFT } = VTCR_EL2.fields;
  const secure = value(vsttbr) !== 0n || value(vstcr) !== 0n;
  return [
    {
      register: vttbr,
      fields: [UPPER_HALF],
      why: vttbr === VTTBR_EL2.name && !isSet(vtcr, VS) && `with ${control}.VS = 0 a VMID has 8 bits`,
    },
    {
      register: control,
      fields: [NSW, NSA],
      why: !secure && 'they are for the Non-secure IPAs of Secure state',
    },
    { register: control, fields: [S2POE], why: !isSet(vtcr, S2PIE) && 'S2POE counts with S2PIE = 1' },
    { register: control, fields: [HAFT], why: !isSet(vtcr, HA) && HAFT_NEEDS },
    { register: control, fields: [TL0, TL1, GCSH], why: !stage1 && 'they are for walks of stage 1' },
    {
      register: control,
      fields: [GCSH],
      why:
        stage1 &&
        !isSet(value(registers.tcr2), TCR2_EL1.fields.PIE) &&
        'without indirect permissions of stage 1 there are no Guarded Control Stacks',
    },
  ];
}

/** Fields of TCR2 for what is not modelled, and changes no answer. */
const NOT_READ = /^(DisCH|AMEC|PTTWI)/;

const WHOLE: FieldBits = { high: 63, low: 0 };

/** Registers that indirect permissions, overlays and extended attribute indexes read, where these are off. (D8.4.1.3, D8.4.2.2, D8.6.1) */
function permissionsOf(regime: Regime, value: ValueOf): Idle[] {
  const { registers, ranges, stage1, stage2 } = traitsOf(regime);
  const { pir, pire0, por, por0, mair2, s2pir, s2por, tcr, tcr2, vtcr, hcrx } = registers;
  const [control, { PIE, POE, AIE }] = tcr2 === undefined ? [tcr, TCR_EL3.fields] : [tcr2, TCR2_EL1.fields];
  const { S2PIE, S2POE } = VTCR_EL2.fields;
  const off = (
    register: string | undefined,
    by: string | undefined,
    ...fields: (FieldBits & { name: string })[]
  ): Idle => ({
    register,
    fields: [WHOLE],
    why:
      fields.every((field) => !isSet(value(by), field)) &&
      `${by}.${fields.map(({ name }) => name).join(' and ')} = 0`,
  });
  const overlays = ranges === 2 ? [POE, TCR2_EL1.fields.E0POE] : [POE];
  return [
    { register: tcr2, fields: holesOf(TCR2_EL1), why: 'they are reserved' },
    {
      register: tcr2,
      fields: Object.entries(TCR2_EL1.fields).flatMap(([name, field]) =>
        NOT_READ.test(name) ? [field] : [],
      ),
      why: 'no answer depends on them',
    },
    {
      register: tcr2,
      fields: [TCR2_EL1.fields.HAFT],
      why: !isSet(value(tcr), TCR_EL1.fields.HA) && HAFT_NEEDS,
    },
    {
      register: tcr2,
      fields: [TCR2_EL1.fields.FNGNA0, TCR2_EL1.fields.FNGNA1],
      why: !isSet(value(tcr2), TCR2_EL1.fields.PnCH) && 'FNGNA0 and FNGNA1 count with PnCH = 1',
    },
    {
      register: hcrx,
      fields: bitsWithout(maskOf(HCRX_EL2.fields.TCR2En), HCRX_EL2.width),
      why: 'of HCRX_EL2 a walk reads TCR2En',
    },
    ...(stage1 ? [off(pir, control, PIE), off(pire0, control, PIE), off(mair2, control, AIE)] : []),
    ...(stage1 ? [off(por, control, POE), off(por0, control, ...overlays)] : []),
    ...(stage2 ? [off(s2pir, vtcr, S2PIE), off(s2por, vtcr, S2POE)] : []),
  ];
}

/** SCR_EL3, and the registers of stage 2 of Secure IPAs. (D24.2.169, D24.2.222, D24.2.223.) */
function secureOf(regime: Regime, value: ValueOf): Idle[] {
  const { el, stage1, registers } = traitsOf(regime);
  const { tcr2, hcrx, mair2 } = registers;
  const { NS, NSE, SIF, EEL2, TCR2En, HXEn, AIEn } = SCR_EL3.fields;
  const register = SCR_EL3.name;
  const scr = value(register);
  const secure = !isSet(scr, NSE) && (el === 3 || !isSet(scr, NS));
  const unused = (given: string | undefined, field: FieldBits & { name: string }): Idle => ({
    register,
    fields: [field],
    why: value(given) === 0n && `${field.name} counts where ${given ?? 'its register'} is not 0`,
  });
  return [
    { register, fields: holesOf(SCR_EL3), why: 'no walk reads them' },
    { register, fields: [SCR_EL3.fields.PIEn], why: 'PIEn traps accesses to registers' },
    { register, fields: [NS], why: el === 3 && 'NS is for the states below EL3' },
    { register, fields: [EEL2], why: !(secure && el !== 3) && 'EEL2 is for Secure state below EL3' },
    { register, fields: [SIF], why: !(secure && stage1) && 'SIF is for stage 1 of Secure state' },
    unused(tcr2, TCR2En),
    unused(hcrx, HXEn),
    unused(mair2, AIEn),
    reserved(VSTCR_EL2),
    reserved(VSTTBR_EL2),
  ];
}

/** HCR_EL2, where one of the two stages is looked at alone. */
function hypervisorOf(regime: Regime, value: ValueOf): Idle[] {
  const { el, stage1, stage2 } = traitsOf(regime);
  const register = HCR_EL2.name;
  const hcr = value(register);
  const { NV, NV1, VM, PTW, DC, DCT, TGE, E2H, CD, ID, FWB } = HCR_EL2.fields;
  if (el === 2)
    return [
      {
        register,
        fields: [WHOLE],
        why: 'which regime it is follows from E2H, and a walk reads no bit of it',
      },
    ];
  if (el !== 1) return [];
  const nested = !(isSet(hcr, NV) && isSet(hcr, NV1)) && 'NV and NV1 count together';
  if (stage1 && !stage2) {
    const fields = [VM, PTW, DC, DCT, TGE, E2H, CD, ID, FWB];
    return [
      { register, fields, why: 'a walk of stage 1 on its own reads only NV and NV1' },
      { register, fields: [NV, NV1], why: nested },
    ];
  }
  return [
    { register, fields: [NV, NV1], why: stage1 ? nested : 'they are for stage 1' },
    { register, fields: [DCT], why: !isSet(hcr, DC) && 'DCT counts with DC = 1' },
    {
      register,
      fields: [TGE],
      why: !stage1 && !isSet(hcr, PTW) && 'for stage 2 on its own, TGE has effect with PTW = 1',
    },
    {
      register,
      fields: [E2H],
      why: stage1 ? !isSet(hcr, TGE) && 'E2H counts with TGE = 1' : 'no walk of stage 2 on its own reads it',
    },
  ];
}
