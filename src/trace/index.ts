/**
 * Traces of what a driver did with an SMMUv3 (`pgtable-trace/1`), and the files beside them: read, recorded, and refused where nothing could
 * have produced them. What `lpae/trace` exports.
 *
 * @example
 * import { PhysicalMemory } from 'lpae/memory';
 * import { parseSmmuTrace, recordSmmu } from 'lpae/trace';
 *
 * const ram = { base: 0x4000_0000n, size: 0x100_0000n };
 * const smmu = recordSmmu(new PhysicalMemory(ram), { name: 'my driver', ram });
 * smmu.write64(0x4000_0040n, 0x9n); // an STE
 * smmu.barrier();
 * smmu.mmio('CR0', 1n);
 * const { json, notes } = smmu.finish();
 * console.log(parseSmmuTrace(json).steps.length); // 3
 * console.log(notes[0]); // idr0, idr1, idr3, idr5, aidr not read: assumed to be 0
 */
export {
  type AccessStep,
  type BarrierStep,
  type InterruptSource,
  type InterruptStep,
  type MemoryReadStep,
  type Noted,
  type Observed,
  type Outcome,
  type OutcomeCause,
  type ReadStep,
  type RegisterHalf,
  type RegisterWriteStep,
  type ResumedStep,
  type SmmuTrace,
  SmmuTraceError,
  type SmmuTraceStep,
  type TraceAccess,
  type TraceCache,
  type TraceMachine,
  type TraceWord,
  type WriteStep,
} from '../smmu/trace.ts';
export type { DraftMachine, ReadTrace } from './draft.ts';
export {
  HITLESS_SCHEMA,
  type HitlessStep,
  parseTransitions,
  type Transition,
} from './hitless.ts';
export { isTraceLines, parseSmmuTraceText } from './lines.ts';
export {
  type IommuEvent,
  type LinuxEvents,
  type LinuxEventsOptions,
  parseLinuxEvents,
} from './linux-events.ts';
export {
  MUTATIONS_SCHEMA,
  mutatedTrace,
  parseMutations,
  type TraceMutation,
} from './mutations.ts';
export { parseSmmuTrace } from './parse.ts';
export { parseQemuLog, type QemuLogOptions, type ReadWord } from './qemu-log.ts';
export { type AnyTrace, type ReadTraceOptions, readSmmuTrace } from './read.ts';
export { recordSmmu, type SmmuPort, SmmuRecorder } from './record.ts';
export { type ReusedIova, reusedWithoutCommand } from './reused.ts';
export { TRACE_SCHEMA } from './schema.ts';
