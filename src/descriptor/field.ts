/** How a descriptor is declared: named bit fields, once, for encoding, decoding, documentation and drawings alike. */

/**
 * The kind of a field:
 * `field` has a meaning; `res0` and `res1` are reserved and must be 0 or 1; `ignored` bits are not looked at by hardware; `software` bits are ignored by hardware and used by a driver.
 */
export type FieldKind = 'field' | 'res0' | 'res1' | 'ignored' | 'software';

/** Bits `[high:low]` of a descriptor. */
export interface Field {
  /** The manual's name: `AF`, `AP[2:1]`, `OA[47:12]`. Unique in its layout among the kinds field and software. */
  readonly name: string;
  readonly high: number;
  readonly low: number;
  readonly kind: FieldKind;
  /** What the field is, in a few words. */
  readonly meaning: string;
  /** Manual section that defines it: `DDI 0487 D8.3.1.2`. */
  readonly reference: string;
  /** Names of values. */
  readonly values?: Readonly<Record<number, string>>;
  /** The only value that this kind of descriptor has here: type bits. */
  readonly fixed?: number;
  /** For address bits: the address bit that the field's lowest bit holds (the same position, except for moved bits). */
  readonly address?: number;
}

/** One kind of descriptor at one level: its fields from the highest bit down, every bit in exactly one of them. */
export interface DescriptorLayout {
  /** `stage 1 level 2 block, 4K granule`. */
  readonly title: string;
  readonly kind: 'invalid' | 'table' | 'block' | 'page';
  /** Width in bits. */
  readonly width: 32 | 64;
  readonly fields: readonly Field[];
}

/** The optional members of a field. */
type Extra = Partial<Pick<Field, 'values' | 'fixed' | 'address' | 'reference'>>;

/** Makes the fields that one section of a manual declares: `row(9, 8, 'SH', 'field', 'shareability', { values })`. */
export function rowsFrom(reference: string) {
  return (
    high: number,
    low: number,
    name: string,
    kind: FieldKind,
    meaning: string,
    extra: Extra = {},
  ): Field => ({ name, high, low, kind, meaning, reference, ...extra });
}

/** A field's title: its name, or for unnamed bits their kind, such as `RES0`. */
export function fieldTitle({ name, kind }: Field): string {
  return name === '-' ? kind.toUpperCase() : name;
}

/** The bits of a field as the manual writes them: `[10]`, `[9:8]`. */
export function bitRange(field: { readonly high: number; readonly low: number }): string {
  return field.high === field.low ? `[${field.high}]` : `[${field.high}:${field.low}]`;
}

/** A mask with the field's bits set. */
export function fieldMask(field: Field): bigint {
  return ((1n << BigInt(field.high - field.low + 1)) - 1n) << BigInt(field.low);
}
