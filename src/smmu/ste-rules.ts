import { isSetIn, readIn } from '../arch/read.ts';
import { byNumber } from '../arch/registers/parts.ts';
import { STAGE2_PERMISSIONS } from '../arch/registers/permissions.ts';
import { CD_LEAF_LOG2, EATS, HTTU, STALL_MODEL, STE, STE_CONFIG, STRW } from '../arch/smmu/index.ts';
import { POW2 } from '../walker/bits.ts';
import { endianRule, stallRule, updateRule } from './rule-parts.ts';
import { rulesOf, where } from './rules.ts';
import { steRule as rule, type SteRule, type SteSubject } from './ste-subject.ts';
import { granuleRules, SECURE_TABLE, STAGE2_TABLE, sizeRules } from './ste-table-rules.ts';
import { strwCounts } from './stream-table-entry.ts';

const fields = STE.fields;
const S2POI_FIELDS = byNumber(STE, 'S2POI');
const valid = rulesOf<SteSubject>(STE, STE.reference);

const STAGES: readonly SteRule[] = [
  rule(
    fields.Config,
    ({ ste, features }) => ste.stage1 && !features.stage1,
    () => 'stage 1 is not implemented (SMMU_IDR0.S1P = 0)',
  ),
  rule(
    fields.Config,
    ({ ste, features }) => ste.stage2 && !features.stage2,
    () => 'stage 2 is not implemented (SMMU_IDR0.S2P = 0)',
  ),
  ...where<SteSubject>(
    ({ ste, features }) => features.security === 'secure' && ste.stage2,
    [
      rule(
        fields.Config,
        ({ features }) => !features.sel2,
        () => 'Secure streams have no stage 2 (SMMU_S_IDR1.SEL2 = 0)',
      ),
      rule(
        fields.S2AA64,
        ({ ste }) => !ste.s2Aa64,
        () => 'of a Secure stream it is 1: stage 2 has AArch64 tables alone',
      ),
    ],
  ),
];

const stalls = ({ words }: SteSubject) => isSetIn(words, fields.S2S);
const eats = ({ words }: SteSubject) => readIn(words, fields.EATS);

/** ATS, for a stream that translates at all. */
const ATS: readonly SteRule[] = [
  rule(
    fields.EATS,
    (subject) =>
      eats(subject) === EATS.splitStage &&
      (subject.ste.config !== STE_CONFIG.nested || stalls(subject) || !subject.features.splitStageAts),
    () => 'split-stage ATS needs both stages, S2S = 0 and SMMU_IDR0.NS1ATS = 0',
  ),
  rule(
    fields.EATS,
    (subject) => eats(subject) === EATS.full && subject.ste.stage2 && stalls(subject),
    () => 'full ATS through stage 2 needs S2S = 0',
  ),
  ...where<SteSubject>(
    (subject) => eats(subject) === EATS.permissionTable && subject.features.permissionTables,
    [
      rule(
        fields.EATS,
        (subject) => subject.ste.stage2 && stalls(subject),
        () => 'full ATS through stage 2 needs S2S = 0',
      ),
      rule(
        fields.EATS,
        ({ ste, features }) => strwCounts(ste, features) && ste.strw !== STRW.el1,
        () => 'DPT checks are for streams of EL1 (STRW = 0)',
      ),
    ],
  ),
];

const STREAM_WORLD: readonly SteRule[] = [
  rule(
    fields.STRW,
    ({ ste: { strw }, features }) =>
      features.security === 'non-secure' && strw !== STRW.el1 && strw !== STRW.el2,
    () => 'for a Non-secure stream it is 0 (EL1) or 2 (EL2)',
  ),
  ...where<SteSubject>(
    ({ features }) => features.security === 'secure',
    [
      rule(
        fields.STRW,
        ({ ste: { strw } }) => strw !== STRW.el1 && strw !== STRW.el2 && strw !== STRW.el3,
        () => 'reserved',
      ),
      rule(
        fields.STRW,
        ({ ste: { strw }, features }) => strw === STRW.el3 && features.rme,
        () => 'an SMMU with RME has no streams of EL3 (SMMU_IDR0.RME_IMPL = 1)',
      ),
      rule(
        fields.STRW,
        ({ ste: { strw }, features }) => strw === STRW.el2 && !features.sel2,
        () => 'Secure streams have no EL2 (SMMU_S_IDR1.SEL2 = 0)',
      ),
    ],
  ),
];

const STAGE1: readonly SteRule[] = [
  rule(
    fields.S1STALLD,
    ({ ste, features }) => ste.s1Stalld && features.stallModel !== STALL_MODEL.configurable,
    ({ features }) => `stalls are not configurable (SMMU_IDR0.STALL_MODEL = ${features.stallModel})`,
  ),
  ...where<SteSubject>(
    ({ features }) => features.ssidSize !== 0,
    [
      rule(
        fields.S1CDMax,
        ({ ste, features }) => ste.s1CdMax > features.ssidSize,
        ({ features }) => `a SubstreamID has ${features.ssidSize} bits (SMMU_IDR1.SSIDSIZE)`,
      ),
      rule(
        fields.S1Fmt,
        ({ ste, features }) => ste.s1CdMax !== 0 && CD_LEAF_LOG2[ste.s1Fmt] !== 0 && !features.cd2l,
        () => 'two-level tables of CDs are not implemented (SMMU_IDR0.CD2L = 0)',
      ),
    ],
  ),
  // A PA beyond the OAS is illegal since SMMUv3.1; an IPA may also be left to stage 2, which faults. (3.4.3)
  rule(
    fields.S1ContextPtr,
    ({ ste, features }) => !ste.stage2 && ste.s1ContextPtr >= POW2[features.oas]!,
    ({ features }) => `beyond the ${features.oas} bits of output addresses (SMMU_IDR5.OAS)`,
  ),
];

