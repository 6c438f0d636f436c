/** Faults from the registers of a CPU: ESR with FAR and HPFAR, PAR, DFSR and IFSR. (DDI 0487 D24.2.45, D24.2.76, D24.2.142, G8.2.47.) */

import type { WordLayout } from '../../arch/field.ts';
import { addressOf, isSet, read, wordOf } from '../../arch/read.ts';
import {
  ABORT_CLASSES,
  ESR,
  ESR_DATA,
  ESR_INSTRUCTION,
  EXCEPTION_CLASSES,
  HPFAR_EL2,
} from '../../arch/registers/fault.ts';
import {
  DFSR_LONG,
  DFSR_SHORT,
  IFSR_LONG,
  IFSR_SHORT,
  SHORT_STATUS,
} from '../../arch/registers/fault-aarch32.ts';
import { PAR_ADDRESS, PAR_FAULT, PAR_SHORT, PAR_SHORT_FAULT } from '../../arch/registers/par.ts';
import { hex } from '../../text/numbers.ts';
import { registerOf } from '../register.ts';
import { type FaultStatus, longStatus, type StatusKind, shortStatus } from '../status.ts';
import { type DecodedFault, type RegisterValue, withOffset } from './decoded-fault.ts';

/** What goes with an ESR. */
export interface EsrContext {
  /** The exception level that took the exception, where it is known. */
  readonly el?: 1 | 2 | 3 | undefined;
  readonly far?: bigint | undefined;
  readonly hpfar?: bigint | undefined;
  /** An IPA that a log says in full. */
  readonly ipa?: bigint | undefined;
}

