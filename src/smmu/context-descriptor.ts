/** CD, the context descriptor: fields, validity, and the stage 1 that it describes. (IHI 0070 5.4, 5.4.2 CdIllegal.) */
import { field, flag } from '../walker/bits.ts';
import { s1ParamsLpae } from '../walker/params/aarch32.ts';
import { s1Params } from '../walker/params/aarch64.ts';
import type { S1Params } from '../walker/params/params.ts';
import { type RangeFields, TG0_GRANULE, TG1_GRANULE } from '../walker/params/range-fields.ts';
import type { S1Ranges } from '../walker/ranges.ts';
import { lpaeRanges, oneRange, twoRanges } from '../walker/ranges.ts';
import type { SmmuFeatures } from './features.ts';
import type { StreamTableEntry, StreamWorld } from './stream-table-entry.ts';

/** The first 32 bytes of a CD as 64-bit words; the rest is not about translation. */
export type CdWords = readonly [bigint, bigint, bigint, bigint];

/** A CD that is usable: its stage 1. */
export interface Context {
  readonly ranges: S1Ranges;
  /** CD.PAN. */
  readonly pan: boolean;
  /** CD.R: faults are recorded. CD.A: a terminated transaction aborts. */
  readonly record: boolean;
  readonly abort: boolean;
  readonly asid: number;
}

const TTB_55_4 = 0xff_ffff_ffff_fff0n;

/** The table base of a range, as it stands in the CD. */
export function cdTtb(words: CdWords, upper: boolean): bigint {
  return words[upper ? 2 : 1] & TTB_55_4;
}

/** The fields of one range, in place of TCR_ELx. */
export function cdRangeFields(words: CdWords, upper: boolean): RangeFields {
  const [w0, , w2] = words;
  const own = words[upper ? 2 : 1];
  const low = upper ? 16 : 0;
  const ttb = Number(cdTtb(words, upper));
  return {
    txsz: field(w0, low + 5, low),
    granuleLog2: upper ? TG1_GRANULE[field(w0, 23, 22)]! : TG0_GRANULE[field(w0, 7, 6)]!,
    sh: field(w0, low + 13, low + 12),
    epd: flag(w0, low + 14),
    ps: field(w0, 34, 32),
    tbi: flag(w0, upper ? 39 : 38),
    tbid: false,
    ha: flag(w0, 43),
    hd: flag(w0, 42),
    affd: flag(w0, 35),
    hpd: flag(own, 1),
    e0pd: flag(own, 2),
    ds: flag(w2, 58),
    base: () => ttb,
  };
}

/** Whether TG0 or TG1 is a granule that the SMMU has; 0b11 of TG0 and 0b00 of TG1 are reserved. */
function granuleIllegal(
  words: CdWords,
  upper: boolean,
  granuleLog2: number,
  features: SmmuFeatures,
): boolean {
  const reserved = upper ? field(words[0], 23, 22) === 0 : field(words[0], 7, 6) === 3;
  return reserved || !features.granules.includes(granuleLog2);
}

/**
 * The stage 1 of a CD, or undefined where the CD is not valid or ILLEGAL: C_BAD_CD.
 */
export function decodeCd(
  words: CdWords,
  ste: StreamTableEntry,
  world: StreamWorld,
  features: SmmuFeatures,
): Context | undefined {
  const [w0] = words;
  const [valid, stall, abort, aa64] = [flag(w0, 31), flag(w0, 44), flag(w0, 46), flag(w0, 41)];
  if (!valid || (ste.s1Stalld && stall) || (features.termModel && !abort)) return undefined;
  if ((features.stallModel === 1 && stall) || (features.stallModel === 2 && !stall)) return undefined;
  if (aa64 ? !features.aarch64 || (ste.stage2 && !ste.s2Aa64) : !features.aarch32) return undefined;
  if (!aa64 && world === 'el2-e2h') return undefined;
  if (aa64 && updatesIllegal(words, features)) return undefined;
  const asid = field(w0, 63, 48);
  if (world !== 'el2' && !features.asid16 && asid > 0xff) return undefined;
  const ranges = aa64 ? rangesAArch64(words, world, features) : rangesAArch32(words, features);
  if (ranges === undefined) return undefined;
  return { ranges, pan: world !== 'el2' && flag(w0, 40), record: flag(w0, 45), abort, asid };
}

/** CD.HA and HD ask for hardware updates that the SMMU does not have. */
function updatesIllegal([w0]: CdWords, { httu }: SmmuFeatures): boolean {
  const [hd, ha] = [flag(w0, 42), flag(w0, 43)];
  return (httu === 0 && (ha || hd)) || (httu === 1 && hd);
}

/** CD.ENDI, unless both ranges are off. */
function endiannessIllegal([w0]: CdWords, { endianness }: SmmuFeatures): boolean {
  const bigEndian = flag(w0, 15);
  return (endianness === 2 && bigEndian) || (endianness === 3 && !bigEndian);
}

function rangesAArch64(words: CdWords, world: StreamWorld, features: SmmuFeatures): S1Ranges | undefined {
  const [w0, w1, , mair] = words;
  const control = { wxn: flag(w0, 36), epan: features.cpu.pan3 && flag(w1, 59), bigEndian: flag(w0, 15) };
  // EPD0 and EPD1 exist only where there are two ranges.
  const one = world === 'el2';
  const build = (upper: boolean): S1Params | undefined => {
    const fields = { ...cdRangeFields(words, upper), ...(one && { epd: false, e0pd: false }) };
    const params = s1Params(fields, mair, control, features.cpu);
    if (fields.epd) return params;
    const illegal =
      endiannessIllegal(words, features) || granuleIllegal(words, upper, params.granuleLog2, features);
    // TxSZ out of range, or TTB beyond the output size (or 48 bits, where descriptors hold no more).
    const far =
      fields.base(true) >= 2 ** (params.highAddress === 'none' ? Math.min(48, params.oaBits) : params.oaBits);
    return illegal || far || params.configurationFault !== undefined ? undefined : params;
  };
  const lower = build(false);
  if (lower === undefined) return undefined;
  if (one) return oneRange(lower, features.cpu);
  const upper = build(true);
  return upper && twoRanges(lower, upper, features.cpu);
}

/** VMSAv8-32 LPAE: T0SZ and T1SZ have 3 bits, the output 40; IPS and TG0 are ignored. */
function rangesAArch32(words: CdWords, features: SmmuFeatures): S1Ranges | undefined {
  const [w0, w1, w2, mair] = words;
  const [t0sz, t1sz] = [field(w0, 2, 0), field(w0, 18, 16)];
  const [epd0, epd1] = [flag(w0, 14), flag(w0, 30)];
  const ttbcr = BigInt(t0sz) | (BigInt(epd0) << 7n) | (BigInt(t1sz) << 16n) | (BigInt(epd1) << 23n);
  const sctlr = (BigInt(field(w0, 37, 36)) << 19n) | (BigInt(flag(w0, 15)) << 25n);
  const build = (own: bigint, upper: boolean, epd: boolean): S1Params | undefined => {
    const params = s1ParamsLpae({ ttbcr, ttbr: own & TTB_55_4, mair, sctlr }, upper, features.cpu);
    const far = (own & TTB_55_4) >> 40n !== 0n;
    if (!epd && (far || endiannessIllegal(words, features))) return undefined;
    return { ...params, affd: flag(w0, 35), hpd: features.cpu.hpds && flag(own, 1) };
  };
  const lower = build(w1, false, epd0);
  const upper = build(w2, true, epd1);
  return lower && upper && lpaeRanges(lower, upper, t0sz, t1sz);
}
