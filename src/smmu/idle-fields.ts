/** Fields of a legal STE or CD that are not 0 and have no part in a translation, and why: reserved, ignored here, or for something else. (IHI 0070 G.b, 5.2, 5.4.) */
import { type BitField, fieldsOf, type WordLayout } from '../arch/field.ts';
import { isSetIn, joined, maskOf, readIn } from '../arch/read.ts';
import { byNumber } from '../arch/registers/parts.ts';
import { CD, CD_BYSTANDERS, HTTU, STE, STE_BYSTANDERS, STRW } from '../arch/smmu/index.ts';
import { type ContextDescriptor, isIndirect } from './context-descriptor.ts';
import type { SmmuFeatures } from './features.ts';
import type { SteSubject } from './ste-subject.ts';
import { isPrivilegedWorld, type StreamTableEntry, strwCounts } from './stream-table-entry.ts';

/** A field that has no part. */
export interface IdleField {
  /** With its structure: `STE.S1DSS`. */
  readonly field: string;
  /** Not 0. */
  readonly value: bigint;
  /** Why it has no part, or what it is for, in a few words. */
  readonly why: string;
  /** `IHI 0070 5.2`. */
  readonly section: string;
}

/** Fields, and why they have no part; false: they may have one. */
type Idle = readonly [fields: readonly BitField[], why: string | false];

const { fields: ste } = STE;
const { fields: cd } = CD;

const named = (layout: WordLayout, pattern: RegExp) =>
  fieldsOf(layout).filter(({ name }) => pattern.test(name));

const STAGE1_FIELDS = [ste.S1Fmt, ste.S1ContextPtr, ste.S1CDMax, ste.S1DSS, ste.S1PIE, ste.S1STALLD];
const STAGE2_FIELDS = [...named(STE, /^(S2(?!VMID|HWU)|S_S2)/), ste.AssuredOnly, ste.TL0, ste.TL1];
const SECURE_STAGE2_FIELDS = [...named(STE, /^S_S2/), ste.S2SA, ste.S2SW, ste.S2NSA, ste.S2NSW];
const HARDWARE_USE = named(STE, /^S2HWU/);
const OVERLAYS = byNumber(STE, 'S2POI');
const PIIU = byNumber(CD, 'PIIU');
const PIIP = byNumber(CD, 'PIIP');
const UPPER_RANGE = [
  ...[cd.TTB1, cd.T1SZ, cd.TG1, cd.IR1, cd.OR1, cd.SH1],
  ...[cd.EPD1, cd.NSCFG1, cd.TBI1, cd.HAD1, cd.E0PD1],
];

const always = (layout: WordLayout): Idle[] => fieldsOf(layout).map((field) => [[field], field.meaning]);
const STE_ALWAYS: readonly Idle[] = [...always(STE_BYSTANDERS), [holesOf(STE, STE_BYSTANDERS), 'reserved']];
const CD_ALWAYS: readonly Idle[] = [...always(CD_BYSTANDERS), [holesOf(CD, CD_BYSTANDERS), 'reserved']];

const MASKS = new Map(
  [STE_ALWAYS, CD_ALWAYS].map((rules) => [rules, maskOfAll(rules.flatMap(([all]) => all))]),
);

/** The rules, if any bit of theirs is set: mostly none is. */
const ifAny = (rules: readonly Idle[], words: readonly bigint[]) =>
  (joined(words) & MASKS.get(rules)!) === 0n ? [] : rules;

function maskOfAll(all: readonly BitField[]): bigint {
  return all.reduce((mask, field) => mask | maskOf(field), 0n);
}

/** Of an STE that is legal, and lets traffic pass. */
export function idleOfSte(subject: SteSubject): IdleField[] {
  const { ste: entry, words, features } = subject;
  const { stage1, stage2 } = entry;
  const overlays = features.s2po && isSetIn(words, ste.S2POE);
  const rules: Idle[] = [
    ...ifAny(STE_ALWAYS, words),
    [[ste.MEV], 'leave to merge events'],
    [[ste.EATS], features.ats ? 'requests of ATS' : 'RES0: no ATS (SMMU_IDR0.ATS = 0, or a Secure stream)'],
    [HARDWARE_USE, features.pbha ? 'bits of leaves that hardware may use' : 'SMMU_IDR3.PBHA = 0'],
    [[ste.PRIVCFG, ste.INSTCFG], !features.attributeOverride && 'RES0: SMMU_IDR1.ATTR_PERMS_OVR = 0'],
    [
      [ste.PRIVCFG, ste.INSTCFG].filter((field) => readIn(words, field) === 1),
      features.attributeOverride && 'reserved: as 0',
    ],
    [[ste.NSCFG], whyNoNscfg(subject)],
    [[ste.STRW], whyNoStrw(entry, features)],
    [[ste.S2VMID], whyNoVmid(entry, features)],
    ...(stage1 ? stage1Of(subject) : [[STAGE1_FIELDS, 'Config has no stage 1'] as const]),
  ];
  if (!stage2) return told(STE, words, [...rules, [STAGE2_FIELDS, 'Config has no stage 2']]);
  return told(STE, words, [
    ...rules,
    [SECURE_STAGE2_FIELDS, features.security === 'non-secure' && 'for Secure streams'],
    [[ste.S2FWB], !features.cpu.s2fwb && 'RES0: SMMU_IDR3.FWB = 0'],
    [[ste.S2PTW], !stage1 && 'for walks of stage 1'],
    [[ste.S2HAFT], features.httu !== HTTU.tableAccessFlag && 'RES0: SMMU_IDR0.HTTU is not 3'],
    [OVERLAYS, !overlays && 'no overlays of stage 2 (S2POE = 0, or SMMU_IDR3.S2PO = 0)'],
  ]);
}

