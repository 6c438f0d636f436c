/** What a CPU shows of a walk: PAR_EL1, or the exception that the instruction takes. */
import { faultStatusCode, shortFaultStatus } from '../../../src/walker/fault-codes.ts';
import { type Fault, parEl1, type WalkResult } from '../../../src/walker/index.ts';
import type { CpuAnswer } from './probe.ts';

const SUPERSECTION = 1n << 24n;
const PAR_NS = 1n << 9n;

/** ESR_EL3 of a synchronous external abort on the walk of an AT: EC 0x25, IL, CM and WnR as for all AT, DFSC. (DDI 0487 D24.2.43) */
function externalAbort(fault: Fault): bigint {
  const s1ptw = fault.ptw ? 1n << 7n : 0n;
  return (0x25n << 26n) | (1n << 25n) | (1n << 8n) | s1ptw | (1n << 6n) | BigInt(faultStatusCode(fault));
}

/** An external abort on the walk is an exception of AT itself, which leaves PAR_EL1 as it was. (C5.5) */
export function answerOf(result: WalkResult, short = false): CpuAnswer {
  if (!result.ok && result.fault.kind === 'external_walk') {
    return { par: 0n, esr: externalAbort(result.fault) };
  }
  return { par: short ? shortPar(result) : parEl1(result), esr: 0n };
}

/**
 * PAR of the short-descriptor format: FS in bits [5:1] of a fault, else PA[31:12] (of a supersection PA[31:24] and SS, bit 1) and NS.
 * Its attribute fields are left at 0: QEMU leaves them so, and the architecture lets it only where they are not cacheable. (G8.2.122)
 */
function shortPar(result: WalkResult): bigint {
  if (!result.ok) return (BigInt(shortFaultStatus(result.fault)) << 1n) | 1n;
  if (result.size === SUPERSECTION) return (result.pa & 0xff00_0000n) | PAR_NS | 2n;
  return (result.pa & 0xffff_f000n) | PAR_NS;
}
