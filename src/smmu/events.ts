/** Event records: how an SMMUv3 writes a fault to its event queue. (IHI 0070 7.3.) */
import type { BitField } from '../arch/field.ts';
import { placeAddressInto, placeInto } from '../arch/read.ts';
import { EVENT, EVENT_CLASSES, EVENTS, type EventName, type EventTraits } from '../arch/smmu/index.ts';
import type { EventRecord, SmmuFault } from './types.ts';

const record = EVENT.fields;

/** The events that faults record; an abort records none. */
const EVENT_NAMES: Partial<Record<SmmuFault['kind'], EventName>> = {
  c_bad_streamid: 'C_BAD_STREAMID',
  f_ste_fetch: 'F_STE_FETCH',
  c_bad_ste: 'C_BAD_STE',
  f_stream_disabled: 'F_STREAM_DISABLED',
  c_bad_substreamid: 'C_BAD_SUBSTREAMID',
  f_cd_fetch: 'F_CD_FETCH',
  c_bad_cd: 'C_BAD_CD',
  external_walk: 'F_WALK_EABT',
  translation: 'F_TRANSLATION',
  address_size: 'F_ADDR_SIZE',
  access_flag: 'F_ACCESS',
  permission: 'F_PERMISSION',
};

/** The event of a fault, or undefined for an abort, which records no event. */
export function eventName(kind: SmmuFault['kind']): EventName | undefined {
  return EVENT_NAMES[kind];
}

/** The event number of a fault, or undefined for an abort, which records no event. */
export function eventNumber(kind: SmmuFault['kind']): number | undefined {
  const name = EVENT_NAMES[kind];
  return name && EVENTS[name].number;
}

/** The transaction that an event is about. */
export interface EventContext {
  readonly streamId: number;
  readonly substreamId: number | undefined;
  readonly ia: bigint;
  readonly access: 'read' | 'write' | 'execute';
  readonly privileged: boolean;
  /** It waits for CMD_RESUME. Each SMMU chooses its own STAG values; here STAG is 0. */
  readonly stalled?: boolean;
}

/** The event record of a fault: words [63:0], [127:64], [191:128] and [255:192]. */
export function eventRecord(fault: SmmuFault, context: EventContext): EventRecord | undefined {
  const name = EVENT_NAMES[fault.kind];
  if (name === undefined) return undefined;
  const words: [bigint, bigint, bigint, bigint] = [0n, 0n, 0n, 0n];
  const set = (field: BitField, value: number | boolean) => placeInto(words, field, value);
  const { streamId, substreamId, access, privileged, stalled = false } = context;
  const { number, parts }: EventTraits = EVENTS[name];
  set(record.Number, number);
  set(record.StreamID, streamId);
  if (parts.includes('substream')) set(record.SSV, substreamId !== undefined);
  if (parts.includes('substream') || parts.includes('index')) set(record.SubstreamID, substreamId ?? 0);
  if ('class' in fault) {
    set(record.PnU, privileged);
    set(record.InD, access === 'execute');
    set(record.RnW, access !== 'write');
    set(record.S2, fault.stage === 2);
    set(record.CLASS, EVENT_CLASSES.indexOf(fault.class));
    // For a permission fault on a descriptor fetch.
    set(record.TTRnW, fault.kind === 'permission' && fault.class === 'tt' && !fault.update);
    placeAddressInto(words, record.InputAddr, context.ia);
  }
  if (parts.includes('stall')) set(record.Stall, stalled);
  if (parts.includes('ipa')) placeAddressInto(words, record.IPA, ('class' in fault && fault.ipa) || 0n);
  if (parts.includes('fetch')) placeAddressInto(words, record.FetchAddr, fault.fetchAddress ?? 0n);
  return words;
}

/** The record of an event that only transactions of ATS leave. (7.3.6, 7.3.8.) */
export function atsEventRecord(
  name: 'F_BAD_ATS_TREQ' | 'F_TRANSL_FORBIDDEN',
  {
    streamId,
    substreamId,
    ia,
    access,
  }: Omit<EventContext, 'privileged' | 'stalled' | 'substreamId'> & {
    readonly substreamId?: number;
  },
): EventRecord {
  const words: [bigint, bigint, bigint, bigint] = [0n, 0n, 0n, 0n];
  const { number, parts }: EventTraits = EVENTS[name];
  placeInto(words, record.Number, number);
  placeInto(words, record.StreamID, streamId);
  if (parts.includes('substream')) {
    placeInto(words, record.SSV, substreamId !== undefined);
    placeInto(words, record.SubstreamID, substreamId ?? 0);
  }
  if (parts.includes('access')) placeInto(words, record.RnW, access !== 'write');
  if (parts.includes('input')) placeAddressInto(words, record.InputAddr, ia);
  return words;
}
