/** Fields that several registers have in the same form, and how fields that come in numbers are found: one a range, or one an index. */
import { type BitField, bit, bits, type FieldDeclaration, type WordLayout } from '../field.ts';
import { CACHEABILITIES, NO_YES, ON, SHAREABILITIES } from './values.ts';

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
    HD: bit(hd, 'hardware manages dirty state: a write clears AP[2] where DBM is 1; needs HA', {
      values: ON,
      feature,
    }),
    HA: bit(hd - 1, 'hardware sets the access flag, so that AF = 0 does not fault', { values: ON, feature }),
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
    bit(highest - i, `hardware may use bit ${use} of leaves for its own purposes${condition}`, {
      values: NO_YES,
      feature,
    }),
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
