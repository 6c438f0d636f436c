/** AArch32 short descriptors, decoded. (DDI 0487 G5.4.1; J1.2 AArch32.DecodeDescriptorTypeSD, S1WalkSD.) */
import { LARGE_PAGE, SECTION, SHORT_TABLE, SMALL_PAGE, SUPERSECTION } from '../arch/descriptors/index.ts';
import { type FieldBits, lowMask, shiftOf } from '../arch/read.ts';

/** A short descriptor. Fields that its kind does not have are 0 or false. */
export interface ShortDescriptor {
  readonly word: number;
  readonly kind: 'invalid' | 'table' | 'block' | 'page';
  /** log2 of the bytes mapped: 20, 24, 16 or 12; for a table, of what an entry of its level maps. */
  readonly sizeLog2: number;
  /** The level 2 table's base, or the section's or page's. At most 40 bits. */
  readonly output: number;
  /** AP[2:0]. */
  readonly ap: number;
  /** TEX:C:B. */
  readonly texCb: number;
  readonly shareable: boolean;
  readonly nonGlobal: boolean;
  readonly xn: boolean;
  /** In level 1 descriptors, tables too. */
  readonly pxn: boolean;
  readonly ns: boolean;
  readonly domain: number;
}

export const SUPERSECTION_LOG2 = 24;
export const SECTION_LOG2 = 20;
const LARGE_LOG2 = 16;
export const SMALL_LOG2 = 12;

/** A field of 32-bit words. */
interface Part {
  readonly mask: number;
  readonly shift: number;
  /** The address that its lowest bit stands for. */
  readonly unit: number;
}

const part = (field: FieldBits): Part => ({
  mask: lowMask(field),
  shift: shiftOf(field),
  unit: 2 ** (field.address ?? field.low),
});
const take = (word: number, { mask, shift }: Part): number => (word & mask) >>> shift;
const isOne = (word: number, { mask }: Part): boolean => (word & mask) !== 0;
/** The value of address bits at their place in the address. */
const addressOf = (word: number, { mask, shift, unit }: Part): number => ((word & mask) >>> shift) * unit;

/** The parts of each kind of descriptor, by the names of its fields. */
function partsOf<Name extends string>(
  fields: Readonly<Record<Name, FieldBits>>,
): Readonly<Record<Name, Part>> {
  const entries = Object.entries<FieldBits>(fields).map(([name, field]) => [name, part(field)]);
  return Object.fromEntries(entries) as Record<Name, Part>;
}
const TABLE = partsOf(SHORT_TABLE.fields);
const BLOCK = partsOf(SECTION.fields);
const SUPER = partsOf(SUPERSECTION.fields);
const LARGE = partsOf(LARGE_PAGE.fields);
const SMALL = partsOf(SMALL_PAGE.fields);

/** Bits [1:0] give the kind. A table and a large page have the same value. */
const TYPE_MASK = lowMask(SHORT_TABLE.fields.Type);
const TABLE_TYPE = SHORT_TABLE.fields.Type.fixed;
const LARGE_TYPE = LARGE_PAGE.fields.Type.fixed;

/** Whether its type bits say that it is valid. */
export function hasShortType(word: number): boolean {
  return (word & TYPE_MASK) !== 0;
}

/** Decodes the descriptor `word` of a level; `mtk`: with address bits of a MediaTek M4U. */
export function shortDescriptor(word: number, level: 1 | 2, mtk = false): ShortDescriptor {
  const found = level === 1 ? level1(word) : level2(word);
  if (!mtk || found.kind === 'invalid') return found;
  // An M4U has these address bits where Arm has a domain and IMPLEMENTATION DEFINED bits, and its supersections have no PA above 32 bits.
  const high = addressOf(word, BLOCK.BIT_32) + addressOf(word, BLOCK.BIT_33) + addressOf(word, BLOCK.BIT_34);
  const low = found.sizeLog2 === SUPERSECTION_LOG2 ? addressOf(word, SUPER.BASE) : found.output;
  return { ...found, output: low + high, domain: 0, ap: 0, xn: false };
}

