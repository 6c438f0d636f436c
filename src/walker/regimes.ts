/**
 * Translation regimes: from a regime's name and register values to the stages that make it up.
 * (DDI 0487 D8.1.2; J1.1 AArch64.S1Enabled, GetS1TTWParams, GetS2TTWParams; G5.1 for AArch32.)
 */
import { isSet, wordOf } from '../arch/read.ts';
import {
  isAArch32,
  isAArch32Stage,
  isNested,
  isRegime,
  isStage2Alone,
  type Regime,
  type RegisterName,
  regimes,
  traitsOf,
} from '../arch/regimes.ts';
import { TTBCR } from '../arch/registers/aarch32-control.ts';
import { SSTATUS } from '../arch/registers/riscv.ts';
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
import { nearest } from '../memory/near-names.ts';
import { DEFAULT_CACHEABLE, DEFAULT_TAGGED } from './attributes.ts';
import { ControlsInForce, cacheControls } from './cacheability.ts';
import type { CpuFeatures } from './cpu.ts';
import { WalkerError } from './errors.ts';
import { GranuleProtection } from './granule-protection.ts';
import { StageMali } from './other/mali.ts';
import { StageRiscv } from './other/riscv.ts';
import { s1ParamsHyp, s1ParamsLpae, s2ParamsLpae, ttbcrSizes } from './params/aarch32.ts';
import { hypervisorControl, s1Params, s2Params, secureVtcr, systemControl } from './params/aarch64.ts';
import { extendedControls, NOT_EXTENDED } from './params/extended.ts';
import { gptParams } from './params/granule-protection.ts';
import type { S2Params } from './params/params.ts';
import { oneRangeFields, ttbrAddress, twoRangeFields } from './params/range-fields.ts';
import { shortParams } from './params/short.ts';
import { withAArch32Ipas } from './params/sizes.ts';
import { ALL_PERMISSIONS, PRIVILEGED_ONLY } from './permissions.ts';
import { lpaeRanges, oneLpaeRange, oneRange, type S1Ranges, twoRanges } from './ranges.ts';
import { Stage1 } from './stage1.ts';
import { type FlatMapping, flatTranslate } from './stage1-off.ts';
import { Stage1Short } from './stage1-short.ts';
import { Stage2 } from './stage2.ts';
import type { TableMemory } from './table-memory.ts';
import type { Stages } from './translate.ts';

/**
 * Whole register values, 64 bits, each in its own architectural layout: TCR_EL1 or TTBCR in `tcr`; MAIR_EL1, MAIR1:MAIR0
 * or (short descriptors) NMRR:PRRR in `mair`; in Hyp mode HTTBR, HTCR, HMAIR1:HMAIR0 and HSCTLR. A register that is not given is 0, but for `mair`
 * (memory types are then not known: see `attrIndx` of the attributes), `sctlr` (M, C and I = 1) and `hcr` (VM = 1, and DC = 1 where stage 2 is alone, so that the attributes are what stage 2 says). Registers that a regime does
 * not have are ignored, but for NV and NV1 of `hcr` in `el1&0`. `mtk`: `ttbr0` with PA[34:32] in [2:0], and in `tcr` how many input address bits there are above 32 (0 to 2),
 * which is fixed in a real M4U. `gpccr`, `gptbr` and `gpcbw` are GPCCR_EL3, GPTBR_EL3 and GPCBW_EL3: with GPC = 0 no access is checked. `mali`: AS_TRANSTAB in `ttbr0`, AS_MEMATTR in `mair`. `riscv`: satp in `ttbr0`; `sstatus` (or mstatus) has SUM and MXR, and is SUM = 1, MXR = 0 where it is not given. `sctlr` is that of the stage-1 regime: its EE makes stage-1 tables big-endian; stage-2 tables are
 * little-endian.
 */
export type WalkerRegisters = Readonly<Partial<Record<RegisterName, bigint>>>;

/** Every register of the walker's, with the defaults filled in. */
export type Values = Required<Omit<WalkerRegisters, 'mair' | 'mair2' | 'hcrx'>> & {
  /** Undefined: not given, and memory types are not known. */
  readonly mair: bigint | undefined;
  readonly mair2: bigint | undefined;
  /** Undefined: not given, and everything that it gates counts. */
  readonly hcrx: bigint | undefined;
};

/** HCR and SCTLR of AArch32 have these fields in the same bits, except DCT, NV and NV1, which do not exist there. */
const { VM, DC, DCT, E2H, TGE, NV, NV1 } = HCR_EL2.fields;
const { M } = SCTLR_EL1.fields;

