/**
 * Translation regimes: from a regime's name and register values to the stages that make it up. (DDI 0487 D8.1.2; G5.1 for AArch32.)
 */
import { isSet } from '../arch/read.ts';
import { isAArch32, isPe, isStage2Alone, type Regime, traitsOf } from '../arch/regimes.ts';
import { HCR_EL2 } from '../arch/registers/stage2.ts';
import type { PaSpace, SecurityState, StageSecurity } from '../arch/security.ts';
import { DEFAULT_CACHEABLE, DEFAULT_TAGGED } from './attributes.ts';
import { ControlsInForce, cacheControls } from './cacheability.ts';
import type { CpuFeatures } from './cpu.ts';
import type { DirectStages } from './fast/plan.ts';
import { GranuleProtection } from './granule-protection.ts';
import { StageMali } from './other/mali.ts';
import { StageRiscv } from './other/riscv.ts';
import { gptParams } from './params/granule-protection.ts';
import { oneRangeFields, twoRangeFields } from './params/range-fields.ts';
import { shortParams } from './params/short.ts';
import { ALL_PERMISSIONS, PRIVILEGED_ONLY } from './permissions.ts';
import type { S1Ranges } from './ranges.ts';
import {
  isHost,
  rangesOf,
  stage1Enabled,
  stage2Enabled,
  stage2Params,
  usesShortDescriptors,
  usualSecurity,
} from './regime-params.ts';
import { registerValues, type Values, type WalkerRegisters } from './register-values.ts';
import { Stage1 } from './stage1.ts';
import { type FlatMapping, flatTranslate } from './stage1-off.ts';
import { Stage1Short } from './stage1-short.ts';
import { Stage2 } from './stage2.ts';
import type { TableMemory } from './table-memory.ts';
import type { Stages } from './translate.ts';

const { DC, DCT } = HCR_EL2.fields;

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
  if (!isPe(regime)) return undefined;
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
  const { unprivileged, descriptors } = traitsOf(regime);
  const common = {
    stage2,
    fetchesInstructions: isPe(regime),
    security: security.state,
    unprivileged,
  };
  if (!stage1Enabled(regime, values)) {
    const mapping = flatMapping(regime, values, cpu, security.state);
    return {
      ...common,
      first: (ia, request) => flatTranslate(mapping, ia, request),
      stage1: false,
      trees: () => stage2?.trees() ?? [],
      ...(stage2?.direct &&
        gpc === undefined && { direct: { stage2: stage2.direct, inputBits: mapping.inputBits, cpu } }),
    };
  }
  if (descriptors === 'mali' || descriptors === 'riscv') {
    const { ttbr0, mair, sstatus } = values;
    const { unsigned = false } = traitsOf(regime);
    const stage =
      descriptors === 'mali'
        ? new StageMali(memory, ttbr0, mair ?? 0n, cpu.paBits)
        : new StageRiscv(memory, { satp: ttbr0, sstatus, unsigned }, cpu.paBits);
    return {
      ...common,
      first: (ia, request, steps) => stage.translate(ia, request, steps),
      stage1: true,
      trees: () => stage.trees(),
    };
  }
  if (usesShortDescriptors(regime, values)) {
    const stage1 = new Stage1Short(memory, shortParams(values, descriptors === 'mtk', security), stage2, gpc);
    return {
      ...common,
      first: (ia, request, steps) => stage1.translate(ia, request, steps),
      stage1: true,
      trees: () => [...stage1.trees(), ...(stage2?.trees() ?? [])],
    };
  }
  const ranges = rangesOf(regime, values, cpu, security);
  const stage1 = new Stage1(memory, ranges, stage2, { gpc });
  // The fast path decides execution by permission bits only, and handles neither POIndex nor access flags of tables.
  const isDirect =
    gpc === undefined &&
    !security.ownCodeOnly &&
    !ranges.spans.some(({ params }) => params.bigEndian || params.haft || params.overlays !== undefined);
  const direct = isDirect ? directStages(ranges, stage2, cpu, security) : undefined;
  return {
    ...common,
    first: (ia, request, steps) => stage1.translate(ia, request, steps),
    stage1: true,
    trees: () => [...stage1.trees(), ...(stage2?.trees() ?? [])],
    ...(direct && { direct }),
  };
}

/** What the fast path can do of stage 1 and the stage 2 below. It knows one IPA space, and no rules of stage 2 about tables of stage 1. */
function directStages(
  ranges: S1Ranges,
  stage2: Stage2 | undefined,
  cpu: CpuFeatures,
  { state }: StageSecurity,
): DirectStages | undefined {
  if (stage2 === undefined) return { stage1: ranges };
  const params = stage2.direct;
  if (params === undefined || state !== 'non-secure') return undefined;
  if (params.ptw || params.tl0 || params.tl1 || params.tagPermissions) return undefined;
  return { stage1: ranges, below: { stage2: params, inputBits: params.iaBits, cpu } };
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
