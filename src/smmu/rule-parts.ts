/** Rules that STEs and CDs share: stalls, endianness, hardware updates. (IHI 0070 G.b, 5.5, 6.3.1.) */
import type { BitField } from '../arch/field.ts';
import { isSetIn } from '../arch/read.ts';
import { STALL_MODEL, TTENDIAN } from '../arch/smmu/index.ts';
import type { SmmuFeatures } from './features.ts';
import type { Configured, IllegalRule, RuleMaker } from './rules.ts';

/** S of a CD, S2S of an STE: the values that IDR0.STALL_MODEL allows. */
export function stallRule<Subject extends Configured>(
  rule: RuleMaker<Subject>,
  field: BitField,
): IllegalRule<Subject> {
  return rule(
    field,
    ({ words, features: { stallModel } }) =>
      stallModel === (isSetIn(words, field) ? STALL_MODEL.never : STALL_MODEL.always),
    ({ words, features: { stallModel } }) =>
      `must be ${isSetIn(words, field) ? 0 : 1} (SMMU_IDR0.STALL_MODEL = ${stallModel})`,
  );
}

/** ENDI of a CD, S2ENDI of an STE: the values that IDR0.TTENDIAN allows. */
export function endianRule<Subject extends Configured>(
  rule: RuleMaker<Subject>,
  field: BitField,
): IllegalRule<Subject> {
  return rule(
    field,
    ({ words, features: { endianness } }) =>
      endianness === (isSetIn(words, field) ? TTENDIAN.little : TTENDIAN.big),
    ({ features: { endianness } }) =>
      `tables are ${endianness === TTENDIAN.little ? 'little' : 'big'}-endian only (SMMU_IDR0.TTENDIAN = ${endianness})`,
  );
}

/** HA and HD: hardware updates that the SMMU does not have. `needed`: the smallest IDR0.HTTU that includes them. */
export function updateRule<Subject extends Configured>(
  rule: RuleMaker<Subject>,
  field: BitField,
  needed: number,
): IllegalRule<Subject> {
  return rule(
    field,
    ({ words, features: { httu } }) => httu < needed && isSetIn(words, field),
    ({ features: { httu } }) => `not implemented (SMMU_IDR0.HTTU = ${httu})`,
  );
}

/** The granules of an SMMU: `4K, 64K`. */
export function granulesText({ granules }: SmmuFeatures): string {
  return granules.map((log2) => `${2 ** (log2 - 10)}K`).join(', ');
}
