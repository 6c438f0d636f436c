/** SMMUv3: from a StreamID, through the stream table, to a translation or an event. (IHI 0070 3.3, 5.1, 6.3.24, 6.3.25.) */
import type { PhysicalMemory } from '../memory/index.ts';
import { field, flag } from '../walker/bits.ts';
import { WalkerError } from '../walker/errors.ts';
import { TableMemory } from '../walker/table-memory.ts';
import type { CdWords } from './context-descriptor.ts';
import { eventRecord } from './events.ts';
import {
  DEFAULT_IDENTIFICATION,
  type IdentificationRegisters,
  type SmmuFeatures,
  smmuFeatures,
} from './features.ts';
import { Stream } from './stream.ts';
import type { SteWords } from './stream-table-entry.ts';
import type { SmmuFault, SmmuResult, Transaction } from './types.ts';

/**
 * Register values of an SMMUv3 (Non-secure). `strtabBase` is SMMU_STRTAB_BASE (64 bits), the others have 32 bits.
 * Identification registers that are not given describe an SMMUv3.1 with both stages, AArch64 tables and 44-bit output.
 */
export interface SmmuRegisters extends Partial<IdentificationRegisters> {
  readonly strtabBase: bigint;
  readonly strtabBaseCfg: bigint;
  readonly cr0?: bigint;
  readonly cr2?: bigint;
  readonly gbpa?: bigint;
}

/** A stream by itself: its STE, without a stream table. */
export interface StreamDescription {
  readonly ste: SteWords;
  /** The CD, where it is not in memory. */
  readonly cd?: CdWords;
  readonly streamId?: number;
  readonly identification?: Partial<IdentificationRegisters>;
  /** Output address bits, in place of SMMU_IDR5.OAS. */
  readonly oas?: number;
}

/** Makes a stream from its STE (and CD): what its transactions get, without a stream table. */
export function createStream(memory: PhysicalMemory, description: StreamDescription): Stream {
  const { ste, cd, streamId = 0, identification, oas } = description;
  const features = smmuFeatures({ ...DEFAULT_IDENTIFICATION, ...identification }, oas);
  return new Stream(new TableMemory(memory), ste, { features, streamId, e2h: false, ...(cd && { cd }) });
}

/** Makes an SMMU whose stream table and context descriptors are in `memory`. */
export function createSmmu(memory: PhysicalMemory, registers: SmmuRegisters): Smmu {
  return new Smmu(memory, registers);
}

const STE_LOG2 = 6;
const SMMUEN = 0;
const GBPA_ABORT = 20;
/** An STE with Config = 0b100: what all streams have while the SMMU is off. */
const BYPASS: SteWords = [0b1001n, 0n, 0n, 0n];

export class Smmu {
  readonly features: SmmuFeatures;
  readonly #memory: TableMemory;
  readonly #registers: SmmuRegisters;
  readonly #streams = new Map<number, { readonly words: SteWords; readonly stream: Stream }>();

  constructor(memory: PhysicalMemory, registers: SmmuRegisters) {
    this.#memory = new TableMemory(memory);
    this.#registers = registers;
    this.features = smmuFeatures({ ...DEFAULT_IDENTIFICATION, ...registers });
  }

  /**
   * Translates a transaction of a stream.
   * @param streamId - up to 32 bits.
   * @throws WalkerError for a StreamID or an address that no device can send.
   */
  translate(streamId: number, ia: bigint, transaction: Transaction): SmmuResult {
    if (!Number.isInteger(streamId) || streamId < 0 || streamId > 0xffff_ffff) {
      throw new WalkerError(`a StreamID has up to 32 bits; ${streamId} is none`);
    }
    const { access, privileged = true, substreamId } = transaction;
    const terminated = (fault: SmmuFault): SmmuResult => {
      const event = eventRecord(fault, { streamId, substreamId, ia, access, privileged });
      return { ok: false, ia, fault, event, steps: [] };
    };
    if (!this.#enabled()) {
      // Nothing is recorded while the SMMU is off.
      const bypass = this.#stream(streamId, BYPASS).translate(ia, transaction);
      const aborts = flag(this.#registers.gbpa ?? 0n, GBPA_ABORT);
      return bypass.ok && !aborts ? bypass : terminated({ kind: 'abort' });
    }
    const ste = this.#fetchSte(streamId);
    return 'kind' in ste ? terminated(ste) : this.#stream(streamId, ste).translate(ia, transaction);
  }

  #enabled(): boolean {
    return flag(this.#registers.cr0 ?? 1n, SMMUEN);
  }

  /** The stream of an STE, decoded anew only when its words changed. */
  #stream(streamId: number, words: SteWords): Stream {
    const known = this.#streams.get(streamId);
    if (known?.words.every((word, i) => word === words[i])) return known.stream;
    const options = { features: this.features, streamId, e2h: flag(this.#registers.cr2 ?? 0n, 0) };
    const stream = new Stream(this.#memory, words, options);
    this.#streams.set(streamId, { words, stream });
    return stream;
  }

  /** The STE: at its index in a linear table, or through a level 1 descriptor. */
  #fetchSte(streamId: number): SteWords | SmmuFault {
    const { strtabBase, strtabBaseCfg } = this.#registers;
    const log2Size = Math.min(field(strtabBaseCfg, 5, 0), 32);
    if (streamId >= 2 ** log2Size) return { kind: 'c_bad_streamid' };
    const base = Number(strtabBase & 0xf_ffff_ffff_ffc0n);
    const twoLevels = field(strtabBaseCfg, 17, 16) === 1;
    if (!twoLevels) {
      const size = 2 ** (log2Size + STE_LOG2);
      return this.#read(Math.floor(base / size) * size + streamId * 64);
    }
    return this.#fetchLevel2(base, streamId, field(strtabBaseCfg, 10, 6), log2Size);
  }

  /** L1STD: Span gives the size of the array it points to; 0, reserved and too large spans hold no StreamID. (5.1) */
  #fetchLevel2(base: number, streamId: number, split: number, log2Size: number): SteWords | SmmuFault {
    const size = Math.max(64, 2 ** Math.max(0, log2Size - split) * 8);
    const address = Math.floor(base / size) * size + Math.floor(streamId / 2 ** split) * 8;
    if (!this.#memory.read64(address, false)) return { kind: 'f_ste_fetch', fetchAddress: BigInt(address) };
    const { lo, hi } = this.#memory;
    const span = lo & 0x1f;
    const index = streamId % 2 ** split;
    if (span === 0 || span > 11 || span > split + 1 || index >= 2 ** (span - 1))
      return { kind: 'c_bad_streamid' };
    const arrayBytes = 2 ** (span - 1 + STE_LOG2);
    const pointer = (hi & 0xff_ffff) * 2 ** 32 + ((lo & ~0x3f) >>> 0);
    return this.#read(Math.floor(pointer / arrayBytes) * arrayBytes + index * 64);
  }

  #read(address: number): SteWords | SmmuFault {
    const words: bigint[] = [];
    for (let at = address; at < address + 32; at += 8) {
      if (!this.#memory.read64(at, false)) return { kind: 'f_ste_fetch', fetchAddress: BigInt(address) };
      words.push((BigInt(this.#memory.hi) << 32n) | BigInt(this.#memory.lo));
    }
    const [w0 = 0n, w1 = 0n, w2 = 0n, w3 = 0n] = words;
    return [w0, w1, w2, w3];
  }
}
