/** Faults from a CPU's other registers: PAR, DFSR and IFSR. (DDI 0487 D24.2.142, G8.2.47, G8.2.103, G8.2.121.) */

import type { WordLayout } from '../../arch/field.ts';
import { addressOf, isSet, read, wordOf } from '../../arch/read.ts';
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
import type { DecodedFault, RegisterValue } from './decoded-fault.ts';
import { OF_TRANSLATION } from './from-esr.ts';

export { decodeEsr, type EsrContext, hpfarIpa, isAbort } from './from-esr.ts';

const code = (value: number) => hex(value, 2);
const as = (word: WordLayout, value: bigint): RegisterValue => ({ layout: registerOf(word), value });

/**
 * PAR_EL1, or PAR of AArch32 in either form, which its LPAE bit distinguishes. PAR_EL1 (`wide`) has 64 bits, and its bit 11 is not LPAE: it is RES1,
 * or NSE with FEAT_RME.
 */
export function decodePar(
  par: bigint,
  context: { readonly far?: bigint | undefined; readonly wide?: boolean | undefined } = {},
): DecodedFault {
  const wide = context.wide === true || par >> BigInt(PAR_SHORT.width) !== 0n;
  const short = !wide && !isSet(par, PAR_SHORT.fields.LPAE);
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
      pa: addressOf(par, (short ? PAR_SHORT : PAR_ADDRESS).fields.PA),
      notes:
        wide && !isSet(par, PAR_ADDRESS.fields.NSE)
          ? [
              'bit 11 is 0: with FEAT_RME it is NSE, which is UNKNOWN except at EL3; the register has 64 bits all the same',
            ]
          : [],
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

/** The values that go with DFSR or IFSR. */
export interface FsrContext {
  readonly far?: bigint | undefined;
  /** Whether the core is older than ARMv6, where some codes mean something else. */
  readonly armv5?: boolean | undefined;
}

/** DFSR of AArch32. Its LPAE bit says whether descriptors are long. */
export function decodeDfsr(dfsr: bigint, context: FsrContext = {}): DecodedFault {
  const { CM: maintenance, WnR: write } = DFSR_LONG.fields;
  const access = isSet(dfsr, write) && !isSet(dfsr, maintenance) ? 'write' : 'read';
  return decodeFsr('dfsr', dfsr, context, access);
}

/** IFSR of AArch32. */
export function decodeIfsr(ifsr: bigint, context: FsrContext = {}): DecodedFault {
  return decodeFsr('ifsr', ifsr, context, 'execute');
}

function decodeFsr(
  source: 'dfsr' | 'ifsr',
  value: bigint,
  { far, armv5 = false }: FsrContext,
  access: DecodedFault['access'],
): DecodedFault {
  const { LPAE, Domain } = DFSR_SHORT.fields;
  const long = !armv5 && isSet(value, LPAE);
  const fs = long ? read(value, DFSR_LONG.fields.STATUS) : shortFs(value);
  const status: FaultStatus | undefined = long
    ? longStatus(fs, 'aarch32')
    : shortStatus(fs, armv5 ? 'armv5' : 'armv7');
  const kind = status?.kind ?? 'other';
  const layouts = { dfsr: [DFSR_SHORT, DFSR_LONG], ifsr: [IFSR_SHORT, IFSR_LONG] } as const;
  const layout = layouts[source][long ? 1 : 0];
  // FnV is only valid for an external abort that is not on a walk. Otherwise it is RES0.
  const farInvalid = kind === 'external' && isSet(value, layout.fields.FnV);
  // For an asynchronous abort, the address, WnR and CM are UNKNOWN. (G5.12, G8.2.47.)
  const asynchronous = kind === 'serror';
  const reserved = status === undefined ? reservedNote(source, value, far) : undefined;
  return {
    source,
    kind,
    name: `${long ? 'STATUS' : 'FS'} ${code(fs)}`,
    stage: status !== undefined && OF_TRANSLATION.includes(kind as StatusKind) ? 1 : undefined,
    level: status?.level,
    address: farInvalid || asynchronous || reserved?.swapped ? undefined : far,
    access: asynchronous || reserved?.swapped ? undefined : access,
    // DFSR does not say the privilege of the access.
    domain: !long && source === 'dfsr' && hasDomain(status) ? read(value, Domain) : undefined,
    ...(!long && { short: true }),
    registers: [as(layout, value)],
    notes: [
      ...(reserved === undefined ? [] : [reserved.note]),
      ...(farInvalid ? [`FnV is 1: ${source === 'dfsr' ? 'DFAR' : 'IFAR'} is not valid`] : []),
      ...(asynchronous
        ? ['the abort is asynchronous: DFAR, WnR and CM are UNKNOWN for it (DDI 0487 G5.12, G8.2.47)']
        : []),
      ...(armv5 && shortStatus(fs)?.kind !== kind
        ? ['FS is read as in ARMv4 and ARMv5, where 0x01 and 0x03 are alignment faults']
        : []),
    ],
  };
}

/** A status that the manual does not have. Beside an address that would be one, the two may be swapped: some handlers print them under each other's names. */
function reservedNote(
  source: 'dfsr' | 'ifsr',
  value: bigint,
  far = 0n,
): { readonly note: string; readonly swapped: boolean } {
  const note = `no fault has this status: the number is not ${source === 'dfsr' ? 'a DFSR' : 'an IFSR'}`;
  if (far === 0n || far >> STATUS_BITS !== 0n || value >> STATUS_BITS === 0n) return { note, swapped: false };
  const other = source === 'dfsr' ? decodeDfsr(far) : decodeIfsr(far);
  if (other.kind === 'other') return { note, swapped: false };
  const level = other.level === undefined ? '' : ` at level ${other.level}`;
  return {
    note: `${note}. The two values may be swapped: ${hex(far)} would be the status of a ${other.kind.replace('_', ' ')} fault${level} (${other.access}), and ${hex(value)} its address`,
    swapped: true,
  };
}

/** No status has a bit above these, except FnV. (G8.2.47.) */
const STATUS_BITS = 14n;

/** FS of DFSR or IFSR: its highest bit is separate. */
function shortFs(value: bigint): number {
  const { FS, FS4 } = DFSR_SHORT.fields;
  return Number(wordOf(SHORT_STATUS, { high: isSet(value, FS4), low: read(value, FS) }));
}

/** Whether DFSR.Domain is valid, because the first level gave one: for domain faults, and all faults at level 2 except aborts. */
function hasDomain(status: FaultStatus | undefined): boolean {
  if (status === undefined || status.level === undefined) return false;
  return (
    status.kind === 'domain' ||
    status.kind === 'permission' ||
    (status.level === 2 && status.kind !== 'external_walk')
  );
}
