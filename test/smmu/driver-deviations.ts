/** Where QEMU's SMMUv3 leaves the architecture as a device: named rules, for the releases that have them. */
import type { Outcome } from '../../src/smmu/trace.ts';
import type { Deviation } from '../conformance/qemu/deviation.ts';

/** What of a permitted outcome such a release shows. */
export interface DriverDeviation extends Deviation {
  readonly shows: (outcome: Outcome) => Outcome;
}

export const DRIVER_DEVIATIONS: readonly DriverDeviation[] = [
  {
    name: 'no CLASS',
    before: 901,
    section: 'IHI 0070 7.3.13 to 7.3.16: CLASS says what the SMMU was doing',
    text: 'CLASS is left 0, which says that a CD was fetched',
    shows: (outcome) =>
      outcome.kind === 'fault' && outcome.class === 'in' ? { ...outcome, class: 'cd' } : outcome,
  },
];
