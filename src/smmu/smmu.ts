/** SMMUv3: from a StreamID, through the stream table, to a translation or an event. (IHI 0070 3.3, 5.1, 6.3.24, 6.3.25.) */
import type { PhysicalMemory } from '../memory/index.ts';
import { field, flag } from '../walker/bits.ts';
import { WalkerError } from '../walker/errors.ts';
import { TableMemory } from '../walker/table-memory.ts';
import type { TableTree } from '../walker/table-tree.ts';
import { word64 } from '../walker/word.ts';
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
import type { ConfigurationFault, SmmuFault, SmmuResult, Transaction } from './types.ts';

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

/**
 * Makes a stream from its STE (and CD): what its transactions get, without a stream table.
 *
 * @throws WalkerError for a word or a register that is not a bigint of at most 64 bits, or an `oas` outside 32 to 52. An
 * STE or CD that the architecture does not allow is no error: its transactions get C_BAD_STE or C_BAD_CD.
 *
 * @example
 * const stream = createStream(memory, { ste: [0xbn | cdAddress, 0n, 0n, 0n] }); // V, Config 0b101: stage 1
 * const result = stream.translate(0x1000_1234n, { access: 'write' });
 * if (!result.ok) console.log(result.fault.kind, result.event);
 */
export function createStream(memory: PhysicalMemory, description: StreamDescription): Stream {
  const { ste, cd, streamId = 0, identification, oas } = description;
  checkWords('ste', ste);
  if (cd) checkWords('cd', cd);
  checkRegisters({ ...identification });
  const features = smmuFeatures({ ...DEFAULT_IDENTIFICATION, ...identification }, oas);
  return new Stream(new TableMemory(memory), ste, { features, streamId, e2h: false, ...(cd && { cd }) });
}

/**
 * Makes an SMMU whose stream table and context descriptors are in `memory`.
 *
 * @throws WalkerError for a register that is not a bigint of at most 64 bits. A table that the architecture does not allow
 * is no error: it gives the events that hardware gives.
 *
 * @example
 * const smmu = createSmmu(memory, { strtabBase: 0x4846_0000n, strtabBaseCfg: 0x1_0210n });
 * smmu.translate(8, 0xffff_f000n, { access: 'read' });
 */
export function createSmmu(memory: PhysicalMemory, registers: SmmuRegisters): Smmu {
  checkRegisters({ ...registers });
  return new Smmu(memory, registers);
}

function checkWords(name: string, words: readonly bigint[]): void {
  if (words.length !== 4) throw new WalkerError(`${name} must be four 64-bit words, not ${words.length}`);
  checkRegisters(Object.fromEntries(words.map((word, i) => [`${name}[${i}]`, word])));
}

function checkRegisters(registers: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(registers)) {
    if (value === undefined || (typeof value === 'bigint' && value >= 0n && value >> 64n === 0n)) continue;
    throw new WalkerError(`${name} must be a bigint of at most 64 bits, not ${String(value)}`);
  }
}

/** SPLIT: 6, 8 or 10 bits of the StreamID are the leaf table's; reserved values behave as 6. (6.3.25) */
function splitOf(field: number): number {
  return field === 8 || field === 10 ? field : 6;
}

const STE_LOG2 = 6;
const SMMUEN = 0;
const GBPA_ABORT = 20;
const CR2_E2H = 0;
const CR2_RECINVSID = 1;
/** An STE with Config = 0b100: what all streams have while the SMMU is off. */
const BYPASS: SteWords = [0b1001n, 0n, 0n, 0n];

/** Where the STE of a stream is, and what came of fetching it. */
export interface SteLookup {
  /** The stream table: 2^log2Size StreamIDs from `base` on; `split` where it has two levels. */
  readonly table: {
    readonly log2Size: number;
    readonly split: number | undefined;
    readonly base: number;
  };
  /** The level 1 descriptor, unread where there is no RAM. */
  readonly level1?: { readonly address: number; readonly descriptor?: bigint };
  /** The STE's own address. */
  readonly address?: number;
  readonly outcome: SteWords | ConfigurationFault;
}

/** An SMMUv3 as its registers and memory describe it. Configuration is read from memory in every transaction. */
export class Smmu {
  readonly features: SmmuFeatures;
  readonly #memory: TableMemory;
  readonly #registers: SmmuRegisters;
  readonly #streams = new Map<number, { readonly words: SteWords; readonly stream: Stream }>();

  /** @internal Use {@link createSmmu}. */
  constructor(memory: PhysicalMemory, registers: SmmuRegisters) {
    this.#memory = new TableMemory(memory);
    this.#registers = registers;
    this.features = smmuFeatures({ ...DEFAULT_IDENTIFICATION, ...registers });
  }

