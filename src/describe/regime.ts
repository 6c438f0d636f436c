/**
 * What register values mean: derives a translation regime, stage by stage and range by range, with the numbers that
 * the walker takes from the same registers. (DDI 0487 issue M.a, D8.1, D8.2, G5.)
 */
import { isPe, type Regime, traitsOf } from '../arch/regimes.ts';
import { defaultSecurity, type SecurityState, stageSecurity } from '../arch/security.ts';
import { type CpuOptions, cpuFeatures } from '../walker/cpu.ts';
import { registerValues, type WalkerRegisters } from '../walker/register-values.ts';
import { describeGranuleProtection } from './granule-protection.ts';
import { firstStage } from './stage1.ts';
import { secondStage } from './stage2.ts';
import type { RangeDescription, RegimeDescription, StageDescription } from './types.ts';
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
  const granuleProtection = isPe(regime) ? describeGranuleProtection(values, features) : undefined;
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
