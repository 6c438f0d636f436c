/**
 * SteIllegal and CdIllegal of a Non-secure stream, written after the manual's pseudocode with the bits by their numbers, blind to
 * the rules under test. (IHI 0070 G.b, 5.2.2, 5.4.2; J1.1.4.39 and J1.1.4.40 of DDI 0487 for start levels; SMMUv3.1 and later.)
 */
export interface Idrs {
  readonly idr0: bigint;
  readonly idr1: bigint;
  readonly idr3: bigint;
  readonly idr5: bigint;
}
type Words = readonly bigint[];

const at = (words: Words, high: number, low = high): number => {
  const word = words[Math.floor(low / 64)] ?? 0n;
  return Number((word >> BigInt(low % 64)) & ((1n << BigInt(high - low + 1)) - 1n));
};
const of = (value: bigint, high: number, low = high) => at([value], high, low);
const OUTPUTS = [32, 36, 40, 42, 44, 48, 52, 52];

const ttf = ({ idr0 }: Idrs) => ({ aarch32: of(idr0, 2) === 1, aarch64: of(idr0, 3) === 1 });
const outputSize = ({ idr5 }: Idrs) => OUTPUTS[of(idr5, 2, 0)]!;
const inputSize = (idrs: Idrs) =>
  Math.max(ttf(idrs).aarch32 ? 40 : 0, ttf(idrs).aarch64 ? outputSize(idrs) : 0);

/** 12, 14 or 16, or undefined: reserved, or not one that the SMMU has. */
function granule(code: number, kind: 'TG0' | 'TG1', { idr5 }: Idrs): number | undefined {
  const log2 = kind === 'TG0' ? [12, 16, 14, undefined][code] : [undefined, 14, 12, 16][code];
  const has = { 12: of(idr5, 4), 14: of(idr5, 5), 16: of(idr5, 6) } as Record<number, number>;
  return log2 !== undefined && has[log2] === 1 ? log2 : undefined;
}

const maxTxsz = (log2: number, { idr3 }: Idrs) => (of(idr3, 9) === 0 ? 39 : log2 === 16 ? 47 : 48);

/** The largest base: the configured output, what the SMMU has, and 48 bits where descriptors hold no more. */
const baseBits = (ps: number, log2: number, ds: boolean, idrs: Idrs) =>
  Math.min(OUTPUTS[ps]!, outputSize(idrs), log2 === 16 || ds ? 52 : 48);

export function steIllegal(ste: Words, idrs: Idrs): boolean {
  const { idr0, idr1, idr3, idr5 } = idrs;
  if (at(ste, 0) === 0) return true;
  const config = at(ste, 3, 1);
  if (config < 4) return false;
  const [s1, s2] = [(config & 1) === 1, (config & 2) === 2];
  if (s1 && of(idr0, 1) === 0) return true;
  if (s2 && of(idr0, 0) === 0) return true;
  const [stalls, strw] = [at(ste, 185), at(ste, 95, 94)];
  const strwUnused = of(idr0, 1) === 0 || of(idr0, 9) === 0 || s2 || config === 4;
  if (of(idr0, 10) === 1 && config !== 4) {
    const eats = at(ste, 93, 92);
    if (eats === 2 && (config !== 7 || stalls === 1 || of(idr0, 11) === 1)) return true;
    if (eats === 1 && stalls === 1 && s2) return true;
    if (eats === 3 && of(idr3, 15) === 1 && ((!strwUnused && strw !== 0) || (s2 && stalls === 1)))
      return true;
  }
  if (!strwUnused && strw % 2 === 1) return true;
  const stallModel = of(idr0, 25, 24);
  if (s1) {
    if (at(ste, 91) === 1 && stallModel !== 0) return true;
    const [ssids, s1CdMax, s1Fmt] = [of(idr1, 10, 6), at(ste, 63, 59), at(ste, 5, 4)];
    if (ssids !== 0 && s1CdMax > ssids) return true;
    if (ssids !== 0 && s1CdMax !== 0 && of(idr0, 19) === 0 && (s1Fmt === 1 || s1Fmt === 2)) return true;
    const pointer = (ste[0]! & 0xff_ffff_ffff_ffc0n) >> BigInt(outputSize(idrs));
    if (!s2 && pointer !== 0n) return true;
  }
  if (s2 && stage2Illegal(ste, idrs)) return true;
  const vmidIgnored = of(idr0, 0) === 0 || config === 4 || (strw !== 0 && !strwUnused);
  return !vmidIgnored && of(idr0, 18) === 0 && at(ste, 143, 136) !== 0;

  function stage2Illegal(words: Words, { idr0: id0 }: Idrs): boolean {
    const aarch64 = at(words, 179) === 1;
    if (!aarch64 && of(idr3, 8) === 1 && at(words, 89) === 1) return true;
    if (stalls === 1 ? stallModel === 1 : stallModel === 2) return true;
    if (aarch64 ? !ttf(idrs).aarch64 : !ttf(idrs).aarch32) return true;
    const [httu, ha, hd, haft] = [of(id0, 7, 6), at(words, 184), at(words, 183), at(words, 187)];
    if ((ha || hd) && (!aarch64 || httu === 0)) return true;
    if (hd && httu === 1) return true;
    if (haft && !ha && httu === 3) return true;
    const endian = of(id0, 22, 21);
    if (at(words, 180) === 1 ? endian === 2 : endian === 3) return true;
    const indirect = at(words, 188) === 1;
    if (of(idr3, 19) === 1 && indirect && !aarch64) return true;
    if (of(idr3, 20) === 1 && at(words, 189) === 1) {
      if (!indirect || (of(idr3, 3) === 1 && at(words, 75, 72) !== 0)) return true;
      for (let i = 0; i < 16; i++)
        if ([0b0001, 0b0101].includes(at(words, 451 + 4 * i, 448 + 4 * i))) return true;
    }
    const base = words[3]! & 0xff_ffff_ffff_fff0n;
    const [t0sz, sl0] = [at(words, 165, 160), at(words, 167, 166)];
    if (!aarch64) {
      const size = 32 - ((t0sz & 7) - (t0sz & 8));
      // Level 2 resolves 22 to 34 bits, level 1 31 to 43.
      const least = sl0 === 0 ? 22 : 31;
      return sl0 > 1 || size < least || size > least + 12 || base >> 40n !== 0n;
    }
    const log2 = granule(at(words, 175, 174), 'TG0', idrs);
    if (log2 === undefined) return true;
    const ds = at(words, 195) === 1 && of(idr5, 7) === 1 && log2 !== 16;
    if (base >> BigInt(baseBits(at(words, 178, 176), log2, ds, idrs))) return true;
    if (t0sz > maxTxsz(log2, idrs)) return true;
    if (t0sz < Math.max(log2 === 16 || ds ? 12 : 16, 64 - inputSize(idrs))) return true;
    const level = startLevel(sl0, ds && log2 === 12 && at(words, 194) === 1, log2, ds, idrs);
    if (level === undefined) return true;
    const stride = log2 - 3;
    const least = (3 - level) * stride + log2 + 1;
    return 64 - t0sz < least || 64 - t0sz > least + stride - 1 + 4;
  }
}