  /**
   * Translates a transaction of a stream.
   * @param streamId - up to 32 bits.
   * @returns a translation, or a fault with the event record it leaves. Stalls are not modelled: every fault terminates.
   * @throws WalkerError for a StreamID or an address that no device can send, or an unknown kind of access.
   */
  translate(streamId: number, ia: bigint, transaction: Transaction): SmmuResult {
    if (!Number.isInteger(streamId) || streamId < 0 || streamId > 0xffff_ffff) {
      throw new WalkerError(`a StreamID has up to 32 bits; ${streamId} is none`);
    }
    const { access, privileged = true, substreamId } = transaction;
    const terminated = (fault: SmmuFault): SmmuResult => {
      // A StreamID that is in no table is recorded only where CR2 asks for it.
      const silent = fault.kind === 'c_bad_streamid' && !flag(this.#registers.cr2 ?? 0n, CR2_RECINVSID);
      const event = silent
        ? undefined
        : eventRecord(fault, { streamId, substreamId, ia, access, privileged });
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

  /** The tables of a stream; none where it has no legal configuration, or the SMMU is off. */
  trees(streamId: number, substreamId?: number): TableTree[] {
    if (!this.#enabled()) return [];
    const ste = this.#fetchSte(streamId);
    return 'kind' in ste ? [] : this.#stream(streamId, ste).trees(substreamId);
  }

  #enabled(): boolean {
    return flag(this.#registers.cr0 ?? 1n, SMMUEN);
  }

  /** The stream of an STE, decoded anew only when its words changed. */
  #stream(streamId: number, words: SteWords): Stream {
    const known = this.#streams.get(streamId);
    if (known?.words.every((word, i) => word === words[i])) return known.stream;
    const options = { features: this.features, streamId, e2h: flag(this.#registers.cr2 ?? 0n, CR2_E2H) };
    const stream = new Stream(this.#memory, words, options);
    this.#streams.set(streamId, { words, stream });
    return stream;
  }

  #fetchSte(streamId: number): SteWords | SmmuFault {
    return this.locate(streamId).outcome;
  }

  /**
   * The STE: at its index in a linear table, or through a level 1 descriptor.
   * @internal For `describeStream`.
   */
  locate(streamId: number): SteLookup {
    const { strtabBase, strtabBaseCfg } = this.#registers;
    const log2Size = Math.min(field(strtabBaseCfg, 5, 0), 32);
    const address = Number(strtabBase & 0xf_ffff_ffff_ffc0n);
    const twoLevels = field(strtabBaseCfg, 17, 16) === 1;
    const split = twoLevels ? splitOf(field(strtabBaseCfg, 10, 6)) : undefined;
    const size = twoLevels
      ? Math.max(64, 2 ** Math.max(0, log2Size - split!) * 8)
      : 2 ** (log2Size + STE_LOG2);
    const base = Math.floor(address / size) * size;
    const table = { log2Size, split, base };
    if (streamId >= 2 ** log2Size) return { table, outcome: { kind: 'c_bad_streamid' } };
    if (split !== undefined) return { table, ...this.#locateLevel2(base, streamId, split) };
    const at = base + streamId * 64;
    return { table, address: at, outcome: this.#read(at) };
  }

  /** L1STD: Span gives the size of the array it points to; 0, reserved and too large spans hold no StreamID. (5.1) */
  #locateLevel2(base: number, streamId: number, split: number): Omit<SteLookup, 'table'> {
    const address = base + Math.floor(streamId / 2 ** split) * 8;
    if (!this.#memory.read64(address, false)) {
      const outcome = { kind: 'f_ste_fetch', fetchAddress: BigInt(address) } as const;
      return { level1: { address }, outcome };
    }
    const { lo, hi } = this.#memory;
    const level1 = { address, descriptor: word64(lo, hi) };
    const span = lo & 0x1f;
    const index = streamId % 2 ** split;
    if (span === 0 || span > 11 || span > split + 1 || index >= 2 ** (span - 1))
      return { level1, outcome: { kind: 'c_bad_streamid' } };
    const arrayBytes = 2 ** (span - 1 + STE_LOG2);
    const pointer = (hi & 0xff_ffff) * 2 ** 32 + ((lo & ~0x3f) >>> 0);
    const at = Math.floor(pointer / arrayBytes) * arrayBytes + index * 64;
    return { level1, address: at, outcome: this.#read(at) };
  }

  #read(address: number): SteWords | ConfigurationFault {
    const words: bigint[] = [];
    for (let at = address; at < address + 32; at += 8) {
      if (!this.#memory.read64(at, false)) return { kind: 'f_ste_fetch', fetchAddress: BigInt(address) };
      words.push((BigInt(this.#memory.hi) << 32n) | BigInt(this.#memory.lo));
    }
    const [w0 = 0n, w1 = 0n, w2 = 0n, w3 = 0n] = words;
    return [w0, w1, w2, w3];
  }
}
