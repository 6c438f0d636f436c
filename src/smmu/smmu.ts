/** SMMUv3: from a StreamID, through the stream table, to a translation or an event. (IHI 0070 3.3, 5.1, 6.3.24, 6.3.25.) */

import { addressOf, highMask, isSet, lowMask, read, shiftOf, wordOf } from '../arch/read.ts';
import {
  L1STD,
  LARGEST_SPAN,
  SMMU_CR0,
  SMMU_CR2,
  SMMU_GBPA,
  SMMU_IDR0,
  SMMU_IDR1,
  SMMU_STRTAB_BASE,
  SMMU_STRTAB_BASE_CFG,
  ST_LEVEL_LINEAR,
  STE,
  STE_CONFIG,
  TWO_LEVELS,
} from '../arch/smmu/index.ts';
import type { PhysicalMemory } from '../memory/index.ts';
import { nearest } from '../memory/near-names.ts';
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
  /** The CD, if it is not in memory. */
  readonly cd?: CdWords;
  readonly streamId?: number;
  readonly identification?: Partial<IdentificationRegisters>;
  /** Output address bits; overrides SMMU_IDR5.OAS. */
  readonly oas?: number;
}

/**
 * Makes a stream from its STE (and CD), without a stream table.
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
  checkMembers('a stream', description, ['ste', 'cd', 'streamId', 'identification', 'oas'], ['ste']);
  const { ste, cd, streamId = 0, identification, oas } = description;
  if (identification) checkMembers('an SMMU', identification, IDENTIFICATION);
  checkWords('ste', ste, STE.width / WORD_BITS);
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
  const known = ['strtabBase', 'strtabBaseCfg', 'cr0', 'cr2', 'gbpa', ...IDENTIFICATION];
  checkMembers('an SMMU', registers, known, ['strtabBase', 'strtabBaseCfg']);
  checkRegisters({ ...registers });
  return new Smmu(memory, registers);
}

const IDENTIFICATION = Object.keys(DEFAULT_IDENTIFICATION);

/** Checks that an object has the required members and no unknown ones. @throws WalkerError with the likely name. */
function checkMembers(
  what: string,
  given: unknown,
  known: readonly string[],
  needed: readonly string[] = [],
): void {
  if (typeof given !== 'object' || given === null) {
    throw new WalkerError(`${what} is made of an object with ${known.join(', ')}, not ${String(given)}`);
  }
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const likely = nearest(unknown.replaceAll('_', ''), known);
    const hint = likely === undefined ? `known are ${known.join(', ')}` : `did you mean ${likely}?`;
    throw new WalkerError(`'${unknown}' is nothing that ${what} has; ${hint}`);
  }
  const missing = needed.find((name) => (given as Readonly<Record<string, unknown>>)[name] === undefined);
  if (missing !== undefined) throw new WalkerError(`${what} needs ${missing}`);
}

const WORD_BITS = 64;
/** The number of words of an STE or CD that affect translation. */
const WORDS = 4;

function checkWords(name: string, words: readonly bigint[], most: number = WORDS): void {
  if (words.length < WORDS || words.length > most) {
    const more = most > WORDS ? ` (or up to ${most})` : '';
    throw new WalkerError(`${name} must be four 64-bit words${more}, not ${words.length}`);
  }
  checkRegisters(Object.fromEntries(words.map((word, i) => [`${name}[${i}]`, word])));
}

function checkRegisters(registers: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(registers)) {
    if (value === undefined || (typeof value === 'bigint' && BigInt.asUintN(64, value) === value)) continue;
    throw new WalkerError(`${name} must be a bigint of at most 64 bits, not ${String(value)}`);
  }
}

/** An STE with Config = 0b100, which applies to all streams while the SMMU is off. */
const BYPASS: SteWords = [wordOf(STE, { V: true, Config: STE_CONFIG.bypass }), 0n, 0n, 0n];

/** The defaults of a transaction. */
const READ: Transaction = Object.freeze({ access: 'read' });

/** The maximum number of bits of a StreamID. */
const STREAM_ID_BITS = 32;

const STE_BYTES = STE.width / 8;
/** The bytes of an STE that affect translation. */
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

