/** Faults from an SMMU: event records of SMMUv3 (IHI 0070 7.3), context and global fault registers of SMMUv2 (IHI 0062). */

import { hex } from '../../text/numbers.ts';
import { eventNumbered } from '../events.ts';
import { bitOf, bitsOf, type RegisterLayout, rowsOf } from '../register.ts';
import { SMMU_FSR, SMMU_FSYNR0, SMMU_GFSR } from '../registers-smmu.ts';
import type { StatusKind } from '../status.ts';
import type { ConfigurationKind, DecodedFault, DecodedKind } from './decoded-fault.ts';

const row = rowsOf('IHI 0070 7.3');
/** A record whose event is not known: IMPLEMENTATION DEFINED, or of a later version. */
const UNKNOWN_RECORD: RegisterLayout = {
  name: 'event record',
  title: 'SMMUv3 event record of an unknown event',
  reference: 'IHI 0070 7.3',
  width: 256,
  fields: [row(63, 32, 'StreamID', 'the stream of the transaction'), row(7, 0, 'Number', 'event number')],
};

const CLASSES = ['cd', 'tt', 'in', undefined] as const;

/** An event record as four 64-bit words, the lowest first. */
export function decodeEvent(words: readonly [bigint, bigint, bigint, bigint]): DecodedFault {
  const value = words.reduce((sum, word, i) => sum | (word << BigInt(64 * i)), 0n);
  const number = bitsOf(value, 7, 0);
  const event = eventNumbered(number);
  const record = event?.record ?? UNKNOWN_RECORD;
  const has = (name: string) => record.fields.some((field) => field.name === name);
  const staged = has('S2');
  const second = staged && bitOf(value, 103);
  const cls = staged ? CLASSES[bitsOf(value, 105, 104)] : undefined;
  const [, , input, last] = words;
  return {
    source: 'smmuv3',
    kind: eventKind(event?.name, event?.kind),
    name: event?.name ?? `event ${hex(number, 2)}`,
    stage: staged ? (second ? 2 : 1) : undefined,
    address: has('InputAddr') ? input : undefined,
    ipa: second && has('IPA') ? last & 0xff_ffff_ffff_f000n : undefined,
    access: has('RnW') ? (bitOf(value, 98) ? 'execute' : bitOf(value, 99) ? 'read' : 'write') : undefined,
    privileged: has('PnU') ? bitOf(value, 97) : undefined,
    ptw: second && cls === 'tt' ? true : undefined,
    class: cls,
    streamId: bitsOf(value, 63, 32),
    substreamId:
      has('SubstreamID') && (bitOf(value, 11) || number === 0x08) ? bitsOf(value, 31, 12) : undefined,
    fetchAddress: has('FetchAddr') ? last & 0xff_ffff_ffff_fff8n : undefined,
    stalled: has('Stall') ? bitOf(value, 95) : undefined,
    registers: [{ layout: record, value }],
    notes: [],
  };
}

/** The kind of an event by its name: a fault of translation has a kind of its own. */
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

/** FSR bits, the one that tells most first. */
const FSR_BITS: readonly (readonly [bit: number, kind: DecodedKind, name: string])[] = [
  [1, 'translation', 'TF'],
  [2, 'access_flag', 'AFF'],
  [3, 'permission', 'PF'],
  [7, 'address_size', 'ASF'],
  [4, 'external_walk', 'EF'],
  [5, 'tlb_conflict', 'TLBMCF'],
  [6, 'lockdown', 'TLBLKF'],
  [8, 'f_uut', 'UUT'],
];

export function decodeContextFault(report: ContextFault): DecodedFault {
  const { fsr, fsynr0, iova, ipa, cbfrsynra, cb } = report;
  const [, kind, name] = FSR_BITS.find(([bit]) => bitOf(fsr, bit)) ?? [0, 'other', `FSR ${hex(fsr)}`];
  const said = fsynr0 !== undefined;
  const walk = kind === 'external_walk';
  const format = bitsOf(fsr, 10, 9);
  return {
    source: 'smmuv2',
    // EF is of the access itself too; PTWF tells.
    kind: walk && said && !bitOf(fsynr0, 10) ? 'external' : kind,
    name,
    stage: ipa === undefined ? undefined : 2,
    level: said && kind !== 'f_uut' ? bitsOf(fsynr0, 1, 0) : undefined,
    address: iova,
    ipa,
    access: said ? (bitOf(fsynr0, 6) ? 'execute' : bitOf(fsynr0, 4) ? 'write' : 'read') : undefined,
    privileged: said ? bitOf(fsynr0, 5) : undefined,
    ptw: said && bitOf(fsynr0, 10) && !walk ? true : undefined,
    streamId: cbfrsynra === undefined ? undefined : bitsOf(cbfrsynra, 15, 0),
    contextBank: cb === undefined ? undefined : Number(cb),
    stalled: bitOf(fsr, 30) ? true : undefined,
    ...(format === 0 && bitsOf(fsr, 8, 1) !== 0 && { short: true }),
    registers: [{ layout: SMMU_FSR, value: fsr }, ...(said ? [{ layout: SMMU_FSYNR0, value: fsynr0 }] : [])],
    notes: bitOf(fsr, 31) ? ['MULTI is 1: later faults were lost'] : [],
  };
}

/** The global fault registers. GFSYNR0: WNR is bit 1, PNU 2, IND 3; GFSYNR1 holds the StreamID. */
export interface GlobalFault {
  readonly gfsr: bigint;
  readonly gfsynr0?: bigint | undefined;
  readonly gfsynr1?: bigint | undefined;
  readonly iova?: bigint | undefined;
}

export function decodeGlobalFault({ gfsr, gfsynr0, gfsynr1, iova }: GlobalFault): DecodedFault {
  const set = SMMU_GFSR.fields.filter((field) => field.low < 31 && bitOf(gfsr, field.low));
  return {
    source: 'smmuv2-global',
    kind: bitOf(gfsr, 1) ? 'unknown_stream' : 'other',
    name: set.map((field) => field.name).join(' ') || 'sGFSR 0',
    address: iova,
    access:
      gfsynr0 === undefined
        ? undefined
        : bitOf(gfsynr0, 3)
          ? 'execute'
          : bitOf(gfsynr0, 1)
            ? 'write'
            : 'read',
    privileged: gfsynr0 === undefined ? undefined : bitOf(gfsynr0, 2),
    streamId: gfsynr1 === undefined ? undefined : bitsOf(gfsynr1, 15, 0),
    registers: [{ layout: SMMU_GFSR, value: gfsr }],
    notes: [],
  };
}
