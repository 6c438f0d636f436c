/** What makes an STE invalid or ILLEGAL, so that every transaction of its stream gets C_BAD_STE. (IHI 0070 G.b, 5.2.2 SteIllegal, for a Non-secure stream.) */
import type { BitField } from '../arch/field.ts';
import { isSetIn, placeInto, readIn, widthOf } from '../arch/read.ts';
import { byNumber } from '../arch/registers/parts.ts';
import { STAGE2_PERMISSIONS } from '../arch/registers/permissions.ts';
import { TG0_CODES } from '../arch/registers/range-control.ts';
import { CD_LEAF_LOG2, EATS, HTTU, STALL_MODEL, STE, STE_CONFIG, STRW } from '../arch/smmu/index.ts';
import { POW2 } from '../walker/bits.ts';
import type { S2Params } from '../walker/params/params.ts';
import { numbersText } from '../walker/rules/rule.ts';
import type { SmmuFeatures } from './features.ts';
import { endianRule, granulesText, stallRule, updateRule } from './rule-parts.ts';
import { type IllegalRule, rulesOf, where } from './rules.ts';
import { type SteWords, type StreamTableEntry, steStage2, strwCounts } from './stream-table-entry.ts';

/** An STE, the SMMU's features, and the stage 2 that follows from both. */
export interface SteSubject {
  readonly ste: StreamTableEntry;
  readonly words: SteWords;
  readonly features: SmmuFeatures;
  readonly params: S2Params;
}

/** `s2pii`: SMMU_S2PII, if the SMMU has it and it was given. */
export function steSubject(ste: StreamTableEntry, features: SmmuFeatures, s2pii?: bigint): SteSubject {
  return { ste, words: ste.words, features, params: steStage2(ste, features, s2pii) };
}

type SteRule = IllegalRule<SteSubject>;

const fields = STE.fields;
const S2POI_FIELDS = byNumber(STE, 'S2POI');
const rule = rulesOf<SteSubject>(STE, 'IHI 0070 5.2.2');
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
    ({ ste: { strw } }) => strw !== STRW.el1 && strw !== STRW.el2,
    () => 'of a Non-secure stream it is 0 (EL1) or 2 (EL2)',
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

const valuesOf = (field: BitField) => Array.from({ length: 2 ** widthOf(field) }, (_, value) => value);
const ALL_T0SZ = valuesOf(fields.S2T0SZ);
const ALL_SL0 = valuesOf(fields.S2SL0);

/** Whether this S2T0SZ would be legal in the STE, with its own start level or another. */
function takesT0sz(
  { ste, features, words: given }: SteSubject,
  t0sz: number,
  sl0 = readIn(given, fields.S2SL0),
): boolean {
  const words: [bigint, bigint, bigint, bigint, ...bigint[]] = [...ste.words];
  placeInto(words, fields.S2T0SZ, t0sz);
  placeInto(words, fields.S2SL0, sl0);
  return !steStage2({ ...ste, words }, features).invalid;
}

/** No S2T0SZ fits: the start level is reserved. */
const startReserved = (subject: SteSubject) => !ALL_T0SZ.some((t0sz) => takesT0sz(subject, t0sz));
/** No other S2SL0 would help either, so S2SL0_2 must be 0. */
const wideStartReserved = (subject: SteSubject) =>
  startReserved(subject) && !ALL_SL0.some((sl0) => ALL_T0SZ.some((t0sz) => takesT0sz(subject, t0sz, sl0)));
const legalT0sz = (subject: SteSubject) => ALL_T0SZ.filter((t0sz) => takesT0sz(subject, t0sz));

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
    rule(
      fields.S2TG,
      ({ words, features, params }) =>
        TG0_CODES[readIn(words, fields.S2TG)] === undefined ||
        !features.granules.includes(params.granuleLog2),
      ({ features }) =>
        `not a granule of this SMMU: it has ${granulesText(features)} (0 is 4K, 1 64K, 2 16K)`,
    ),
  ]),
  rule(
    fields.S2HAFT,
    ({ words, features }) =>
      features.httu === HTTU.tableAccessFlag && isSetIn(words, fields.S2HAFT) && !isSetIn(words, fields.S2HA),
    () => 'needs S2HA = 1',
  ),
  rule(
    fields.S2TTB,
    ({ ste, params }) => ste.s2Ttb >= POW2[params.oaBits]!,
    ({ params }) => `beyond the ${params.oaBits} bits of its outputs`,
  ),
  rule(
    fields.S2SL0,
    (subject) => subject.params.invalid && startReserved(subject) && !wideStartReserved(subject),
    ({ features }) => `reserved with this granule and ${features.oas} bits of output addresses`,
  ),
  rule(
    fields.S2SL0_2,
    (subject) => subject.params.invalid && wideStartReserved(subject),
    ({ features }) =>
      `no start level goes with it: 1 needs S2DS = 1, 4K and 52 bits of output addresses, and there are ${features.oas}`,
  ),
  rule(
    fields.S2T0SZ,
    (subject) => subject.params.invalid && !startReserved(subject),
    (subject) =>
      `S2T0SZ, S2SL0 ${readIn(subject.words, fields.S2SL0)} and the granule do not fit each other, or the IPA is larger than ${subject.features.ias} bits; legal here is ${numbersText(legalT0sz(subject))}`,
  ),
  endianRule(rule, fields.S2ENDI),
  ...PERMISSIONS,
];

/** If the SMMU has a stage 2, every stream of EL1 has a VMID, even if the stream does not use stage 2. (IgnoreSTES2VMID.) */
const tagged = ({ ste, features }: SteSubject) =>
  features.stage2 && (ste.stage1 || ste.stage2) && !(strwCounts(ste, features) && ste.strw !== STRW.el1);

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
