/** What a driver did with an SMMUv3, step by step: writes, registers, barriers and transactions of devices, as a judge or a device takes them. (IHI 0070 G.b, 3.21, 4, 6.) */
import type { EventName, SmmuRegisterName } from '../arch/smmu/index.ts';
import type { FaultClass } from './types.ts';

/** The SMMU and its memory as they are at reset. */
export interface TraceMachine {
  /** Physical address of register page 0. Undefined: not known, which matters for accesses by address alone. */
  readonly base: bigint | undefined;
  /** Values of read-only registers. One that is absent reads as 0. */
  readonly idr0: bigint;
  readonly idr1: bigint;
  readonly idr3: bigint;
  readonly idr5: bigint;
  readonly aidr: bigint;
  /** SMMU_GBPA at reset. */
  readonly gbpa: bigint;
  /** StreamIDs of the devices that are there, ascending. */
  readonly sids: readonly number[];
  readonly ram: { readonly base: bigint; readonly size: bigint };
}

/** A 64-bit word of memory. */
export interface TraceWord {
  /** A multiple of 8. */
  readonly pa: bigint;
  readonly value: bigint;
}

/** What an access may meet that memory as it is does not explain: a cached STE (or L1STD), a cached CD, a TLB entry, a translation that the device's ATC holds. */
export const TRACE_CACHES = ['ste', 'cd', 'tlb', 'atc'] as const;
/** One of them. */
export type TraceCache = (typeof TRACE_CACHES)[number];

/** What an outcome comes of. */
export interface OutcomeCause {
  /** The caches without which this outcome is not possible. Absent: it is that of memory as it is. */
  readonly by?: readonly TraceCache[];
}

/** One answer to a transaction. */
export type Outcome =
  | (OutcomeCause & { readonly kind: 'pa'; readonly pa: bigint })
  | (OutcomeCause & {
      readonly kind: 'fault';
      readonly fault: EventName;
      /** The stage of the fault is 2. Undefined for events without S2. */
      readonly s2?: boolean;
      /** Undefined for events without CLASS. */
      readonly class?: FaultClass;
      /** False: it happens, but no event is written, as where the queue is full. */
      readonly recorded?: false;
      /** The transaction waits for CMD_RESUME. */
      readonly stall?: true;
    })
  /** Terminated without an event. */
  | (OutcomeCause & { readonly kind: 'abort' })
  /** With ATS: the device is granted no permission (R = W = 0), so it makes no access. (3.9.1.2.) */
  | (OutcomeCause & { readonly kind: 'denied' })
  /** Ended without an error: a read gives 0, a write has no effect. (4.7.1 CMD_RESUME with Ac = 0 and Ab = 0.) */
  | (OutcomeCause & { readonly kind: 'raz/wi' });

/** What a producer saw, beside the outcome. */
export interface Observed {
  readonly outcome: Outcome;
  /** The raw event record, lowest word first. */
  readonly event?: readonly bigint[];
  /** What was read. */
  readonly data?: bigint;
  /** Nothing was translated. */
  readonly bypass?: boolean;
}

/** A transaction of a device. */
export interface TraceAccess {
  readonly sid: number;
  /** SubstreamID (PASID). Undefined: none came with the transaction. */
  readonly ssid?: number;
  /** 64 bits. */
  readonly iova: bigint;
  readonly rw: 'read' | 'write';
  /** Bytes; 0: not known. */
  readonly size: number;
  /** What was written. */
  readonly data?: bigint;
  readonly privileged?: boolean;
  readonly instruction?: boolean;
  /** The device has ATS: it uses a translation that its cache may hold, or one that it asks for. */
  readonly ats?: boolean;
}

/** What every step may have. */
export interface Noted {
  readonly note?: string;
}

/** The driver writes a 64-bit word of memory. */
export interface WriteStep extends Noted, TraceWord {
  readonly kind: 'write64';
}

/** The driver writes a register: all of it, or one half of a 64-bit register. */
export interface RegisterWriteStep extends Noted {
  readonly kind: 'mmio';
  readonly register: SmmuRegisterName;
  readonly half?: RegisterHalf;
  readonly value: bigint;
}

/** Bits [31:0] or [63:32] of a 64-bit register. (6.2.) */
export type RegisterHalf = 'low' | 'high';

/** All writes before it are observable by the SMMU when it completes. */
export interface BarrierStep extends Noted {
  readonly kind: 'barrier';
}

/** The driver reads a register, and the SMMU has come as far as it can: the command queue has been worked off, or has stopped. */
export interface ReadStep extends Noted {
  readonly kind: 'read';
  readonly register: SmmuRegisterName;
  readonly half?: RegisterHalf;
  /** What the producer read. */
  readonly got?: bigint;
  /** What the architecture permits, of the bits in `mask`. */
  readonly arm?: readonly bigint[];
  /** Default: all bits. */
  readonly mask?: bigint;
}

/** A transaction of a device, and what it met and may meet. */
export interface AccessStep extends Noted {
  readonly kind: 'access';
  readonly access: TraceAccess;
  readonly got?: Observed;
  /** The permitted outcomes. */
  readonly arm?: readonly Outcome[];
  /** Commands after which one outcome is left. Null: no command helps. */
  readonly needs?: readonly string[] | null;
}

/** What interrupts. (3.18.2.) */
export const INTERRUPT_SOURCES = ['CMD_SYNC', 'EVENTQ', 'PRIQ', 'GERROR'] as const;
/** One of them. */
export type InterruptSource = (typeof INTERRUPT_SOURCES)[number];

/** The driver takes an interrupt. From one of a CMD_SYNC it learns that the CMD_SYNC is complete. */
export interface InterruptStep extends Noted {
  readonly kind: 'interrupt';
  readonly source: InterruptSource;
}

/** The driver reads a 64-bit word of memory. From what an MSI wrote there it learns that the CMD_SYNC is complete that sent it. */
export interface MemoryReadStep extends Noted {
  readonly kind: 'read64';
  /** A multiple of 8. */
  readonly pa: bigint;
  /** What it read. Default: what is there. */
  readonly got?: bigint;
}

/** The device sees what became of a transaction that had stalled: it got through, ended, or stalled again. (3.12.2.) */
export interface ResumedStep extends Noted {
  readonly kind: 'resumed';
  /** The step of its access, or of an earlier `resumed` after which it stalled again. */
  readonly step: number;
  readonly got?: Observed;
  /** The permitted outcomes. */
  readonly arm?: readonly Outcome[];
}

/** A step of a trace. `kind` distinguishes them. */
export type SmmuTraceStep =
  | WriteStep
  | RegisterWriteStep
  | BarrierStep
  | ReadStep
  | MemoryReadStep
  | InterruptStep
  | AccessStep
  | ResumedStep;

/** What a driver did, from reset on. */
export interface SmmuTrace {
  readonly name: string;
  readonly machine: TraceMachine;
  /** Non-zero words before step 0, each address once. */
  readonly memory: readonly TraceWord[];
  readonly steps: readonly SmmuTraceStep[];
  /** Steps at which the producer is known to leave the architecture. */
  readonly producerLeavesArmAt?: readonly number[];
}

/** A trace that nothing could have produced. */
export class SmmuTraceError extends Error {
  override readonly name = 'SmmuTraceError';
  /** The number of the step, from 0 on, where it is about one. */
  readonly step: number | undefined;

  /** @param message - names the value, the rule with its section, and what would work. */
  constructor(message: string, step?: number) {
    super(message);
    this.step = step;
  }
}
