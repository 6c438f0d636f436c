/** How a register or a record in memory is declared for people to read: named bit fields, as descriptors have them. */
import { fieldsOf, type WordLayout } from '../arch/field.ts';
import { fieldMask } from '../descriptor/field.ts';
import type { DecodedField, Field } from '../descriptor/index.ts';

/** A register, a structure or a record: its fields from the highest bit down. Bits that no field names are of no interest here. */
export interface RegisterLayout {
  /** The manual's name: `TCR_EL1`. */
  readonly name: string;
  /** Other names that mean it. */
  readonly aliases?: readonly string[];
  /** What it is, in a few words. */
  readonly title: string;
  readonly reference: string;
  /** In bits. Records of several words count on, lowest word first. */
  readonly width: number;
  readonly fields: readonly Field[];
}

const LISTED = new WeakMap<WordLayout, RegisterLayout>();

/** A word of the hardware side, as it is explained: its fields in a list. The same word gives the same layout. */
export function registerOf(word: WordLayout): RegisterLayout {
  const known = LISTED.get(word);
  if (known !== undefined) return known;
  const listed = { ...word, fields: fieldsOf(word) };
  LISTED.set(word, listed);
  return listed;
}

/** Every declared field of `value`. Never throws; bits above the register's width are left out. */
export function readRegister(layout: RegisterLayout, value: bigint): DecodedField[] {
  return layout.fields.map((field) => {
    const part = (value & fieldMask(field)) >> BigInt(field.low);
    return { field, value: part, text: field.values?.[Number(part)], problem: undefined };
  });
}
