/** Faults from an SMMU: event records of SMMUv3 (IHI 0070 7.3), context and global fault registers of SMMUv2 (IHI 0062). */

import { type BitField, fieldsOf } from '../../arch/field.ts';
import { addressIn, isSet, isSetIn, joined, read, readIn } from '../../arch/read.ts';
import {
  EVENT,
  EVENT_CLASSES,
  EVENTS,
  FSR_FORMAT,
  SMMU_CBFRSYNRA,
  SMMU_FSR,
  SMMU_FSYNR0,
  SMMU_GFSR,
  SMMU_GFSYNR0,
  SMMU_GFSYNR1,
  UNKNOWN_EVENT,
} from '../../arch/smmu/index.ts';
import { hex } from '../../text/numbers.ts';
import { eventNumbered } from '../events.ts';
import { registerOf } from '../register.ts';
import type { StatusKind } from '../status.ts';
import type { ConfigurationKind, DecodedFault, DecodedKind } from './decoded-fault.ts';

const UNKNOWN_RECORD = registerOf(UNKNOWN_EVENT);
const event = EVENT.fields;

/** Decodes an event record of an SMMUv3: four 64-bit words, the lowest first. An unknown event number gives kind `other`. (IHI 0070 7.3.) */
export function decodeEvent(words: readonly [bigint, bigint, bigint, bigint]): DecodedFault {
  const number = readIn(words, event.Number);
  const info = eventNumbered(number);
  const record = info?.record ?? UNKNOWN_RECORD;
  const has = ({ name }: BitField) => record.fields.some((field) => field.name === name);
  const staged = has(event.S2);
  const second = staged && isSetIn(words, event.S2);
  const said = staged ? EVENT_CLASSES[readIn(words, event.CLASS)] : undefined;
  const doubt = staged ? doubtOf(words, said, second, info?.kind) : undefined;
  const cls = doubt === undefined ? said : undefined;
  const substream = isSetIn(words, event.SSV) || number === EVENTS.C_BAD_SUBSTREAMID.number;
  return {
    source: 'smmuv3',
    kind: eventKind(info?.name, info?.kind),
    name: info?.name ?? `event ${hex(number, 2)}`,
    stage: staged ? (second ? 2 : 1) : undefined,
    address: has(event.InputAddr) ? addressIn(words, event.InputAddr) : undefined,
    ipa: second && doubt === undefined && has(event.IPA) ? addressIn(words, event.IPA) : undefined,
    access: has(event.RnW) ? accessOf(words) : undefined,
    privileged: has(event.PnU) ? isSetIn(words, event.PnU) : undefined,
    ptw: second && cls === 'tt' ? true : undefined,
    class: cls,
    streamId: readIn(words, event.StreamID),
    substreamId: has(event.SubstreamID) && substream ? readIn(words, event.SubstreamID) : undefined,
    fetchAddress: has(event.FetchAddr) ? addressIn(words, event.FetchAddr) : undefined,
    stalled: has(event.Stall) ? isSetIn(words, event.Stall) : undefined,
    registers: [{ layout: record, value: joined(words) }],
    notes: doubt === undefined ? [] : [doubt],
  };
}

/**
 * CLASS and IPA that contradict the rest of a record, because its writer left them 0. A context descriptor is fetched through stage 2 only, and its
 * IPA is not 0 in practice.
 */
function doubtOf(
  words: readonly bigint[],
  cls: (typeof EVENT_CLASSES)[number] | undefined,
  second: boolean,
  kind: StatusKind | undefined,
): string | undefined {
  if (cls !== 'cd' || kind === 'external_walk') return undefined;
  const input = addressIn(words, event.InputAddr);
  if (!second) {
    return 'CLASS 0 would mean the fetch of a context descriptor, which only stage 2 can refuse; but the record says stage 1, so CLASS is ignored';
  }
  if (addressIn(words, event.IPA) !== 0n || input === 0n) return undefined;
  return (
    `CLASS 0 and IPA 0 would mean the fetch of a context descriptor at IPA 0; with the input address ${hex(input)} both look as if they ` +
    'had been left 0, and are ignored: without stage 1 the input address is the IPA that stage 2 refused'
  );
}

function accessOf(words: readonly bigint[]): 'execute' | 'read' | 'write' {
  if (isSetIn(words, event.InD)) return 'execute';
  return isSetIn(words, event.RnW) ? 'read' : 'write';
}

/** The kind of an event, by its name. Translation-related events have the kind of their fault. */
export function eventKind(name: string | undefined, kind: StatusKind | undefined): DecodedKind {
  return kind ?? (name === undefined ? 'other' : (name.toLowerCase() as ConfigurationKind));
}

