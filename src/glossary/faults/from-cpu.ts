/** Faults from the registers of a CPU: ESR with FAR and HPFAR, PAR, DFSR and IFSR. (DDI 0487 D24.2.45, D24.2.76, D24.2.142, G8.2.47.) */

import { hex } from '../../text/numbers.ts';
import { bitOf, bitsOf } from '../register.ts';
import {
  DFSR_LONG,
  DFSR_SHORT,
  ESR,
  ESR_DATA,
  ESR_INSTRUCTION,
  EXCEPTION_CLASSES,
  HPFAR_EL2,
  IFSR_LONG,
  IFSR_SHORT,
  PAR_ADDRESS,
  PAR_FAULT,
  PAR_SHORT,
} from '../registers-fault.ts';
import { type FaultStatus, longStatus, type StatusKind, shortStatus } from '../status.ts';
import { type DecodedFault, withOffset } from './decoded-fault.ts';

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

/** ESR_ELx, or HSR of AArch32. @param esr - 32 or 64 bits, unsigned. */
export function decodeEsr(esr: bigint, context: EsrContext = {}): DecodedFault {
  const { far, hpfar, el } = context;
  const ec = bitsOf(esr, 31, 26);
  const fetch = ec === 0x20 || ec === 0x21;
  const data = ec === 0x24 || ec === 0x25;
  const hpfarValue = hpfar === undefined ? [] : [{ layout: HPFAR_EL2, value: hpfar }];
  if (!fetch && !data) {
    return {
      source: 'esr',
      kind: ec === 0x22 || ec === 0x26 ? 'alignment' : ec === 0x2f ? 'serror' : 'other',
      name: `EC ${code(ec)}: ${EXCEPTION_CLASSES[ec] ?? 'reserved'}`,
      address: ec === 0x22 ? far : undefined,
      registers: [{ layout: ESR, value: esr }, ...hpfarValue],
      notes: [],
    };
  }
  const status = longStatus(bitsOf(esr, 5, 0));
  const maintenance = data && bitOf(esr, 8);
  const fromLower = ec === 0x20 || ec === 0x24;
  const stage = esrStage(status?.kind, bitOf(esr, 7), fromLower, context);
  const farInvalid = status?.kind === 'external' && bitOf(esr, 10);
  const notes: string[] = [];
  if (stage === 2 && hpfar === undefined && !bitOf(esr, 7) && context.ipa === undefined) {
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
    name: `${fetch ? 'IFSC' : 'DFSC'} ${code(bitsOf(esr, 5, 0))}`,
    stage,
    level: status?.level,
    address: farInvalid ? undefined : far,
    // On the fetch of a stage-1 descriptor FAR is the access's, and its offset is not the descriptor's.
    ipa: context.ipa ?? (bitOf(esr, 7) ? ipaPage : withOffset(ipaPage, far)),
    access: fetch ? 'execute' : bitOf(esr, 6) && !maintenance ? 'write' : 'read',
    privileged: fromLower ? (el === 1 || (el === undefined && stage !== 2) ? false : undefined) : true,
    ptw: bitOf(esr, 7) ? true : undefined,
    registers: [{ layout: fetch ? ESR_INSTRUCTION : ESR_DATA, value: esr }, ...hpfarValue],
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
  return (hpfar & 0xffff_ffff_fff0n) << 8n;
}

/** PAR_EL1, or PAR of AArch32 in either form: bit 11 says which. */
export function decodePar(par: bigint, context: { readonly far?: bigint | undefined } = {}): DecodedFault {
  const short = !bitOf(par, 11);
  const failed = bitOf(par, 0);
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
      registers: [{ layout: short ? PAR_SHORT : PAR_ADDRESS, value: par }],
    };
  }
  const fst = bitsOf(par, 6, 1);
  const status = short ? shortStatus(fst) : longStatus(fst);
  const stage = short || !bitOf(par, 9) ? 1 : 2;
  return {
    ...common,
    kind: status?.kind ?? 'other',
    name: `${short ? 'FS' : 'FST'} ${code(fst)}`,
    stage,
    level: status?.level,
    ptw: !short && bitOf(par, 8) ? true : undefined,
    registers: [{ layout: short ? PAR_SHORT : PAR_FAULT, value: par }],
  };
}

/** DFSR of AArch32; bit 9 says whether descriptors are long. */
export function decodeDfsr(dfsr: bigint, context: { readonly far?: bigint | undefined } = {}): DecodedFault {
  return decodeFsr('dfsr', dfsr, context.far, bitOf(dfsr, 11) && !bitOf(dfsr, 13) ? 'write' : 'read');
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
  const long = bitOf(value, 9);
  const fs = long ? bitsOf(value, 5, 0) : bitsOf(value, 3, 0) | (bitsOf(value, 10) << 4);
  const status: FaultStatus | undefined = long ? longStatus(fs, 'aarch32') : shortStatus(fs);
  const kind = status?.kind ?? 'other';
  const layouts = { dfsr: [DFSR_SHORT, DFSR_LONG], ifsr: [IFSR_SHORT, IFSR_LONG] } as const;
  return {
    source,
    kind,
    name: `${long ? 'STATUS' : 'FS'} ${code(fs)}`,
    stage: status !== undefined && OF_TRANSLATION.includes(kind as StatusKind) ? 1 : undefined,
    level: status?.level,
    address: far,
    access,
    // DFSR does not say the privilege of the access.
    domain: !long && source === 'dfsr' && hasDomain(status) ? bitsOf(value, 7, 4) : undefined,
    ...(!long && { short: true }),
    registers: [{ layout: layouts[source][long ? 1 : 0], value }],
    notes: [],
  };
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
