/**
 * Features that an STE or CD may ask for and that are not modelled here: permission indirection and overlays, attribute index extension,
 * translation hardening, 128-bit descriptors. A stream that asks for one is refused. If the SMMU does not have the feature, the
 * field is RES0, and this is reported. (IHI 0070 G.b, 3.26, 3.27, 5.2, 5.4, 6.3.4, 6.3.6.)
 */
import type { BitField, WordLayout } from '../arch/field.ts';
import { isSetIn, readIn } from '../arch/read.ts';
import { CD, STE } from '../arch/smmu/index.ts';
import { WalkerError } from '../walker/errors.ts';
import type { RegisterRule } from '../walker/rules/rule.ts';
import type { ContextDescriptor } from './context-descriptor.ts';
import type { SmmuFeatures } from './features.ts';
import type { Configured } from './rules.ts';
import type { SteSubject } from './ste-rules.ts';

type Feature = 's1pi' | 's2pi' | 's2po' | 'aie' | 'the';

/** A control of a feature: its field, the bit that says whether the SMMU has it, what it does, and when it counts. */
interface Control<Subject extends Configured> {
  readonly word: WordLayout;
  readonly field: BitField;
  readonly feature: Feature;
  readonly what: string;
  readonly counts: (subject: Subject) => boolean;
}

const ste = STE.fields;
const cd = CD.fields;

const INDIRECTION = 'permission indirection';
const HARDENING = 'translation hardening';
const stage2 = ({ ste: { valid, stage2: translates, s2Aa64 } }: SteSubject) => valid && translates && s2Aa64;

/** STE.S1PIE does nothing by itself: it makes CD.PIE count. */
const STE_CONTROLS: readonly Control<SteSubject>[] = (
  [
    [ste.S2PIE, 's2pi', INDIRECTION],
    [ste.S2POE, 's2po', 'permission overlays'],
    [ste.AssuredOnly, 'the', HARDENING],
    [ste.TL0, 'the', HARDENING],
    [ste.TL1, 'the', HARDENING],
  ] as const
).map(([field, feature, what]) => ({ word: STE, field, feature, what, counts: stage2 }));

const stage1 = ({ words, aarch64 }: ContextDescriptor) => isSetIn(words, cd.V) && aarch64;

const CD_CONTROLS: readonly Control<ContextDescriptor>[] = [
  {
    word: CD,
    field: cd.PIE,
    feature: 's1pi',
    what: INDIRECTION,
    counts: (subject) => stage1(subject) && isSetIn(subject.ste.words, ste.S1PIE),
  },
  { word: CD, field: cd.AIE, feature: 'aie', what: 'attribute index extension', counts: stage1 },
  { word: CD, field: cd.PnCH, feature: 'the', what: HARDENING, counts: stage1 },
];

/** @throws WalkerError for a valid STE that asks for what is not modelled. */
export function refuseSte(subject: SteSubject): void {
  const { ste: entry, features } = subject;
  if (features.d128 && entry.valid && entry.stage2 && !entry.s2Aa64) refuseD128(STE, ste.S2AA64);
  refuse(STE_CONTROLS, subject);
}

/** @throws WalkerError for a valid CD that asks for what is not modelled. */
export function refuseCd(subject: ContextDescriptor): void {
  const { words, aarch64, features } = subject;
  if (features.d128 && isSetIn(words, cd.V) && !aarch64) refuseD128(CD, cd.AA64);
  refuse(CD_CONTROLS, subject);
}

function refuse<Subject extends Configured>(controls: readonly Control<Subject>[], subject: Subject): void {
  const { words, features } = subject;
  for (const { word, field, feature, what, counts } of controls) {
    if (!features[feature] || !isSetIn(words, field) || !counts(subject)) continue;
    throw new WalkerError(
      `${word.name}.${field.name} = 1 asks for ${what}, which is not modelled (${field.feature} = 1; ${word.reference})`,
    );
  }
}

function refuseD128(word: WordLayout, field: BitField): never {
  throw new WalkerError(
    `${word.name}.${field.name} = 0 asks for descriptors of 128 bits, which are not modelled (SMMU_IDR5.D128 = 1; ${word.reference})`,
  );
}

/** Controls that are not 0 but have no effect, since the SMMU does not have the feature. */
export const STE_UNUSED = unused<SteSubject>([
  ...STE_CONTROLS,
  {
    word: STE,
    field: ste.S1PIE,
    feature: 's1pi',
    what: INDIRECTION,
    counts: ({ ste: { valid, stage1: translates } }) => valid && translates,
  },
]);
export const CD_UNUSED = unused(CD_CONTROLS);

function unused<Subject extends Configured>(
  controls: readonly Control<Subject>[],
): RegisterRule<Subject, undefined>[] {
  return controls.map(({ word, field, feature, what, counts }) => ({
    effect: 'ignored',
    holds: (subject) => !has(subject, feature) && isSetIn(subject.words, field) && counts(subject),
    tell: ({ words }) => ({
      field: `${word.name}.${field.name}`,
      value: BigInt(readIn(words, field)),
      rule: `RES0: this SMMU has no ${what} (${field.feature} = 0)`,
      section: word.reference,
    }),
  }));
}

const has = ({ features }: { readonly features: SmmuFeatures }, feature: Feature) => features[feature];