/** The registers of a context bank. */
export interface ContextFault {
  readonly fsr: bigint;
  readonly fsynr0?: bigint | undefined;
  readonly iova?: bigint | undefined;
  readonly ipa?: bigint | undefined;
  readonly cbfrsynra?: bigint | undefined;
  readonly cb?: bigint | undefined;
}

const fsr = SMMU_FSR.fields;
const syndrome = SMMU_FSYNR0.fields;
const CONTEXT_STATUS = registerOf(SMMU_FSR);
const CONTEXT_SYNDROME = registerOf(SMMU_FSYNR0);

/** The fault bits of FSR, the most specific first. */
export const FSR_FAULTS: readonly (readonly [field: BitField, kind: DecodedKind])[] = [
  [fsr.TF, 'translation'],
  [fsr.AFF, 'access_flag'],
  [fsr.PF, 'permission'],
  [fsr.ASF, 'address_size'],
  [fsr.EF, 'external_walk'],
  [fsr.TLBMCF, 'tlb_conflict'],
  [fsr.TLBLKF, 'lockdown'],
  [fsr.UUT, 'f_uut'],
];

/**
 * A context fault of an SMMUv2 from the registers of its bank: SMMU_CBn_FSR, FSYNR0, FAR, IPAFAR (32 and 64 bits) and SMMU_CBFRSYNRAn. Facts from registers that are not given stay
 * unknown. (IHI 0062, stage 1 and stage 2 context banks.)
 */
export function decodeContextFault(report: ContextFault): DecodedFault {
  const { fsr: status, fsynr0, iova, ipa, cbfrsynra, cb } = report;
  const [fault, kind] = FSR_FAULTS.find(([field]) => isSet(status, field)) ?? [undefined, 'other' as const];
  const said = fsynr0 !== undefined;
  const walk = kind === 'external_walk';
  const onWalk = said && isSet(fsynr0, syndrome.PTWF);
  return {
    source: 'smmuv2',
    // EF is also set for the access itself. PTWF tells them apart.
    kind: walk && said && !onWalk ? 'external' : kind,
    name: fault?.name ?? `FSR ${hex(status)}`,
    stage: ipa === undefined ? undefined : 2,
    level: said && kind !== 'f_uut' ? read(fsynr0, syndrome.PLVL) : undefined,
    address: iova,
    ipa,
    access: said ? busAccess(fsynr0, syndrome) : undefined,
    privileged: said ? isSet(fsynr0, syndrome.PNU) : undefined,
    ptw: onWalk && !walk ? true : undefined,
    streamId: cbfrsynra === undefined ? undefined : read(cbfrsynra, SMMU_CBFRSYNRA.fields.StreamID),
    contextBank: cb === undefined ? undefined : Number(cb),
    stalled: isSet(status, fsr.SS) ? true : undefined,
    ...(read(status, fsr.FORMAT) === FSR_FORMAT.short && fault !== undefined && { short: true }),
    registers: [
      { layout: CONTEXT_STATUS, value: status },
      ...(said ? [{ layout: CONTEXT_SYNDROME, value: fsynr0 }] : []),
    ],
    notes: isSet(status, fsr.MULTI) ? ['MULTI is 1: later faults were lost'] : [],
  };
}

/** The kind of access, which both syndrome registers encode in the same way. */
export function busAccess(
  value: bigint,
  { IND, WNR }: { readonly IND: BitField; readonly WNR: BitField },
): 'execute' | 'read' | 'write' {
  if (isSet(value, IND)) return 'execute';
  return isSet(value, WNR) ? 'write' : 'read';
}

/** The global fault registers. GFSYNR1 holds the StreamID. */
export interface GlobalFault {
  readonly gfsr: bigint;
  readonly gfsynr0?: bigint | undefined;
  readonly gfsynr1?: bigint | undefined;
  readonly iova?: bigint | undefined;
}

const GLOBAL_STATUS = registerOf(SMMU_GFSR);

export function decodeGlobalFault({ gfsr, gfsynr0, gfsynr1, iova }: GlobalFault): DecodedFault {
  const { MULTI, USF } = SMMU_GFSR.fields;
  const set = fieldsOf(SMMU_GFSR).filter((field) => field !== MULTI && isSet(gfsr, field));
  const { fields } = SMMU_GFSYNR0;
  return {
    source: 'smmuv2-global',
    kind: isSet(gfsr, USF) ? 'unknown_stream' : 'other',
    name: set.map((field) => field.name).join(' ') || 'sGFSR 0',
    address: iova,
    access: gfsynr0 === undefined ? undefined : busAccess(gfsynr0, fields),
    privileged: gfsynr0 === undefined ? undefined : isSet(gfsynr0, fields.PNU),
    streamId: gfsynr1 === undefined ? undefined : read(gfsynr1, SMMU_GFSYNR1.fields.StreamID),
    registers: [{ layout: GLOBAL_STATUS, value: gfsr }],
    notes: [],
  };
}
