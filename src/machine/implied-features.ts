/** Features that registers show by bits that are RES0 without them. (DDI 0487 D24.2.190, D24.2.196, D24.2.224.) */
import type { BitField } from '../arch/field.ts';
import { isSet } from '../arch/read.ts';
import { type MachineRegime, traitsOf } from '../arch/regimes.ts';
import { TCR2_EL1 } from '../arch/registers/extended.ts';
import { VTCR_EL2 } from '../arch/registers/stage2.ts';
import { TCR_EL3 } from '../arch/registers/tcr.ts';

const { POE, E0POE, HAFT, PnCH } = TCR2_EL1.fields;
const { S2POE, HAFT: S2HAFT, AssuredOnly, TL0, TL1 } = VTCR_EL2.fields;

/** By the machine's names of registers: fields of which one that is set shows the feature. */
const SHOWN: readonly (readonly [feature: string, register: string, fields: readonly BitField[]])[] = [
  ['FEAT_S1POE', 'tcr2', [POE, E0POE]],
  ['FEAT_HAFT', 'tcr2', [HAFT]],
  ['FEAT_THE', 'tcr2', [PnCH]],
  ['FEAT_S2POE', 'vtcr', [S2POE]],
  ['FEAT_HAFT', 'vtcr', [S2HAFT]],
  ['FEAT_THE', 'vtcr', [AssuredOnly, TL0, TL1]],
];

/** EL3 has no TCR2: its fields are TCR_EL3's, where other registers called tcr have other ones. */
const SHOWN_AT_EL3: typeof SHOWN = [
  ['FEAT_S1POE', 'tcr', [TCR_EL3.fields.POE]],
  ['FEAT_HAFT', 'tcr', [TCR_EL3.fields.HAFT]],
  ['FEAT_THE', 'tcr', [TCR_EL3.fields.PnCH]],
];

/** The manual's names of the features. `registers` by the machine's names: tcr2, vtcr, and of EL3 tcr. */
export function impliedFeatures(
  registers: Readonly<Record<string, bigint>>,
  regime: MachineRegime | undefined,
): string[] {
  const shown = regime !== undefined && traitsOf(regime).el === 3 ? SHOWN_AT_EL3 : SHOWN;
  const found = shown.filter(([, register, fields]) =>
    fields.some((field) => isSet(registers[register] ?? 0n, field)),
  );
  return [...new Set(found.map(([feature]) => feature))];
}
