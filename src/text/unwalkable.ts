/** Tables that hardware of a given size can't walk, in words. */
import type { RegisterProblem } from '../walker/rules/rule.ts';
import { hex } from './numbers.ts';

/** `hardware of 40 PA bits can't walk these tables: VTCR_EL2.SL0 = 0x2: the start level is reserved … (DDI 0487 D8.2.9.2)`. */
export function unwalkableText(paBits: number, { field, value, rule, section }: RegisterProblem): string {
  return `hardware of ${paBits} PA bits can't walk these tables: ${field} = ${hex(value)}: ${rule} (${section})`;
}
