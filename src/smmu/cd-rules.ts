/** What makes a CD invalid or ILLEGAL, so that every transaction that uses it gets C_BAD_CD. (IHI 0070 G.b, 5.4.2 CdIllegal, for a Non-secure or a Secure stream.) */
import type { BitField } from '../arch/field.ts';
import { isSetIn, readIn } from '../arch/read.ts';
import { byNumber } from '../arch/registers/parts.ts';
import { CD, CD_LOWER, CD_PERMISSIONS, CD_UPPER, type CdRangeControl, HTTU } from '../arch/smmu/index.ts';
import { POW2 } from '../walker/bits.ts';
import { numbersText } from '../walker/rules/rule.ts';
import { legalTxsz } from '../walker/rules/stage1.ts';
import { type CdRange, type ContextDescriptor, isIndirect } from './context-descriptor.ts';
import { endianRule, granulesText, stallRule, updateRule } from './rule-parts.ts';
import { type IllegalRule, rulesOf, where } from './rules.ts';
import { isPrivilegedWorld } from './stream-table-entry.ts';

type CdRule = IllegalRule<ContextDescriptor>;

const { fields } = CD;
const PIIP = byNumber(CD, 'PIIP');
const PIIU = byNumber(CD, 'PIIU');
const rule = rulesOf<ContextDescriptor>(CD, 'IHI 0070 5.4.2');
const valid = rulesOf<ContextDescriptor>(CD, CD.reference);

const aarch64 = (cd: ContextDescriptor) => cd.aarch64;
const aarch32 = (cd: ContextDescriptor) => !cd.aarch64;

const FAULTS: readonly CdRule[] = [
  rule(
    fields.S,
    ({ words, ste }) => ste.s1Stalld && isSetIn(words, fields.S),
    () => 'STE.S1STALLD forbids stalls',
  ),
  rule(
    fields.A,
    ({ words, features }) => features.termModel && !isSetIn(words, fields.A),
    () => 'must be 1 (SMMU_IDR0.TERM_MODEL = 1)',
  ),
  stallRule(rule, fields.S),
];

const FORMAT: readonly CdRule[] = [
  rule(
    fields.AA64,
    (cd) => (cd.aarch64 ? !cd.features.aarch64 : !cd.features.aarch32),
    () => 'tables of this format are not implemented (SMMU_IDR0.TTF)',
  ),
  ...where(aarch32, [
    rule(
      fields.AA64,
      ({ world, features }) =>
        world === 'el2-e2h' || world === 'el3' || (world === 'el2' && features.security === 'secure'),
      () => 'EL2 with E2H, Secure EL2 and EL3 have only AArch64 tables',
    ),
  ]),
  ...where(aarch64, [
    rule(
      fields.AA64,
      ({ ste }) => ste.stage2 && !ste.s2Aa64,
      () => 'an AArch64 stage 1 needs an AArch64 stage 2',
    ),
    updateRule(rule, fields.HA, HTTU.accessFlag),
    updateRule(rule, fields.HD, HTTU.dirtyState),
    rule(
      fields.HAFT,
      ({ words, features }) =>
        features.httu === HTTU.tableAccessFlag && isSetIn(words, fields.HAFT) && !isSetIn(words, fields.HA),
      () => 'needs HA = 1',
    ),
  ]),
];

/** EL2 without E2H has no ASIDs. */
const ASID: readonly CdRule[] = [
  rule(
    fields.ASID,
    ({ asid, world, features }) => !isPrivilegedWorld(world) && !features.asid16 && asid > 0xff,
    () => 'an ASID has 8 bits (SMMU_IDR0.ASID16 = 0)',
  ),
];

/** Rules for one range that is walked. A range that EPDn switches off is not checked. (5.4.1.1) */
function rangeRules(control: CdRangeControl): CdRule[] {
  const own = (cd: ContextDescriptor): CdRange => (control.upper ? cd.upper : cd.lower);
  return where(
    (cd) => own(cd).walked,
    [
      ...where(aarch64, [
        rule(
          control.txsz,
          (cd) => own(cd).params.configurationFault?.kind === 'translation',
          (cd) => `out of range; legal here: ${numbersText(legalTxsz(own(cd).fields, cd.features.cpu))}`,
        ),
        rule(
          control.tg,
          (cd) =>
            control.granules[own(cd).fields.tg] === undefined ||
            !cd.features.granules.includes(own(cd).params.granuleLog2),
          ({ features }) =>
            `not a granule of this SMMU: it has ${granulesText(features)} (${control.upper ? '1 is 16K, 2 4K, 3 64K' : '0 is 4K, 1 64K, 2 16K'})`,
        ),
      ]),
      rule(
        control.base,
        (cd) => own(cd).fields.base(true) >= POW2[own(cd).params.oaBits]!,
        (cd) => `beyond its ${own(cd).params.oaBits} output bits`,
      ),
    ],
  );
}

const reserved = ({ words }: ContextDescriptor, field: BitField) =>
  CD_PERMISSIONS[readIn(words, field)]!.reserved === true;
const hasUnprivileged = ({ world }: ContextDescriptor) => !isPrivilegedWorld(world);

/** PIIP and PIIU. What unprivileged accesses may write, privileged ones may not execute. (5.4 PIIP, PIIU) */
const PERMISSIONS: readonly CdRule[] = where(
  (cd) => cd.aarch64 && isIndirect(cd),
  PIIP.flatMap((piip, n) => {
    const piiu = PIIU[n]!;
    const rights = (cd: ContextDescriptor, field: BitField) =>
      CD_PERMISSIONS[readIn(cd.words, field)]!.rights;
    return [
      rule(
        piip,
        (cd) => reserved(cd, piip),
        () => 'reserved',
      ),
      ...where(hasUnprivileged, [
        rule(
          piiu,
          (cd) => reserved(cd, piiu),
          () => 'reserved',
        ),
        rule(
          piip,
          (cd) => rights(cd, piip).includes('x') && rights(cd, piiu).includes('w'),
          (cd) =>
            `may not allow execution of what ${piiu.name} = ${readIn(cd.words, piiu)} lets unprivileged accesses write`,
        ),
      ]),
    ];
  }),
);

/** In the order of CdIllegal. If a CD is invalid, no other rule counts. */
export const CD_RULES: readonly CdRule[] = [
  valid(
    fields.V,
    ({ words }) => !isSetIn(words, fields.V),
    () => 'the descriptor is not valid',
  ),
  ...where(
    ({ words }) => isSetIn(words, fields.V),
    [
      ...FAULTS,
      ...where<ContextDescriptor>(
        (cd) => cd.lower.walked || cd.upper.walked,
        [endianRule(rule, fields.ENDI)],
      ),
      ...FORMAT,
      ...ASID,
      ...rangeRules(CD_LOWER),
      ...rangeRules(CD_UPPER),
      ...PERMISSIONS,
    ],
  ),
];
