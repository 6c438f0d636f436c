/** Rules for the tables of stage 2 that an STE describes: one, or two for a Secure stream. (IHI 0070 G.b, 5.2, 5.2.2 SteIllegal.) */
import type { BitField } from '../arch/field.ts';
import { addressIn, placeInto, readIn, widthOf } from '../arch/read.ts';
import { TG0_CODES } from '../arch/registers/range-control.ts';
import { STE } from '../arch/smmu/index.ts';
import { POW2 } from '../walker/bits.ts';
import { numbersText } from '../walker/rules/rule.ts';
import { granulesText } from './rule-parts.ts';
import { steRule as rule, type SteRule, type SteSubject } from './ste-subject.ts';
import { steStage2 } from './stream-table-entry.ts';

const { fields } = STE;

/** The fields of one table of stage 2: those of a Non-secure stream, or of the Secure IPAs of a Secure stream. */
export interface TableFields {
  readonly ttb: BitField;
  readonly tg: BitField;
  readonly t0sz: BitField;
  readonly sl0: BitField;
  readonly sl02: BitField;
  /** Which IPAs of a Secure stream. */
  readonly ipas: 'secure' | 'non-secure';
}

export const STAGE2_TABLE: TableFields = {
  ttb: fields.S2TTB,
  tg: fields.S2TG,
  t0sz: fields.S2T0SZ,
  sl0: fields.S2SL0,
  sl02: fields.S2SL0_2,
  ipas: 'non-secure',
};
export const SECURE_TABLE: TableFields = {
  ttb: fields.S_S2TTB,
  tg: fields.S_S2TG,
  t0sz: fields.S_S2T0SZ,
  sl0: fields.S_S2SL0,
  sl02: fields.S_S2SL0_2,
  ipas: 'secure',
};

const valuesOf = (field: BitField) => Array.from({ length: 2 ** widthOf(field) }, (_, value) => value);
const ALL_T0SZ = valuesOf(fields.S2T0SZ);
const ALL_SL0 = valuesOf(fields.S2SL0);

/** The table's parameters. */
const paramsOf = ({ params, secure }: SteSubject, { ipas }: TableFields) =>
  ipas === 'secure' && secure !== undefined ? secure : params;

/** Whether this T0SZ would be legal in the STE, with its own start level or another. */
function takesT0sz(
  { ste, features, words: given }: SteSubject,
  of: TableFields,
  t0sz: number,
  sl0 = readIn(given, of.sl0),
): boolean {
  const [w0, w1, w2, w3, ...more] = ste.words;
  const words: [bigint, bigint, bigint, bigint, ...bigint[]] = [w0, w1, w2, w3, 0n, 0n, 0n, 0n];
  more.forEach((word, i) => {
    words[4 + i] = word;
  });
  placeInto(words, of.t0sz, t0sz);
  placeInto(words, of.sl0, sl0);
  const ipas = features.security === 'secure' ? of.ipas : undefined;
  return !steStage2({ ...ste, words }, features, undefined, ipas).invalid;
}

/** No T0SZ fits: the start level is reserved. */
const startReserved = (subject: SteSubject, of: TableFields) =>
  !ALL_T0SZ.some((t0sz) => takesT0sz(subject, of, t0sz));
/** No other SL0 would help either, so SL0_2 must be 0. */
const wideStartReserved = (subject: SteSubject, of: TableFields) =>
  startReserved(subject, of) &&
  !ALL_SL0.some((sl0) => ALL_T0SZ.some((t0sz) => takesT0sz(subject, of, t0sz, sl0)));
const legalT0sz = (subject: SteSubject, of: TableFields) =>
  ALL_T0SZ.filter((t0sz) => takesT0sz(subject, of, t0sz));

/** The granule. */
export function granuleRules(of: TableFields): readonly SteRule[] {
  return [
    rule(
      of.tg,
      (subject) =>
        TG0_CODES[readIn(subject.words, of.tg)] === undefined ||
        !subject.features.granules.includes(paramsOf(subject, of).granuleLog2),
      ({ features }) =>
        `not a granule of this SMMU: it has ${granulesText(features)} (0 is 4K, 1 64K, 2 16K)`,
    ),
  ];
}

/** Root, start level and size. */
export function sizeRules(of: TableFields): readonly SteRule[] {
  const invalid = (subject: SteSubject) => paramsOf(subject, of).invalid;
  return [
    rule(
      of.ttb,
      (subject) => addressIn(subject.words, of.ttb) >= POW2[paramsOf(subject, of).oaBits]!,
      (subject) => `beyond its ${paramsOf(subject, of).oaBits} output bits`,
    ),
    rule(
      of.sl0,
      (subject) => invalid(subject) && startReserved(subject, of) && !wideStartReserved(subject, of),
      ({ features }) => `reserved with this granule and ${features.oas} bits of output addresses`,
    ),
    rule(
      of.sl02,
      (subject) => invalid(subject) && wideStartReserved(subject, of),
      ({ features }) =>
        `there is no start level with it: 1 needs S2DS = 1, 4K and 52 bits of output addresses, and this SMMU has ${features.oas}`,
    ),
    rule(
      of.t0sz,
      (subject) => invalid(subject) && !startReserved(subject, of),
      (subject) =>
        `${of.t0sz.name}, ${of.sl0.name} ${readIn(subject.words, of.sl0)} and the granule do not fit each other, or the IPA is larger than ${subject.features.ias} bits; legal here: ${numbersText(legalT0sz(subject, of))}`,
    ),
  ];
}
