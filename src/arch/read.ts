/**
 * Reading and writing declared fields: of registers (bigint), of structures in memory (arrays of 64-bit words), and as masks of
 * the two 32-bit halves that hot loops hold descriptors in.
 */
import type { BitField, WordLayout } from './field.ts';

/** What reading needs to know about a field: its bits and, if it holds an address, the place of the address bits. */
export type FieldBits = Pick<BitField, 'high' | 'low' | 'address'>;

/** A field's value, unsigned. The field is in a word of at most 64 bits, and at most 32 bits wide. */
export function read(word: bigint, { high, low }: FieldBits): number {
  return Number(BigInt.asUintN(high - low + 1, word >> BigInt(low)));
}

/** How many bits the field has. */
export function widthOf({ high, low }: BitField): number {
  return high - low + 1;
}

/** Whether a field of one bit is 1; of a wider one, whether it is not 0. */
export function isSet(word: bigint, field: FieldBits): boolean {
  return (word & maskOf(field)) !== 0n;
}

/** A field's bits in their place, with all others 0. */
export function bitsIn(word: bigint, field: FieldBits): bigint {
  return word & maskOf(field);
}

/** A value as a field of a word whose other bits are 0. Bits that do not fit are dropped. */
export function place(field: FieldBits, value: number | bigint | boolean): bigint {
  return (BigInt(value) << BigInt(field.low)) & maskOf(field);
}

/** The word with the field set to a value. */
export function withField(word: bigint, field: FieldBits, value: number | bigint | boolean): bigint {
  return (word & ~maskOf(field)) | place(field, value);
}

const MASKS = new WeakMap<FieldBits, bigint>();

/** Ones at the field's bits. */
export function maskOf(field: FieldBits): bigint {
  let mask = MASKS.get(field);
  if (mask === undefined) {
    mask = ((1n << BigInt(field.high - field.low + 1)) - 1n) << BigInt(field.low);
    MASKS.set(field, mask);
  }
  return mask;
}

const WORD_BITS = 64;

/** The field within its own 64-bit word, and which word of the structure that is. No field crosses words. */
function within(field: FieldBits): { readonly index: number; readonly own: FieldBits } {
  const index = Math.floor(field.low / WORD_BITS);
  return {
    index,
    own: { ...field, high: field.high - index * WORD_BITS, low: field.low - index * WORD_BITS },
  };
}

const PLACES = new WeakMap<FieldBits, ReturnType<typeof within>>();

function placeIn(field: FieldBits): ReturnType<typeof within> {
  let found = PLACES.get(field);
  if (found === undefined) {
    found = within(field);
    PLACES.set(field, found);
  }
  return found;
}

/** {@link read} of a structure of 64-bit words. Missing words count as 0. */
export function readIn(words: readonly bigint[], field: FieldBits): number {
  const { index, own } = placeIn(field);
  return read(words[index] ?? 0n, own);
}

/** {@link isSet} of a structure of 64-bit words. */
export function isSetIn(words: readonly bigint[], field: FieldBits): boolean {
  const { index, own } = placeIn(field);
  return isSet(words[index] ?? 0n, own);
}

/** The address that a field carries, of a structure of 64-bit words: its bits moved to where {@link BitField.address} says. */
export function addressIn(words: readonly bigint[], field: FieldBits): bigint {
  const { index, own } = placeIn(field);
  return addressOf(words[index] ?? 0n, own);
}

/** The address that a field of a word carries: its bits, moved from where they stand to where {@link BitField.address} says. */
export function addressOf(word: bigint, field: FieldBits): bigint {
  const { low, address = low } = field;
  const found = bitsIn(word, field);
  return address >= low ? found << BigInt(address - low) : found >> BigInt(low - address);
}

/** Sets a field of a structure of 64-bit words. */
export function placeInto(words: bigint[], field: FieldBits, value: number | bigint | boolean): void {
  const { index, own } = placeIn(field);
  words[index] = withField(words[index] ?? 0n, own, value);
}

const HALF_BITS = 32;

/** Ones at the field's bits in the low half of a word, an int32; 0 where it lies in the high half. */
export function lowMask(field: FieldBits): number {
  return Number(BigInt.asIntN(HALF_BITS, maskOf(field)));
}

/** Ones at the field's bits in the high half of a word, an int32; 0 where it lies in the low half. */
export function highMask(field: FieldBits): number {
  return Number(BigInt.asIntN(HALF_BITS, maskOf(field) >> BigInt(HALF_BITS)));
}

/** How far the field's value is above bit 0 of the half that holds its lowest bit. */
export function shiftOf(field: FieldBits): number {
  return field.low % HALF_BITS;
}

/** A word of named fields: `wordOf(DFSR_LONG, { WnR: write, LPAE: 1, STATUS: code })`. All others are 0. */
export function wordOf<Name extends string>(
  { fields }: WordLayout<Name>,
  values: { readonly [Field in NoInfer<Name>]?: number | bigint | boolean | undefined },
): bigint {
  let word = 0n;
  for (const [name, value] of Object.entries(values) as [Name, number | bigint | boolean | undefined][]) {
    word |= place(fields[name], value ?? 0);
  }
  return word;
}

/** The bits of an address where a field holds them: what {@link addressOf} takes out. */
export function placeAddress(field: FieldBits, address: bigint): bigint {
  const { low, address: carried = low } = field;
  return bitsIn(carried >= low ? address >> BigInt(carried - low) : address << BigInt(low - carried), field);
}

/** Sets the field that carries an address, of a structure of 64-bit words. */
export function placeAddressInto(words: bigint[], field: FieldBits, address: bigint): void {
  const { index, own } = placeIn(field);
  words[index] = ((words[index] ?? 0n) & ~maskOf(own)) | placeAddress(own, address);
}

/** The words of a structure as one number. */
export function joined(words: readonly bigint[]): bigint {
  return words.reduceRight((above, word) => (above << BigInt(WORD_BITS)) | word, 0n);
}

/** {@link read} of a number: a word of up to 32 bits, or the low half of one. */
export function readLow(word: number, field: BitField): number {
  return (word & lowMask(field)) >>> shiftOf(field);
}

/** {@link isSet} of a number. */
export function isSetLow(word: number, field: BitField): boolean {
  return (word & lowMask(field)) !== 0;
}
