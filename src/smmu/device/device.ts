/**
 * An SMMUv3 as its driver and its devices see it: memory, registers, queues, transactions. Each transaction gets every answer that the
 * architecture permits after all that was done, and one of them happens. (IHI 0070 3 to 7, the Non-secure programming interface.)
 */
import type { SmmuRegisterName } from '../../arch/smmu/index.ts';
import type { PhysicalMemory } from '../../memory/index.ts';
import type { Answer, StreamTransaction } from '../caches/answers.ts';
import { CacheModel } from '../caches/cache-model.ts';
import { Changes, type ConfigurationRegisters } from '../caches/changes.ts';
import type { ScopeContext } from '../caches/scopes.ts';
import { WordHistory } from '../caches/word-history.ts';
import { smmuFeatures } from '../features.ts';
import type { InterruptSource, RegisterHalf } from '../trace.ts';
import { Answering } from './answering.ts';
import { CommandEffects } from './command-effects.ts';
import { CommandQueue } from './command-queue.ts';
import { configurationOf, isSameConfiguration, scopesOf } from './controls.ts';
import { DeviceMemory } from './device-memory.ts';
import { EventQueue, type SeenEvent, withTag } from './event-queue.ts';
import { Interrupts } from './interrupts.ts';
import type { DeviceAnswers, DeviceNote, SmmuDeviceOptions } from './options.ts';
import { type PageRequest, type PageResponse, PriQueue } from './pri-queue.ts';
import { RegisterFile } from './register-file.ts';
import { isStall, StallControl } from './stall-control.ts';
import { endingsOf } from './stall-endings.ts';
import type { StalledTransaction } from './stalls.ts';
import { Syncs } from './syncs.ts';

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
  readonly #ram: DeviceMemory;
  readonly #answering: Answering;
  readonly #registers: RegisterFile;
  readonly #commands: CommandQueue;
  readonly #events: EventQueue;
  readonly #pages: PriQueue;
  readonly #interrupts: Interrupts;
  readonly #syncs = new Syncs();
  readonly #stalls: StallControl;
  readonly #effects: CommandEffects;
  readonly #options: SmmuDeviceOptions;
  #configuration: ConfigurationRegisters;

  /** @throws WalkerError for identification registers that no SMMU has. */
  constructor(memory: PhysicalMemory, options: SmmuDeviceOptions) {
    this.#memory = memory;
    this.#options = options;
    this.#ram = new DeviceMemory(memory, options.beyondRam === 'zero', (pa) =>
      this.#note({ kind: 'beyond-ram', pa }),
    );
    const { idr0, idr1, idr3, idr5, aidr = 0n, gbpa = 0n, streams = [] } = options;
    this.#registers = new RegisterFile({
      IDR0: idr0,
      IDR1: idr1,
      IDR3: idr3,
      IDR5: idr5,
      AIDR: aidr,
      GBPA: gbpa,
    });
    this.#configuration = configurationOf(this.#registers);
    this.changes = new Changes(new WordHistory((pa) => this.#ram.word(BigInt(pa))), this.#configuration);
    this.changes.setRegisters(this.#configuration);
    this.model = new CacheModel(this.changes, smmuFeatures(options), { idr0, idr1 });
    this.#answering = new Answering(this.model, this.#registers);
    this.#interrupts = new Interrupts(this.#registers, {
      write: (msi) => this.#ram.send(msi, this.changes, options.msi),
      tell: options.interrupt,
    });
    this.#commands = new CommandQueue(this.#registers, this.#interrupts, (pa) => this.#ram.word(pa));
    this.#events = new EventQueue(this.#registers, this.#interrupts, (at, words) =>
      this.#ram.record(at, words),
    );
    this.#pages = new PriQueue(this.#registers, this.#interrupts, (at, words) => this.#ram.record(at, words));
    this.#stalls = new StallControl({
      answersTo: (transaction) => this.answersTo(transaction),
      access: (transaction) => this.#answer(transaction, this.answersTo(transaction)),
      note: (note) => this.#note(note),
      resumed: options.resumed,
    });
    this.#effects = new CommandEffects({
      changes: this.changes,
      model: this.model,
      registers: this.#registers,
      commands: this.#commands,
      interrupts: this.#interrupts,
      syncs: this.#syncs,
      stalls: this.#stalls,
      options,
      isEnabled: () => this.#configuration.enabled,
    });
    for (const stream of streams) this.model.addStream(stream);
  }

  /** The driver writes a 64-bit word of memory. The SMMU may read it from now on, and surely does after a barrier. */
  write64(pa: bigint, value: bigint): void {
    this.changes.write(Number(pa), value, this.#ram.word(pa));
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
    if (register === 'EVENTQ_PROD' && ignored === undefined) {
      this.#events.producer = this.#registers.get(register);
    }
    if (register === 'CMDQ_PROD' && !this.#isPossible()) {
      this.#registers.set('CMDQ_PROD', before);
      return;
    }
    this.#configure();
    const error = this.#commands.process((command) => this.#effects.consume(command));
    if (error !== undefined) this.#note({ kind: 'command-error', error });
    if (this.#stalls.waitsForQueue && this.#events.writable) this.#stalls.retryUnrecorded();
    this.#interrupts.deliver();
    this.#stalls.deliver();
  }

  /** The driver reads a register. From CMDQ_CONS it learns that each CMD_SYNC before it, and so all before that, is complete. (4.8.) */
  mmioRead(register: SmmuRegisterName): bigint {
    if (register === 'CMDQ_CONS') this.#complete(this.#syncs.all());
    return register === 'EVENTQ_PROD' ? this.#events.producers[0]! : this.#registers.get(register);
  }

  /**
   * The driver reads a 64-bit word of memory, and may find there what an MSI has written: the CMD_SYNC that sent it is complete. (4.7.3.)
   * @param got - what it read, if that is known. Default: what is there.
   */
  read64(pa: bigint, got: bigint = this.#ram.word(pa) ?? 0n): bigint {
    this.#complete(this.#syncs.signalledAt(pa, got));
    return got;
  }

  /**
   * The driver takes an interrupt. That of a CMD_SYNC tells it that the CMD_SYNC is complete. (3.18, 4.7.3.)
   * @returns false: the SMMU has sent none from this source since the driver took one.
   */
  interruptTaken(source: InterruptSource): boolean {
    const sent = this.#interrupts.take(source);
    if (!sent) this.#note({ kind: 'no-interrupt', source });
    if (source === 'CMD_SYNC' && sent) this.#complete(this.#syncs.interrupting());
    return sent;
  }

  /** Every value that a read may give after the answers that were permitted so far. */
  possibleReads(register: SmmuRegisterName): readonly bigint[] {
    return register === 'EVENTQ_PROD' ? this.#events.producers : [this.mmioRead(register)];
  }

  /**
   * A transaction of a device: every permitted answer, and the one that happens.
   * @param seen - what was found of it in the Event queue afterwards. Default: the chosen answer happens, and its event is written to the queue.
   */
  access(transaction: StreamTransaction, seen?: SeenEvent): DeviceAnswers {
    const answers = this.#answer(transaction, this.answersTo(transaction), seen);
    this.#interrupts.deliver();
    return answers;
  }

  /**
   * What a device sees of a transaction that had stalled: every answer that is permitted by now, the one that happens, and whether it
   * stalls again. (3.12.2, 4.7.1.)
   */
  resumed(stalled: StalledTransaction, seen: SeenEvent = 'unknown'): DeviceAnswers {
    const at = (moment: number) => this.#answering.at(stalled.transaction, moment);
    const waits = stalled.command === undefined ? stalled : undefined;
    const answers = this.#answer(stalled.transaction, endingsOf(stalled, this.changes, at), seen, waits);
    this.#interrupts.deliver();
    return answers;
  }

  /** A device asks for a page. Returns what the SMMU answers by itself; undefined: the request is in the PRI queue, or is discarded. (8.) */
  pageRequest(request: PageRequest): PageResponse | undefined {
    const response = this.#pages.request(request);
    this.#interrupts.deliver();
    return response;
  }

  /** Transactions that are stalled, or may be, and have had no command. */
  get stalled(): readonly StalledTransaction[] {
    return this.#stalls.stalls.waiting;
  }

  /** @param waits - the transaction, if it may still be stalled as it was. */
  #answer(
    transaction: StreamTransaction,
    possible: readonly Answer[],
    seen?: SeenEvent,
    waits?: StalledTransaction,
  ): DeviceAnswers {
    const happens = seen === undefined;
    const tag = happens ? this.#stalls.stalls.nextTag : typeof seen === 'object' ? seen.stag : undefined;
    const isSeen = typeof seen === 'object' ? true : seen;
    const tagged = possible.map((answer) => withTag(answer, tag));
    const recorded = this.#events.record(tagged, isSeen);
    const answers = recorded.map(({ answer }) => answer);
    const { answer: chosen, recording } = recorded[this.#options.choose?.(answers, transaction) ?? 0]!;
    if (happens) this.#events.happen({ answer: chosen, recording });
    if (!(happens ? isStall(chosen) : answers.some(isStall))) return { answers, chosen };
    if (waits !== undefined) return { answers, chosen, stalled: waits };
    const certain = happens || tag !== undefined || answers.every(isStall);
    const stalled = this.#stalls.stalls.add({ transaction, since: this.changes.now, stag: tag, certain });
    if (happens) this.#stalls.happened(stalled, chosen.event !== undefined);
    return { answers, chosen, stalled };
  }

  /**
   * The answers to a transaction as if it came now, without a trace of it.
   * @internal
   */
  answersTo(transaction: StreamTransaction): readonly Answer[] {
    return this.#answering.at(transaction, this.changes.now);
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
    return scopesOf(this.#registers, this.model.features);
  }

  #isPossible(): boolean {
    const { waiting, place } = this.#commands;
    const size = 2 ** place.log2Size;
    if (waiting <= size) return true;
    this.#note({ kind: 'producer-beyond', waiting, size });
    return false;
  }

  /** Software knows that a CMD_SYNC is complete, by its moment, and so all before it. */
  #complete(sync: number | undefined): void {
    if (sync !== undefined) this.changes.complete(sync);
  }

  /** Tells the caches when registers that structures are found by have changed. */
  #configure(): void {
    const now = configurationOf(this.#registers);
    const old = this.#configuration;
    if (isSameConfiguration(now, old)) return;
    this.#configuration = now;
    this.changes.setRegisters(now);
    if (old.enabled && !now.enabled) this.#stalls.off(this.changes.now);
  }

  #note(note: DeviceNote): void {
    this.#options.note?.(note);
  }
}
