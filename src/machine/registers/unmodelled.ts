/** Fields of given registers that are not modelled. They are refused if they change answers, and reported if they do not. */

import { fieldsOf, type WordLayout } from '../../arch/field.ts';
import { isSet, maskOf } from '../../arch/read.ts';
import { type Regime, traitsOf } from '../../arch/regimes.ts';
import { TTBCR } from '../../arch/registers/aarch32-control.ts';
import { HCRX_EL2 } from '../../arch/registers/extended.ts';
import { PE_REGISTERS } from '../../arch/registers/index.ts';
import { VTCR_EL2 } from '../../arch/registers/stage2.ts';
import { TCR_EL1, TCR_EL2, TCR_EL3 } from '../../arch/registers/tcr.ts';
import {
  GATED_FIELDS,
  idleParts,
  UNMODELLED_FIELDS,
  type UnmodelledField,
} from '../../arch/registers/unmodelled.ts';
import { unreadBits } from '../../arch/registers/unread.ts';
import { hex } from '../../memory/hex.ts';
import { tcr2Closed } from '../../walker/params/extended.ts';
import { RegisterError } from './errors.ts';

/** Values by the manual's names. */
export type ByManualName = ReadonlyMap<string, bigint>;

const GATES: Readonly<Record<string, WordLayout>> = { HCRX_EL2, TTBCR };

/** Why the field does not count, or undefined if it does. */
function closedGate({ gate }: UnmodelledField, values: ByManualName): string | undefined {
  if (gate === undefined) return undefined;
  const value = values.get(gate.register);
  const field = fieldsOf(GATES[gate.register]!).find(({ name }) => name === gate.field);
  if (value === undefined || field === undefined || isSet(value, field)) return undefined;
  return `${gate.register}.${gate.field} = 0`;
}

/** Why TCR2_ELx counts as 0, or undefined if it does not. */
export function tcr2Gate(regime: Regime, values: ByManualName): string | undefined {
  const scr = values.get('SCR_EL3');
  const said = { state: 'non-secure', ...(scr !== undefined && { scr }) } as const;
  const closed = tcr2Closed(traitsOf(regime).el, values.get('HCRX_EL2'), said);
  return closed && `${closed} = 0`;
}

/**
 * Refuses values that would lead to wrong walks.
 * @param off - registers that have no effect because their stage is off.
 * @returns fields that are set but do not count, by register.
 * @throws RegisterError (not-modelled) that names the field.
 */
export function checkModelled(
  regime: Regime,
  values: ByManualName,
  off: readonly string[],
): { readonly register: string; readonly why: string }[] {
  const told: { register: string; why: string }[] = [];
  for (const one of UNMODELLED_FIELDS) {
    const { register, field, what, regimes: affected } = one;
    const value = values.get(register);
    if (value === undefined || !affected.includes(regime) || !isSet(value, field)) continue;
    const closed = off.includes(register) ? 'its stage is off' : closedGate(one, values);
    if (closed !== undefined) {
      told.push({ register, why: `${field.name} is set and does not count: ${closed}` });
      continue;
    }
    throw new RegisterError('not-modelled', `${field.name} turns on ${what}, which is not modelled`, {
      register,
      value,
      remedy: `with ${register}.${field.name} = 0 (${hex(value & ~maskOf(field))}) it can be walked`,
    });
  }
  for (const one of GATED_FIELDS) {
    const { register, field, regimes: affected } = one;
    const value = values.get(register);
    if (value === undefined || !affected.includes(regime) || !isSet(value, field)) continue;
    const gate = register.startsWith('TCR2') ? tcr2Gate(regime, values) : undefined;
    const closed = off.includes(register) ? 'its stage is off' : gate;
    if (closed !== undefined)
      told.push({ register, why: `${field.name} is set and does not count: ${closed}` });
  }
  return [...told, ...idleOf(regime, values)];
}

/** Control registers with every bit declared. TCR_EL2 has TCR_EL1's layout in the EL2&0 regime. */
function idleOf(regime: Regime, values: ByManualName): { register: string; why: string }[] {
  const layouts: readonly (readonly [string, WordLayout])[] = [
    ['TCR_EL1', TCR_EL1],
    ['TCR_EL2', traitsOf(regime).ranges === 2 ? TCR_EL1 : TCR_EL2],
    ['TCR_EL3', TCR_EL3],
    ['VTCR_EL2', VTCR_EL2],
  ];
  return layouts.flatMap(([register, layout]) => {
    const value = values.get(register);
    if (value === undefined) return [];
    const { fields, bits } = idleParts(layout, value);
    return [
      ...(fields.length > 0
        ? [{ register, why: `${fields.join(', ')} set, which is not modelled and changes no answer` }]
        : []),
      ...(bits !== 0n ? [{ register, why: `bits ${hex(bits)} are RES0, and ignored` }] : []),
    ];
  });
}

/** Controls of a PE that say much more than what walks read. */
const BROAD = /^H?SCTLR(_EL\d)?$|^HCR(_EL2)?$/;

/** Bits of them that are set and that no walk reads, by register. */
export function unreadOf(
  values: ByManualName,
  manual: readonly string[],
): { register: string; why: string }[] {
  return manual.flatMap((register) => {
    const value = values.get(register);
    const layout = PE_REGISTERS.find(({ name }) => name === register);
    if (value === undefined || layout === undefined || !BROAD.test(register)) return [];
    const bits = unreadBits(layout, value);
    return bits === 0n ? [] : [{ register, why: `no walk reads bits ${hex(bits)}` }];
  });
}
