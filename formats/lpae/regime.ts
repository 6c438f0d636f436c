/** What the regimes of stage 1 differ in. (DDI 0487 D8.1.2.) */
import type { Stage1Regime } from '../../src/pagetable/format.ts';

/** Whether a regime has EL0 beside its own level, and with it ASIDs and two ranges of addresses. (DDI 0487 D8.1.2.) */
export function hasUnprivileged(regime: Stage1Regime): boolean {
  return regime === 'el1&0' || regime === 'el2&0';
}
