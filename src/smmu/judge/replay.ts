/** Replays a trace of a driver on a device: the permitted answers at each step. (IHI 0070 3.21, 4.8.) */
import { isSetIn, readIn } from '../../arch/read.ts';
import { EVENT } from '../../arch/smmu/index.ts';
import { PhysicalMemory } from '../../memory/index.ts';
import type { Answer, StreamTransaction } from '../caches/answers.ts';
import { SmmuDevice } from '../device/device.ts';
import type { SeenEvent } from '../device/event-queue.ts';
import type { DeviceNote, SmmuDeviceOptions } from '../device/options.ts';
import type { StalledTransaction } from '../device/stalls.ts';
import { type AccessStep, type SmmuTrace, SmmuTraceError, type TraceAccess } from '../trace.ts';

/** What a step permits, and what is to be said of it. */
export interface ReplayedStep {
  /** From 0 on. */
  readonly step: number;
  /** Of an access. */
  readonly answers?: readonly Answer[];
  /** Of a register read. */
  readonly values?: readonly bigint[];
  readonly notes: readonly DeviceNote[];
}

/** The device of a trace, with its memory before step 0. What the trace does not list is 0. */
export function deviceOf(
  { machine, memory, steps }: SmmuTrace,
  note?: (note: DeviceNote) => void,
  more: Partial<SmmuDeviceOptions> = {},
): SmmuDevice {
  const { idr0, idr1, idr3, idr5, aidr, gbpa, sids, ram } = machine;
  const physical = new PhysicalMemory({ base: ram.base, size: ram.size });
  for (const { pa, value } of memory) physical.write64(pa, value);
  const seen = steps
    .filter((step): step is AccessStep => step.kind === 'access')
    .map(({ access }) => access.sid);
  const streams = [...new Set([...sids, ...seen])];
  const options = { idr0, idr1, idr3, idr5, aidr, gbpa, streams, beyondRam: 'zero' } as const;
  return new SmmuDevice(physical, { ...options, ...(note && { note }), ...more });
}

/** The transaction of an access. */
export function transactionOf({
  sid,
  ssid,
  iova,
  rw,
  privileged,
  instruction,
  ats,
}: TraceAccess): StreamTransaction {
  const access = instruction === true && rw === 'read' ? 'execute' : rw;
  return {
    streamId: sid,
    ia: iova,
    access,
    ...(ssid !== undefined && { substreamId: ssid }),
    ...(privileged !== undefined && { privileged }),
    ...(ats === true && { ats }),
  };
}

/**
 * Replays a trace step by step. `device` is the device after the step that was given last, for looking at what would be.
 * @throws SmmuTraceError for a step that no driver's SMMU can take, with its number.
 */
export function* replay(
  trace: SmmuTrace,
  more: Partial<SmmuDeviceOptions> = {},
): Generator<ReplayedStep & { readonly device: SmmuDevice }> {
  let notes: DeviceNote[] = [];
  const waiting = new Map<number, StalledTransaction>();
  const device = deviceOf(trace, (note) => notes.push(note), more);
  for (const [number, step] of trace.steps.entries()) {
    notes = [];
    const done = { step: number, device };
    switch (step.kind) {
      case 'write64':
        device.write64(step.pa, step.value);
        yield { ...done, notes };
        break;
      case 'barrier':
        device.barrier();
        yield { ...done, notes };
        break;
      case 'mmio':
        device.mmioWrite(step.register, step.value, step.half);
        refuse(notes, number);
        yield { ...done, notes };
        break;
      case 'read':
        yield { ...done, values: halves(device.possibleReads(step.register), step.half), notes };
        break;
      case 'read64':
        device.read64(step.pa, step.got);
        yield { ...done, notes };
        break;
      case 'interrupt':
        device.interruptTaken(step.source);
        yield { ...done, notes };
        break;
      case 'access': {
        const { answers, stalled } = device.access(transactionOf(step.access), wasRecorded(step));
        if (stalled !== undefined) waiting.set(number, stalled);
        yield { ...done, answers, notes };
        break;
      }
      case 'resumed': {
        const before = waiting.get(step.step);
        if (before === undefined) throw notStalled(number, step.step);
        const { answers, stalled } = device.resumed(before, wasRecorded(step));
        if (stalled !== undefined) waiting.set(number, stalled);
        yield { ...done, answers, notes };
        break;
      }
    }
  }
}

/** What the producer saw of the Event queue. */
function wasRecorded({ got }: Pick<AccessStep, 'got'>): SeenEvent {
  if (got === undefined) return 'unknown';
  const { event } = got;
  if (event === undefined) return false;
  return isSetIn(event, EVENT.fields.Stall) ? { stag: readIn(event, EVENT.fields.STAG) } : true;
}

function notStalled(step: number, access: number): SmmuTraceError {
  return new SmmuTraceError(
    `steps[${step}]: the transaction of step ${access} can't have stalled: no answer that is permitted there stalls (IHI 0070 3.12.2)`,
    step,
  );
}

function halves(values: readonly bigint[], half: 'low' | 'high' | undefined): readonly bigint[] {
  if (half === undefined) return values;
  return values.map((value) => (half === 'low' ? BigInt.asUintN(32, value) : value >> 32n));
}

/** A producer index that leaves the queue means that the trace is not what happened. */
function refuse(notes: readonly DeviceNote[], step: number): void {
  for (const note of notes) {
    if (note.kind !== 'producer-beyond') continue;
    const { waiting, size } = note;
    throw new SmmuTraceError(
      `steps[${step}]: CMDQ_PROD is ${waiting} commands ahead of CMDQ_CONS, in a queue of ${size} (IHI 0070 3.5.1); the wrap bit may be wrong`,
      step,
    );
  }
}
