/** Bits of a register that have no part in an answer, and why: what the rules about them are made of. */
import { fieldsOf, type WordLayout } from '../../arch/field.ts';
import { type FieldBits, maskOf } from '../../arch/read.ts';

/** Some bits of a register, and why they have no part. */
export interface Idle {
  readonly register: string | undefined;
  readonly fields: readonly FieldBits[];
  readonly why: string | false;
}

/** The value of a register by the manual's name; 0 where it is not given. */
export type ValueOf = (register: string | undefined) => bigint;

/** The bits that no field names. */
export function holesOf(layout: WordLayout): FieldBits[] {
  const named = fieldsOf(layout).reduce((mask, field) => mask | maskOf(field), 0n);
  return bitsWithout(named, layout.width);
}

export function bitsWithout(mask: bigint, width: number): FieldBits[] {
  return Array.from({ length: width }, (_, bit) => ({ high: bit, low: bit })).filter(
    (bit) => (maskOf(bit) & mask) === 0n,
  );
}

export function reserved(layout: WordLayout): Idle {
  return { register: layout.name, fields: holesOf(layout), why: 'they are reserved, or not used' };
}

/** The upper half of an ASID or VMID of 16 bits. */
export const UPPER_HALF: FieldBits = { high: 63, low: 56 };
