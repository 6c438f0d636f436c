/** Where the entries of a stream table are: pure arithmetic, without memory. (IHI 0070 3.3.1, 5.1, 6.3.24, 6.3.25.) */
import { addressOf, highMask, lowMask, read, shiftOf } from '../arch/read.ts';
import {
  L1STD,
  LARGEST_SPAN,
  SMMU_IDR0,
  SMMU_IDR1,
  SMMU_S_IDR1,
  SMMU_STRTAB_BASE,
  SMMU_STRTAB_BASE_CFG,
  ST_LEVEL_LINEAR,
  STE,
  TWO_LEVELS,
} from '../arch/smmu/index.ts';
import type { SmmuRegisters } from './registers.ts';

/** 2^log2Size StreamIDs from `base` on, by LOG2SIZE or (`capped`) SIDSIZE; `split` if it has two levels. */
export interface StreamTablePlace {
  readonly log2Size: number;
  readonly capped: boolean;
  readonly split: number | undefined;
  readonly base: number;
}

/** The maximum number of bits of a StreamID. */
const STREAM_ID_BITS = 32;

export const STE_BYTES = STE.width / 8;
const LEVEL1_BYTES = L1STD.width / 8;

const { Span, L2Ptr } = L1STD.fields;
const [SPAN, SPAN_SHIFT] = [lowMask(Span), shiftOf(Span)];
const [POINTER_LOW, POINTER_HIGH] = [lowMask(L2Ptr), highMask(L2Ptr)];

/**
 * SMMU_STRTAB_BASE and its configuration: the base is aligned to the size of the table (or of the level 1 table), but at least to 64 bytes. The limits of
 * SMMU_IDR1.SIDSIZE (of Secure streams SMMU_S_IDR1.S_SIDSIZE) and SMMU_IDR0.ST_LEVEL apply if these registers are given. (6.3.24, 6.3.25)
 */
export function streamTablePlace({
  strtabBase,
  strtabBaseCfg,
  idr0,
  idr1,
  security,
  sIdr1,
}: Pick<
  SmmuRegisters,
  'strtabBase' | 'strtabBaseCfg' | 'idr0' | 'idr1' | 'security' | 'sIdr1'
>): StreamTablePlace {
  const { FMT, SPLIT, LOG2SIZE } = SMMU_STRTAB_BASE_CFG.fields;
  const [size1, SIDSIZE] =
    security === 'secure' ? [sIdr1, SMMU_S_IDR1.fields.S_SIDSIZE] : [idr1, SMMU_IDR1.fields.SIDSIZE];
  const streamIdBits = size1 === undefined ? STREAM_ID_BITS : read(size1, SIDSIZE);
  const configured = Math.min(read(strtabBaseCfg, LOG2SIZE), STREAM_ID_BITS);
  const log2Size = Math.min(configured, streamIdBits);
  const linear = idr0 !== undefined && read(idr0, SMMU_IDR0.fields.ST_LEVEL) === ST_LEVEL_LINEAR;
  const twoLevels = !linear && read(strtabBaseCfg, FMT) === TWO_LEVELS;
  const split = twoLevels ? splitOf(read(strtabBaseCfg, SPLIT)) : undefined;
  const size =
    split === undefined
      ? 2 ** log2Size * STE_BYTES
      : Math.max(STE_BYTES, 2 ** Math.max(0, log2Size - split) * LEVEL1_BYTES);
  const address = Number(addressOf(strtabBase, SMMU_STRTAB_BASE.fields.ADDR));
  return { log2Size, capped: log2Size < configured, split, base: Math.floor(address / size) * size };
}

/** SPLIT: 6, 8 or 10 bits of the StreamID index the second-level table; reserved values behave as 6. (6.3.25) */
function splitOf(split: number): number {
  return split === 8 || split === 10 ? split : 6;
}

/** The address of an STE in a linear table. */
export function linearSteAddress({ base }: StreamTablePlace, streamId: number): number {
  return base + streamId * STE_BYTES;
}

/** The address of the level 1 descriptor for a StreamID. */
export function level1Address({ base }: StreamTablePlace, split: number, streamId: number): number {
  return base + Math.floor(streamId / 2 ** split) * LEVEL1_BYTES;
}

/**
 * The address of an STE below a level 1 descriptor, given as its two halves. Span gives the size of the array that it points to; 0, reserved and too large
 * spans hold no StreamID: undefined. (5.1)
 */
export function level2SteAddress(
  { lo, hi }: { readonly lo: number; readonly hi: number },
  split: number,
  streamId: number,
): number | undefined {
  const span = (lo & SPAN) >>> SPAN_SHIFT;
  const index = streamId % 2 ** split;
  if (span === 0 || span > LARGEST_SPAN || span > split + 1 || index >= 2 ** (span - 1)) return undefined;
  const arrayBytes = 2 ** (span - 1) * STE_BYTES;
  const pointer = ((hi & POINTER_HIGH) >>> 0) * 2 ** 32 + ((lo & POINTER_LOW) >>> 0);
  return Math.floor(pointer / arrayBytes) * arrayBytes + index * STE_BYTES;
}
