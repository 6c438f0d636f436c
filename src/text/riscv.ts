/** Faults of a RISC-V hart in its own words: page faults and access faults, and the exception that the hart takes. (RISC-V Privileged Architecture 1.13, "Virtual Address Translation Process", "scause".) */
import { RISCV_LEAF, RISCV_RESERVED } from '../arch/descriptors/index.ts';
import { isSet, read } from '../arch/read.ts';
import { ACCESS_FAULTS, PAGE_FAULTS, SCAUSE } from '../arch/registers/riscv.ts';
import type { Access, Fault, WalkStep } from '../walker/index.ts';
import { hex, hexWord } from './numbers.ts';

/** Why, for each kind of the walker's. */
const KINDS: Readonly<Record<Fault['kind'], readonly [exception: 'page' | 'access', why: string]>> = {
  translation: ['page', 'no valid entry'],
  access_flag: ['page', 'A or D is clear'],
  permission: ['page', 'not permitted'],
  address_size: ['access', 'no such physical address'],
  external_walk: ['access', 'on the walk'],
  domain: ['page', ''],
  granule_protection: ['access', ''],
};

/** `page fault (no valid entry), level 1`, with the walker's numbers of levels: the manual's are 3 less them. */
export function riscvFaultText({ kind, level }: Fault): string {
  const [exception, why] = KINDS[kind];
  return `${exception} fault${why && ` (${why})`}, level ${level}`;
}

const { V, A, D, W, R } = RISCV_LEAF.fields;

/** Why, from the last step taken. `wanted` is the access in words. */
export function riscvFaultReason(fault: Fault, steps: readonly WalkStep[], wanted: string): string {
  const step = steps.at(-1);
  const word = step?.descriptor;
  const entry = word === undefined ? '' : `${hexWord(word)} at ${hex(step?.address ?? 0n)}`;
  switch (fault.kind) {
    case 'translation':
      if (word === undefined) {
        return 'the bits above those that satp.MODE translates are not all alike (they extend the sign), or the mode is none';
      }
      return isSet(word, V)
        ? `${entry} is reserved: ${riscvReserved(word)}`
        : `${entry} is not valid: V is clear`;
    case 'access_flag':
      return isSet(word ?? 0n, A)
        ? `${entry} has D clear, and hardware is not to set it (Svade)`
        : `${entry} has A clear, and hardware is not to set it (Svade)`;
    case 'permission':
      return `${entry} does not allow ${wanted}`;
    case 'address_size':
      return step
        ? `${entry} leads beyond the physical addresses`
        : 'the address is beyond the physical ones';
    default:
      return `no RAM at ${hex(step?.address ?? fault.descriptorAddress ?? 0n)}, where the entry should be`;
  }
}

/** A bit of an entry, or of sstatus, that denied an access. `at` says the level. */
export function riscvDenialText(
  by: 'R' | 'W' | 'X' | 'U' | 'SUM' | 'MXR',
  value: number,
  at: string,
): string {
  switch (by) {
    case 'U':
      return value === 0
        ? `U = 0${at}: not for user mode`
        : `U = 1${at}: supervisor mode never executes pages of user mode`;
    case 'SUM':
      return `sstatus.SUM = 0, and U = 1${at}: supervisor mode may not touch pages of user mode`;
    case 'MXR':
      return `R = 0${at}: execute-only, and sstatus.MXR = 0 does not let it be read`;
    default:
      return `${by} = 0${at}`;
  }
}

/** What makes an entry with V = 1 no entry. */
export function riscvReserved(word: bigint): string {
  if (isSet(word, W) && !isSet(word, R)) return 'W without R';
  if (read(word, RISCV_RESERVED) !== 0) return 'bits [60:54] are not 0';
  if (isSet(word, D) || isSet(word, A)) return 'N, PBMT or the page number does not fit its level';
  return 'a pointer at the last level, or one with bits that are for leaves, or a superpage that is not aligned';
}

/** `scause 13 (load page fault), stval 0x1000`. */
export function riscvFaultCodes(fault: Fault, ia: bigint, { access }: Access): string {
  const cause = scauseOf(fault, access);
  return `scause ${cause} (${SCAUSE.fields.Code.values?.[cause]}), stval ${hexWord(ia)}`;
}

/** The exception code. */
export function scauseOf({ kind }: Fault, access: Access['access']): number {
  return (KINDS[kind][0] === 'page' ? PAGE_FAULTS : ACCESS_FAULTS)[access];
}
