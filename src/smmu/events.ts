/** Event records: how an SMMUv3 writes a fault to its event queue. (IHI 0070 7.3.) */
import type { EventRecord, FaultClass, SmmuFault } from './types.ts';

/** Event numbers, bits [7:0] of a record. */
const EVENT_NUMBERS: Partial<Record<SmmuFault['kind'], number>> = {
  c_bad_streamid: 0x02,
  f_ste_fetch: 0x03,
  c_bad_ste: 0x04,
  f_stream_disabled: 0x06,
  c_bad_substreamid: 0x08,
  f_cd_fetch: 0x09,
  c_bad_cd: 0x0a,
  external_walk: 0x0b,
  translation: 0x10,
  address_size: 0x11,
  access_flag: 0x12,
  permission: 0x13,
};

/** The event number of a fault, or undefined for an abort that leaves no event. */
export function eventNumber(kind: SmmuFault['kind']): number | undefined {
  return EVENT_NUMBERS[kind];
}

const CLASS_CODES: Record<FaultClass, bigint> = { cd: 0b00n, tt: 0b01n, in: 0b10n };
const FETCH_55_3 = 0xff_ffff_ffff_fff8n;
const IPA_55_12 = 0xff_ffff_ffff_f000n;

/** The transaction that an event is about. */
export interface EventContext {
  readonly streamId: number;
  readonly substreamId: number | undefined;
  readonly ia: bigint;
  readonly access: 'read' | 'write' | 'execute';
  readonly privileged: boolean;
}

/** The event record of a fault: words [63:0], [127:64], [191:128] and [255:192]. */
export function eventRecord(fault: SmmuFault, context: EventContext): EventRecord | undefined {
  const number = eventNumber(fault.kind);
  if (number === undefined) return undefined;
  const ssv = context.substreamId === undefined ? 0n : (1n << 11n) | (BigInt(context.substreamId) << 12n);
  const w0 = BigInt(number) | ssv | (BigInt(context.streamId) << 32n);
  const fetch = (fault.fetchAddress ?? 0n) & FETCH_55_3;
  if (!('class' in fault)) return [w0, 0n, 0n, fetch];

  // PnU [97], InD [98], RnW [99], S2 [103], CLASS [105:104]; TTRnW [108] of a permission fault on a descriptor's fetch.
  const read = context.access !== 'write';
  const tableRead = fault.kind === 'permission' && fault.class === 'tt' && !fault.update;
  const w1 =
    (context.privileged ? 1n << 33n : 0n) |
    (context.access === 'execute' ? 1n << 34n : 0n) |
    (read ? 1n << 35n : 0n) |
    (fault.stage === 2 ? 1n << 39n : 0n) |
    (tableRead ? 1n << 44n : 0n) |
    (CLASS_CODES[fault.class] << 40n);
  const last = fault.kind === 'external_walk' ? fetch : (fault.ipa ?? 0n) & IPA_55_12;
  return [w0, w1, context.ia, last];
}
