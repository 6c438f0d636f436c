/**
 * An SMMUv3 as its driver and its devices see it: memory, registers, queues, transactions. Each transaction gets every answer that the
 * architecture permits after all that was done, and one of them happens. (IHI 0070 3 to 7, the Non-secure programming interface.)
 */
import { isSet, read } from '../../arch/read.ts';
import {
  SMMU_CR0,
  SMMU_CR2,
  SMMU_GBPA,
  SMMU_IDR0,
  SMMU_IDR3,
  type SmmuRegisterName,
} from '../../arch/smmu/index.ts';
import { EXTERNAL_ABORT, type PhysicalMemory } from '../../memory/index.ts';
import { type Answer, keyOf, Search, type StreamTransaction } from '../caches/answers.ts';
import { CacheModel } from '../caches/cache-model.ts';
import { Changes, type ConfigurationRegisters } from '../caches/changes.ts';
import type { Invalidation } from '../caches/invalidation.ts';
import { invalidationOf, type ScopeContext, wildcardBits } from '../caches/scopes.ts';
import { FROM, STILL } from '../caches/timeline.ts';
import { WordHistory } from '../caches/word-history.ts';
import { type IdentificationRegisters, smmuFeatures } from '../features.ts';
import type { RegisterHalf } from '../trace.ts';
import { type CommandError, CommandQueue, type ConsumedCommand } from './command-queue.ts';
import { type Recording, recordEvent } from './event-queue.ts';
import { type IgnoredWrite, RegisterFile } from './register-file.ts';

/** What an SMMU is at reset. */
export interface SmmuDeviceOptions extends IdentificationRegisters {
  readonly aidr?: bigint;
  /** SMMU_GBPA at reset, which is IMPLEMENTATION DEFINED. Default 0: transactions bypass an SMMU that is off. */
  readonly gbpa?: bigint;
  /** StreamIDs whose structures the SMMU may read before a transaction comes. Those that transactions and commands name are added. */
  readonly streams?: readonly number[];
  /** What the SMMU reads outside RAM. Default: an external abort. */
  readonly beyondRam?: 'abort' | 'zero';
  /** Which of the permitted answers happens, as an index. Default: the first, that of memory as it is. */
  readonly choose?: (answers: readonly Answer[]) => number;
  /** The command that is consumed without effect, counted from 0 on: for finding out whether it is needed. @internal */
  readonly ignoreCommand?: number;
  /** Told what software does that has no effect, or not the effect that was probably meant. */
  readonly note?: (note: DeviceNote) => void;
}

/** Something that a driver should know of. */
export type DeviceNote =
  | ({ readonly kind: 'ignored-write' } & IgnoredWrite)
  | { readonly kind: 'command'; readonly command: ConsumedCommand; readonly observable: boolean }
  | { readonly kind: 'command-error'; readonly error: CommandError }
  /** CMDQ_PROD is further ahead of CMDQ_CONS than the queue has entries. */
  | { readonly kind: 'producer-beyond'; readonly waiting: number; readonly size: number };

/** The answers to one transaction. */
export interface DeviceAnswers {
  /** All that are permitted: that of memory as it is first. */
  readonly answers: readonly Answer[];
  /** The one that happened. */
  readonly chosen: Answer;
}

/** An answer, and what it does to the Event queue. */
interface RecordedAnswer {
  readonly answer: Answer;
  readonly recording: Recording;
}

const NO_INVALIDATION: Invalidation = { kind: 'nothing' };

