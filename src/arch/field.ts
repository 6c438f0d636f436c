/**
 * How the hardware side declares its words: registers, descriptors, structures in memory and event records, each as named bit
 * fields, declared once. Names, types and masks follow from the declaration. (The formats of the driver side declare their own.)
 */

/** Bits `[high:low]` of a word. In a structure of several 64-bit words, numbers continue through the words, the lowest word first. */
export interface BitField {
  /** The manual's name: `T0SZ`, `AP[2:1]`. */
  readonly name: string;
  readonly high: number;
  readonly low: number;
  readonly kind: 'field';
  /** What the field is, in a few words. */
  readonly meaning: string;
  /** Its section: `DDI 0487 D24.2.194`. */
  readonly reference: string;
  /** Names of values. */
  readonly values?: Readonly<Record<number, string>>;
  /** For address bits: the address bit that the field's lowest bit holds. */
  readonly address?: number;
  /** The feature without which the bits are RES0 or ignored: `FEAT_LPA2`. */
  readonly feature?: string;
}

/** A register, a structure or a record: its fields from the highest bit down. Bits without a field have no meaning here. */
export interface WordLayout<Name extends string = string> {
  /** The manual's name: `TCR_EL1`. */
  readonly name: string;
  /** Other names that mean it. */
  readonly aliases?: readonly string[];
  /** What it is, in a few words. */
  readonly title: string;
  readonly reference: string;
  /** In bits. */
  readonly width: number;
  readonly fields: Readonly<Record<Name, BitField>>;
}

/** Names of values. A field of one bit may also have a list of the meanings of 0 and 1. */
export type ValueNames = readonly string[] | Readonly<Record<number, string>>;

/** What a declaration says about a field besides its bits and meaning. */
export interface FieldOptions {
  readonly values?: ValueNames;
  /** The manual's name, if the key in the declaration differs from it. */
  readonly name?: string;
  readonly address?: number;
  readonly feature?: string;
  /** Its section, if it is not the word's own. */
  readonly reference?: string;
}

/** A field before it has its name. */
export interface FieldDeclaration extends FieldOptions {
  readonly high: number;
  readonly low: number;
  readonly meaning: string;
}

const isValueNames = (given: ValueNames | FieldOptions): given is ValueNames =>
  Array.isArray(given) || Object.keys(given).some((key) => /^\d+$/.test(key));

/** Declares the bits `[high:low]`: `bits(15, 14, 'granule', ['4K', '64K', '16K'])`. */
export function bits(
  high: number,
  low: number,
  meaning: string,
  given: ValueNames | FieldOptions = {},
): FieldDeclaration {
  return { high, low, meaning, ...(isValueNames(given) ? { values: given } : given) };
}

/** Declares one bit: `bit(0, 'the MMU', ['off', 'on'])`. */
export function bit(position: number, meaning: string, given?: ValueNames | FieldOptions): FieldDeclaration {
  return bits(position, position, meaning, given);
}

/** Makes a layout of declared fields: `layout({ name: 'TCR_EL1', … }, { DS: bit(59, …), … })`. */
export function layout<Name extends string>(
  word: Omit<WordLayout, 'fields'>,
  fields: Readonly<Record<Name, FieldDeclaration>>,
): WordLayout<Name> {
  return Object.freeze({ ...word, fields: namedFields(fields, word.reference) });
}

/** Declared fields by their names. `reference`: the section of those that have none of their own. */
export function namedFields<Name extends string, Declared extends FieldDeclaration>(
  fields: Readonly<Record<Name, Declared>>,
  reference: string,
): Readonly<Record<Name, Omit<Declared, keyof FieldDeclaration> & BitField>> {
  const named = Object.entries<Declared>(fields).map(([key, { values, ...declared }]) => {
    const names = values === undefined ? {} : { values: { ...values } };
    return [key, Object.freeze({ name: key, reference, ...declared, kind: 'field', ...names })];
  });
  return Object.freeze(Object.fromEntries(named));
}

/** Every field of a layout, as declared: from the highest bit down. */
export function fieldsOf(word: WordLayout): readonly BitField[] {
  return Object.values(word.fields);
}
