/**
 * Describes what FEAT_TCR2 and its like turn on: indirect permissions, overlays, MAIR2, access flags of tables.
 * (DDI 0487 D24.2.190, D24.2.191, D24.2.196, D24.2.224.)
 */
import { type Regime, traitsOf } from '../arch/regimes.ts';
import type { S1Params, S2Params } from '../walker/params/params.ts';
import type { ExtendedFeature } from './types.ts';

type Given = readonly (readonly [name: string, value: bigint | undefined])[];

function feature(name: ExtendedFeature['feature'], control: string, given: Given): ExtendedFeature {
  const registers = given.flatMap(([register, value]) =>
    value === undefined ? [] : [{ name: register, value }],
  );
  return { feature: name, control, registers };
}

/** Of stage 1. TCR_EL3 has the bits that other regimes have in TCR2. */
export function stage1Extended(
  regime: Regime,
  { indirection, overlays, aie, haft, pnch }: S1Params,
  mair2: bigint | undefined,
): ExtendedFeature[] {
  const { el = 1, registers: names } = traitsOf(regime);
  const control = el === 3 ? 'TCR_EL3' : `TCR2_EL${el}`;
  const named = (slot: keyof typeof names, other: string) => names[slot] ?? other;
  return [
    indirection &&
      feature('FEAT_S1PIE', `${control}.PIE`, [
        [named('pir', 'PIR'), indirection.pir],
        [named('pire0', 'PIRE0'), indirection.pire0],
      ]),
    overlays?.por !== undefined &&
      feature('FEAT_S1POE', `${control}.POE`, [[named('por', 'POR'), overlays.por]]),
    overlays?.por0 !== undefined && feature('FEAT_S1POE', `${control}.E0POE`, [['POR_EL0', overlays.por0]]),
    aie && feature('FEAT_AIE', `${control}.AIE`, [[`MAIR2_EL${el}`, mair2]]),
    haft && feature('FEAT_HAFT', `${control}.HAFT`, []),
    pnch && feature('FEAT_THE', `${control}.PnCH`, []),
  ].filter((one) => one !== false && one !== undefined);
}

/** Of stage 2. */
export function stage2Extended({ indirection, overlays, haft, assuredOnly }: S2Params): ExtendedFeature[] {
  return [
    indirection && feature('FEAT_S2PIE', 'VTCR_EL2.S2PIE', [['S2PIR_EL2', indirection.register]]),
    overlays && feature('FEAT_S2POE', 'VTCR_EL2.S2POE', [['S2POR_EL1', overlays.register]]),
    haft && feature('FEAT_HAFT', 'VTCR_EL2.HAFT', []),
    assuredOnly && feature('FEAT_THE', 'VTCR_EL2.AssuredOnly', []),
  ].filter((one) => one !== false && one !== undefined);
}