/**
 * An SMMUv3 with its queues, that knows what its caches may hold.
 *
 * @example
 * const memory = new PhysicalMemory({ base: 0x4000_0000n, size: 0x10_0000n });
 * const smmu = new SmmuDevice(memory, { idr0: 0xd44_101bn, idr1: 0x273_0010n, idr3: 0x1414n, idr5: 0x74n, streams: [1] });
 * smmu.mmioWrite('STRTAB_BASE', 0x4000_0000n);
 * smmu.mmioWrite('STRTAB_BASE_CFG', 2n); // 4 STEs
 * smmu.mmioWrite('CR0', 1n);
 * smmu.write64(0x4000_0040n, 0x9n); // the STE of StreamID 1: V = 1, bypass
 * smmu.barrier();
 * const { answers } = smmu.access({ streamId: 1, ia: 0x1234n, access: 'read' });
 * answers.map(({ outcome }) => outcome.by); // [undefined, ['ste']]: translated, or C_BAD_STE of the old STE that may be cached
 */
export class SmmuDevice {
  /** @internal For a judge, which tries commands. */
  readonly changes: Changes;
  /** @internal */
  readonly model: CacheModel;
  readonly #memory: PhysicalMemory;
  readonly #registers: RegisterFile;
  readonly #commands: CommandQueue;
  readonly #options: SmmuDeviceOptions;
  readonly #zero: boolean;
  /** Moments of CMD_SYNCs that were consumed, of which software has not heard yet. */
  #syncs: number[] = [];
  /** SMMU_EVENTQ_PROD as it may be, after the answers that were permitted so far. */
  #producers: readonly bigint[] = [0n];
  #configuration: ConfigurationRegisters;
  #ordinal = 0;

