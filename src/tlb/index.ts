/** A TLB in front of the walker and its maintenance: what `lpae/tlb` exports. */
export {
  type ConflictVerdict,
  type EntryDifference,
  judgeConflict,
  type Machine,
  type TlbConflict,
} from './conflict.ts';
export {
  type StagesHeld,
  type TlbContext,
  type TlbContextOptions,
  type TranslationRegime,
  tlbContext,
} from './context.ts';
export type { TlbEntry } from './entry.ts';
export {
  type AddressOperand,
  decodeAddressOperand,
  decodeRangeOperand,
  decodeTtl,
  type LeafHint,
  type RangeOperand,
} from './operands.ts';
export type { Scope, Tag } from './scope.ts';
export type { StaleEntry, StaleField } from './stale.ts';
export { Tlb, type TlbAnswer, type TlbOptions, type TlbStatistics } from './tlb.ts';
export { type TlbiContext, type TlbiOperation, tlbiScope } from './tlbi.ts';