/** The supervisor reaches user pages, unless an access says `pan`. */
const SUM_SET = wordOf(SSTATUS, { SUM: true });

/** Fills in the defaults. @throws WalkerError for an unknown regime, or a value that is not a 64-bit bigint. */
export function registerValues(regime: Regime, registers: WalkerRegisters): Values {
  if (!isRegime(regime)) {
    throw new WalkerError(`unknown regime '${String(regime)}'; known are ${regimes.join(', ')}`);
  }
  const alone = isStage2Alone(regime);
  const values = {
    ttbr0: 0n,
    ttbr1: 0n,
    tcr: 0n,
    mair: undefined,
    vttbr: 0n,
    vtcr: 0n,
    vsttbr: 0n,
    vstcr: 0n,
    dacr: 0n,
    gpccr: 0n,
    gptbr: 0n,
    gpcbw: 0n,
    sstatus: SUM_SET,
    tcr2: 0n,
    pir: 0n,
    pire0: 0n,
    por: 0n,
    por0: 0n,
    mair2: undefined,
    hcrx: undefined,
    s2pir: 0n,
    s2por: 0n,
  };
  const hcr = wordOf(HCR_EL2, { VM: true, DC: alone });
  const result: Values = { ...values, sctlr: wordOf(SCTLR_EL1, { M: !alone, C: true, I: true }), hcr };
  const known = Object.keys(result) as (keyof Values)[];
  const unknown = Object.keys(registers).find((name) => !known.some((one) => one === name));
  if (unknown !== undefined) throw new WalkerError(unknownRegister(unknown, known));
  for (const name of known) {
    const value: unknown = registers[name];
    if (value === undefined) continue;
    if (typeof value !== 'bigint' || value < 0n || value >> 64n) {
      throw new WalkerError(`register ${name} must be a bigint of at most 64 bits, not ${String(value)}`);
    }
    Object.assign(result, { [name]: value });
  }
  return result;
}

function unknownRegister(name: string, known: readonly string[]): string {
  const bare = name.toLowerCase().replace(/_el\d+$/, '');
  const likely = known.includes(bare) ? bare : nearest(bare, known);
  const hint = likely === undefined ? `known are ${known.join(', ')}` : `did you mean ${likely}?`;
  return `unknown register '${name}'; ${hint} (resolveRegisters takes the manual's names, as TTBR0_EL1)`;
}

/**
 * The stages of a regime, with every register field decoded.
 * @throws WalkerError for an unknown regime or a register value that no register can hold.
 */
export function regimeStages(
  memory: TableMemory,
  regime: Regime,
  registers: WalkerRegisters,
  cpu: CpuFeatures,
  security: StageSecurity = usualSecurity(regime),
): Stages {
  const given = registerValues(regime, registers);
  const values = security.el2 ? given : { ...given, hcr: 0n };
  const gpc = granuleProtection(memory, regime, values, cpu, security);
  const own = stagesOf(memory, regime, values, cpu, security, gpc);
  const stages = gpc === undefined ? own : { ...own, gpc };
  const controls = cacheControls(regime, values);
  if (controls.length === 0) return stages;
  return { ...stages, cacheControls: new ControlsInForce(controls, cpu.xs && !isAArch32(regime)) };
}

/** The checks of a PE's accesses, if GPCCR_EL3 turns them on. */
function granuleProtection(
  memory: TableMemory,
  regime: Regime,
  { gpccr, gptbr, gpcbw }: Values,
  cpu: CpuFeatures,
  { state }: StageSecurity,
): GranuleProtection | undefined {
  const { architecture } = traitsOf(regime);
  if (architecture !== 'AArch64' && architecture !== 'AArch32') return undefined;
  const params = gptParams({ gpccr, gptbr, gpcbw, cpu });
  return params && new GranuleProtection(memory.plain(), params, state);
}

