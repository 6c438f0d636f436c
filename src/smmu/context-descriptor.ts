/** CD, the context descriptor: its fields, and the stage 1 that it describes. (IHI 0070 5.4; what makes it ILLEGAL is in `cd-rules.ts`.) */
import { addressIn, isSetIn, joined, read, readIn, withField, wordOf } from '../arch/read.ts';
import { PAIR } from '../arch/registers/aarch32-base.ts';
import { SCTLR, TTBCR } from '../arch/registers/aarch32-control.ts';
import { MAIR_ATTRIBUTES } from '../arch/registers/base.ts';
import { NON_SECURE, type StageSecurity, stageSecurity } from '../arch/security.ts';
import {
  CD,
  CD_LOWER,
  CD_PERMISSION_FIELDS,
  CD_PERMISSIONS,
  CD_UPPER,
  type CdRangeControl,
  HTTU,
  PIIP_WORD,
  PIIU_WORD,
  STE,
} from '../arch/smmu/index.ts';
import { s1ParamsLpae } from '../walker/params/aarch32.ts';
import { s1Params } from '../walker/params/aarch64.ts';
import { NOT_EXTENDED } from '../walker/params/extended.ts';
import type { S1Params } from '../walker/params/params.ts';
import { type RawFields, rangeFields } from '../walker/params/range-fields.ts';
import { s1Indirection } from '../walker/permission-indirection.ts';
import { lpaeRanges, oneLpaeRange, oneRange, type S1Ranges, twoRanges } from '../walker/ranges.ts';
import type { SmmuFeatures } from './features.ts';
import { isPrivilegedWorld, type StreamTableEntry, type StreamWorld } from './stream-table-entry.ts';
import { truncated } from './truncated.ts';

/**
 * A CD as 64-bit words: the first 32 bytes, and up to 32 more. Of these, PIIP and PIIU affect translation; words that are missing count
 * as 0.
 */
export type CdWords = readonly [bigint, bigint, bigint, bigint, ...bigint[]];

/** One of the two ranges of a CD. */
export interface CdRange {
  readonly control: CdRangeControl;
  /** Whether tables are walked: not with EPDn, and not in the upper range of an EL2 that has only one range. */
  readonly walked: boolean;
  readonly fields: RawFields;
  readonly params: S1Params;
}

/** A CD, the STE that leads to it, and what the SMMU implements. */
export interface ContextDescriptor {
  readonly words: CdWords;
  readonly ste: StreamTableEntry;
  readonly world: StreamWorld;
  readonly features: SmmuFeatures;
  /** AA64. */
  readonly aarch64: boolean;
  readonly asid: number;
  readonly lower: CdRange;
  readonly upper: CdRange;
}

/** The stage 1 of a usable CD. */
export interface Context {
  readonly ranges: S1Ranges;
  /** CD.PAN. */
  readonly pan: boolean;
  /** CD.R: faults are recorded. CD.A: a terminated transaction aborts. CD.S: it stalls instead of being terminated. */
  readonly record: boolean;
  readonly abort: boolean;
  readonly stall: boolean;
  readonly asid: number;
}

const cd = CD.fields;

/** PIIP and PIIU: three bits for each PIIndex. */
const CD_ENCODING = { fields: CD_PERMISSION_FIELDS, permissions: CD_PERMISSIONS };

/** EL2 without E2H, EL3: one range, whose EPD0 is ignored. (5.4.1) */
const hasOneRange = isPrivilegedWorld;

/** The fields of one range, corresponding to TCR_ELx. */
function cdRangeFields(words: CdWords, control: CdRangeControl, world: StreamWorld): RawFields {
  const one = hasOneRange(world);
  const base = Number(addressIn(words, control.base));
  const { epd, e0pd, ...fields } = rangeFields(control, joined(words), () => base);
  return { ...fields, epd: !one && epd, e0pd: !one && e0pd, affd: isSetIn(words, cd.AFFD) };
}

/** Decodes a CD, legal or not. */
export function decodeCd(
  words: CdWords,
  ste: StreamTableEntry,
  world: StreamWorld,
  features: SmmuFeatures,
): ContextDescriptor {
  const aarch64 = isSetIn(words, cd.AA64);
  const range = (control: CdRangeControl): CdRange => {
    const fields = cdRangeFields(words, control, world);
    const params = aarch64
      ? paramsAArch64(words, control, fields, { ste, world, features })
      : paramsAArch32(words, control, fields, { ste, world, features });
    return { control, walked: !fields.epd && !(control.upper && hasOneRange(world)), fields, params };
  };
  const asid = readIn(words, cd.ASID);
  return { words, ste, world, features, aarch64, asid, lower: range(CD_LOWER), upper: range(CD_UPPER) };
}

/** MAIR1:MAIR0, in the layout of MAIR_EL1. */
export function cdMair(words: CdWords): bigint {
  return wordOf(PAIR, { high: readIn(words, cd.MAIR1), low: readIn(words, cd.MAIR0) });
}

/** MAIR2 as attribute index extension has it here: every AttrIndx above 7 means the last type of MAIR. (5.4 MAIR0) */
function cdMair2(mair: bigint): bigint {
  const last = MAIR_ATTRIBUTES.at(-1)!;
  return MAIR_ATTRIBUTES.reduce((word, field) => withField(word, field, read(mair, last)), 0n);
}

