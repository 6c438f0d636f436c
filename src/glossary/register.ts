/** How a register or a record in memory is declared for people to read: named bit fields, as descriptors have them. */
import { fieldsOf, type WordLayout } from '../arch/field.ts';
import { fieldMask, rowsFrom } from '../descriptor/field.ts';
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

/** A word of the hardware side, as it is explained: its fields in a list. */
export function registerOf(word: WordLayout): RegisterLayout {
  return { ...word, fields: fieldsOf(word) };
}

/** Names of values; of a field with one bit also a list of what 0 and 1 mean. */
type Values = readonly string[] | Readonly<Record<number, string>>;

/** Makes the rows of one register: `row(15, 14, 'TG0', 'granule', ['4K', '64K', '16K'])`. */
export function rowsOf(reference: string) {
  const row = rowsFrom(reference);
  return (high: number, low: number, name: string, meaning: string, values?: Values): Field =>
    row(high, low, name, 'field', meaning, values === undefined ? {} : { values: { ...values } });
}

/** Every declared field of `value`. Never throws; bits above the register's width are left out. */
export function readRegister(layout: RegisterLayout, value: bigint): DecodedField[] {
  return layout.fields.map((field) => {
    const part = (value & fieldMask(field)) >> BigInt(field.low);
    return { field, value: part, text: field.values?.[Number(part)], problem: undefined };
  });
}

/** Bits `[high:low]` of `value`. */
export function bitsOf(value: bigint, high: number, low = high): number {
  return Number((value >> BigInt(low)) & ((1n << BigInt(high - low + 1)) - 1n));
}

export function bitOf(value: bigint, bit: number): boolean {
  return ((value >> BigInt(bit)) & 1n) === 1n;
}
