/**
 * Faults from ESR_ELx (HSR in AArch32) with FAR and HPFAR: aborts, SErrors, granule protection checks. (DDI 0487 D24.2.45, D24.2.76.)
 * Values that the manual calls UNKNOWN are not used: HPFAR outside the faults that write it, FAR with FnV.
 */

import type { WordLayout } from '../../arch/field.ts';
import { addressOf, isSet, read } from '../../arch/read.ts';
import {
  ABORT_CLASSES,
  ASYNCHRONOUS_ERROR,
  ESR,
  ESR_DATA,
  ESR_GPC,
  ESR_INSTRUCTION,
  ESR_SERROR,
  EXCEPTION_CLASSES,
  GPC_CLASS,
  HPFAR_EL2,
} from '../../arch/registers/fault.ts';
import { hex } from '../../text/numbers.ts';
import { registerOf } from '../register.ts';
import { longStatus, type StatusKind } from '../status.ts';
import { type DecodedFault, type DecodedKind, type RegisterValue, withOffset } from './decoded-fault.ts';
import { iss2Of } from './iss2.ts';

/** The values that go with an ESR. */
export interface EsrContext {
  /** The Exception level that took the exception, if known. */
  readonly el?: 1 | 2 | 3 | undefined;
  readonly far?: bigint | undefined;
  readonly hpfar?: bigint | undefined;
  /** A full IPA from a log. */
  readonly ipa?: bigint | undefined;
}

/** The kinds that involve a stage and descriptors. */
export const OF_TRANSLATION: readonly StatusKind[] = [
  'translation',
  'access_flag',
  'permission',
  'address_size',
  'external_walk',
  'parity_walk',
  'granule_walk',
  'domain',
  'hardware_update',
];

const code = (value: number) => hex(value, 2);
const as = (word: WordLayout, value: bigint): RegisterValue => ({ layout: registerOf(word), value });

const { CM, DFSC, FnV, S1PTW, WnR } = ESR_DATA.fields;

const { instructionFromLower, instruction, dataFromLower, data: dataAbort } = ABORT_CLASSES;
const ABORTS: readonly number[] = [instructionFromLower, instruction, dataFromLower, dataAbort];

/** Whether an ESR describes an abort. */
export function isAbort(esr: bigint): boolean {
  return ABORTS.includes(read(esr, ESR.fields.EC));
}

/** ESR_ELx, or HSR of AArch32. @param esr - 32 or 64 bits, unsigned. */
export function decodeEsr(esr: bigint, context: EsrContext = {}): DecodedFault {
  const ec = read(esr, ESR.fields.EC);
  if (ec === GPC_CLASS) return decodeGpc(esr, context);
  if (ec === ABORT_CLASSES.serror) return decodeSError(esr, context);
  return ABORTS.includes(ec) ? decodeAbort(esr, ec, context) : decodeOther(esr, ec, context);
}

const className = (ec: number) => `EC ${code(ec)}: ${EXCEPTION_CLASSES[ec] ?? 'reserved'}`;

/** An exception other than an abort. FAR is valid only for PC alignment faults. */
function decodeOther(esr: bigint, ec: number, { far, el }: EsrContext): DecodedFault {
  const { pcAlignment, spAlignment } = ABORT_CLASSES;
  return {
    source: 'esr',
    kind: ec === pcAlignment || ec === spAlignment ? 'alignment' : 'other',
    name: className(ec),
    el,
    address: ec === pcAlignment ? far : undefined,
    registers: [as(ESR, esr)],
    notes: [],
  };
}

function decodeSError(esr: bigint, { el }: EsrContext): DecodedFault {
  const { IDS, DFSC: status, AET } = ESR_SERROR.fields;
  const note = isSet(esr, IDS)
    ? 'IDS is 1: the rest of the syndrome is IMPLEMENTATION DEFINED, and only the manual of the core explains it'
    : read(esr, status) === ASYNCHRONOUS_ERROR
      ? `the state of the PE is ${AET.values?.[read(esr, AET)] ?? 'reserved'}`
      : 'DFSC is 0: the syndrome does not say more';
  return {
    source: 'esr',
    kind: 'serror',
    name: className(ABORT_CLASSES.serror),
    el,
    registers: [as(isSet(esr, IDS) ? ESR : ESR_SERROR, esr)],
    notes: [note, 'FAR is UNKNOWN for an SError: no address belongs to it'],
  };
}

/** A granule protection check, taken to EL3. Its level is that of the lookup in the granule protection table. */
function decodeGpc(esr: bigint, { far, hpfar }: EsrContext): DecodedFault {
  const { InD, WnR: write, CM: maintenance, GPCSC, S1PTW: ptw1, S2PTW, xFSC } = ESR_GPC.fields;
  const said = longStatus(read(esr, xFSC));
  const status = said !== undefined && OF_GRANULES.includes(said.kind) ? said : undefined;
  const what = GPCSC.values?.[read(esr, GPCSC)] ?? `GPCSC ${code(read(esr, GPCSC))}, which is reserved`;
  const staged = isSet(esr, ptw1) || isSet(esr, S2PTW);
  return {
    source: 'esr',
    kind: status?.kind ?? 'granule',
    name: className(GPC_CLASS),
    el: 3,
    level: status?.level,
    address: far,
    ipa: staged && hpfar !== undefined ? hpfarIpa(hpfar) : undefined,
    access: isSet(esr, InD) ? 'execute' : isSet(esr, write) && !isSet(esr, maintenance) ? 'write' : 'read',
    ptw: isSet(esr, ptw1) ? true : undefined,
    registers: [as(ESR_GPC, esr), ...(staged && hpfar !== undefined ? [as(HPFAR_EL2, hpfar)] : [])],
    notes: [
      `the granule protection check says: ${what}`,
      'MFAR_EL3 holds the physical address',
      ...(status === undefined ? [`xFSC ${code(read(esr, xFSC))} is not a status of such a check`] : []),
    ],
  };
}