/** Kinds for which stage and descriptors play a part. */
const OF_TRANSLATION: readonly StatusKind[] = [
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

/** Whether an ESR is an abort's. */
export function isAbort(esr: bigint): boolean {
  return ABORTS.includes(read(esr, ESR.fields.EC));
}

/** ESR_ELx, or HSR of AArch32. @param esr - 32 or 64 bits, unsigned. */
export function decodeEsr(esr: bigint, context: EsrContext = {}): DecodedFault {
  const { far, hpfar, el } = context;
  const classes = ABORT_CLASSES;
  const ec = read(esr, ESR.fields.EC);
  const fetch = ec === classes.instructionFromLower || ec === classes.instruction;
  const data = ec === classes.dataFromLower || ec === classes.data;
  const hpfarValue = hpfar === undefined ? [] : [as(HPFAR_EL2, hpfar)];
  if (!fetch && !data) {
    return {
      source: 'esr',
      kind:
        ec === classes.pcAlignment || ec === classes.spAlignment
          ? 'alignment'
          : ec === classes.serror
            ? 'serror'
            : 'other',
      name: `EC ${code(ec)}: ${EXCEPTION_CLASSES[ec] ?? 'reserved'}`,
      address: ec === classes.pcAlignment ? far : undefined,
      registers: [as(ESR, esr), ...hpfarValue],
      notes: [],
    };
  }
  const dfsc = read(esr, DFSC);
  const status = longStatus(dfsc);
  const maintenance = data && isSet(esr, CM);
  const s1ptw = isSet(esr, S1PTW);
  const fromLower = ec === classes.instructionFromLower || ec === classes.dataFromLower;
  const stage = esrStage(status?.kind, s1ptw, fromLower, context);
  const farInvalid = status?.kind === 'external' && isSet(esr, FnV);
  const notes: string[] = [];
  if (stage === 2 && hpfar === undefined && !s1ptw && context.ipa === undefined) {
    notes.push(
      'taken to EL2 from below, so a fault of stage 2, unless HCR_EL2.TGE is 1; HPFAR_EL2 holds the IPA',
    );
  }
  if (farInvalid) notes.push('FnV is 1: FAR is not valid');
  if (maintenance)
    notes.push('CM is 1: a cache maintenance or address translation instruction; WnR is 1 for it');
  const ipaPage = hpfar === undefined ? undefined : hpfarIpa(hpfar);
  return {
    source: 'esr',
    kind: status?.kind ?? 'other',
    name: `${fetch ? 'IFSC' : 'DFSC'} ${code(dfsc)}`,
    stage,
    level: status?.level,
    address: farInvalid ? undefined : far,
    // On the fetch of a stage-1 descriptor FAR is the access's, and its offset is not the descriptor's.
    ipa: context.ipa ?? (s1ptw ? ipaPage : withOffset(ipaPage, far)),
    access: fetch ? 'execute' : isSet(esr, WnR) && !maintenance ? 'write' : 'read',
    privileged: fromLower ? (el === 1 || (el === undefined && stage !== 2) ? false : undefined) : true,
    ptw: s1ptw ? true : undefined,
    registers: [as(fetch ? ESR_INSTRUCTION : ESR_DATA, esr), ...hpfarValue],
    notes,
  };
}

/** Stage 2 faults go to EL2 alone, always from a lower level. */
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

/** PAR_EL1, or PAR of AArch32 in either form: LPAE says which. */
export function decodePar(par: bigint, context: { readonly far?: bigint | undefined } = {}): DecodedFault {
  const short = !isSet(par, PAR_SHORT.fields.LPAE);
  const failed = isSet(par, PAR_FAULT.fields.F);
  const common = {
    source: 'par',
    address: context.far,
    notes: [] as string[],
    ...(short && { short }),
  } as const;
  if (!failed) {
    return {
      ...common,
      kind: 'none',
      name: 'PAR.F 0',
      registers: [as(short ? PAR_SHORT : PAR_ADDRESS, par)],
    };
  }
  const { FST, PTW, S } = PAR_FAULT.fields;
  const fst = read(par, FST);
  const status = short ? shortStatus(fst) : longStatus(fst);
  const stage = short || !isSet(par, S) ? 1 : 2;
  return {
    ...common,
    kind: status?.kind ?? 'other',
    name: `${short ? 'FS' : 'FST'} ${code(fst)}`,
    stage,
    level: status?.level,
    ptw: !short && isSet(par, PTW) ? true : undefined,
    registers: [as(short ? PAR_SHORT_FAULT : PAR_FAULT, par)],
  };
}

/** DFSR of AArch32; LPAE says whether descriptors are long. */
export function decodeDfsr(dfsr: bigint, context: { readonly far?: bigint | undefined } = {}): DecodedFault {
  const { CM: maintenance, WnR: write } = DFSR_LONG.fields;
  const access = isSet(dfsr, write) && !isSet(dfsr, maintenance) ? 'write' : 'read';
  return decodeFsr('dfsr', dfsr, context.far, access);
}

/** IFSR of AArch32. */
export function decodeIfsr(ifsr: bigint, context: { readonly far?: bigint | undefined } = {}): DecodedFault {
  return decodeFsr('ifsr', ifsr, context.far, 'execute');
}

function decodeFsr(
  source: 'dfsr' | 'ifsr',
  value: bigint,
  far: bigint | undefined,
  access: DecodedFault['access'],
): DecodedFault {
  const { LPAE, Domain } = DFSR_SHORT.fields;
  const long = isSet(value, LPAE);
  const fs = long ? read(value, DFSR_LONG.fields.STATUS) : shortFs(value);
  const status: FaultStatus | undefined = long ? longStatus(fs, 'aarch32') : shortStatus(fs);
  const kind = status?.kind ?? 'other';
  const layouts = { dfsr: [DFSR_SHORT, DFSR_LONG], ifsr: [IFSR_SHORT, IFSR_LONG] } as const;
  const layout = layouts[source][long ? 1 : 0];
  // FnV counts for an external abort that is not a walk's; for all others it is RES0.
  const farInvalid = kind === 'external' && isSet(value, layout.fields.FnV);
  return {
    source,
    kind,
    name: `${long ? 'STATUS' : 'FS'} ${code(fs)}`,
    stage: status !== undefined && OF_TRANSLATION.includes(kind as StatusKind) ? 1 : undefined,
    level: status?.level,
    address: farInvalid ? undefined : far,
    access,
    // DFSR does not say the privilege of the access.
    domain: !long && source === 'dfsr' && hasDomain(status) ? read(value, Domain) : undefined,
    ...(!long && { short: true }),
    registers: [as(layout, value)],
    notes: farInvalid ? [`FnV is 1: ${source === 'dfsr' ? 'DFAR' : 'IFAR'} is not valid`] : [],
  };
}

/** FS of DFSR or IFSR: its highest bit stands apart. */
function shortFs(value: bigint): number {
  const { FS, FS4 } = DFSR_SHORT.fields;
  return Number(wordOf(SHORT_STATUS, { high: isSet(value, FS4), low: read(value, FS) }));
}

/** DFSR.Domain is valid where the first level gave one: domain faults, and all of level 2 but aborts. */
function hasDomain(status: FaultStatus | undefined): boolean {
  if (status === undefined || status.level === undefined) return false;
  return (
    status.kind === 'domain' ||
    status.kind === 'permission' ||
    (status.level === 2 && status.kind !== 'external_walk')
  );
}
