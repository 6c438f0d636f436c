/** The layout of a register or a record for people to read: named bit fields, as in descriptors. */
import { fieldsOf, type WordLayout } from '../arch/field.ts';
import { fieldMask } from '../descriptor/field.ts';
import type { DecodedField, Field } from '../descriptor/index.ts';

/** A register, a structure or a record: its fields from the highest bit down. Bits without a field are not of interest here. */
export interface RegisterLayout {
  /** The manual's name: `TCR_EL1`. */
  readonly name: string;
  /** Other names for it. */
  readonly aliases?: readonly string[];
  /** What it is, in a few words. */
  readonly title: string;
  readonly reference: string;
  /** Width in bits. In a record of several words, bits are numbered through, from the lowest word. */
  readonly width: number;
  readonly fields: readonly Field[];
}

const LISTED = new WeakMap<WordLayout, RegisterLayout>();

/** The layout of a word declared on the hardware side. The same word always gives the same object. */
export function registerOf(word: WordLayout): RegisterLayout {
  const known = LISTED.get(word);
  if (known !== undefined) return known;
  const listed = { ...word, fields: fieldsOf(word) };
  LISTED.set(word, listed);
  return listed;
}

/** Every declared field of `value`. Never throws. Bits above the register's width are ignored. */
export function readRegister(layout: RegisterLayout, value: bigint): DecodedField[] {
  return layout.fields.map((field) => {
    const part = (value & fieldMask(field)) >> BigInt(field.low);
    return { field, value: part, text: field.values?.[Number(part)], problem: undefined };
  });
}
