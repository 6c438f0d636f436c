/** Rules that make a structure in memory invalid or ILLEGAL. The SMMU checks them, and descriptions report them, from one list. (IHI 0070 5.2.2, 5.4.2.) */
import type { BitField, WordLayout } from '../arch/field.ts';
import { addressIn, readIn } from '../arch/read.ts';
import type { RegisterRule } from '../walker/rules/rule.ts';
import type { SmmuFeatures } from './features.ts';

/** A structure in memory, and the features of the SMMU that reads it. */
export interface Configured {
  readonly words: readonly bigint[];
  readonly features: SmmuFeatures;
}

/** One rule about a field. It may depend on the SMMU's features and on other fields. */
export type IllegalRule<Subject extends Configured> = RegisterRule<Subject, undefined>;

/**
 * Makes a rule about a structure's field.
 * @param holds - whether the rule makes the structure ILLEGAL.
 * @param text - the rule in words, and what would be legal.
 */
export type RuleMaker<Subject extends Configured> = (
  field: BitField,
  holds: (subject: Subject) => boolean,
  text: (subject: Subject) => string,
) => IllegalRule<Subject>;

/** Makes the rules of a structure. Each names the field and its value. */
export function rulesOf<Subject extends Configured>(
  { name }: WordLayout,
  section: string,
): RuleMaker<Subject> {
  return (field, holds, text) => ({
    effect: 'fault',
    holds,
    tell: (subject) => ({
      field: `${name}.${field.name}`,
      value: standsIn(subject, field),
      rule: text(subject),
      section,
    }),
  });
}

function standsIn({ words }: Configured, field: BitField): bigint {
  return field.address === undefined ? BigInt(readIn(words, field)) : addressIn(words, field);
}

/** The rules, limited to structures for which a condition holds. */
export function where<Subject extends Configured>(
  condition: (subject: Subject) => boolean,
  rules: readonly IllegalRule<Subject>[],
): IllegalRule<Subject>[] {
  return rules.map((rule) => ({ ...rule, holds: (subject) => condition(subject) && rule.holds(subject) }));
}

/** Whether any rule makes a structure invalid or ILLEGAL. */
export function isIllegal<Subject extends Configured>(
  rules: readonly IllegalRule<Subject>[],
  subject: Subject,
): boolean {
  return rules.some(({ holds }) => holds(subject));
}