function stagesOf(
  memory: TableMemory,
  regime: Regime,
  values: Values,
  cpu: CpuFeatures,
  security: StageSecurity,
  gpc: GranuleProtection | undefined,
): Stages {
  const stage2 = stage2Of(memory, regime, values, cpu, security, gpc);
  const { unprivileged, architecture } = traitsOf(regime);
  const fetchesInstructions = architecture === 'AArch64' || architecture === 'AArch32';
  if (!stage1Enabled(regime, values)) {
    const mapping = flatMapping(regime, values, cpu, security.state);
    return {
      first: (ia, request) => flatTranslate(mapping, ia, request),
      stage1: false,
      stage2,
      trees: () => stage2?.trees() ?? [],
      fetchesInstructions,
      security: security.state,
      unprivileged,
      ...(stage2?.direct &&
        gpc === undefined && { direct: { stage2: stage2.direct, inputBits: mapping.inputBits, cpu } }),
    };
  }
  const { descriptors } = traitsOf(regime);
  if (descriptors === 'mali' || descriptors === 'riscv') {
    const { ttbr0, mair, sstatus } = values;
    const { unsigned = false } = traitsOf(regime);
    const stage =
      descriptors === 'mali'
        ? new StageMali(memory, ttbr0, mair ?? 0n, cpu.paBits)
        : new StageRiscv(memory, { satp: ttbr0, sstatus, unsigned }, cpu.paBits);
    return {
      first: (ia, request, steps) => stage.translate(ia, request, steps),
      stage1: true,
      stage2,
      trees: () => stage.trees(),
      fetchesInstructions,
      security: security.state,
      unprivileged,
    };
  }
  if (usesShortDescriptors(regime, values)) {
    const stage1 = new Stage1Short(memory, shortParams(values, descriptors === 'mtk', security), stage2, gpc);
    return {
      first: (ia, request, steps) => stage1.translate(ia, request, steps),
      stage1: true,
      stage2,
      trees: () => [...stage1.trees(), ...(stage2?.trees() ?? [])],
      fetchesInstructions,
      security: security.state,
      unprivileged,
    };
  }
  const ranges = rangesOf(regime, values, cpu, security);
  const stage1 = new Stage1(memory, ranges, stage2, gpc);
  // The fast path decides execution by permission bits only, and handles neither POIndex nor access flags of tables.
  const direct =
    stage2 === undefined &&
    gpc === undefined &&
    !security.ownCodeOnly &&
    !ranges.spans.some(({ params }) => params.bigEndian || params.haft || params.overlays !== undefined);
  return {
    first: (ia, request, steps) => stage1.translate(ia, request, steps),
    stage1: true,
    stage2,
    trees: () => [...stage1.trees(), ...(stage2?.trees() ?? [])],
    fetchesInstructions,
    security: security.state,
    unprivileged,
    ...(direct && { direct: { stage1: ranges } }),
  };
}

/** For accesses whose Security state is not given. */
function usualSecurity(regime: Regime): StageSecurity {
  return stageSecurity(regime, defaultSecurity(regime), { known: false });
}

function stage2Of(
  memory: TableMemory,
  regime: Regime,
  values: Values,
  cpu: CpuFeatures,
  { state }: StageSecurity,
  gpc: GranuleProtection | undefined,
): Stage2 | undefined {
  if (!stage2Enabled(regime, values)) return undefined;
  const params = (ipas: PaSpace) => stage2Params(regime, values, cpu, { state, ipas });
  const nonSecure = state === 'secure' ? params('non-secure') : undefined;
  return new Stage2(memory, params(state), cpu, { nonSecure, gpc });
}

/** Whether the regime has a stage 2 and HCR switches it on. (HCR.DC implies VM.) */
export function stage2Enabled(regime: Regime, { hcr }: Values): boolean {
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

/** Stage 1 off. A VA beyond the PA size is an address size fault; a stage 2 of AArch32 by itself takes IPAs of 40 bits. */
function flatMapping(
  regime: Regime,
  { tcr, hcr }: Values,
  cpu: CpuFeatures,
  space: SecurityState,
): FlatMapping {
  const { ranges, unprivileged } = traitsOf(regime);
  const permissions = unprivileged ? ALL_PERMISSIONS : PRIVILEGED_ONLY;
  const cacheable = traitsOf(regime).stage2 && isSet(hcr, DC) && !isHost(regime, hcr);
  if (isAArch32(regime)) {
    return {
      inputBits: isStage2Alone(regime) ? 40 : 32,
      beyond: { kind: 'translation', level: 1, stage: isStage2Alone(regime) ? 2 : 1 },
      topByteIgnored: () => false,
      ...(cacheable && { region: DEFAULT_CACHEABLE }),
      permissions,
      space,
    };
  }
  const one = ranges === 1;
  const lower = one ? oneRangeFields(tcr, 0n) : twoRangeFields(tcr, 0n, false);
  const upper = one ? lower : twoRangeFields(tcr, 0n, true);
  return {
    inputBits: cpu.paBits,
    beyond: { kind: 'address_size', level: 0, stage: 1 },
    topByteIgnored(isUpper, fetch) {
      const { tbi, tbid } = isUpper ? upper : lower;
      return tbi && !(fetch && tbid && cpu.pauth);
    },
    ...(cacheable && { region: isSet(hcr, DCT) && cpu.mte ? DEFAULT_TAGGED : DEFAULT_CACHEABLE }),
    permissions,
    space,
  };
}
