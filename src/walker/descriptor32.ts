/** AArch32 short descriptors, decoded. (DDI 0487 G5.4.1; J1.2 AArch32.DecodeDescriptorTypeSD, S1WalkSD.) */

/** A short descriptor. Fields that its kind does not have are 0 or false. */
export interface ShortDescriptor {
  readonly word: number;
  readonly kind: 'invalid' | 'table' | 'block' | 'page';
  /** log2 of the bytes mapped: 20, 24, 16 or 12; for a table what its level maps. */
  readonly sizeLog2: number;
  /** The level 2 table's base, or the section's or page's. At most 40 bits. */
  readonly output: number;
  /** AP[2:0]. */
  readonly ap: number;
  /** TEX:C:B. */
  readonly texCb: number;
  readonly shareable: boolean;
  readonly nonGlobal: boolean;
  readonly xn: boolean;
  /** In level 1 descriptors, tables too. */
  readonly pxn: boolean;
  readonly ns: boolean;
  readonly domain: number;
}

export const SUPERSECTION_LOG2 = 24;

const bit = (word: number, position: number): number => (word >>> position) & 1;

/** Decodes the descriptor `word` of a level; `mtk`: with address bits of a MediaTek M4U. */
export function shortDescriptor(word: number, level: 1 | 2, mtk = false): ShortDescriptor {
  const found = level === 1 ? level1(word) : level2(word);
  if (!mtk || found.kind === 'invalid') return found;
  // Where Arm has a domain and IMPLEMENTATION DEFINED bits, and no PA above 32 bits in supersections.
  const high = bit(word, 9) | (bit(word, 4) << 1) | (bit(word, 5) << 2);
  const low = found.sizeLog2 === SUPERSECTION_LOG2 ? (word & 0xff00_0000) >>> 0 : found.output;
  return { ...found, output: low + high * 2 ** 32, domain: 0, ap: 0, xn: false };
}

const NOTHING = {
  output: 0,
  ap: 0,
  texCb: 0,
  shareable: false,
  nonGlobal: false,
  xn: false,
  pxn: false,
  ns: false,
  domain: 0,
} as const;

function level1(word: number): ShortDescriptor {
  const domain = (word >>> 5) & 0xf;
  if ((word & 3) === 0) return { ...NOTHING, word, kind: 'invalid', sizeLog2: 20 };
  if ((word & 3) === 1) {
    const output = (word & 0xffff_fc00) >>> 0;
    return {
      ...NOTHING,
      word,
      kind: 'table',
      sizeLog2: 20,
      output,
      domain,
      pxn: bit(word, 2) === 1,
      ns: bit(word, 3) === 1,
    };
  }
  const isSuper = bit(word, 18) === 1;
  return {
    word,
    kind: 'block',
    sizeLog2: isSuper ? SUPERSECTION_LOG2 : 20,
    output: isSuper ? supersectionBase(word) : (word & 0xfff0_0000) >>> 0,
    ap: (bit(word, 15) << 2) | ((word >>> 10) & 3),
    texCb: (((word >>> 12) & 7) << 2) | ((word >>> 2) & 3),
    shareable: bit(word, 16) === 1,
    nonGlobal: bit(word, 17) === 1,
    xn: bit(word, 4) === 1,
    pxn: bit(word, 0) === 1,
    ns: bit(word, 19) === 1,
    domain,
  };
}

/** PA[39:36] is in bits [8:5], PA[35:32] in [23:20], PA[31:24] in its place. */
function supersectionBase(word: number): number {
  const high = (((word >>> 5) & 0xf) << 4) | ((word >>> 20) & 0xf);
  return high * 2 ** 32 + ((word & 0xff00_0000) >>> 0);
}

function level2(word: number): ShortDescriptor {
  if ((word & 3) === 0) return { ...NOTHING, word, kind: 'invalid', sizeLog2: 12 };
  const isLarge = (word & 3) === 1;
  const tex = isLarge ? (word >>> 12) & 7 : (word >>> 6) & 7;
  return {
    ...NOTHING,
    word,
    kind: 'page',
    sizeLog2: isLarge ? 16 : 12,
    output: (word & (isLarge ? 0xffff_0000 : 0xffff_f000)) >>> 0,
    ap: (bit(word, 9) << 2) | ((word >>> 4) & 3),
    texCb: (tex << 2) | ((word >>> 2) & 3),
    shareable: bit(word, 10) === 1,
    nonGlobal: bit(word, 11) === 1,
    xn: isLarge ? bit(word, 15) === 1 : bit(word, 0) === 1,
  };
}