/** Whether permissions of stage 1 come from PIIP and PIIU. (3.26.1) */
export function isIndirect({
  words,
  ste: { words: entry },
  features,
}: Pick<ContextDescriptor, 'words' | 'ste' | 'features'>): boolean {
  return features.s1pi && isSetIn(entry, STE.fields.S1PIE) && isSetIn(words, cd.PIE);
}

/** What the CD adds, as TCR2_ELx does. There are no overlays of stage 1. (3.26.1, 3.27) */
function extendedControls(given: Pick<ContextDescriptor, 'words' | 'ste' | 'world' | 'features'>) {
  const { words, world, features } = given;
  const piiu = hasOneRange(world) ? undefined : (words[PIIU_WORD] ?? 0n);
  return {
    ...NOT_EXTENDED,
    indirection: isIndirect(given) ? s1Indirection(words[PIIP_WORD] ?? 0n, piiu, CD_ENCODING) : undefined,
    aie: features.aie && isSetIn(words, cd.AIE),
    mair2: cdMair2(cdMair(words)),
    haft: features.httu === HTTU.tableAccessFlag && isSetIn(words, cd.HAFT),
    pnch: features.the && isSetIn(words, cd.PnCH),
  };
}

/** NS and NSTable of a Secure stream's tables count, and its root is where NSCFGn says. */
function securityOf(
  words: CdWords,
  { nscfg }: CdRangeControl,
  { security, sif }: SmmuFeatures,
): StageSecurity {
  if (security === 'non-secure') return NON_SECURE;
  return { ...stageSecurity('el1&0', 'secure'), ownCodeOnly: sif, nsRoot: isSetIn(words, nscfg) };
}

function paramsAArch64(
  words: CdWords,
  control: CdRangeControl,
  fields: RawFields,
  from: Pick<ContextDescriptor, 'ste' | 'world' | 'features'>,
): S1Params {
  const { cpu } = from.features;
  const controls = {
    wxn: isSetIn(words, cd.WXN),
    security: securityOf(words, control, from.features),
    nv1: false,
    epan: cpu.pan3 && isSetIn(words, cd.EPAN),
    bigEndian: isSetIn(words, cd.ENDI),
    extended: extendedControls({ words, ...from }),
  };
  return s1Params(fields, cdMair(words), controls, cpu);
}

/** Sizes and walk attributes of both ranges in the layout of TTBCR: with AArch32 tables, T0SZ and T1SZ have 3 bits. */
export function cdTtbcr(words: CdWords, world: StreamWorld): bigint {
  const epd = ({ epd: field }: CdRangeControl) => !hasOneRange(world) && isSetIn(words, field);
  return wordOf(TTBCR, {
    T0SZ: readIn(words, CD_LOWER.txsz),
    EPD0: epd(CD_LOWER),
    IRGN0: readIn(words, CD_LOWER.irgn),
    ORGN0: readIn(words, CD_LOWER.orgn),
    SH0: readIn(words, CD_LOWER.sh),
    T1SZ: readIn(words, CD_UPPER.txsz),
    EPD1: epd(CD_UPPER),
    IRGN1: readIn(words, CD_UPPER.irgn),
    ORGN1: readIn(words, CD_UPPER.orgn),
    SH1: readIn(words, CD_UPPER.sh),
  });
}

/** VMSAv8-32 LPAE: the output has 40 bits; IPS and TG are ignored. An IPA keeps all 40 bits. */
function paramsAArch32(
  words: CdWords,
  control: CdRangeControl,
  { hpd, affd }: RawFields,
  { ste, world, features }: Pick<ContextDescriptor, 'ste' | 'world' | 'features'>,
): S1Params {
  const { cpu, oas } = features;
  const registers = {
    ttbcr: cdTtbcr(words, world),
    ttbr: addressIn(words, control.base),
    mair: cdMair(words),
    sctlr: wordOf(SCTLR, {
      WXN: isSetIn(words, cd.WXN),
      UWXN: isSetIn(words, cd.UWXN),
      EE: isSetIn(words, cd.ENDI),
    }),
    security: securityOf(words, control, features),
  };
  const params = { ...s1ParamsLpae(registers, control.upper, cpu), affd, hpd: cpu.hpds && hpd };
  return ste.stage2 ? params : truncated(params, oas);
}

/** The stage 1 of a legal CD. */
export function contextOf(context: ContextDescriptor): Context {
  const { words, world, asid } = context;
  return {
    ranges: rangesOf(context),
    pan: !hasOneRange(world) && isSetIn(words, cd.PAN),
    record: isSetIn(words, cd.R),
    abort: isSetIn(words, cd.A),
    stall: isSetIn(words, cd.S),
    asid,
  };
}

function rangesOf({ aarch64, world, features: { cpu }, lower, upper }: ContextDescriptor): S1Ranges {
  if (hasOneRange(world)) return aarch64 ? oneRange(lower.params, cpu) : oneLpaeRange(lower.params);
  if (aarch64) return twoRanges(lower.params, upper.params, cpu);
  const size = ({ params: { iaBits } }: CdRange) => 32 - iaBits;
  return lpaeRanges(lower.params, upper.params, size(lower), size(upper));
}
