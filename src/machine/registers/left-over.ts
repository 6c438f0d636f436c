/** The registers that a resolved regime does not read, each with the reason. */
import type { MachineRegime } from '../../arch/regimes.ts';
import { UNMODELLED_REGISTERS } from '../../arch/registers/unmodelled.ts';
import { type Given, kindOf } from './names.ts';
import type { Picked } from './pick.ts';
import type { IgnoredRegister } from './request.ts';

/** The values that were not picked. */
export function leftOver(
  all: readonly Given[],
  picked: ReadonlyMap<string, Picked>,
  regime: MachineRegime | 'smmuv3',
): IgnoredRegister[] {
  const taken = new Set([...picked.values()].flatMap(({ from }) => from));
  return all
    .filter((one) => !taken.has(one) && kindOf(one.name) !== 'state')
    .map(({ name, written }): IgnoredRegister => {
      const kind = kindOf(name);
      if (kind === 'unmodelled') {
        return { register: written, kind, why: UNMODELLED_REGISTERS[name] ?? 'it is not modelled' };
      }
      if (kind === 'bystander') return { register: written, kind, why: 'no walk reads it' };
      if (kind === 'unknown') return { register: written, kind, why: 'it is not known' };
      return { register: written, kind: 'other', why: `${regime} does not read it` };
    });
}
