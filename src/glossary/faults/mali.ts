/**
 * Faults of Mali GPUs in a log, as panfrost, panthor and Arm's own driver (kbase) write them: a line with the address, and below it the fault
 * status, whole and in parts. Exception types are those of panfrost_device.h. Their last digit is Arm's level.
 */

import { read } from '../../arch/read.ts';
import { AS_FAULTSTATUS, MALI_EXCEPTIONS } from '../../arch/registers/other.ts';
import { hex } from '../../text/numbers.ts';
import { registerOf } from '../register.ts';
import type { DecodedFault, DecodedKind } from './decoded-fault.ts';
import { deviceBefore } from './device.ts';

const ACCESSES = ['write', 'execute', 'read', 'write'] as const;

type StatusParts = Pick<DecodedFault, 'kind' | 'name' | 'level' | 'access' | 'registers' | 'notes'>;

/** AS_FAULTSTATUS. @param status - 32 bits. */
export function decodeMaliStatus(status: bigint): StatusParts {
  const { ACCESS_TYPE, EXCEPTION_TYPE } = AS_FAULTSTATUS.fields;
  const access = read(status, ACCESS_TYPE);
  return {
    ...exceptionOf(read(status, EXCEPTION_TYPE)),
    access: ACCESSES[access],
    registers: [{ layout: registerOf(AS_FAULTSTATUS), value: status }],
    notes: access === 0 ? ['the access was an atomic one'] : [],
  };
}

function exceptionOf(type: number): Pick<DecodedFault, 'kind' | 'name' | 'level'> {
  const found = MALI_EXCEPTIONS.findLast(({ first }) => type >= first);
  if (found === undefined || type > 0xef) return { kind: 'other', name: `exception type ${hex(type, 2)}` };
  const { first, kind, name, levels } = found;
  const level = levels.find((one) => one === type - first);
  return { kind, name: level === undefined ? name : `${name}_${level}`, level };
}

const HEAD =
  /\b(?:Unhandled Page fault in AS(\d+)|Unexpected Page fault in firmware address space|GPU bus fault in AS(\d+)) at (VA|PA) (?:0x)?([0-9a-f]{1,16})\b/i;

/** The first line of such a report, with just the address. */
export function maliHeadOf(line: string, own = line.length): DecodedFault | undefined {
  const match = HEAD.exec(line);
  if (!match || match.index >= own) return gpuFaultOf(line, own);
  const [, space, busSpace, what, digits] = match;
  const at = BigInt(`0x${digits!}`);
  const number = space ?? busSpace;
  return {
    source: 'mali',
    kind: busSpace === undefined ? 'unknown' : 'external',
    name: busSpace === undefined ? 'GPU page fault' : 'GPU bus fault',
    ...(what!.toUpperCase() === 'VA' ? { address: at } : { fetchAddress: at }),
    device: deviceBefore(line, match.index),
    registers: [],
    notes: [
      number === undefined
        ? "it was in the firmware's address space"
        : `it was in address space ${number} of the GPU`,
    ],
  };
}

/** Faults of the GPU itself, with a physical address. */
const GPU_FAULT = /\bGPU Fault 0x([0-9a-f]{1,8}) \(([^)]*)\) at 0x([0-9a-f]{1,16})\b/i;
/** GPU_FAULTSTATUS.EXCEPTION_TYPE. */
const GPU_TYPES: Readonly<Record<number, { kind: DecodedKind; name: string; hint: string }>> = {
  128: {
    kind: 'external',
    name: 'GPU_BUS_FAULT',
    hint: 'the bus answered an access of the GPU with an error: memory that is not there, powered down or protected',
  },
  136: {
    kind: 'other',
    name: 'GPU_SHAREABILITY_FAULT',
    hint: 'the memory was accessed with two shareabilities: its attributes (coherency, dma-coherent) do not suit the system',
  },
  138: {
    kind: 'other',
    name: 'GPU_CACHEABILITY_FAULT',
    hint: 'the memory was accessed with two cacheabilities',
  },
};

function gpuFaultOf(line: string, own: number): DecodedFault | undefined {
  const match = GPU_FAULT.exec(line);
  if (!match || match.index >= own) return undefined;
  const [, status, , at] = match;
  const type = read(BigInt(`0x${status!}`), AS_FAULTSTATUS.fields.EXCEPTION_TYPE);
  const known = GPU_TYPES[type];
  return {
    source: 'mali',
    kind: known?.kind ?? 'other',
    name: known?.name ?? `GPU fault ${hex(type, 2)}`,
    pa: BigInt(`0x${at!}`),
    device: deviceBefore(line, match.index),
    registers: [],
    notes: [`the exception type is ${hex(type, 2)}; the address is a physical one, after the GPU's MMU`],
    hints: known === undefined ? [] : [known.hint],
  };
}

const RAW_STATUS = /\braw fault status:? 0x([0-9a-f]{1,8})\b/i;
const EXCEPTION = /\bexception type 0x([0-9a-f]{1,2})\b/i;
const ACCESS = /\baccess type 0x([0-3])\b/i;

/** The facts that a line below adds. The parts of the status are used if the whole value is missing. */
export function maliMoreOf(last: DecodedFault, line: string): DecodedFault | undefined {
  if (last.source !== 'mali' || last.registers.length > 0) return undefined;
  const raw = RAW_STATUS.exec(line)?.[1];
  if (raw !== undefined) {
    const status = decodeMaliStatus(BigInt(`0x${raw}`));
    return { ...last, ...status, notes: [...last.notes, ...status.notes] };
  }
  const type = EXCEPTION.exec(line)?.[1];
  const access = ACCESS.exec(line)?.[1];
  if (type === undefined && access === undefined) return undefined;
  return {
    ...last,
    ...(type !== undefined && exceptionOf(Number(`0x${type}`))),
    ...(access !== undefined && { access: ACCESSES[Number(access)] }),
  };
}
