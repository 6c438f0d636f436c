/** Faults of a Mali GPU as it reports them: the exception type of AS_FAULTSTATUS. (Linux panfrost_regs.h, panfrost_gpu.c.) */
import { MALI_EXCEPTIONS } from '../arch/registers/other.ts';
import type { Fault } from '../walker/index.ts';
import { hex } from './numbers.ts';

/** EXCEPTION_TYPE, 8 bits. Undefined for a kind of fault that a GPU does not have. */
export function maliExceptionType({ kind, level }: Fault): number | undefined {
  // Of addresses that do not fit, the walker's are those of the output.
  const found = MALI_EXCEPTIONS.findLast((one) => one.kind === kind);
  return found === undefined ? undefined : found.first + level;
}

/** `AS_FAULTSTATUS exception type 0xc3 (TRANSLATION_FAULT_3)`. */
export function maliFaultCodes(fault: Fault): string {
  const type = maliExceptionType(fault);
  const found = MALI_EXCEPTIONS.findLast((one) => one.kind === fault.kind);
  return type === undefined || found === undefined
    ? 'no exception type of AS_FAULTSTATUS'
    : `AS_FAULTSTATUS exception type ${hex(type, 2)} (${found.name}_${fault.level})`;
}