function startLevel(sl0: number, sl2: boolean, log2: number, ds: boolean, idrs: Idrs): number | undefined {
  const output = outputSize(idrs);
  if (log2 === 12) {
    if (sl2) return sl0 === 0 && output >= 52 ? -1 : undefined;
    if (sl0 === 3) return of(idrs.idr3, 9) === 1 ? 3 : undefined;
    return sl0 === 2 && output < 44 ? undefined : 2 - sl0;
  }
  if (sl0 === 3) return log2 === 14 && ds && output >= 52 ? 0 : undefined;
  return sl0 === 2 && output < (log2 === 14 ? 42 : 44) ? undefined : 3 - sl0;
}

/** @param e2h - SMMU_CR2.E2H. */
export function cdIllegal(cd: Words, ste: Words, e2h: boolean, idrs: Idrs): boolean {
  const { idr0 } = idrs;
  if (at(cd, 31) === 0) return true;
  const [stalls, aborts, aarch64] = [at(cd, 44), at(cd, 46), at(cd, 41) === 1];
  const s2 = at(ste, 3, 1) === 7;
  const el2 = of(idr0, 9) === 1 && !s2 && at(ste, 95, 94) === 2;
  const one = el2 && !e2h;
  if (at(ste, 91) === 1 && stalls === 1) return true;
  if (of(idr0, 26) === 1 && aborts === 0) return true;
  const stallModel = of(idr0, 25, 24);
  if (stalls === 1 ? stallModel === 1 : stallModel === 2) return true;
  const walked = [one || at(cd, 14) === 0, !one && at(cd, 30) === 0];
  const endian = of(idr0, 22, 21);
  if (walked.includes(true) && (at(cd, 15) === 1 ? endian === 2 : endian === 3)) return true;
  if (!aarch64 && (!ttf(idrs).aarch32 || (el2 && e2h))) return true;
  if (aarch64 && (!ttf(idrs).aarch64 || (s2 && at(ste, 179) === 0))) return true;
  const [httu, ha, hd, haft] = [of(idr0, 7, 6), at(cd, 43), at(cd, 42), at(cd, 67)];
  if (aarch64 && (((ha || hd) && httu === 0) || (hd && httu === 1) || (haft && !ha && httu === 3)))
    return true;
  if (!one && of(idr0, 12) === 0 && at(cd, 63, 56) !== 0) return true;
  if (aarch64 && of(idrs.idr3, 18) === 1 && at(ste, 88) === 1 && at(cd, 187) === 1) {
    for (let i = 0; i < 16; i++) {
      const [piip, piiu] = [at(cd, 450 + 3 * i, 448 + 3 * i), at(cd, 386 + 3 * i, 384 + 3 * i)];
      if (piip === 0b100 || piip === 0b110) return true;
      if (!one && (piiu === 0b100 || piiu === 0b110 || ((piip & 0b010) !== 0 && (piiu & 0b100) !== 0)))
        return true;
    }
  }
  return [0, 1].some((n) => walked[n] && rangeIllegal(cd, n, aarch64, idrs));
}

function rangeIllegal(cd: Words, n: number, aarch64: boolean, idrs: Idrs): boolean {
  const base = cd[1 + n]! & 0xff_ffff_ffff_fff0n;
  if (!aarch64) return base >> 40n !== 0n;
  const log2 = n === 0 ? granule(at(cd, 7, 6), 'TG0', idrs) : granule(at(cd, 23, 22), 'TG1', idrs);
  if (log2 === undefined) return true;
  const txsz = n === 0 ? at(cd, 5, 0) : at(cd, 21, 16);
  const ds = at(cd, 186) === 1 && of(idrs.idr5, 7) === 1 && log2 !== 16;
  const least = of(idrs.idr5, 11, 10) !== 0 && (log2 === 16 || ds) ? 12 : 16;
  if (txsz < least || txsz > maxTxsz(log2, idrs)) return true;
  return base >> BigInt(baseBits(at(cd, 34, 32), log2, ds, idrs)) !== 0n;
}