function decodeAbort(esr: bigint, ec: number, context: EsrContext): DecodedFault {
  const { far, hpfar, el } = context;
  const classes = ABORT_CLASSES;
  const fetch = ec === classes.instructionFromLower || ec === classes.instruction;
  const dfsc = read(esr, DFSC);
  const status = longStatus(dfsc);
  const maintenance = !fetch && isSet(esr, CM);
  const s1ptw = isSet(esr, S1PTW);
  const fromLower = ec === classes.instructionFromLower || ec === classes.dataFromLower;
  const stage = esrStage(status?.kind, s1ptw, fromLower, context);
  const farInvalid = status?.kind === 'external' && isSet(esr, FnV);
  const hpfarKnown = hpfar !== undefined && writesHpfar(status?.kind, s1ptw, stage);
  const notes: string[] = [];
  if (stage === 2 && hpfar === undefined && !s1ptw && context.ipa === undefined) {
    notes.push(
      'taken to EL2 from below, so a fault of stage 2, unless HCR_EL2.TGE is 1; HPFAR_EL2 holds the IPA',
    );
  }
  if (hpfar !== undefined && hpfar !== 0n && !hpfarKnown) {
    notes.push(`HPFAR_EL2 ${hex(hpfar)} is not the IPA: it is UNKNOWN for this fault (DDI 0487 D24.2.76)`);
  }
  if (farInvalid) notes.push('FnV is 1: FAR is not valid');
  if (maintenance)
    notes.push('CM is 1: a cache maintenance or address translation instruction; WnR is 1 for it');
  const ipaPage = hpfarKnown ? hpfarIpa(hpfar) : undefined;
  const iss2 = iss2Of(esr, fetch);
  const refused = status?.kind === 'permission' ? iss2?.cause : undefined;
  return {
    source: 'esr',
    kind: (status?.kind ?? 'other') satisfies DecodedKind,
    name: `${fetch ? 'IFSC' : 'DFSC'} ${code(dfsc)}`,
    stage,
    level: status?.level,
    el,
    address: farInvalid ? undefined : far,
    // For the fetch of a stage-1 descriptor, FAR is the address of the access, so its page offset is not the descriptor's.
    ipa: context.ipa ?? (s1ptw ? ipaPage : withOffset(ipaPage, far)),
    access: fetch ? 'execute' : isSet(esr, WnR) && !maintenance ? 'write' : 'read',
    privileged: fromLower ? (el === 1 || (el === undefined && stage !== 2) ? false : undefined) : true,
    ptw: s1ptw ? true : undefined,
    registers: [
      as(fetch ? ESR_INSTRUCTION : ESR_DATA, esr),
      ...(iss2 ? [iss2.register] : []),
      ...(hpfarKnown ? [as(HPFAR_EL2, hpfar)] : []),
    ],
    notes,
    ...(refused !== undefined && { cause: refused }),
  };
}

/** The faults that write HPFAR_EL2. It is UNKNOWN for all others. (D24.2.76.) */
const WITH_IPA: readonly (StatusKind | undefined)[] = ['translation', 'access_flag', 'address_size'];
const WITH_IPA_ON_WALK: readonly (StatusKind | undefined)[] = [...WITH_IPA, 'permission'];
const OF_GRANULES: readonly (StatusKind | undefined)[] = ['granule', 'granule_walk'];

function writesHpfar(kind: StatusKind | undefined, s1ptw: boolean, stage: 1 | 2 | undefined): boolean {
  if (OF_GRANULES.includes(kind)) return true;
  return stage === 2 && (s1ptw ? WITH_IPA_ON_WALK : WITH_IPA).includes(kind);
}

/** Stage 2 faults are taken only to EL2, always from a lower Exception level. */
function esrStage(
  kind: StatusKind | undefined,
  s1ptw: boolean,
  fromLower: boolean,
  { el, hpfar, ipa }: EsrContext,
): 1 | 2 | undefined {
  if (kind === undefined || !OF_TRANSLATION.includes(kind)) return undefined;
  if (s1ptw) return 2;
  const taken2 = el === 2 || hpfar !== undefined || ipa !== undefined;
  return fromLower && taken2 ? 2 : 1;
}

/** The IPA of HPFAR_EL2 (or HPFAR), without its lowest 12 bits. */
export function hpfarIpa(hpfar: bigint): bigint {
  return addressOf(hpfar, HPFAR_EL2.fields.FIPA);
}
