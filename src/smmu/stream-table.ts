/** The stream table: where the entry of a StreamID is, and its words. (IHI 0070 3.3.1, 5.1, 5.2, 6.3.24, 6.3.25.) */
import { addressOf, highMask, lowMask, read, shiftOf } from '../arch/read.ts';
import {
  L1STD,
  LARGEST_SPAN,
  SMMU_IDR0,
  SMMU_IDR1,
  SMMU_STRTAB_BASE,
  SMMU_STRTAB_BASE_CFG,
  ST_LEVEL_LINEAR,
  STE,
  TWO_LEVELS,
} from '../arch/smmu/index.ts';
import type { TableMemory } from '../walker/table-memory.ts';
import { word64 } from '../walker/word.ts';
import type { SmmuFeatures } from './features.ts';
import type { SmmuRegisters } from './registers.ts';
import type { SteWords } from './stream-table-entry.ts';
import type { ConfigurationFault } from './types.ts';

/** The maximum number of bits of a StreamID. */
const STREAM_ID_BITS = 32;

const STE_BYTES = STE.width / 8;
/** The bytes of an STE that affect translation without features of SMMUv3.4. */
const STE_TRANSLATION_BYTES = 32;
const LEVEL1_BYTES = L1STD.width / 8;

const { Span, L2Ptr } = L1STD.fields;
const [SPAN, SPAN_SHIFT] = [lowMask(Span), shiftOf(Span)];
const [POINTER_LOW, POINTER_HIGH] = [lowMask(L2Ptr), highMask(L2Ptr)];

/**
 * SMMU_STRTAB_BASE and its configuration: the base is aligned to the size of the table (or of the level 1 table), but at least to 64 bytes. The limits of
 * SMMU_IDR1.SIDSIZE and SMMU_IDR0.ST_LEVEL apply if these registers are given. (6.3.24, 6.3.25)
 */
function streamTable({ strtabBase, strtabBaseCfg, idr0, idr1 }: SmmuRegisters): SteLookup['table'] {
  const { FMT, SPLIT, LOG2SIZE } = SMMU_STRTAB_BASE_CFG.fields;
  const streamIdBits = idr1 === undefined ? STREAM_ID_BITS : read(idr1, SMMU_IDR1.fields.SIDSIZE);
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

/** Where the STE of a stream is, and the result of fetching it. */
export interface SteLookup {
  /** The stream table: 2^log2Size StreamIDs from `base` on, by LOG2SIZE or (`capped`) SIDSIZE; `split` if it has two levels. */
  readonly table: {
    readonly log2Size: number;
    readonly capped: boolean;
    readonly split: number | undefined;
    readonly base: number;
  };
  /** The level 1 descriptor, without a value if there is no RAM. */
  readonly level1?: { readonly address: number; readonly descriptor?: bigint };
  /** The address of the STE. */
  readonly address?: number;
  readonly outcome: SteWords | ConfigurationFault;
}

/** The stream table that registers describe. Every look-up reads memory again. */
export class StreamTable {
  readonly #memory: TableMemory;
  readonly #table: SteLookup['table'];
  readonly #steBytes: number;

  constructor(memory: TableMemory, registers: SmmuRegisters, features: SmmuFeatures) {
    this.#memory = memory;
    this.#table = streamTable(registers);
    // Overlays and translation hardening have controls beyond the first words.
    this.#steBytes = features.s2po || features.the ? STE_BYTES : STE_TRANSLATION_BYTES;
  }

  /** The STE: at its index in a linear table, or through a level 1 descriptor. */
  locate(streamId: number): SteLookup {
    const table = this.#table;
    const { log2Size, split, base } = table;
    if (streamId >= 2 ** log2Size) return { table, outcome: { kind: 'c_bad_streamid' } };
    if (split !== undefined) return { table, ...this.#locateLevel2(base, streamId, split) };
    const at = base + streamId * STE_BYTES;
    return { table, address: at, outcome: this.#read(at) };
  }

  /** L1STD: Span gives the size of the array it points to; 0, reserved and too large spans hold no StreamID. (5.1) */
  #locateLevel2(base: number, streamId: number, split: number): Omit<SteLookup, 'table'> {
    const address = base + Math.floor(streamId / 2 ** split) * LEVEL1_BYTES;
    if (!this.#memory.read64(address, false)) {
      const outcome = { kind: 'f_ste_fetch', fetchAddress: BigInt(address) } as const;
      return { level1: { address }, outcome };
    }
    const { lo, hi } = this.#memory;
    const level1 = { address, descriptor: word64(lo, hi) };
    const span = (lo & SPAN) >>> SPAN_SHIFT;
    const index = streamId % 2 ** split;
    if (span === 0 || span > LARGEST_SPAN || span > split + 1 || index >= 2 ** (span - 1))
      return { level1, outcome: { kind: 'c_bad_streamid' } };
    const arrayBytes = 2 ** (span - 1) * STE_BYTES;
    const pointer = ((hi & POINTER_HIGH) >>> 0) * 2 ** 32 + ((lo & POINTER_LOW) >>> 0);
    const at = Math.floor(pointer / arrayBytes) * arrayBytes + index * STE_BYTES;
    return { level1, address: at, outcome: this.#read(at) };
  }

  #read(address: number): SteWords | ConfigurationFault {
    const words: bigint[] = [];
    for (let at = address; at < address + this.#steBytes; at += 8) {
      if (!this.#memory.read64(at, false)) return { kind: 'f_ste_fetch', fetchAddress: BigInt(address) };
      words.push(word64(this.#memory.lo, this.#memory.hi));
    }
    const [w0 = 0n, w1 = 0n, w2 = 0n, w3 = 0n, ...more] = words;
    return [w0, w1, w2, w3, ...more];
  }
}
