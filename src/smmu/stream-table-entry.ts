/** STE, the stream table entry: its fields, and the stage 2 that it describes. (IHI 0070 5.2; what makes it ILLEGAL is in `ste-rules.ts`.) */
import type { BitField } from '../arch/field.ts';
import { addressIn, isSetIn, place, readIn, wordOf } from '../arch/read.ts';
import { VTCR } from '../arch/registers/aarch32-control.ts';
import { VTCR_EL2 } from '../arch/registers/stage2.ts';
import { VSTCR_EL2 } from '../arch/registers/stage2-secure.ts';
import { stage2Security } from '../arch/security.ts';
import { S2POI_WORD, STE, STE_CONFIG, STRW } from '../arch/smmu/index.ts';
import { s2ParamsLpae } from '../walker/params/aarch32.ts';
import { s2Params, secureVtcr } from '../walker/params/aarch64.ts';
import type { S2Params } from '../walker/params/params.ts';
import type { SmmuFeatures } from './features.ts';
import { truncated } from './truncated.ts';

/**
 * An STE as 64-bit words: the first 32 bytes, and up to 32 more. Of these, S2POI and the controls of translation hardening affect translation;
 * words that are missing count as 0.
 */
export type SteWords = readonly [bigint, bigint, bigint, bigint, ...bigint[]];

/** The owner of a stream's stage 1. (3.3.3 StreamWorld.) */
export type StreamWorld = 'el1' | 'el2' | 'el2-e2h' | 'el3';

/** Worlds without unprivileged accesses: one range, no ASID. */
export const isPrivilegedWorld = (world: StreamWorld) => world === 'el2' || world === 'el3';

export interface StreamTableEntry {
  readonly valid: boolean;
  /** As encoded, 0 to 7. */
  readonly config: number;
  /** Config: whether traffic passes at all, and whether stage 1 and stage 2 translate. */
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
  /** Of a Secure stream: the address space of what bypasses stage 1. */
  readonly nsCfg: number;
  readonly s2Aa64: boolean;
  readonly s2Vmid: number;
  readonly s2Ttb: bigint;
  /** S2R: faults of stage 2 are recorded. S2S: they stall the transaction. */
  readonly s2Record: boolean;
  readonly s2Stall: boolean;
  readonly words: SteWords;
}

const ste = STE.fields;

export function decodeSte(words: SteWords): StreamTableEntry {
  const config = readIn(words, ste.Config);
  const { bypass, stage1, stage2, nested } = STE_CONFIG;
  return {
    valid: isSetIn(words, ste.V),
    config,
    passes: config >= bypass,
    stage1: config === stage1 || config === nested,
    stage2: config === stage2 || config === nested,
    s1Fmt: readIn(words, ste.S1Fmt),
    s1ContextPtr: addressIn(words, ste.S1ContextPtr),
    s1CdMax: readIn(words, ste.S1CDMax),
    s1Dss: readIn(words, ste.S1DSS),
    s1Stalld: isSetIn(words, ste.S1STALLD),
    strw: readIn(words, ste.STRW),
    privCfg: readIn(words, ste.PRIVCFG),
    instCfg: readIn(words, ste.INSTCFG),
    nsCfg: readIn(words, ste.NSCFG),
    s2Aa64: isSetIn(words, ste.S2AA64),
    s2Vmid: readIn(words, ste.S2VMID),
    s2Ttb: addressIn(words, ste.S2TTB),
    s2Record: isSetIn(words, ste.S2R),
    s2Stall: isSetIn(words, ste.S2S),
    words,
  };
}

/** STRW counts only for stage 1, and of Non-secure streams only if the SMMU has EL2 (Hyp). (5.2.2 IgnoreSTESTRW.) */
export function strwCounts({ stage1, stage2 }: StreamTableEntry, { hyp, security }: SmmuFeatures): boolean {
  return (hyp || security === 'secure') && stage1 && !stage2;
}

/** The StreamWorld. */
export function streamWorld(entry: StreamTableEntry, features: SmmuFeatures, e2h: boolean): StreamWorld {
  if (!strwCounts(entry, features)) return 'el1';
  if (features.security === 'secure' && entry.strw === STRW.el3) return 'el3';
  if (entry.strw !== STRW.el2) return 'el1';
  return e2h ? 'el2-e2h' : 'el2';
}

