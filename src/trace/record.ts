/** Records what a driver does with an SMMUv3, for a driver's unit test: every call goes to the SMMU behind it, and becomes a step of a trace. */
import type { SmmuRegisterName } from '../arch/smmu/index.ts';
import { hex } from '../memory/hex.ts';
import type { InterruptSource, RegisterHalf, TraceAccess } from '../smmu/trace.ts';
import { type DraftMachine, type ReadTrace, TraceDraft } from './draft.ts';

/** What a driver works on: a device model such as `SmmuDevice`, or any memory with a register file of the caller's. */
export interface SmmuPort {
  write64(pa: bigint, value: bigint): void;
  mmioWrite?(register: SmmuRegisterName, value: bigint, half?: RegisterHalf): void;
  mmioRead?(register: SmmuRegisterName): bigint;
  /** A symbol: there is no memory. */
  read64?(pa: bigint): bigint | symbol;
  interruptTaken?(source: InterruptSource): boolean;
  barrier?(): void;
}

/**
 * A recorder in front of an SMMU.
 *
 * @example
 * const smmu = recordSmmu(memory, { name: 'my driver', base: 0x905_0000n, identification: { idr0: 0x0d44_101bn } });
 * smmu.write64(0x4100_0040n, 0x9n);                   // an STE
 * smmu.barrier();
 * smmu.mmio('CR0', 1n);
 * smmu.access({ sid: 1, iova: 0x1000n, rw: 'read', size: 4 });
 * JSON.stringify(smmu.finish().json);                 // pgtable-trace/1
 */
export function recordSmmu(port: SmmuPort, machine: DraftMachine): SmmuRecorder {
  return new SmmuRecorder(port, machine);
}

/** Made by {@link recordSmmu}. */
export class SmmuRecorder {
  readonly #port: SmmuPort;
  readonly #draft: TraceDraft;

  /** @internal Use {@link recordSmmu}. */
  constructor(port: SmmuPort, machine: DraftMachine) {
    this.#port = port;
    this.#draft = new TraceDraft(machine);
  }

  /** A word that is there before the first step: it is recorded, not written. */
  initial(pa: bigint, value: bigint): void {
    this.#draft.initial(pa, value);
  }

  /** The driver writes a 64-bit word of memory. `pa` is a multiple of 8. */
  write64(pa: bigint, value: bigint, note?: string): void {
    this.#port.write64(pa, value);
    this.#draft.write64(pa, value, note);
  }

  /** It writes a register, by its name in IHI 0070 6.2 without `SMMU_`. */
  mmio(register: SmmuRegisterName, value: bigint, note?: string): void {
    this.#port.mmioWrite?.(register, value);
    this.#draft.mmio({ register }, value, note);
  }

  /** It reads a register. Without a device behind the recorder, say what was read. */
  read(register: SmmuRegisterName, got?: bigint): bigint {
    const value = got ?? this.#port.mmioRead?.(register) ?? 0n;
    if (got === undefined && this.#port.mmioRead === undefined) {
      this.#draft.note(`the value of ${register} was not recorded: 0 is given`);
    }
    this.#draft.read({ register }, value);
    return value;
  }

  /** It reads a 64-bit word of memory that the SMMU writes, as where the MSI of a CMD_SYNC goes. Without a device, say what was read. */
  read64(pa: bigint, got?: bigint): bigint {
    const found = got ?? this.#port.read64?.(pa);
    if (typeof found !== 'bigint') this.#draft.note(`the word at ${hex(pa)} was not recorded: 0 is given`);
    const value = typeof found === 'bigint' ? found : 0n;
    this.#draft.read64(pa, value);
    return value;
  }

  /** It takes an interrupt of the SMMU. */
  interrupt(source: InterruptSource, note?: string): void {
    this.#port.interruptTaken?.(source);
    this.#draft.interrupt(source, note);
  }

  /** All writes before it can be observed by the SMMU (DSB). */
  barrier(note?: string): void {
    this.#port.barrier?.();
    this.#draft.barrier(note);
  }

  /** A transaction of a device. It is recorded; the caller asks its device model for the answer. */
  access({ iova, data, ...rest }: TraceAccess, note?: string): void {
    this.#draft.access(
      { ...rest, iova: hex(iova), ...(data !== undefined && { data: hex(data) }) },
      undefined,
      note,
    );
  }

  /** The trace so far. @throws SmmuTraceError for steps that can't have happened, as a write outside `ram`. */
  finish(): ReadTrace {
    return this.#draft.finish();
  }
}
