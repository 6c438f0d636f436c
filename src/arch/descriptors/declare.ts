/**
 * How descriptors are declared. Fields may share bits: each says when it is there. Holes say what the other bits are. From both
 * follows the layout of a descriptor in one place, in which every bit stands exactly once.
 */
import { type BitField, type FieldDeclaration, type FieldOptions, namedFields } from '../field.ts';
import type { DescriptorContext, EntryKind } from './context.ts';

/**
 * What the bits are: `field` they mean something; `res0`/`res1` they must be so; `ignored` hardware does not look; `software`
 * ignored, and in use by a driver.
 */
export type BitKind = 'field' | 'res0' | 'res1' | 'ignored' | 'software';

/** A question to the place of a descriptor. */
export type Condition = (context: DescriptorContext) => boolean;

export interface DescriptorFieldOptions extends FieldOptions {
  /** Only there. (And only with its `feature`, where it has one.) */
  readonly when?: Condition;
  /** The only value that this kind of descriptor has here: type bits. */
  readonly fixed?: number;
  /** In use by a driver, ignored by hardware. */
  readonly software?: boolean;
  /** An address that ends where the size of what it points at begins: a block's, or a table's. */
  readonly sized?: boolean;
  /** The address bit that the numbers in a sized field's name begin to count at. Default 0. */
  readonly countedFrom?: number;
}

/** A field as it is declared. */
export interface DescriptorField
  extends BitField,
    Pick<DescriptorFieldOptions, 'when' | 'fixed' | 'software' | 'sized' | 'countedFrom'> {}

/** Bits that mean nothing where no field takes them. */
export interface Hole {
  readonly high: number;
  readonly low: number;
  readonly kind: 'res0' | 'res1' | 'ignored';
  readonly meaning: string;
  readonly when?: Condition;
  /** Where it is not the form's own. */
  readonly reference?: string;
}

/** One form of descriptor. */
export interface DescriptorForm<Name extends string = string> {
  readonly width: 32 | 64;
  readonly reference: string;
  /** Where it stands for AArch32, if it does. */
  readonly aarch32?: string;
  readonly fields: Readonly<Record<Name, DescriptorField>>;
  readonly holes: readonly Hole[];
}

/** Declares the bits `[high:low]`. */
export function bits(
  high: number,
  low: number,
  meaning: string,
  options: DescriptorFieldOptions = {},
): FieldDeclaration & DescriptorFieldOptions {
  return { high, low, meaning, ...options };
}

/** Declares one bit. */
export function bit(
  position: number,
  meaning: string,
  options?: DescriptorFieldOptions,
): FieldDeclaration & DescriptorFieldOptions {
  return bits(position, position, meaning, options);
}

/** Declares bits `[high:low]` that no field takes. */
export function hole(
  high: number,
  low: number,
  kind: Hole['kind'],
  meaning: string,
  when?: Condition,
  reference?: string,
): Hole {
  return {
    high,
    low,
    kind,
    meaning,
    ...(when !== undefined && { when }),
    ...(reference !== undefined && { reference }),
  };
}

/** Declares a form of descriptor. */
export function form<Name extends string>(
  word: Omit<DescriptorForm, 'fields' | 'holes'>,
  fields: Readonly<Record<Name, FieldDeclaration & DescriptorFieldOptions>>,
  holes: readonly Hole[],
): DescriptorForm<Name> {
  return Object.freeze({ ...word, fields: namedFields(fields, word.reference), holes });
}

/** Bits of a descriptor in one place. */
export interface LayoutField extends Omit<BitField, 'kind' | 'feature'> {
  /** `-` for holes. */
  readonly name: string;
  readonly kind: BitKind;
  readonly fixed?: number;
}

/** A descriptor in one place: its fields and holes from the highest bit down, every bit in exactly one of them. */
export interface DescriptorLayout {
  /** `stage 1 level 2 block, 4K granule`. */
  readonly title: string;
  readonly kind: EntryKind;
  readonly width: 32 | 64;
  readonly fields: readonly LayoutField[];
}

/**
 * Every bit of a form in one place, from the highest down. A sized address and the part of it that adjoins above are one field.
 *
 * @param sizeLog2 - where the address of a block, page or table ends.
 */
export function tile(form: DescriptorForm, context: DescriptorContext, sizeLog2: number): LayoutField[] {
  const referenceOf = (own: string) =>
    context.aarch32 && form.aarch32 !== undefined && own === form.reference ? form.aarch32 : own;
  const fields = Object.values(form.fields)
    .filter((field) => isThere(field, context))
    .flatMap((field) => placed(field, sizeLog2, referenceOf(field.reference)))
    .sort((a, b) => b.row.high - a.row.high);
  const found: LayoutField[] = [];
  let next = form.width - 1;
  for (const { row, sized } of fields) {
    if (row.high > next) throw new Error(`${row.name} takes bit ${row.high}, which is taken already`);
    found.push(...holesIn(form, context, next, row.high + 1, referenceOf(form.reference)));
    const above = found.at(-1);
    if (above !== undefined && sized && continues(above, row)) found.splice(-1, 1, joined(above, row));
    else found.push(row);
    next = row.low - 1;
  }
  return [...found, ...holesIn(form, context, next, 0, referenceOf(form.reference))];
}

function isThere({ when, feature }: DescriptorField, context: DescriptorContext): boolean {
  return (feature === undefined || context.features.has(feature)) && (when === undefined || when(context));
}

interface Placed {
  readonly row: LayoutField;
  readonly sized: boolean;
}

/** A field where it stands; none where all of a sized one is within the size. */
function placed(field: DescriptorField, sizeLog2: number, reference: string): Placed[] {
  const { name, high, low, meaning, values, fixed, address, software, countedFrom = 0 } = field;
  const row: LayoutField = {
    name,
    high,
    low,
    kind: software ? 'software' : 'field',
    meaning,
    reference,
    ...(values !== undefined && { values }),
    ...(fixed !== undefined && { fixed }),
    ...(address !== undefined && { address }),
  };
  if (!field.sized) return [{ row, sized: false }];
  const carried = address ?? low;
  const cut = Math.max(0, sizeLog2 - carried);
  if (low + cut > high) return [];
  const from = carried + cut - countedFrom;
  const range = `[${from + high - low - cut}:${from}]`;
  return [{ row: { ...row, name: name + range, low: low + cut, address: carried + cut }, sized: true }];
}

/** The lower part of an address directly below the upper one. */
function continues(above: LayoutField, field: LayoutField): boolean {
  if (above.address === undefined || field.address === undefined) return false;
  return above.low === field.high + 1 && above.address === field.address + (field.high - field.low + 1);
}

function joined(above: LayoutField, field: LayoutField): LayoutField {
  const { address = 0 } = above;
  const name = field.name.replace(/\[\d+/, `[${address + above.high - above.low}`);
  return { ...field, name, high: above.high };
}

/** Bits `[high:low]`, which no field takes: one row for each hole that they are in. */
function holesIn(
  form: DescriptorForm,
  context: DescriptorContext,
  high: number,
  low: number,
  reference: string,
): LayoutField[] {
  const found: LayoutField[] = [];
  for (let top = high; top >= low; ) {
    const hole = form.holes.find(
      (one) => one.high >= top && one.low <= top && (one.when === undefined || one.when(context)),
    );
    if (hole === undefined) throw new Error(`nothing is declared for bit ${top}`);
    const { kind, meaning, reference: own = reference } = hole;
    const bottom = Math.max(low, hole.low);
    found.push({ name: '-', high: top, low: bottom, kind, meaning, reference: own });
    top = bottom - 1;
  }
  return found;
}
