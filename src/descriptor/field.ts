/** How a descriptor is declared: named bit fields, once, for encoding, decoding, documentation and drawings alike. */

/**
 * What the architecture says of a field's bits:
 * `field` they mean something; `res0`/`res1` they must read so; `ignored` hardware does not look; `software` ignored, and in use by a driver.
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
  /** Where it stands: `DDI 0487 D8.3.1.2`. */
  readonly reference: string;
  /** Names of values. */
  readonly values?: Readonly<Record<number, string>>;
  /** The only value that this kind of descriptor has here: type bits. */
  readonly fixed?: number;
  /** For address bits: which address bit the field's lowest bit carries (its own position, except where bits are moved). */
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

/** What a field can have beside its bits, name, kind and meaning. */
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

/** What a field is called: bits without a name by what they are, `RES0`. */
export function fieldTitle({ name, kind }: Field): string {
  return name === '-' ? kind.toUpperCase() : name;
}

/** The bits of a field as the manual writes them: `[10]`, `[9:8]`. */
export function bitRange(field: { readonly high: number; readonly low: number }): string {
  return field.high === field.low ? `[${field.high}]` : `[${field.high}:${field.low}]`;
}

/** Ones at the field's bits. */
export function fieldMask(field: Field): bigint {
  return ((1n << BigInt(field.high - field.low + 1)) - 1n) << BigInt(field.low);
}
