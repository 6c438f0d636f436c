/** The names that the fields of one AArch64 range have in their register: TCR_ELx, VTCR_EL2. (DDI 0487 D24.2.194 to D24.2.196, D24.2.224.) */
import { ONE_RANGE, type RangeControl, STAGE2_RANGE, TWO_RANGES } from '../arch/registers/range-control.ts';
import { VTCR_EL2, VTTBR_EL2 } from '../arch/registers/stage2.ts';
import { VSTCR_EL2, VSTTBR_EL2 } from '../arch/registers/stage2-secure.ts';
import { TCR_EL1, TCR_EL2, TCR_EL3 } from '../arch/registers/tcr.ts';
import type { FieldNames } from '../walker/rules/rule.ts';

export type { RawFields } from '../walker/params/range-fields.ts';
export type { FieldNames } from '../walker/rules/rule.ts';

const CONTROLS = { 1: TCR_EL1, 2: TCR_EL2, 3: TCR_EL3 } as const;
const BASE_SECTION = 'DDI 0487 D8.2.3';

/** Names in a control register. `number`: what the flags of a range carry. */
function namesIn(register: string, { txsz, tg, ps, sh }: RangeControl, number: string) {
  const of = (name: string) => `${register}.${name}`;
  return {
    txsz: of(txsz.name),
    tg: of(tg.name),
    ps: of(ps.name),
    sh: of(sh.name),
    of,
    numbered: (name: string) => of(`${name}${number}`),
    baseSection: BASE_SECTION,
  };
}

/** Names of range `n` in TCR_ELx and TTBRn_ELx; `one`: it is the only range, and its flags have no number. */
export function tcrNames(el: 1 | 2 | 3, n: 0 | 1, one: boolean): FieldNames {
  const { name, reference } = CONTROLS[el];
  const control = one ? ONE_RANGE : TWO_RANGES[n];
  return { ...namesIn(name, control, one ? '' : `${n}`), base: `TTBR${n}_EL${el}`, section: reference };
}

/** Fields that are in VSTCR_EL2 itself. */
const OF_SECURE_IPAS: readonly string[] = ['T0SZ', 'TG0', 'SL0', 'SL2'];

/** Names in VTCR_EL2 and VTTBR_EL2. */
export const STAGE2_NAMES: FieldNames = {
  ...namesIn(VTCR_EL2.name, STAGE2_RANGE, ''),
  base: VTTBR_EL2.name,
  section: VTCR_EL2.reference,
};

/** Names for stage 2 of Secure IPAs. Fields that VSTCR_EL2 does not have are in VTCR_EL2. */
export const SECURE_STAGE2_NAMES: FieldNames = {
  ...STAGE2_NAMES,
  txsz: `${VSTCR_EL2.name}.T0SZ`,
  tg: `${VSTCR_EL2.name}.TG0`,
  of: (name) => (OF_SECURE_IPAS.includes(name) ? `${VSTCR_EL2.name}.${name}` : STAGE2_NAMES.of(name)),
  base: VSTTBR_EL2.name,
};
