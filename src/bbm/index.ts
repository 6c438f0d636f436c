/**
 * Break-before-make: which changes of a descriptor may be made in place, and traces of writes judged step by step. What `lpae/bbm` exports.
 *
 * @example
 * import { IommuDomain, PhysicalMemory } from 'lpae';
 * import { judgeTrace, recordWrites, traceContext } from 'lpae/bbm';
 * import { arm64LpaeS1 } from 'lpae/formats';
 *
 * const memory = new PhysicalMemory({ base: 0x8000_0000n, size: 1n << 30n });
 * const recording = recordWrites(memory);
 * const domain = new IommuDomain(memory, arm64LpaeS1, { pgsizeBitmap: 0x4020_1000n, ias: 48, oas: 48 });
 * domain.map(0x1000n, 0x9000_0000n, 0x1000n, { read: true });
 * domain.unmap(0x1000n, 0x1000n);
 * domain.map(0x1000n, 0xa000_0000n, 0x1000n, { read: true }); // without a TLBI in between
 * const context = { ...traceContext(domain.registers.hardware), initial: recording.initial };
 * const { steps, illegal } = judgeTrace(recording.steps, context);
 * console.log(steps.length, illegal.pe); // 6 [ 1, 1, 1 ]
 */

export type { AccessOutcome } from './access.ts';
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
export type { Mismatch, Miss } from './miss.ts';
export type { NeededCommand, NeededInvalidation, NeededTlbi } from './needed.ts';
export type { MissingBarrier } from './ordering.ts';
export { type Recording, recordWrites } from './record.ts';
export type { PermissionRegisterName, RegisterChange, RegisterStep } from './registers.ts';
export type {
  AccessStep,
  BarrierStep,
  CommandStep,
  InvalidateStep,
  InvalidationStep,
  TlbiStep,
  TraceStep,
  WriteStep,
} from './steps.ts';
export { judgeTrace, TraceJudge } from './trace.ts';
export {
  type AccessVerdict,
  type IllegalSteps,
  isLegal,
  type OtherVerdict,
  type RegisterVerdict,
  type StepVerdict,
  type TracePlace,
  type TraceVerdict,
  type WriteVerdict,
} from './verdicts.ts';
