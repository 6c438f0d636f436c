/**
 * Traces of what a driver did with an SMMUv3 (`pgtable-trace/1`), and the files beside them: read, and refused where nothing could
 * have produced them.
 */
export {
  type AccessStep,
  type BarrierStep,
  type Observed,
  type Outcome,
  type ReadStep,
  type RegisterHalf,
  type RegisterWriteStep,
  type SmmuTrace,
  SmmuTraceError,
  type SmmuTraceStep,
  type TraceAccess,
  type TraceCache,
  type TraceMachine,
  type TraceWord,
  type WriteStep,
} from '../smmu/trace.ts';
export {
  HITLESS_SCHEMA,
  type HitlessStep,
  hitlessSchema,
  parseTransitions,
  type Transition,
} from './hitless.ts';
export { isTraceLines, parseSmmuTraceText } from './lines.ts';
export {
  MUTATIONS_SCHEMA,
  mutatedTrace,
  mutationsSchema,
  parseMutations,
  type TraceMutation,
} from './mutations.ts';
export { parseSmmuTrace } from './parse.ts';
export { TRACE_SCHEMA, traceSchema } from './schema.ts';
