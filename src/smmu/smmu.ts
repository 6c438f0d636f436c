/** SMMUv3: from a StreamID, through the stream table, to a translation or an event. (IHI 0070 3.3, 5.1, 6.3.24, 6.3.25.) */

import { isSet, placeInto, read, wordOf } from '../arch/read.ts';
import { SMMU_CR0, SMMU_CR2, SMMU_GBPA, SMMU_S_GBPA, STE, STE_CONFIG } from '../arch/smmu/index.ts';
import type { PhysicalMemory } from '../memory/index.ts';
import { WalkerError } from '../walker/errors.ts';
import { TableMemory } from '../walker/table-memory.ts';
import type { TableTree } from '../walker/table-tree.ts';
import type { CdWords } from './context-descriptor.ts';
import { eventRecord } from './events.ts';
import {
  DEFAULT_IDENTIFICATION,
  type IdentificationRegisters,
  type ProgrammingInterface,
  type SmmuFeatures,
  smmuFeatures,
} from './features.ts';
import { checkMembers, checkRegisters, checkWords } from './given.ts';
import type { SmmuRegisters } from './registers.ts';
import { Stream } from './stream.ts';
import { type SteLookup, StreamTable } from './stream-table.ts';
import type { SteWords } from './stream-table-entry.ts';
import type { SmmuFault, SmmuResult, Transaction } from './types.ts';

/** A stream by itself: its STE, without a stream table. */
export interface StreamDescription extends Omit<ProgrammingInterface, 'cr0'> {
  readonly ste: SteWords;
  /** The CD, if it is not in memory. */
  readonly cd?: CdWords;
  readonly streamId?: number;
  readonly identification?: Partial<IdentificationRegisters>;
  /** SMMU_S2PII, which an STE with S2PIE = 1 needs. */
  readonly s2pii?: bigint;
  /** Output address bits; overrides SMMU_IDR5.OAS. */
  readonly oas?: number;
}

const INTERFACE = ['security', 'sIdr0', 'sIdr1'] as const;

const IDENTIFICATION = Object.keys(DEFAULT_IDENTIFICATION);

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
  const known = ['ste', 'cd', 'streamId', 'identification', 's2pii', 'oas', ...INTERFACE];
  checkMembers('a stream', description, known, ['ste']);
  const { ste, cd, streamId = 0, identification, s2pii, oas, ...own } = description;
  checkInterface(own);
  if (identification) checkMembers('an SMMU', identification, IDENTIFICATION);
  checkWords('ste', ste);
  if (cd) checkWords('cd', cd);
  checkRegisters({ ...identification, s2pii });
  const features = smmuFeatures({ ...DEFAULT_IDENTIFICATION, ...identification, ...own }, oas);
  const options = { features, streamId, e2h: false, s2pii, ...(cd && { cd }) };
  return new Stream(new TableMemory(memory), ste, options);
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
  const known = [
    'strtabBase',
    'strtabBaseCfg',
    'cr0',
    'cr2',
    'gbpa',
    's2pii',
    ...IDENTIFICATION,
    ...INTERFACE,
  ];
  checkMembers('an SMMU', registers, known, ['strtabBase', 'strtabBaseCfg']);
  const { security, ...values } = registers;
  checkInterface(registers);
  checkRegisters({ ...values });
  return new Smmu(memory, registers);
}

/** @throws WalkerError for a programming interface that an SMMU does not have here. */
function checkInterface({ security, sIdr0, sIdr1 }: ProgrammingInterface): void {
  if (security !== undefined && security !== 'non-secure' && security !== 'secure') {
    throw new WalkerError(`the streams of an SMMU are non-secure or secure here, not '${String(security)}'`);
  }
  checkRegisters({ sIdr0, sIdr1 });
}

