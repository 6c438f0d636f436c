/** Rules that make a structure in memory not valid or ILLEGAL: what the SMMU asks, and what people are told, in one list. (IHI 0070 5.2.2, 5.4.2.) */
import type { BitField, WordLayout } from '../arch/field.ts';
import { addressIn, readIn } from '../arch/read.ts';
import type { RegisterRule } from '../walker/rules/rule.ts';
import type { SmmuFeatures } from './features.ts';

/** A structure in memory, and what the SMMU that reads it implements. */
export interface Configured {
  readonly words: readonly bigint[];
  readonly features: SmmuFeatures;
}

/** One rule: of a field, and of what the SMMU implements or what other fields say. */
export type IllegalRule<Subject extends Configured> = RegisterRule<Subject, undefined>;

/**
 * Makes a rule of a structure's field.
 * @param holds - whether the structure is ILLEGAL by it.
 * @param text - the rule in words, and what would be legal.
 */
export type RuleMaker<Subject extends Configured> = (
  field: BitField,
  holds: (subject: Subject) => boolean,
  text: (subject: Subject) => string,
) => IllegalRule<Subject>;

/** How the rules of a structure are made: each names the field, with the value that stands there. */
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

/** The rules, where a condition holds. */
export function where<Subject extends Configured>(
  condition: (subject: Subject) => boolean,
  rules: readonly IllegalRule<Subject>[],
): IllegalRule<Subject>[] {
  return rules.map((rule) => ({ ...rule, holds: (subject) => condition(subject) && rule.holds(subject) }));
}

/** Whether a structure is not valid or ILLEGAL by any rule. */
export function isIllegal<Subject extends Configured>(
  rules: readonly IllegalRule<Subject>[],
  subject: Subject,
): boolean {
  return rules.some(({ holds }) => holds(subject));
}
