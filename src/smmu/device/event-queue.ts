/** The Event queue: which records are written, and when one is lost. (IHI 0070 3.5, 6.3.29, 6.3.95, 6.3.96, 7.2, 7.4.) */
import { isSet, place, read, withField } from '../../arch/read.ts';
import {
  EVENT_LOG2,
  SMMU_CR0,
  SMMU_EVENTQ_CONS,
  SMMU_EVENTQ_PROD,
  SMMU_GERROR,
  SMMU_IDR1,
} from '../../arch/smmu/index.ts';
import { entriesBetween, type QueuePlace, queuePlace } from './command-queue.ts';
import type { RegisterFile } from './register-file.ts';

const { OVFLG, WR } = SMMU_EVENTQ_PROD.fields;
const { OVACKFLG, RD } = SMMU_EVENTQ_CONS.fields;

/** What becomes of a record. */
export interface Recording {
  /** SMMU_EVENTQ_PROD afterwards. */
  readonly producer: bigint;
  /** Where the record is written. Undefined: it is not. */
  readonly address: bigint | undefined;
}

/** Where the queue is. */
export function eventQueuePlace(registers: RegisterFile): QueuePlace {
  const most = read(registers.get('IDR1'), SMMU_IDR1.fields.EVENTQS);
  return queuePlace(registers.get('EVENTQ_BASE'), most, EVENT_LOG2);
}

/** Records an event with the producer index at a value: in the next entry, or nowhere if the queue is off, full, or had an abort. */
export function recordEvent(registers: RegisterFile, producer: bigint): Recording {
  const { base, log2Size } = eventQueuePlace(registers);
  const aborted = isSet(
    registers.get('GERROR') ^ registers.get('GERRORN'),
    SMMU_GERROR.fields.EVENTQ_ABT_ERR,
  );
  if (!registers.isSet('CR0', SMMU_CR0.fields.EVENTQEN) || aborted) return { producer, address: undefined };
  const consumer = registers.get('EVENTQ_CONS');
  const wrap = 2 ** (log2Size + 1);
  const write = read(producer, WR) % wrap;
  if (entriesBetween(read(consumer, RD) % wrap, write, log2Size) >= 2 ** log2Size) {
    const overflowed = isSet(producer, OVFLG) !== isSet(consumer, OVACKFLG);
    return { producer: overflowed ? producer : producer ^ place(OVFLG, 1), address: undefined };
  }
  const address = base + BigInt((write % 2 ** log2Size) << EVENT_LOG2);
  return { producer: withField(producer, WR, (write + 1) % wrap), address };
}
