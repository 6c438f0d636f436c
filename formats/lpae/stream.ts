/**
 * The words of a stream table entry and a context descriptor that lead to tables of these formats, as a driver of an SMMUv3 writes them: the
 * fields of TCR and VTCR, moved. (IHI 0070 5.2, 5.4; DDI 0487 D24.2.186, D24.2.206.)
 */
import type { Registers } from '../../src/pagetable/format.ts';

type Values = Registers['hardware']['registers'];

/** Moves `width` bits of `value` from bit `from` to bit `to`. */
const moved = (value: bigint, from: number, width: number, to: number) =>
  ((value >> BigInt(from)) & ((1n << BigInt(width)) - 1n)) << BigInt(to);

const CD_V = 1n << 31n;
const CD_AA64 = 1n << 41n;
/** Faults are recorded, and abort the transaction. */
const CD_RECORD_AND_ABORT = (1n << 45n) | (1n << 46n);
const STE_V = 1n;
/** Config, by which stages translate. */
const STE_CONFIG = { stage1: 5n << 1n, stage2: 6n << 1n, nested: 7n << 1n } as const;
/** Fetches of the CD are inner shareable and Write-Back; transactions keep their own shareability (SHCFG). */
const STE_FETCHES = (1n << 2n) | (1n << 4n) | (3n << 6n) | (1n << 44n);
const STE_S2AA64 = 1n << 51n;
const STE_S2R = 1n << 58n;

/** CD words 0 to 3 of 8; the others are 0. `stage1`: ttbr0, ttbr1, tcr and mair of el1&0. */
export function contextWords({ ttbr0 = 0n, ttbr1 = 0n, tcr = 0n, mair = 0n }: Values): readonly bigint[] {
  const ranges =
    moved(tcr, 0, 6, 0) |
    moved(tcr, 14, 2, 6) |
    moved(tcr, 8, 6, 8) |
    moved(tcr, 7, 1, 14) |
    moved(tcr, 16, 6, 16) |
    moved(tcr, 30, 2, 22) |
    moved(tcr, 24, 6, 24) |
    moved(tcr, 23, 1, 30);
  const sizes = moved(tcr, 32, 3, 32) | moved(tcr, 40, 1, 42) | moved(tcr, 39, 1, 43);
  return [
    ranges | sizes | CD_V | CD_AA64 | CD_RECORD_AND_ABORT,
    wideRoot(ttbr0),
    wideRoot(ttbr1) | moved(tcr, 59, 1, 58),
    mair,
  ];
}

/**
 * STE words 0 to 3 of 8, and those up to 6 where Secure IPAs have a table of their own; the others are 0.
 *
 * @param context - address of the CD, 64-byte aligned; an IPA where there is a stage 2. Undefined: stage 1 is off.
 * @param stage2 - vttbr and vtcr of el1&0-s2, and of a Secure stream vsttbr and vstcr. Undefined: stage 2 is off.
 */
export function streamWords(context: bigint | undefined, stage2: Values | undefined): readonly bigint[] {
  const config = context === undefined ? 'stage2' : stage2 === undefined ? 'stage1' : 'nested';
  const { vttbr = 0n, vtcr = 0n, vsttbr, vstcr = 0n } = stage2 ?? {};
  return [
    STE_V | STE_CONFIG[config] | (context ?? 0n),
    STE_FETCHES,
    stage2 === undefined
      ? 0n
      : moved(vtcr, 0, 19, 32) | moved(vtcr, 22, 1, 55) | moved(vtcr, 21, 1, 56) | STE_S2AA64 | STE_S2R,
    wideRoot(vttbr) | moved(vtcr, 32, 1, 3) | moved(vtcr, 33, 1, 2),
    ...(vsttbr === undefined ? [] : secureWords(vsttbr, vstcr)),
  ];
}

/** STE words 4 to 6: S_S2T0SZ, S_S2SL0, S_S2TG and S_S2TTB. All outputs are Secure. */
function secureWords(vsttbr: bigint, vstcr: bigint): readonly bigint[] {
  const size = moved(vstcr, 0, 6, 32) | moved(vstcr, 6, 2, 38) | moved(vstcr, 14, 2, 46);
  return [size, 0n, wideRoot(vsttbr) | moved(vstcr, 33, 1, 2)];
}

/** A TTBR keeps address bits [51:48] in [5:2]; an STE and a CD keep them in place. */
function wideRoot(ttbr: bigint): bigint {
  return (ttbr & 0xffff_ffff_ffc0n) | moved(ttbr, 2, 4, 48);
}
