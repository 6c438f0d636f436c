/** Register fields that keep hardware of a given size from walking at all, because every access of a range faults. (DDI 0487 D8.1.10, D8.2.) */
import type { Regime } from '../arch/regimes.ts';
import type { CpuOptions } from '../walker/cpu.ts';
import type { WalkerRegisters } from '../walker/register-values.ts';
import type { RegisterProblem } from '../walker/rules/rule.ts';
import { describeRegime } from './regime.ts';

/** Register values and the hardware that uses them. */
export interface DescribedHardware {
  readonly regime: Regime;
  readonly registers: WalkerRegisters;
  readonly cpu?: CpuOptions;
}

/** The fields that make every access of their range fault. None if a walk can begin. */
export function obstaclesOf({ regime, registers, cpu }: DescribedHardware): RegisterProblem[] {
  const { stages } = describeRegime(regime, registers, cpu);
  return stages
    .flatMap(({ off, problems, ranges }) =>
      off ? [] : [...problems, ...ranges.flatMap((range) => (range.off ? [] : range.problems))],
    )
    .filter(({ effect }) => effect === 'fault');
}
