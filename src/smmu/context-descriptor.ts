/** CD, the context descriptor: its fields, and the stage 1 that it describes. (IHI 0070 5.4; what makes it ILLEGAL is in `cd-rules.ts`.) */
import { addressIn, isSetIn, joined, readIn, wordOf } from '../arch/read.ts';
import { PAIR } from '../arch/registers/aarch32-base.ts';
import { SCTLR, TTBCR } from '../arch/registers/aarch32-control.ts';
import { NON_SECURE } from '../arch/security.ts';
import { CD, CD_LOWER, CD_UPPER, type CdRangeControl } from '../arch/smmu/index.ts';
import { s1ParamsLpae } from '../walker/params/aarch32.ts';
import { s1Params } from '../walker/params/aarch64.ts';
import { NOT_EXTENDED } from '../walker/params/extended.ts';
import type { S1Params } from '../walker/params/params.ts';
import { type RawFields, rangeFields } from '../walker/params/range-fields.ts';
import { lpaeRanges, oneLpaeRange, oneRange, type S1Ranges, twoRanges } from '../walker/ranges.ts';
import type { SmmuFeatures } from './features.ts';
import type { StreamTableEntry, StreamWorld } from './stream-table-entry.ts';
import { truncated } from './truncated.ts';

/** The first 32 bytes of a CD as 64-bit words. The rest does not affect translation. */
export type CdWords = readonly [bigint, bigint, bigint, bigint];

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

/** EL2 without E2H: one range, whose EPD0 is ignored. (5.4.1) */
const hasOneRange = (world: StreamWorld) => world === 'el2';

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
      ? paramsAArch64(words, fields, features)
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

function paramsAArch64(words: CdWords, fields: RawFields, { cpu }: SmmuFeatures): S1Params {
  const control = {
    wxn: isSetIn(words, cd.WXN),
    security: NON_SECURE,
    nv1: false,
    epan: cpu.pan3 && isSetIn(words, cd.EPAN),
    bigEndian: isSetIn(words, cd.ENDI),
    extended: NOT_EXTENDED,
  };
  return s1Params(fields, cdMair(words), control, cpu);
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