/** An STE with Config = 0b100, which applies to all streams while the SMMU is off. Its NSCFG is SMMU_S_GBPA's. */
function bypass(gbpa: bigint): SteWords {
  const words: [bigint, bigint, bigint, bigint] = [
    wordOf(STE, { V: true, Config: STE_CONFIG.bypass }),
    0n,
    0n,
    0n,
  ];
  placeInto(words, STE.fields.NSCFG, read(gbpa, SMMU_S_GBPA.fields.NSCFG));
  return words;
}

/** The defaults of a transaction. */
const READ: Transaction = Object.freeze({ access: 'read' });

/** An SMMUv3 as its registers and memory describe it. Every transaction reads the configuration from memory again. */
export class Smmu {
  /** Whose streams: those of the Non-secure or of the Secure stream table. */
  readonly security: 'non-secure' | 'secure';
  readonly features: SmmuFeatures;
  readonly #memory: TableMemory;
  readonly #table: StreamTable;
  /** CR0.SMMUEN, GBPA.ABORT, CR2.RECINVSID, CR2.E2H. */
  readonly #enabled: boolean;
  readonly #aborts: boolean;
  readonly #recordsInvalid: boolean;
  readonly #e2h: boolean;
  readonly #s2pii: bigint | undefined;
  readonly #bypass: SteWords;
  readonly #streams = new Map<number, { readonly words: SteWords; readonly stream: Stream }>();

  /** @internal Use {@link createSmmu}. */
  constructor(memory: PhysicalMemory, registers: SmmuRegisters) {
    this.#memory = new TableMemory(memory);
    const { cr0, cr2 = 0n, gbpa = 0n } = registers;
    this.#enabled = cr0 === undefined || isSet(cr0, SMMU_CR0.fields.SMMUEN);
    this.#aborts = isSet(gbpa, SMMU_GBPA.fields.ABORT);
    this.#recordsInvalid = isSet(cr2, SMMU_CR2.fields.RECINVSID);
    this.#s2pii = registers.s2pii;
    this.#bypass = bypass(gbpa);
    this.#e2h = isSet(cr2, SMMU_CR2.fields.E2H);
    this.features = smmuFeatures({ ...DEFAULT_IDENTIFICATION, ...registers });
    this.security = this.features.security;
    this.#table = new StreamTable(this.#memory, registers, this.features);
  }

  /**
   * Translates a transaction of a stream.
   * @param streamId - up to 32 bits.
   * @param transaction - default: a privileged read.
   * @returns a translation, or a fault with its event record and what the device sees. A stalled transaction is not resumed.
   * @throws WalkerError for a StreamID or an address that no device can send, an unknown kind of access, or a configuration
   * that is not modelled (VMSAv9-128), or an STE with S2PIE = 1 where `s2pii` was not given (IHI 0070 3.26.2, 6.3.6).
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
      const bypassed = this.#stream(streamId, this.#bypass).translate(ia, plain);
      return bypassed.ok && !this.#aborts ? bypassed : terminated({ kind: 'abort' });
    }
    const ste = this.#table.locate(streamId).outcome;
    return 'kind' in ste ? terminated(ste) : this.#stream(streamId, ste).translate(ia, transaction);
  }

  /** The tables of a stream: none if it has no legal configuration, or the SMMU is off. */
  trees(streamId: number, substreamId?: number): TableTree[] {
    if (!this.#enabled) return [];
    const ste = this.#table.locate(streamId).outcome;
    return 'kind' in ste ? [] : this.#stream(streamId, ste).trees(substreamId);
  }

  /** The stream of an STE, decoded again only when its words have changed. */
  #stream(streamId: number, words: SteWords): Stream {
    const known = this.#streams.get(streamId);
    if (known?.words.every((word, i) => word === words[i])) return known.stream;
    const options = { features: this.features, streamId, e2h: this.#e2h, s2pii: this.#s2pii };
    const stream = new Stream(this.#memory, words, options);
    this.#streams.set(streamId, { words, stream });
    return stream;
  }

  /**
   * Where the STE of a stream is, and its words.
   * @internal For `describeStream`.
   */
  locate(streamId: number): SteLookup {
    return this.#table.locate(streamId);
  }
}
