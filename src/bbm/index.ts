/** Break-before-make: which changes of a descriptor may be made in place, and traces of writes judged step by step. What `lpae/bbm` exports. */
export {
  type BbmChange,
  type BbmContext,
  type BbmVerdict,
  bbm,
  bbmOverlap,
  type PlacedLeaf,
} from './change.ts';
export { type TraceContext, type TraceRegisters, traceContext } from './context.ts';
export { TraceError } from './errors.ts';
export type { FieldsContext } from './fields.ts';
export type { BbmLevel, Judgement, TraceChange } from './judge.ts';
export type { NeededCommand, NeededInvalidation, NeededTlbi } from './needed.ts';
export { type Recording, recordWrites } from './record.ts';
export type { BarrierStep, InvalidateStep, TlbiStep, TraceStep, WriteStep } from './steps.ts';
export {
  type IllegalSteps,
  isLegal,
  judgeTrace,
  type OtherVerdict,
  type StepVerdict,
  TraceJudge,
  type TracePlace,
  type TraceVerdict,
  type WriteVerdict,
} from './trace.ts';
