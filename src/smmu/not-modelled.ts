/**
 * What an STE or CD asks for and can't be answered: descriptors of 128 bits, which are not modelled, and permissions from an SMMU_S2PII that
 * was not given. And controls of features that the SMMU does not have: they are RES0, and this is reported. (IHI 0070 G.b, 3.26, 3.27, 5.2,
 * 5.4, 6.3.4, 6.3.6, 6.3.17.)
 */
import type { BitField, WordLayout } from '../arch/field.ts';
import { isSetIn, readIn } from '../arch/read.ts';
import { CD, STE } from '../arch/smmu/index.ts';
import { WalkerError } from '../walker/errors.ts';
import type { RegisterRule } from '../walker/rules/rule.ts';
import type { ContextDescriptor } from './context-descriptor.ts';
import type { Configured } from './rules.ts';
import type { SteSubject } from './ste-subject.ts';
import { usesS2pii } from './stream-table-entry.ts';

/** @throws WalkerError for a valid STE that asks for what is not modelled, or for an SMMU_S2PII that was not given. */
export function refuseSte({ ste: entry, features }: SteSubject, s2pii: bigint | undefined): void {
  if (!entry.valid) return;
  if (features.d128 && entry.stage2 && !entry.s2Aa64) refuseD128(STE, STE.fields.S2AA64);
  if (usesS2pii(entry, features) && s2pii === undefined) {
    throw new WalkerError(
      `STE.S2PIE = 1: permissions of stage 2 come from SMMU_S2PII, which is not given (${STE.reference}, 6.3.17)`,
    );
  }
}

/** @throws WalkerError for a valid CD that asks for what is not modelled. */
export function refuseCd({ words, aarch64, features }: ContextDescriptor): void {
  if (features.d128 && isSetIn(words, CD.fields.V) && !aarch64) refuseD128(CD, CD.fields.AA64);
}

function refuseD128(word: WordLayout, field: BitField): never {
  throw new WalkerError(
    `${word.name}.${field.name} = 0 asks for descriptors of 128 bits, which are not modelled (SMMU_IDR5.D128 = 1; ${word.reference})`,
  );
}

type Feature = 's1pi' | 's2pi' | 's2po' | 'aie' | 'the';

/** A control of a feature: its field, what it does, and the feature. */
type Control = readonly [field: BitField, what: string, feature: Feature];

const INDIRECTION = 'permission indirection';
const HARDENING = 'translation hardening';

const { fields: ste } = STE;
const STAGE2_CONTROLS: readonly Control[] = [
  [ste.S2PIE, INDIRECTION, 's2pi'],
  [ste.S2POE, 'permission overlays', 's2po'],
  [ste.AssuredOnly, HARDENING, 'the'],
  [ste.TL0, HARDENING, 'the'],
  [ste.TL1, HARDENING, 'the'],
];

const { fields: cd } = CD;
const CD_CONTROLS: readonly Control[] = [
  [cd.PIE, INDIRECTION, 's1pi'],
  [cd.AIE, 'attribute index extension', 'aie'],
  [cd.PnCH, HARDENING, 'the'],
];

/** Controls that are not 0 but have no effect, since the SMMU does not have the feature. */
export const STE_UNUSED: readonly RegisterRule<SteSubject, undefined>[] = [
  ...unused<SteSubject>(
    STE,
    STAGE2_CONTROLS,
    ({ ste: { valid, stage2, s2Aa64 } }) => valid && stage2 && s2Aa64,
  ),
  ...unused<SteSubject>(
    STE,
    [[ste.S1PIE, INDIRECTION, 's1pi']],
    ({ ste: { valid, stage1 } }) => valid && stage1,
  ),
];
export const CD_UNUSED: readonly RegisterRule<ContextDescriptor, undefined>[] = [
  ...unused<ContextDescriptor>(CD, CD_CONTROLS, ({ words, aarch64 }) => isSetIn(words, cd.V) && aarch64),
  {
    effect: 'ignored',
    holds: ({ words, ste: { words: entry }, aarch64, features }) =>
      aarch64 && features.s1pi && isSetIn(words, cd.PIE) && !isSetIn(entry, ste.S1PIE),
    tell: () => ({
      field: 'CD.PIE',
      value: 1n,
      rule: 'RES0: STE.S1PIE = 0 allows no indirection',
      section: CD.reference,
    }),
  },
];

function unused<Subject extends Configured>(
  word: WordLayout,
  controls: readonly Control[],
  counts: (subject: Subject) => boolean,
): RegisterRule<Subject, undefined>[] {
  return controls.map(([field, what, feature]) => ({
    effect: 'ignored',
    holds: (subject) => !subject.features[feature] && isSetIn(subject.words, field) && counts(subject),
    tell: ({ words }) => ({
      field: `${word.name}.${field.name}`,
      value: BigInt(readIn(words, field)),
      rule: `RES0: this SMMU has no ${what} (${field.feature} = 0)`,
      section: word.reference,
    }),
  }));
}
