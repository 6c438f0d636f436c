/**
 * Where QEMU leaves the architecture: the one table of every rule, one rule a deviation. A rule says exactly what QEMU answers, not
 * that anything goes: a probe to which it applies fails as well when QEMU answers otherwise.
 * (DDI 0487 and IHI 0070 G.b; QEMU 7.2, 10.0 and 11.1.)
 */
import type { Deviation } from './deviation.ts';
import { cpuDeviations } from './deviations-cpu.ts';
import { smmuDeviations } from './smmu-deviations.ts';

export const deviations: readonly Deviation[] = [...cpuDeviations, ...smmuDeviations];