/** The fields of stage 2 in the layout of VTCR_EL2, or, with AArch32 tables, of VTCR. */
export function steVtcr(words: SteWords): bigint {
  const common = {
    SL0: readIn(words, ste.S2SL0),
    IRGN0: readIn(words, ste.S2IR0),
    ORGN0: readIn(words, ste.S2OR0),
    SH0: readIn(words, ste.S2SH0),
  };
  const t0sz = readIn(words, ste.S2T0SZ);
  if (!isSetIn(words, ste.S2AA64)) {
    // Bits [5:4] of S2T0SZ are ignored. VTCR repeats the sign bit.
    const size = place(VTCR.fields.T0SZ, t0sz);
    return wordOf(VTCR, { ...common, T0SZ: size, S: isNegative(size, VTCR.fields.T0SZ) });
  }
  return wordOf(VTCR_EL2, {
    ...common,
    T0SZ: t0sz,
    TG0: readIn(words, ste.S2TG),
    PS: readIn(words, ste.S2PS),
    HA: isSetIn(words, ste.S2HA),
    HD: isSetIn(words, ste.S2HD),
    DS: isSetIn(words, ste.S2DS),
    SL2: isSetIn(words, ste.S2SL0_2),
    HAFT: isSetIn(words, ste.S2HAFT),
    S2PIE: isSetIn(words, ste.S2PIE),
    S2POE: isSetIn(words, ste.S2POE),
    AssuredOnly: isSetIn(words, ste.AssuredOnly),
    TL0: isSetIn(words, ste.TL0),
    TL1: isSetIn(words, ste.TL1),
    NSW: isSetIn(words, ste.S2NSW),
    NSA: isSetIn(words, ste.S2NSA),
  });
}

const isNegative = (value: bigint, { high, low }: BitField) => BigInt.asIntN(high - low + 1, value) < 0n;

/** Whether permissions of stage 2 come from SMMU_S2PII. */
export function usesS2pii({ words, stage2, s2Aa64 }: StreamTableEntry, { s2pi }: SmmuFeatures): boolean {
  return s2pi && stage2 && s2Aa64 && isSetIn(words, ste.S2PIE);
}

/** Walk parameters of stage 2. `s2pii`: SMMU_S2PII. `ipas`: of a Secure stream, for the IPAs of this space. */
export function steStage2(
  { words, stage1, s2Aa64, s2Ttb }: StreamTableEntry,
  { cpu, oas }: SmmuFeatures,
  s2pii = 0n,
  ipas?: 'secure' | 'non-secure',
): S2Params {
  const control = {
    ptw: stage1 && isSetIn(words, ste.S2PTW),
    fwb: isSetIn(words, ste.S2FWB),
    affd: isSetIn(words, ste.S2AFFD),
    bigEndian: isSetIn(words, ste.S2ENDI),
  };
  const vtcr = steVtcr(words);
  if (!s2Aa64) return truncated(s2ParamsLpae(vtcr, s2Ttb, control, cpu), oas);
  const vstcr = ipas === undefined ? 0n : steVstcr(words);
  const secured =
    ipas === undefined ? control : { ...control, security: stage2Security('secure', ipas, { vstcr, vtcr }) };
  const own = ipas === 'secure';
  const base = Number(own ? addressIn(words, ste.S_S2TTB) : s2Ttb);
  const permissions = { s2pir: s2pii, s2por: words[S2POI_WORD] ?? 0n };
  return s2Params(own ? secureVtcr(vtcr, vstcr) : vtcr, () => base, secured, cpu, permissions);
}

/** The fields of stage 2 of Secure IPAs in the layout of VSTCR_EL2. */
function steVstcr(words: SteWords): bigint {
  return wordOf(VSTCR_EL2, {
    T0SZ: readIn(words, ste.S_S2T0SZ),
    SL0: readIn(words, ste.S_S2SL0),
    SL2: isSetIn(words, ste.S_S2SL0_2),
    TG0: readIn(words, ste.S_S2TG),
    SW: isSetIn(words, ste.S2SW),
    SA: isSetIn(words, ste.S2SA),
  });
}
