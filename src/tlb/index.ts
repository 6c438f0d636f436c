/** A TLB in front of the walker and its maintenance: what `lpae/tlb` exports. */
export type { ConflictVerdict, EntryDifference, Machine, TlbConflict } from './conflict.ts';
export type { StagesHeld, TlbContext, TlbContextOptions, TranslationRegime } from './context.ts';
export type { LeafDescriptor, TlbEntry } from './entry.ts';
export {
  type AddressOperand,
  decodeAddressOperand,
  decodeRangeOperand,
  type LeafHint,
  type RangeOperand,
} from './operands.ts';
export type { Scope, Tag } from './scope.ts';
export type { StaleEntry, StaleField } from './stale.ts';
export { Tlb, type TlbAnswer, type TlbOptions, type TlbStatistics } from './tlb.ts';
export type { TlbiOperation } from './tlbi.ts';