/** An SMMUv3 as its registers and memory describe it. Every transaction reads the configuration from memory again. */
export class Smmu {
  readonly features: SmmuFeatures;
  readonly #memory: TableMemory;
  readonly #table: SteLookup['table'];
  /** CR0.SMMUEN, GBPA.ABORT, CR2.RECINVSID, CR2.E2H. */
  readonly #enabled: boolean;
  readonly #aborts: boolean;
  readonly #recordsInvalid: boolean;
  readonly #e2h: boolean;
  readonly #streams = new Map<number, { readonly words: SteWords; readonly stream: Stream }>();

  /** @internal Use {@link createSmmu}. */
  constructor(memory: PhysicalMemory, registers: SmmuRegisters) {
    this.#memory = new TableMemory(memory);
    const { cr0, cr2 = 0n, gbpa = 0n } = registers;
    this.#table = streamTable(registers);
    this.#enabled = cr0 === undefined || isSet(cr0, SMMU_CR0.fields.SMMUEN);
    this.#aborts = isSet(gbpa, SMMU_GBPA.fields.ABORT);
    this.#recordsInvalid = isSet(cr2, SMMU_CR2.fields.RECINVSID);
    this.#e2h = isSet(cr2, SMMU_CR2.fields.E2H);
    this.features = smmuFeatures({ ...DEFAULT_IDENTIFICATION, ...registers });
  }

  /**
   * Translates a transaction of a stream.
   * @param streamId - up to 32 bits.
   * @param transaction - default: a privileged read.
   * @returns a translation, or a fault with its event record and what the device sees. A stalled transaction is not resumed.
   * @throws WalkerError for a StreamID or an address that no device can send, an unknown kind of access, or a configuration
   * that is not modelled (permission indirection, VMSAv9-128 …; IHI 0070 3.26, 3.27).
   */
  translate(streamId: number, ia: bigint, transaction: Transaction = READ): SmmuResult {
    if (!Number.isInteger(streamId) || streamId < 0 || streamId > 0xffff_ffff) {
      throw new WalkerError(`a StreamID has up to 32 bits; ${streamId} is not one`);
    }
    const { access, privileged = true, substreamId } = transaction;
    const terminated = (fault: SmmuFault): SmmuResult => {
      // A StreamID outside the table is recorded only if CR2 asks for it.
      const silent = fault.kind === 'c_bad_streamid' && !this.#recordsInvalid;
      const event = silent
        ? undefined
        : eventRecord(fault, { streamId, substreamId, ia, access, privileged });
      return { ok: false, ia, fault, event, response: 'abort', steps: [] };
    };
    if (!this.#enabled) {
      // Nothing is recorded while the SMMU is off, and a SubstreamID makes no difference. (6.3.9.6)
      const { substreamId: _, ...plain } = transaction;
      const bypass = this.#stream(streamId, BYPASS).translate(ia, plain);
      return bypass.ok && !this.#aborts ? bypass : terminated({ kind: 'abort' });
    }
    const ste = this.#fetchSte(streamId);
    return 'kind' in ste ? terminated(ste) : this.#stream(streamId, ste).translate(ia, transaction);
  }

  /** The tables of a stream: none if it has no legal configuration, or the SMMU is off. */
  trees(streamId: number, substreamId?: number): TableTree[] {
    if (!this.#enabled) return [];
    const ste = this.#fetchSte(streamId);
    return 'kind' in ste ? [] : this.#stream(streamId, ste).trees(substreamId);
  }

  /** The stream of an STE, decoded again only when its words have changed. */
  #stream(streamId: number, words: SteWords): Stream {
    const known = this.#streams.get(streamId);
    if (known?.words.every((word, i) => word === words[i])) return known.stream;
    const options = { features: this.features, streamId, e2h: this.#e2h };
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
    // Translation hardening is the only feature whose controls are beyond the first words.
    const bytes = this.features.the ? STE_BYTES : STE_TRANSLATION_BYTES;
    for (let at = address; at < address + bytes; at += 8) {
      if (!this.#memory.read64(at, false)) return { kind: 'f_ste_fetch', fetchAddress: BigInt(address) };
      words.push(word64(this.#memory.lo, this.#memory.hi));
    }
    const [w0 = 0n, w1 = 0n, w2 = 0n, w3 = 0n, ...more] = words;
    return [w0, w1, w2, w3, ...more];
  }
}
