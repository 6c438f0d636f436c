/** The PRI queue: page requests of devices, and the answers that the SMMU gives by itself where one can't be queued. (IHI 0070 3.9.1, 6.3.33, 6.3.97, 8.) */
import { isSet, maskOf, place, read, withField, wordOf } from '../../arch/read.ts';
import {
  PAGE_REQUEST,
  PAGE_REQUEST_ADDRESS,
  PRI_LOG2,
  SMMU_CR0,
  SMMU_EVENTQ_CONS,
  SMMU_EVENTQ_PROD,
  SMMU_GERROR,
  SMMU_IDR0,
  SMMU_IDR1,
  SMMU_IDR3,
  SMMU_IRQ_CFG2,
} from '../../arch/smmu/index.ts';
import { entriesBetween, queuePlace } from './command-queue.ts';
import type { RecordWriter } from './event-queue.ts';
import type { Interrupts } from './interrupts.ts';
import type { RegisterFile } from './register-file.ts';

/** A device asks software for a page. */
export interface PageRequest {
  readonly streamId: number;
  /** PASID, up to 20 bits. Undefined: none. */
  readonly substreamId?: number;
  /** Of the page: its low 12 bits do not count. */
  readonly address: bigint;
  /** The page request group, 9 bits. */
  readonly index: number;
  /** The last request of its group. With a PASID, and neither read nor write: a Stop marker, which is not answered. */
  readonly last: boolean;
  readonly read: boolean;
  readonly write: boolean;
  readonly execute?: boolean;
  readonly privileged?: boolean;
}

/** What a device is answered: by CMD_PRI_RESP, or by the SMMU itself. */
export interface PageResponse {
  readonly streamId: number;
  readonly substreamId: number | undefined;
  readonly index: number;
  readonly response: 'success' | 'invalid request' | 'failure';
}

const { OVFLG, WR } = SMMU_EVENTQ_PROD.fields;
const { OVACKFLG, RD } = SMMU_EVENTQ_CONS.fields;

export class PriQueue {
  readonly #registers: RegisterFile;
  readonly #interrupts: Interrupts;
  readonly #write: RecordWriter;

  constructor(registers: RegisterFile, interrupts: Interrupts, write: RecordWriter) {
    this.#registers = registers;
    this.#interrupts = interrupts;
    this.#write = write;
  }

  /** A request comes. Returns what the SMMU answers by itself; undefined: it is queued, or discarded without an answer. */
  request(request: PageRequest): PageResponse | undefined {
    const registers = this.#registers;
    if (!this.#enabled) return answer(request, 'failure');
    const [producer, consumer] = [registers.get('PRIQ_PROD'), registers.get('PRIQ_CONS')];
    if (isSet(producer, OVFLG) !== isSet(consumer, OVACKFLG)) return this.#discard(request);
    const most = read(registers.get('IDR1'), SMMU_IDR1.fields.PRIQS);
    const { base, log2Size } = queuePlace(registers.get('PRIQ_BASE'), most, PRI_LOG2);
    const wrap = 2 ** (log2Size + 1);
    const write = read(producer, WR) % wrap;
    const entries = entriesBetween(read(consumer, RD) % wrap, write, log2Size);
    if (entries >= 2 ** log2Size) {
      registers.set('PRIQ_PROD', producer ^ place(OVFLG, 1));
      return this.#discard(request);
    }
    if (!this.#write(base + BigInt((write % 2 ** log2Size) << PRI_LOG2), recordOf(request))) {
      this.#interrupts.activate('PRIQ_ABT_ERR');
      return answer(request, 'failure');
    }
    registers.set('PRIQ_PROD', withField(producer, WR, (write + 1) % wrap));
    if (this.#lastOnly ? request.last : entries === 0) this.#interrupts.trigger('PRIQ');
    return undefined;
  }

  /** SMMU_IDR0.PRI, PRIQEN and SMMUEN, and no PRIQ_ABT_ERR. (8.2.) */
  get #enabled(): boolean {
    const registers = this.#registers;
    const active = registers.get('GERROR') ^ registers.get('GERRORN');
    return (
      registers.isSet('IDR0', SMMU_IDR0.fields.PRI) &&
      registers.isSet('CR0', SMMU_CR0.fields.PRIQEN) &&
      registers.isSet('CR0', SMMU_CR0.fields.SMMUEN) &&
      (active & maskOf(SMMU_GERROR.fields.PRIQ_ABT_ERR)) === 0n
    );
  }

  /** SMMU_PRIQ_IRQ_CFG2.LO: interrupts for the last request of a group alone. (6.3.36.) */
  get #lastOnly(): boolean {
    return this.#registers.isSet('PRIQ_IRQ_CFG2', SMMU_IRQ_CFG2.fields.LO);
  }

  /** The queue has overflowed: the last request of a group is answered, so that the device tries again. (8.1.) */
  #discard(request: PageRequest): PageResponse | undefined {
    if (!request.last) return undefined;
    if (this.#lastOnly) this.#interrupts.trigger('PRIQ');
    const pasid = this.#registers.isSet('IDR3', SMMU_IDR3.fields.PPS) ? request.substreamId : undefined;
    return answer(request, 'success', pasid);
  }
}

function answer(
  request: PageRequest,
  response: PageResponse['response'],
  substreamId?: number,
): PageResponse | undefined {
  const { streamId, index, last, read: reads, write } = request;
  const isStopMarker = request.substreamId !== undefined && last && !reads && !write;
  return isStopMarker ? undefined : { streamId, substreamId, index, response };
}

function recordOf(request: PageRequest): readonly bigint[] {
  const { streamId, substreamId, address, index, last, execute = false, privileged = false } = request;
  const pasid = substreamId !== undefined;
  const first = wordOf(PAGE_REQUEST, {
    SSV: pasid,
    Last: last,
    W: request.write,
    R: request.read,
    // Of meaning with a PASID alone. (8)
    X: pasid && execute,
    Priv: pasid && privileged,
    SubstreamID: substreamId ?? 0,
    StreamID: streamId,
  });
  const { Address, PRGIndex } = PAGE_REQUEST_ADDRESS.fields;
  return [first, (address & maskOf(Address)) | place(PRGIndex, index)];
}
