/** Facts about the system in a post: the age of a 32-bit CPU, DACR, stacks, page sizes. */
import { isSet } from '../../arch/read.ts';
import { SCTLR_AGE } from '../../arch/registers/aarch32-control.ts';

const CONTROL = /\bControl: (?:0x)?([0-9a-f]{8})\b/i;
const DACR = /\bDAC: (?:0x)?([0-9a-f]{8})\b/i;

/** The first number that matches a form in any of the lines. */
function firstOf(lines: readonly string[], form: RegExp): bigint | undefined {
  for (const line of lines) {
    const digits = form.exec(line)?.[1];
    if (digits !== undefined) return BigInt(`0x${digits}`);
  }
  return undefined;
}

/** Whether SCTLR is that of a CPU before ARMv6: U and XP, which are ones in ARMv7, are both 0. */
export function isArmv5(lines: readonly string[]): boolean {
  const control = firstOf(lines, CONTROL);
  return control !== undefined && !isSet(control, SCTLR_AGE.fields.U) && !isSet(control, SCTLR_AGE.fields.XP);
}

/** DACR, which Linux prints below an oops. */
export function dacrOf(lines: readonly string[]): bigint | undefined {
  return firstOf(lines, DACR);
}
