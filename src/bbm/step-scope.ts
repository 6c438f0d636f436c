/** What an invalidation step removes: entries of the trace's own stage, and those combined with stage 1. (DDI 0487 D8.17.5.4; IHI 0070 4.4.) */
import type { Scope } from '../tlb/index.ts';
import type { TableSpace } from './context.ts';

/** The forms in which a stage-2 entry may be cached: on its own, found by IPA, or combined with stage 1, found by VA. */
export type Form = 'own' | 'combined';

/** The scope of an invalidation step: entries of the trace's own stage; and of those combined with stage 1 all, the same ones, or none. */
export interface StepScope {
  readonly own: Scope | undefined;
  readonly combined: 'all' | 'same' | 'none';
  /** Why an invalidation need not remove anything, with the section: its operands are out of range. */
  readonly why?: string;
}

/** Combined entries are found by VA, which a trace of stage 2 does not know: only an operation on all VAs of their owner is sure to hit them. */
export function combinedOf(own: Scope, { regime, vmid }: TableSpace): StepScope['combined'] {
  const { from, asid, lastLevel, keepsXs, stages } = own;
  const owned = own.regime === regime && (own.vmid === undefined || own.vmid === vmid);
  const every = from === undefined && asid === undefined && !lastLevel && !keepsXs;
  return owned && every && stages !== 'stage2' ? 'all' : 'none';
}