const NOTHING = {
  output: 0,
  ap: 0,
  texCb: 0,
  shareable: false,
  nonGlobal: false,
  xn: false,
  pxn: false,
  ns: false,
  domain: 0,
} as const;

function level1(word: number): ShortDescriptor {
  if (!hasShortType(word)) return { ...NOTHING, word, kind: 'invalid', sizeLog2: SECTION_LOG2 };
  const domain = take(word, BLOCK.Domain);
  if ((word & TYPE_MASK) === TABLE_TYPE) {
    return {
      ...NOTHING,
      word,
      kind: 'table',
      sizeLog2: SECTION_LOG2,
      output: addressOf(word, TABLE.BASE),
      domain,
      pxn: isOne(word, TABLE.PXN),
      ns: isOne(word, TABLE.NS),
    };
  }
  const isSuper = isOne(word, BLOCK.Super);
  return {
    ...leafFields(word, BLOCK),
    word,
    kind: 'block',
    sizeLog2: isSuper ? SUPERSECTION_LOG2 : SECTION_LOG2,
    output: isSuper ? supersectionBase(word) : addressOf(word, BLOCK.BASE),
    pxn: isOne(word, BLOCK.PXN),
    ns: isOne(word, BLOCK.NS),
    domain,
  };
}

function supersectionBase(word: number): number {
  return addressOf(word, SUPER.BASE_36) + addressOf(word, SUPER.BASE_32) + addressOf(word, SUPER.BASE);
}

/** The fields that all leaves have, though each kind has them in other bits. */
function leafFields(
  word: number,
  {
    AP2,
    AP1,
    AP0,
    TEX,
    C,
    B,
    S,
    nG,
    XN,
  }: Readonly<Record<'AP2' | 'AP1' | 'AP0' | 'TEX' | 'C' | 'B' | 'S' | 'nG' | 'XN', Part>>,
) {
  return {
    ap: (take(word, AP2) * 2 + take(word, AP1)) * 2 + take(word, AP0),
    texCb: (take(word, TEX) * 2 + take(word, C)) * 2 + take(word, B),
    shareable: isOne(word, S),
    nonGlobal: isOne(word, nG),
    xn: isOne(word, XN),
  };
}

function level2(word: number): ShortDescriptor {
  if (!hasShortType(word)) return { ...NOTHING, word, kind: 'invalid', sizeLog2: SMALL_LOG2 };
  const isLarge = (word & TYPE_MASK) === LARGE_TYPE;
  const parts = isLarge ? LARGE : SMALL;
  return {
    ...NOTHING,
    ...leafFields(word, parts),
    word,
    kind: 'page',
    sizeLog2: isLarge ? LARGE_LOG2 : SMALL_LOG2,
    output: addressOf(word, parts.BASE),
  };
}

const bitsOf = (...fields: readonly FieldBits[]) => fields.reduce((mask, field) => mask | lowMask(field), 0);
const { BIT_32, BIT_33, BIT_34 } = SHORT_TABLE.fields;
const MTK_ADDRESS_BITS = bitsOf(BIT_32, BIT_33, BIT_34);
const TABLE_ADDRESS_BITS = bitsOf(SHORT_TABLE.fields.BASE);
/** By log2 of the size. */
const ADDRESS_BITS: Readonly<Record<number, number>> = {
  [SUPERSECTION_LOG2]: bitsOf(
    SUPERSECTION.fields.BASE,
    SUPERSECTION.fields.BASE_32,
    SUPERSECTION.fields.BASE_36,
  ),
  [SECTION_LOG2]: bitsOf(SECTION.fields.BASE),
  [LARGE_LOG2]: bitsOf(LARGE_PAGE.fields.BASE),
  [SMALL_LOG2]: bitsOf(SMALL_PAGE.fields.BASE),
};

/** Which bits of a descriptor are address. */
export function shortAddressBits({ kind, sizeLog2 }: ShortDescriptor, mtk: boolean): number {
  const own = kind === 'table' ? TABLE_ADDRESS_BITS : ADDRESS_BITS[sizeLog2]!;
  return mtk ? own | MTK_ADDRESS_BITS : own;
}