function stage1Of({ ste: { s1CdMax }, features: { ssidSize } }: SteSubject): Idle[] {
  const none = ssidSize === 0 && 'no substreams (SMMU_IDR1.SSIDSIZE = 0)';
  return [
    [[ste.S1STALLD], 'it forbids CD.S = 1, and CD.S is 0'],
    [[ste.S1CDMax], none],
    [[ste.S1Fmt, ste.S1DSS], none || (s1CdMax === 0 && 'there is one CD (S1CDMax = 0)')],
  ];
}

function whyNoNscfg({ ste: { stage1 }, features }: SteSubject): string | false {
  if (features.security === 'non-secure') return 'for Secure streams';
  return !stage1 && !features.attributeOverride && 'RES0: SMMU_IDR1.ATTR_PERMS_OVR = 0';
}

function whyNoStrw(entry: StreamTableEntry, features: SmmuFeatures): string | false {
  if (strwCounts(entry, features)) return false;
  if (entry.stage2) return 'with stage 2 the stream is of EL1';
  return entry.stage1 ? 'RES0: SMMU_IDR0.Hyp = 0' : 'Config has no stage 1';
}

/** Of a stage 2 it is described. */
function whyNoVmid(entry: StreamTableEntry, features: SmmuFeatures): string | false {
  if (entry.stage2) return false;
  const counts = strwCounts(entry, features) && entry.strw !== STRW.el1;
  const tagged = features.security === 'non-secure' && features.stage2 && entry.stage1 && !counts;
  return tagged ? 'the tag of TLB entries, which no walk reads' : 'no TLB entry has it';
}

/** Of a legal CD. */
export function idleOfCd(given: ContextDescriptor): IdleField[] {
  const { words, world, features, aarch64 } = given;
  const one =
    isPrivilegedWorld(world) && 'EL2 without E2H, and EL3, have one range and no unprivileged accesses';
  const direct = !(aarch64 && isIndirect(given)) && 'permissions are direct';
  return told(CD, words, [
    ...ifAny(CD_ALWAYS, words),
    [UPPER_RANGE, one],
    [[cd.ASID, cd.EPD0, cd.E0PD0, cd.PAN, cd.UWXN], one],
    [[cd.UWXN], !one && aarch64 && 'for AArch32 tables'],
    [[cd.NSCFG0], features.security === 'non-secure' && 'for Secure streams'],
    [[cd.NSCFG1], !one && features.security === 'non-secure' && 'for Secure streams'],
    [[cd.TTB0, cd.TG0, cd.E0PD0], !one && isSetIn(words, cd.EPD0) && 'with EPD0 = 1 no table is read'],
    [[cd.TTB1, cd.TG1, cd.E0PD1], !one && isSetIn(words, cd.EPD1) && 'with EPD1 = 1 no table is read'],
    [[cd.EPAN], one || whyNoEpan(given)],
    [[cd.HAFT], features.httu !== HTTU.tableAccessFlag && 'RES0: SMMU_IDR0.HTTU is not 3'],
    [PIIP, direct],
    [PIIU, direct || one],
  ]);
}

function whyNoEpan(given: ContextDescriptor): string | false {
  if (!given.features.cpu.pan3) return 'RES0: SMMU_IDR3.EPAN = 0';
  if (!given.aarch64) return 'RES0: AArch32 tables have no EPAN';
  if (isIndirect(given)) return 'RES0: permissions are indirect';
  return !isSetIn(given.words, cd.PAN) && 'EPAN counts with PAN = 1';
}

function told(
  { name, reference }: WordLayout,
  words: readonly bigint[],
  rules: readonly Idle[],
): IdleField[] {
  return rules.flatMap(([fields, why]) =>
    why === false
      ? []
      : fields.flatMap((field) => {
          const value = BigInt(readIn(words, field));
          return value === 0n ? [] : [{ field: `${name}.${field.name}`, value, why, section: reference }];
        }),
  );
}

/** Bits that no field of the layouts has, one by one. */
function holesOf(...layouts: readonly WordLayout[]): BitField[] {
  const taken = maskOfAll(layouts.flatMap(fieldsOf));
  const { width, reference } = layouts[0]!;
  return Array.from({ length: width }, (_, at) => at)
    .filter((at) => (maskOf({ high: at, low: at }) & taken) === 0n)
    .map((at) => ({ name: `bit [${at}]`, high: at, low: at, kind: 'field', meaning: 'reserved', reference }));
}
