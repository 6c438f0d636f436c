/** The Event queue: which records are written, and when one is lost. (IHI 0070 3.5, 6.3.29, 6.3.95, 6.3.96, 7.2, 7.4.) */
import { isSet, place, placeInto, read, withField } from '../../arch/read.ts';
import {
  EVENT,
  EVENT_LOG2,
  SMMU_CR0,
  SMMU_EVENTQ_CONS,
  SMMU_EVENTQ_PROD,
  SMMU_GERROR,
  SMMU_IDR1,
} from '../../arch/smmu/index.ts';
import { type Answer, keyOf } from '../caches/answers.ts';
import { entriesBetween, type QueuePlace, queuePlace } from './command-queue.ts';
import type { Interrupts } from './interrupts.ts';
import type { RegisterFile } from './register-file.ts';

const { OVFLG, WR } = SMMU_EVENTQ_PROD.fields;
const { OVACKFLG, RD } = SMMU_EVENTQ_CONS.fields;

/** What becomes of a record. */
interface Recording {
  /** SMMU_EVENTQ_PROD before, and afterwards. */
  readonly before: bigint;
  readonly producer: bigint;
  /** Where the record is written. Undefined: it is not. */
  readonly address: bigint | undefined;
  /** The queue was empty. */
  readonly first: boolean;
}

/** An answer, and what it does to the queue. */
export interface RecordedAnswer {
  readonly answer: Answer;
  readonly recording: Recording;
}

/**
 * What was found in the queue after a transaction: nothing, an event, an event that says that it stalls with a tag, from which the queue goes
 * on; `unknown`: any of the permitted answers may have happened.
 */
export type SeenEvent = boolean | 'unknown' | { readonly stag: number };

/** An answer with the tag of a transaction that stalls in its event. Undefined: the tag is not known. */
export function withTag(answer: Answer, stag: number | undefined): Answer {
  const { event, outcome } = answer;
  if (event === undefined || stag === undefined || outcome.kind !== 'fault' || !outcome.stall) return answer;
  const words: [bigint, bigint, bigint, bigint] = [...event];
  placeInto(words, EVENT.fields.STAG, stag);
  return { ...answer, event: words };
}

/** Writes a record to memory. False: the write was aborted. */
export type RecordWriter = (address: bigint, words: readonly bigint[]) => boolean;

/** With several answers permitted, where the queue stands is a set as well. */
export class EventQueue {
  readonly #registers: RegisterFile;
  readonly #interrupts: Interrupts;
  readonly #write: RecordWriter;
  /** SMMU_EVENTQ_PROD as it may be, after the answers that were permitted so far. */
  #producers: readonly bigint[] = [0n];

  constructor(registers: RegisterFile, interrupts: Interrupts, write: RecordWriter) {
    this.#registers = registers;
    this.#interrupts = interrupts;
    this.#write = write;
  }

  /** SMMU_EVENTQ_PROD as it may be. */
  get producers(): readonly bigint[] {
    return this.#producers;
  }

  /** Whether it takes a record. (7.2.1.) */
  get writable(): boolean {
    return this.#producers.some((producer) => this.#recordingAt(producer).address !== undefined);
  }

  /** Software sets SMMU_EVENTQ_PROD, while the queue is off. */
  set producer(value: bigint) {
    this.#producers = [value];
  }

  /**
   * Puts the events of answers into the queue. Where one does not fit, that is another outcome.
   * @param seen - whether an event was found in the queue afterwards, from which the queue goes on; `unknown`: any of the answers may
   * have happened. Undefined: the caller says which did ({@link happen}).
   */
  record(answers: readonly Answer[], seen: boolean | 'unknown' | undefined): readonly RecordedAnswer[] {
    const found = new Map<string, RecordedAnswer>();
    const producers = new Set<bigint>();
    let interrupts = false;
    for (const producer of this.#producers) {
      const written = this.#recordingAt(producer);
      const fits = written.address !== undefined;
      for (const answer of answers) {
        const recorded = this.#recordOne(answer, written, producer);
        const next = fits && typeof seen === 'boolean' ? (seen ? written.producer : producer) : undefined;
        producers.add(next ?? recorded.recording.producer);
        interrupts ||= recorded.recording.first && recorded.recording.address !== undefined;
        const key = keyOf(recorded.answer.outcome);
        if (!found.has(key)) found.set(key, recorded);
      }
    }
    this.#producers = [...producers];
    if (interrupts && (seen === true || seen === 'unknown')) this.#interrupts.trigger('EVENTQ');
    return [...found.values()];
  }

  /** The queue goes on from what an answer does to it. A write that is aborted leaves it where it was. (7.2.2.) */
  happen({ answer: { event }, recording }: RecordedAnswer): void {
    const { address, before, producer, first } = recording;
    this.#producers = [producer];
    if (address === undefined || event === undefined) return;
    if (!this.#write(address, event)) {
      this.#producers = [before];
      this.#interrupts.activate('EVENTQ_ABT_ERR');
    } else if (first) this.#interrupts.trigger('EVENTQ');
  }

  #recordOne(answer: Answer, written: Recording, producer: bigint): RecordedAnswer {
    const { event, outcome } = answer;
    if (event === undefined || outcome.kind !== 'fault') {
      return { answer, recording: { before: producer, producer, address: undefined, first: false } };
    }
    if (written.address !== undefined) return { answer, recording: written };
    // The event of a stalled transaction waits: it is not lost, and nothing overflows. (7.2.1, 7.4)
    const recording = outcome.stall ? { ...written, producer } : written;
    const lost = { ...answer, outcome: { ...outcome, recorded: false as const }, event: undefined };
    return { answer: lost, recording };
  }

  /** What becomes of a record: it is in the next entry, or nowhere if the queue is off, full, or had an abort. */
  #recordingAt(producer: bigint): Recording {
    const { base, log2Size } = this.#place;
    const registers = this.#registers;
    const active = registers.get('GERROR') ^ registers.get('GERRORN');
    if (
      !registers.isSet('CR0', SMMU_CR0.fields.EVENTQEN) ||
      isSet(active, SMMU_GERROR.fields.EVENTQ_ABT_ERR)
    ) {
      return { before: producer, producer, address: undefined, first: false };
    }
    const consumer = registers.get('EVENTQ_CONS');
    const wrap = 2 ** (log2Size + 1);
    const write = read(producer, WR) % wrap;
    const entries = entriesBetween(read(consumer, RD) % wrap, write, log2Size);
    if (entries >= 2 ** log2Size) {
      const overflowed = isSet(producer, OVFLG) !== isSet(consumer, OVACKFLG);
      const next = overflowed ? producer : producer ^ place(OVFLG, 1);
      return { before: producer, producer: next, address: undefined, first: false };
    }
    const address = base + BigInt((write % 2 ** log2Size) << EVENT_LOG2);
    const next = withField(producer, WR, (write + 1) % wrap);
    return { before: producer, producer: next, address, first: entries === 0 };
  }

  get #place(): QueuePlace {
    const most = read(this.#registers.get('IDR1'), SMMU_IDR1.fields.EVENTQS);
    return queuePlace(this.#registers.get('EVENTQ_BASE'), most, EVENT_LOG2);
  }
}
