/** STE, the stream table entry: fields, validity, and the stage 2 that it describes. (IHI 0070 5.2, 5.2.2 SteIllegal.) */
import { field, flag, POW2 } from '../walker/bits.ts';
import { s2ParamsLpae } from '../walker/params/aarch32.ts';
import { s2Params } from '../walker/params/aarch64.ts';
import type { S2Params } from '../walker/params/params.ts';
import type { SmmuFeatures } from './features.ts';

/** The first 32 bytes of an STE as 64-bit words; the rest is not about translation. */
export type SteWords = readonly [bigint, bigint, bigint, bigint];

/** Who a stream's stage 1 belongs to. (3.3.3 StreamWorld.) */
export type StreamWorld = 'el1' | 'el2' | 'el2-e2h';

export interface StreamTableEntry {
  readonly valid: boolean;
  /** Config: traffic passes at all; stage 1 and stage 2 translate. */
  readonly passes: boolean;
  readonly stage1: boolean;
  readonly stage2: boolean;
  readonly s1Fmt: number;
  readonly s1ContextPtr: bigint;
  readonly s1CdMax: number;
  readonly s1Dss: number;
  readonly s1Stalld: boolean;
  readonly strw: number;
  readonly privCfg: number;
  readonly instCfg: number;
  readonly s2Aa64: boolean;
  readonly s2Vmid: number;
  readonly s2TtbRaw: bigint;
  readonly words: SteWords;
}

const PTR_55_6 = 0xff_ffff_ffff_ffc0n;
const TTB_51_4 = 0xf_ffff_ffff_fff0n;
const TTB_55_4 = 0xff_ffff_ffff_fff0n;

export function decodeSte(words: SteWords): StreamTableEntry {
  const [w0, w1, w2, w3] = words;
  const config = field(w0, 3, 1);
  return {
    valid: flag(w0, 0),
    passes: config >= 4,
    stage1: config >= 4 && (config & 1) !== 0,
    stage2: config >= 4 && (config & 2) !== 0,
    s1Fmt: field(w0, 5, 4),
    s1ContextPtr: w0 & PTR_55_6,
    s1CdMax: field(w0, 63, 59),
    s1Dss: field(w1, 1, 0),
    s1Stalld: flag(w1, 27),
    strw: field(w1, 31, 30),
    privCfg: field(w1, 49, 48),
    instCfg: field(w1, 51, 50),
    s2Aa64: flag(w2, 51),
    s2Vmid: field(w2, 15, 0),
    s2TtbRaw: w3 & TTB_55_4,
    words,
  };
}

/** The StreamWorld. STRW counts for stage 1 alone, where the SMMU has EL2 (Hyp). */
export function streamWorld(ste: StreamTableEntry, features: SmmuFeatures, e2h: boolean): StreamWorld {
  if (!features.hyp || ste.stage2 || ste.strw !== 2) return 'el1';
  return e2h ? 'el2-e2h' : 'el2';
}

/** Walk parameters of stage 2. STE bits [178:160] are laid out as VTCR_EL2[18:0]. */
export function steStage2(ste: StreamTableEntry, features: SmmuFeatures): S2Params {
  const [, w1, w2, w3] = ste.words;
  const control = {
    ptw: ste.stage1 && flag(w2, 54),
    fwb: flag(w1, 25),
    affd: flag(w2, 53),
    bigEndian: flag(w2, 52),
  };
  const walk = BigInt(field(w2, 50, 32));
  const ttb = w3 & TTB_51_4;
  if (!ste.s2Aa64) return s2ParamsLpae(walk & 0xffn, ttb, control, features.cpu);
  const updates = (BigInt(field(w2, 56, 56)) << 21n) | (BigInt(field(w2, 55, 55)) << 22n);
  const wide = (BigInt(field(w3, 3, 3)) << 32n) | (BigInt(field(w3, 2, 2)) << 33n);
  return s2Params(walk | updates | wide, () => Number(ttb), control, features.cpu);
}

/** SteIllegal, of a valid STE. */
export function steIllegal(ste: StreamTableEntry, features: SmmuFeatures): boolean {
  if (!ste.passes) return false;
  if ((ste.stage1 && !features.stage1) || (ste.stage2 && !features.stage2)) return true;
  if (features.hyp && ste.stage1 && !ste.stage2 && (ste.strw & 1) !== 0) return true;
  if (ste.stage1 && stage1Illegal(ste, features)) return true;
  return ste.stage2 && stage2Illegal(ste, features);
}

function stage1Illegal(ste: StreamTableEntry, features: SmmuFeatures): boolean {
  if (ste.s1Stalld && features.stallModel !== 0) return true;
  if (features.ssidSize !== 0) {
    if (ste.s1CdMax > features.ssidSize) return true;
    if (ste.s1CdMax !== 0 && !features.cd2l && (ste.s1Fmt === 1 || ste.s1Fmt === 2)) return true;
  }
  // 3.4.3: a PA beyond the OAS is illegal since SMMUv3.1; an IPA may as well be left to stage 2, which faults.
  return !ste.stage2 && ste.s1ContextPtr >> BigInt(features.oas) !== 0n;
}

function stage2Illegal(ste: StreamTableEntry, features: SmmuFeatures): boolean {
  const [, w1, w2] = ste.words;
  const [endi, hd, ha, stall] = [flag(w2, 52), flag(w2, 55), flag(w2, 56), flag(w2, 57)];
  if (ste.s2Aa64 ? !features.aarch64 : !features.aarch32) return true;
  if (!ste.s2Aa64 && flag(w1, 25) && features.cpu.s2fwb) return true;
  if ((features.stallModel === 1 && stall) || (features.stallModel === 2 && !stall)) return true;
  if ((ha || hd) && (!ste.s2Aa64 || features.httu === 0)) return true;
  if (hd && features.httu === 1) return true;
  if ((features.endianness === 2 && endi) || (features.endianness === 3 && !endi)) return true;
  if (!features.vmid16 && ste.s2Vmid > 0xff) return true;
  return walkIllegal(ste, features);
}

/** S2TG, S2T0SZ and S2SL0 must fit each other, S2TTB the output size. */
function walkIllegal(ste: StreamTableEntry, features: SmmuFeatures): boolean {
  const params = steStage2(ste, features);
  const tg = field(ste.words[2], 47, 46);
  if (ste.s2Aa64 && (tg === 3 || !features.granules.includes(params.granuleLog2))) return true;
  const range =
    params.granuleLog2 === 16 || params.highAddress === 'ds' ? params.oaBits : Math.min(48, params.oaBits);
  return params.invalid || ste.s2TtbRaw >= BigInt(POW2[range]!);
}
