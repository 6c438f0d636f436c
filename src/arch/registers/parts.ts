/** Fields that several registers have in the same form, and how fields that come in numbers are found: one a range, or one an index. */
import { type BitField, bit, bits, type FieldDeclaration, type WordLayout } from '../field.ts';
import { CACHEABILITIES, NO_YES, ON, SHAREABILITIES } from './values.ts';

/** A bit that a feature adds and that answers a question: 0 is no, 1 is yes. */
export function noYes(position: number, meaning: string, feature: string): FieldDeclaration {
  return bit(position, meaning, { values: NO_YES, feature });
}

/** A bit that a feature adds and that switches something on. */
export function onOff(position: number, meaning: string, feature: string): FieldDeclaration {
  return bit(position, meaning, { values: ON, feature });
}

/** HAFT of TCR2_ELx, TCR_EL3 and VTCR_EL2. */
export const haftField = (position: number) =>
  onOff(position, 'hardware sets the access flag of table descriptors too', 'FEAT_HAFT');

/** D128 of the same. `of`: the descriptors of which stage, if both have the field. */
export const d128Field = (position: number, of = '') =>
  bit(position, `descriptors${of}`, {
    values: ['64 bits, VMSAv8-64', '128 bits, VMSAv9-128'],
    feature: 'FEAT_D128',
  });

/** DisCHn of TCR2_ELx and TCR_EL3. */
export const disChField = (position: number, range: '0' | '1') =>
  noYes(position, `with D128 = 1: no contiguous hint at the start level of TTBR${range}`, 'FEAT_D128');

/** PTTWI of the same. */
export const pttwiField = (position: number) =>
  noYes(position, 'writes of RCWS instructions may have reduced coherence', 'FEAT_THE');

/** AIE of the same. `mair2`: the register that AttrIndx[3] chooses. */
export const aieField = (position: number, mair2: string) =>
  noYes(position, `bit 59 of leaves is AttrIndx[3], of ${mair2}`, 'FEAT_AIE');

/** PnCH of the same. */
export const pnchField = (position: number) =>
  noYes(position, 'bit 52 of descriptors is Protected, not the contiguous hint', 'FEAT_THE');

/** TCR.SHn, ORGNn and IRGNn: how a walk reads its tables. `note` is put behind each meaning. */
export function walkFields<Range extends '0' | '1'>(low: number, range: Range, note = '') {
  const declared = {
    [`SH${range}`]: bits(low + 5, low + 4, `shareability of table walks${note}`, SHAREABILITIES),
    [`ORGN${range}`]: bits(low + 3, low + 2, `outer cacheability of table walks${note}`, CACHEABILITIES),
    [`IRGN${range}`]: bits(low + 1, low, `inner cacheability of table walks${note}`, CACHEABILITIES),
  };
  return declared as Record<`SH${Range}` | `ORGN${Range}` | `IRGN${Range}`, FieldDeclaration>;
}

/** HD, and HA below it. */
export function updateFields(hd: number) {
  const feature = 'FEAT_HAFDBS';
  return {
    HD: onOff(hd, 'hardware manages dirty state: a write clears AP[2] where DBM is 1; needs HA', feature),
    HA: onOff(hd - 1, 'hardware sets the access flag, so that AF = 0 does not fault', feature),
  };
}

/**
 * HWU62 to HWU59: descriptor bits that an implementation may use for itself. `range`: HWU062 and so on, of one of two ranges.
 * `needs`: the field that must be 1 as well.
 */
export function hardwareUseFields<Range extends '' | '0' | '1'>(
  highest: number,
  range: Range,
  needs: string | undefined,
) {
  const feature = 'FEAT_HPDS2';
  const condition = needs === undefined ? '' : `, with ${needs} = 1`;
  const declared = [62, 61, 60, 59].map((use, i) => [
    `HWU${range}${use}`,
    noYes(highest - i, `hardware may use bit ${use} of leaves for its own purposes${condition}`, feature),
  ]);
  return Object.fromEntries(declared) as Record<`HWU${Range}${62 | 61 | 60 | 59}`, FieldDeclaration>;
}

/** One field a number, the highest number first: `Attr7` to `Attr0`. */
export function numberedFields<Prefix extends string>(
  prefix: Prefix,
  count: number,
  declare: (n: number) => FieldDeclaration,
): Record<`${Prefix}${number}`, FieldDeclaration> {
  const numbers = Array.from({ length: count }, (_, i) => count - 1 - i);
  return Object.fromEntries(numbers.map((n) => [`${prefix}${n}`, declare(n)])) as Record<
    `${Prefix}${number}`,
    FieldDeclaration
  >;
}

/** The fields that {@link numberedFields} declared, by their numbers: `[0]` is `Attr0`. */
export function byNumber<Prefix extends string>(
  { fields }: WordLayout<`${NoInfer<Prefix>}${number}`>,
  prefix: Prefix,
): readonly BitField[] {
  const found: BitField[] = [];
  for (let field = fields[`${prefix}0`]; field !== undefined; field = fields[`${prefix}${found.length}`]) {
    found.push(field);
  }
  return found;
}

/** `T0SZ` of `TxSZ`. */
type Numbered<Kind extends string, N extends '0' | '1'> = Kind extends `${infer Before}x${infer After}`
  ? `${Before}${N}${After}`
  : never;

/** A field that each of two ranges has: TTBR0's at index 0, TTBR1's at 1. */
export type RangePair = readonly [lower: BitField, upper: BitField];

/** The two fields of one kind, `x` standing for the range: of TCR_EL1 `TxSZ` is T0SZ and T1SZ. */
export function pairOf<Kind extends string>(
  { fields }: WordLayout<Numbered<Kind, '0'> | Numbered<Kind, '1'>>,
  kind: Kind,
): RangePair {
  const named = (n: string) => fields[kind.replace('x', n) as Numbered<Kind, '0'>];
  return [named('0'), named('1')];
}