const aarch32 = ({ ste }: SteSubject) => !ste.s2Aa64;
const aarch64 = ({ ste }: SteSubject) => ste.s2Aa64;
const wants64 = () => 'needs S2AA64 = 1';

const overlaid = ({ words, features }: SteSubject) => features.s2po && isSetIn(words, fields.S2POE);
const HARDWARE_USE = [fields.S2HWU62, fields.S2HWU61, fields.S2HWU60, fields.S2HWU59];

/** Indirection and overlays of stage 2. (3.26.2; 5.2 S2PIE, S2POE, S2POI) */
const PERMISSIONS: readonly SteRule[] = [
  rule(
    fields.S2PIE,
    (subject) => subject.features.s2pi && isSetIn(subject.words, fields.S2PIE) && aarch32(subject),
    wants64,
  ),
  ...where(overlaid, [
    rule(
      fields.S2POE,
      ({ words }) => !isSetIn(words, fields.S2PIE),
      () => 'needs S2PIE = 1: there are no overlays of direct permissions',
    ),
    ...HARDWARE_USE.map((field) =>
      rule(
        field,
        ({ words, features }) => features.pbha && isSetIn(words, field),
        () => 'must be 0 where S2POE = 1',
      ),
    ),
    ...S2POI_FIELDS.map((field) =>
      rule(
        field,
        ({ words }) => STAGE2_PERMISSIONS[readIn(words, field)]!.reserved === true,
        () => 'reserved',
      ),
    ),
  ]),
];

const STAGE2: readonly SteRule[] = [
  rule(
    fields.S2FWB,
    (subject) => aarch32(subject) && isSetIn(subject.words, fields.S2FWB) && subject.features.cpu.s2fwb,
    wants64,
  ),
  stallRule(rule, fields.S2S),
  rule(
    fields.S2AA64,
    ({ ste, features }) => (ste.s2Aa64 ? !features.aarch64 : !features.aarch32),
    () => 'tables of this format are not implemented (SMMU_IDR0.TTF)',
  ),
  ...where(aarch32, [
    rule(fields.S2HA, ({ words }) => isSetIn(words, fields.S2HA), wants64),
    rule(fields.S2HD, ({ words }) => isSetIn(words, fields.S2HD), wants64),
  ]),
  ...where(aarch64, [
    updateRule(rule, fields.S2HA, HTTU.accessFlag),
    updateRule(rule, fields.S2HD, HTTU.dirtyState),
    ...granuleRules(STAGE2_TABLE),
  ]),
  rule(
    fields.S2HAFT,
    ({ words, features }) =>
      features.httu === HTTU.tableAccessFlag && isSetIn(words, fields.S2HAFT) && !isSetIn(words, fields.S2HA),
    () => 'needs S2HA = 1',
  ),
  ...sizeRules(STAGE2_TABLE),
  ...where(
    ({ features }) => features.security === 'secure',
    [...granuleRules(SECURE_TABLE), ...sizeRules(SECURE_TABLE)],
  ),
  endianRule(rule, fields.S2ENDI),
  ...PERMISSIONS,
];

/** If the SMMU has a stage 2, every stream of EL1 has a VMID, even if the stream does not use stage 2. (IgnoreSTES2VMID.) */
const tagged = ({ ste, features }: SteSubject) =>
  // A Secure stream has one only with a stage 2.
  (features.security === 'non-secure' || (features.sel2 && ste.stage2)) &&
  features.stage2 &&
  (ste.stage1 || ste.stage2) &&
  !(strwCounts(ste, features) && ste.strw !== STRW.el1);

const VMID: readonly SteRule[] = [
  rule(
    fields.S2VMID,
    ({ ste, features }) => !features.vmid16 && ste.s2Vmid > 0xff,
    () => 'a VMID has 8 bits (SMMU_IDR0.VMID16 = 0)',
  ),
];

/** In the order of SteIllegal. If an STE is invalid, or lets nothing pass, no other rule counts. */
export const STE_RULES: readonly SteRule[] = [
  valid(
    fields.V,
    ({ ste }) => !ste.valid,
    () => 'the entry is not valid',
  ),
  ...where(
    ({ ste }) => ste.valid && ste.passes,
    [
      ...STAGES,
      ...where(({ ste, features }) => features.ats && (ste.stage1 || ste.stage2), ATS),
      ...where(({ ste, features }) => strwCounts(ste, features), STREAM_WORLD),
      ...where(({ ste }) => ste.stage1, STAGE1),
      ...where(({ ste }) => ste.stage2, STAGE2),
      ...where(tagged, VMID),
    ],
  ),
];
