/** Streams whose configuration is broken: one field of the STE or the CD gets another value. (IHI 0070 5.2, 5.4.) */
import type { Random } from '../../support/random.ts';
import type { StreamCase } from './smmu-cases.ts';
import type { TableSpace } from './table-space.ts';

/** A field: word, its bits, and the values to choose from (default: all). */
interface Field {
  readonly word: number;
  readonly high: number;
  readonly low: number;
  readonly values?: readonly number[];
}

const bit = (word: number, at: number): Field => ({ word, high: at, low: at });

/** V, and Config without bypass, which would let transactions go to RAM. */
const STE: readonly Field[] = [bit(0, 0), { word: 0, high: 3, low: 1, values: [0, 1, 2, 3] }];
/** S1CDMax, S1STALLD. */
const STE_STAGE_1: readonly Field[] = [{ word: 0, high: 63, low: 59 }, bit(1, 27)];
/** S2ENDI, S2AFFD, S2HD, S2HA, S2S, S2R, and the reserved S2TG. */
const STE_STAGE_2: readonly Field[] = [
  ...[52, 53, 55, 56, 57, 58].map((at) => bit(2, at)),
  { word: 2, high: 47, low: 46, values: [3] },
];
/** EPD0, ENDI, EPD1, V, AFFD, AA64, HD, HA, S, R, A; and HAD0, HAD1. */
const CD: readonly Field[] = [
  ...[14, 15, 30, 31, 35, 41, 42, 43, 44, 45, 46].map((at) => bit(0, at)),
  bit(1, 1),
  bit(2, 1),
];
const OUT_OF_RANGE = [0, 1, 15, 40, 48, 63];
/** T0SZ, TG0, T1SZ, TG1: any, or out of range and reserved alone. */
const ANY_SIZE: readonly Field[] = [
  { word: 0, high: 5, low: 0 },
  { word: 0, high: 7, low: 6 },
  { word: 0, high: 21, low: 16 },
  { word: 0, high: 23, low: 22 },
];
const BAD_SIZE: readonly Field[] = [
  { word: 0, high: 5, low: 0, values: OUT_OF_RANGE },
  { word: 0, high: 7, low: 6, values: [3] },
  { word: 0, high: 21, low: 16, values: OUT_OF_RANGE },
  { word: 0, high: 23, low: 22, values: [0] },
];

/** Breaks a stream in `space`. */
export function breakConfiguration(random: Random, space: TableSpace, { kind, ste, cd }: StreamCase): void {
  const own = [
    ...STE,
    ...(kind === 'stage 2' ? [] : STE_STAGE_1),
    ...(kind === 'stage 1' ? [] : STE_STAGE_2),
  ];
  // Nested, a root of another size may span several pages of stage 2, of which QEMU has one translated.
  const sizes = kind === 'nested' ? BAD_SIZE : ANY_SIZE;
  const inCd = cd !== 0 && random.chance(0.6);
  const { word, high, low, values } = random.pick(inCd ? [...CD, ...sizes] : own);
  const pa = (inCd ? cd : ste) + word * 8;
  const mask = (1n << BigInt(high - low + 1)) - 1n;
  const before = space.read(pa);
  const old = (before >> BigInt(low)) & mask;
  // A bit is flipped, a wider field gets any value.
  const value = values ? BigInt(random.pick(values)) : high === low ? old ^ 1n : random.bits(high - low + 1);
  space.write(pa, (before & ~(mask << BigInt(low))) | (value << BigInt(low)));
}