  /** @throws WalkerError for identification registers that no SMMU has. */
  constructor(memory: PhysicalMemory, options: SmmuDeviceOptions) {
    this.#memory = memory;
    this.#options = options;
    this.#zero = options.beyondRam === 'zero';
    const { idr0, idr1, idr3, idr5, aidr = 0n, gbpa = 0n, streams = [] } = options;
    this.#registers = new RegisterFile({
      IDR0: idr0,
      IDR1: idr1,
      IDR3: idr3,
      IDR5: idr5,
      AIDR: aidr,
      GBPA: gbpa,
    });
    this.#configuration = this.#configured();
    this.changes = new Changes(new WordHistory((pa) => this.#word(BigInt(pa))), this.#configuration);
    this.changes.setRegisters(this.#configuration);
    this.model = new CacheModel(this.changes, smmuFeatures(options), { idr0, idr1 });
    this.#commands = new CommandQueue(this.#registers, (pa) => this.#word(pa));
    for (const stream of streams) this.model.addStream(stream);
  }

  /** The driver writes a 64-bit word of memory. The SMMU may read it from now on, and surely does after a barrier. */
  write64(pa: bigint, value: bigint): void {
    this.changes.write(Number(pa), value, this.#word(pa));
    this.#memory.write64(pa, value);
  }

  /**
   * Tells of a write that memory holds already: of a driver that writes to the `PhysicalMemory` itself.
   * @param old - the word before it.
   */
  written64(pa: bigint, value: bigint, old: bigint): void {
    this.changes.write(Number(pa), value, old);
  }

  /** A barrier of the driver (DSB): the SMMU can observe all writes before it. */
  barrier(): void {
    this.changes.barrier();
  }

  /** The driver writes a register, by its name without `SMMU_`, or one half of a 64-bit register. */
  mmioWrite(register: SmmuRegisterName, value: bigint, half?: RegisterHalf): void {
    const before = this.#registers.get('CMDQ_PROD');
    const ignored = this.#registers.write(register, value, half);
    if (ignored !== undefined) this.#note({ kind: 'ignored-write', ...ignored });
    if (register === 'EVENTQ_PROD' && ignored === undefined)
      this.#producers = [this.#registers.get(register)];
    if (register === 'CMDQ_PROD' && !this.#isPossible()) {
      this.#registers.set('CMDQ_PROD', before);
      return;
    }
    this.#configure();
    const error = this.#commands.process((command) => this.#consume(command));
    if (error !== undefined) this.#note({ kind: 'command-error', error });
  }

  /** The driver reads a register. From CMDQ_CONS it learns that each CMD_SYNC before it, and so all before that, is complete. (4.8.) */
  mmioRead(register: SmmuRegisterName): bigint {
    if (register === 'CMDQ_CONS') this.#completeSyncs();
    return register === 'EVENTQ_PROD' ? this.#producers[0]! : this.#registers.get(register);
  }

  /** Every value that a read may give after the answers that were permitted so far. */
  possibleReads(register: SmmuRegisterName): readonly bigint[] {
    return register === 'EVENTQ_PROD' ? this.#producers : [this.mmioRead(register)];
  }

  /**
   * A transaction of a device: every permitted answer, and the one that happens.
   * @param seen - whether an event was found in the queue afterwards, from which the queue goes on; `unknown`: it may be any of the
   * answers. Default: the chosen answer happens, and its event is written to the queue.
   */
  access(transaction: StreamTransaction, seen?: boolean | 'unknown'): DeviceAnswers {
    const recorded = this.#record(this.answersTo(transaction), seen);
    const answers = recorded.map(({ answer }) => answer);
    const chosen = recorded[this.#options.choose?.(answers) ?? 0]!;
    if (seen === undefined) this.#happen(chosen);
    return { answers, chosen: chosen.answer };
  }

  /** The queue goes on from what the chosen answer does to it. */
  #happen({ answer: { event }, recording }: RecordedAnswer): void {
    this.#producers = [recording.producer];
    const { address } = recording;
    if (address === undefined || event === undefined) return;
    for (const [i, word] of event.entries()) this.#memory.write64(address + BigInt(i * 8), word);
  }

  /**
   * The answers to a transaction as if it came now, without a trace of it.
   * @internal
   */
  answersTo(transaction: StreamTransaction): readonly Answer[] {
    if (!this.#configuration.enabled) return [this.#bypassed(transaction)];
    const { streamId, substreamId = 0 } = transaction;
    this.model.addStream(streamId);
    this.model.addStream(streamId, substreamId);
    return new Search(this.model, this.changes.now, transaction).answers();
  }

  /** Of the word that changed last of those that the answers to a transaction may depend on: the moments of its changes. @internal */
  changesFor({ streamId, substreamId = 0, ia }: StreamTransaction): readonly number[] {
    if (!this.#configuration.enabled) return [];
    return this.model.changesFor(streamId, substreamId, ia, this.changes.now);
  }

  /** The words that a transaction's answers may depend on at a moment. @internal */
  wordsFor({ streamId, substreamId = 0, ia }: StreamTransaction, moment: number): ReadonlySet<number> {
    return this.#configuration.enabled
      ? this.model.wordsFor(streamId, substreamId, ia, moment)
      : new Set<number>();
  }

  /** How many different STEs transactions of a stream may meet now. @internal */
  readableStes(streamId: number): number {
    return this.model.readableStes(streamId, this.changes.now);
  }

  /** What registers say of the scopes of commands. @internal */
  get scopes(): ScopeContext {
    const { asid16, vmid16, stage2, cpu } = this.model.features;
    return {
      asid16,
      vmid16,
      stage2,
      ds: cpu.lpa2,
      ranges: this.#registers.isSet('IDR3', SMMU_IDR3.fields.RIL),
      e2h: this.#registers.isSet('CR2', SMMU_CR2.fields.E2H),
      wildcard: this.#registers.isSet('IDR0', SMMU_IDR0.fields.VMW)
        ? wildcardBits(read(this.#registers.get('CR0'), SMMU_CR0.fields.VMW))
        : 0,
    };
  }

  /** SMMUEN = 0: what GBPA says. Nothing is recorded. (6.3.9.6, 6.3.14.) */
  #bypassed({ ia }: StreamTransaction): Answer {
    const aborts = this.#registers.isSet('GBPA', SMMU_GBPA.fields.ABORT);
    const beyond = ia >> BigInt(this.model.features.oas) !== 0n;
    const outcome = aborts || beyond ? ({ kind: 'abort' } as const) : ({ kind: 'pa', pa: ia } as const);
    return { outcome, mask: FROM.memory, until: STILL, event: undefined };
  }

  /** Puts events into the queue. Where one does not fit, that is another outcome. */
  #record(answers: readonly Answer[], seen: boolean | 'unknown' | undefined): readonly RecordedAnswer[] {
    const found = new Map<string, RecordedAnswer>();
    const producers = new Set<bigint>();
    for (const producer of this.#producers) {
      const written = recordEvent(this.#registers, producer);
      const fits = written.address !== undefined;
      for (const answer of answers) {
        const recorded = this.#recordOne(answer, producer);
        const next = fits && typeof seen === 'boolean' ? (seen ? written.producer : producer) : undefined;
        producers.add(next ?? recorded.recording.producer);
        const key = keyOf(recorded.answer.outcome);
        if (!found.has(key)) found.set(key, recorded);
      }
    }
    this.#producers = [...producers];
    return [...found.values()];
  }

  #recordOne(answer: Answer, producer: bigint): RecordedAnswer {
    const { event, outcome } = answer;
    if (event === undefined || outcome.kind !== 'fault') {
      return { answer, recording: { producer, address: undefined } };
    }
    const recording = recordEvent(this.#registers, producer);
    if (recording.address !== undefined) return { answer, recording };
    return { answer: { ...answer, outcome: { ...outcome, recorded: false }, event: undefined }, recording };
  }

  #isPossible(): boolean {
    const { waiting, place } = this.#commands;
    const size = 2 ** place.log2Size;
    if (waiting <= size) return true;
    this.#note({ kind: 'producer-beyond', waiting, size });
    return false;
  }

  #consume(command: ConsumedCommand): void {
    const { address, command: decoded } = command;
    const { unobservable } = this.changes.words;
    const observable = !unobservable.has(Number(address)) && !unobservable.has(Number(address) + 8);
    const { StreamID } = decoded.fields;
    if (decoded.name === 'CFGI_STE' && StreamID !== undefined) this.model.addStream(Number(StreamID));
    const ignored = this.#ordinal++ === this.#options.ignoreCommand;
    const scope = observable && !ignored ? invalidationOf(decoded, this.scopes) : undefined;
    const moment = this.changes.command(scope ?? NO_INVALIDATION);
    if (decoded.name === 'SYNC' && observable && !ignored) this.#syncs.push(moment);
    this.#note({ kind: 'command', command, observable });
  }

  #completeSyncs(): void {
    const last = this.#syncs.at(-1);
    this.#syncs = [];
    if (last !== undefined) this.changes.complete(last);
  }

  /** Tells the caches when registers that structures are found by have changed. */
  #configure(): void {
    const now = this.#configured();
    const old = this.#configuration;
    if (
      now.enabled === old.enabled &&
      now.strtabBase === old.strtabBase &&
      now.strtabBaseCfg === old.strtabBaseCfg &&
      now.cr2 === old.cr2 &&
      now.s2pii === old.s2pii
    ) {
      return;
    }
    this.#configuration = now;
    this.changes.setRegisters(now);
  }

  #configured(): ConfigurationRegisters {
    return {
      enabled: isSet(this.#registers.get('CR0'), SMMU_CR0.fields.SMMUEN),
      strtabBase: this.#registers.get('STRTAB_BASE'),
      strtabBaseCfg: this.#registers.get('STRTAB_BASE_CFG'),
      cr2: this.#registers.get('CR2'),
      s2pii: this.#registers.get('S2PII'),
    };
  }

  #word(pa: bigint): bigint | undefined {
    const word = this.#memory.read64(pa);
    if (word !== EXTERNAL_ABORT) return word;
    return this.#zero ? 0n : undefined;
  }

  #note(note: DeviceNote): void {
    this.#options.note?.(note);
  }
}
