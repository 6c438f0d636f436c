/** Encoding and decoding of descriptors by their declared fields. Encoding is strict; decoding accepts any word and reports what is wrong. */
import { bitRange, type DescriptorLayout, type Field, fieldMask } from './field.ts';

/** A value that does not fit its field, or a field that the layout does not have. */
export class FieldError extends Error {
  override readonly name = 'FieldError';
  readonly field: string;
  readonly value: bigint | undefined;

  constructor(message: string, field: string, value?: bigint) {
    super(message);
    this.field = field;
    this.value = value;
  }
}

/** One field of one descriptor. */
export interface DecodedField {
  readonly field: Field;
  readonly value: bigint;
  /** The value's name, where it has one. */
  readonly text: string | undefined;
  /** Why the value contradicts the layout: a RES0 bit that is set, or type bits of another kind. */
  readonly problem: string | undefined;
}

/** The declared field of that name. @throws FieldError when the layout has none. */
export function fieldNamed(layout: DescriptorLayout, name: string): Field {
  const field = layout.fields.find((f) => f.name === name && (f.kind === 'field' || f.kind === 'software'));
  if (field) return field;
  const names = layout.fields.filter((f) => f.kind === 'field' || f.kind === 'software').map((f) => f.name);
  throw new FieldError(`${layout.title} has no field ${name}; it has ${names.join(' ')}`, name);
}

/**
 * A descriptor from field values. Type bits and RES1 bits are set automatically; fields without a value are 0.
 * @param values - by field name; each must fit its field's width.
 * @param address - an output or next-table address, put where the layout keeps address bits.
 * @throws FieldError for an unknown field, a value that does not fit, or an address with bits that the layout can't carry.
 */
export function encode(
  layout: DescriptorLayout,
  values: Readonly<Record<string, number | bigint>>,
  address = 0n,
): bigint {
  let word = 0n;
  for (const field of layout.fields) {
    if (field.kind === 'res1') word |= fieldMask(field);
    if (field.fixed !== undefined) word |= BigInt(field.fixed) << BigInt(field.low);
  }
  for (const [name, given] of Object.entries(values)) {
    const field = fieldNamed(layout, name);
    if (typeof given !== 'bigint' && !Number.isInteger(given)) {
      throw new FieldError(`${name} of ${layout.title} takes a whole number, not ${String(given)}`, name);
    }
    const value = BigInt(given);
    if (field.fixed !== undefined && value !== BigInt(field.fixed)) {
      throw new FieldError(
        `${name}${bitRange(field)} of ${layout.title} is always ${field.fixed}`,
        name,
        value,
      );
    }
    if (value < 0n || value << BigInt(field.low) > fieldMask(field)) {
      const width = field.high - field.low + 1;
      throw new FieldError(
        `${name}${bitRange(field)} of ${layout.title} holds ${width} bit${width > 1 ? 's' : ''}; ${hex(value)} does not fit`,
        name,
        value,
      );
    }
    word |= value << BigInt(field.low);
  }
  return word | encodeAddress(layout, address);
}

// This folder imports nothing else of the project, so it has its own `hex`.
function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}

/** The address bits alone. @throws FieldError when `address` has bits that the layout can't carry. */
export function encodeAddress(layout: DescriptorLayout, address: bigint): bigint {
  let word = 0n;
  let left = address;
  for (const field of layout.fields) {
    if (field.address === undefined) continue;
    const carried = ((fieldMask(field) >> BigInt(field.low)) << BigInt(field.address)) & address;
    word |= (carried >> BigInt(field.address)) << BigInt(field.low);
    left &= ~carried;
  }
  if (left !== 0n) {
    throw new FieldError(
      `${layout.title} can't carry bits ${hex(left)} of address ${hex(address)}`,
      'address',
      address,
    );
  }
  return word;
}

/**
 * The address that a descriptor carries, in bytes, with bits that a format moves elsewhere (52-bit addresses) put back. 0 for kinds without an address.
 */
export function decodeAddress(layout: DescriptorLayout, word: bigint): bigint {
  let address = 0n;
  for (const field of layout.fields) {
    if (field.address === undefined) continue;
    address |= ((word & fieldMask(field)) >> BigInt(field.low)) << BigInt(field.address);
  }
  return address;
}

/** Every field of `word`, from the highest bit down. Never throws: `problem` says what is wrong. */
export function decode(layout: DescriptorLayout, word: bigint): DecodedField[] {
  return layout.fields.map((field) => {
    const value = (word & fieldMask(field)) >> BigInt(field.low);
    return { field, value, text: field.values?.[Number(value)], problem: problemOf(field, value) };
  });
}

/** True if the type bits of `word` are those of this layout. `word` has at most `layout.width` bits. */
export function matches(layout: DescriptorLayout, word: bigint): boolean {
  return layout.fields.every(
    (f) => f.fixed === undefined || (word & fieldMask(f)) >> BigInt(f.low) === BigInt(f.fixed),
  );
}

function problemOf(field: Field, value: bigint): string | undefined {
  if (field.kind === 'res0' && value !== 0n) return 'RES0, but set';
  if (field.kind === 'res1' && value !== fieldMask(field) >> BigInt(field.low)) return 'RES1, but clear';
  if (field.fixed !== undefined && value !== BigInt(field.fixed)) return `must be ${field.fixed} here`;
  return undefined;
}
