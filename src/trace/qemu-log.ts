/**
 * Reads the log that QEMU writes with `-trace 'smmu*'`: registers, commands as far as it names their operands, descriptors that walks read, and transactions.
 * With the guest's memory, structures and commands are taken from there.
 */
import { EVENTS } from '../arch/smmu/index.ts';
import { type DraftMachine, type ReadTrace, registerAt, TraceDraft } from './draft.ts';
import { type Consumed, wordsOf } from './qemu-commands.ts';
import { type QemuLogEvents, QUIET, READERS } from './qemu-lines.ts';

import { SeenStructures } from './seen-structures.ts';

/** The word at a PA (a multiple of 8), as an image of the guest's memory has it; undefined outside it. */
export type ReadWord = (pa: bigint) => bigint | undefined;

/** What the caller knows of the machine, and its memory. */
export interface QemuLogOptions extends Partial<DraftMachine> {
  /** The guest's memory after the run. */
  readonly memory?: ReadWord;
  /**
   * Without `memory`: STEs and CDs are made as QEMU's lines show them, and words that change are written as early as the log permits, so that
   * only what no order of the writes can make right is found. Default: structures are not in the trace.
   */
  readonly seen?: boolean;
}

/** Whether a text has lines of QEMU's SMMUv3. */
export function isQemuSmmuLog(text: string): boolean {
  return /^(?:\d+@[\d.]+:)?smmuv3_(?:read|write)_mmio addr: /m.test(text);
}

/**
 * Reads a log. What it does not say is said in `notes`, and with the step.
 * @throws SmmuTraceError for a log that no run can have left.
 */
export function parseQemuLog(text: string, options: QemuLogOptions = {}): ReadTrace {
  const reader = new QemuLogReader(options);
  for (const line of text.split('\n')) reader.line(line.trim());
  return reader.finish();
}

const COMMAND_BYTES = 16n;
const STRUCTURE_WORDS = 8;
const BASE_ADDR = (1n << 56n) - 32n;
const LOG2SIZE = 0x1fn;
class QemuLogReader implements QemuLogEvents {
  readonly #draft: TraceDraft;
  readonly #memory: ReadWord | undefined;
  /** Words as the trace has them so far. */
  readonly #known = new Map<bigint, bigint>();
  #queue: { readonly base: bigint; readonly size: bigint } | undefined;
  #cons = 0;
  #consumed: Consumed[] = [];
  /** The page of the last lookup, which is all that the log says of an access that faulted. */
  #page: bigint | undefined;
  /** Descriptors were shown that a walk has read, so the SMMU observed them. */
  #shown = false;
  /** What has to be done, in order: a word that has changed is put between. */
  readonly #slots: (() => void)[][] = [];
  /** By the address of a word: how many slots there were when it was last used. */
  readonly #used = new Map<bigint, number>();
  /** By page: the words that a walk for it has read. */
  readonly #walked = new Map<bigint, Set<bigint>>();
  readonly #structures: SeenStructures | undefined;

  constructor({ memory, seen = false, ...machine }: QemuLogOptions) {
    this.#draft = new TraceDraft({ name: 'a log of QEMU', ...machine });
    this.#memory = memory;
    this.#structures = seen && memory === undefined ? new SeenStructures() : undefined;
    if (this.#structures !== undefined) {
      this.#draft.note('STEs and CDs are as QEMU read them: what its lines do not show is taken as 0');
    }
    this.#draft.note('the log has no barriers: one is assumed before each write of CMDQ_PROD');
    this.#draft.note(
      'the log does not say when memory was written: words come before the step that first shows them',
    );
  }

  line(line: string): void {
    const [, event = '', rest = ''] = /^(?:\d+@[\d.]+:)?(smmu\w*)\s*(.*)$/.exec(line) ?? [];
    if (event === '') return;
    const read = READERS.find(([name]) => name === event);
    if (read === undefined) {
      if (!QUIET.test(event)) this.#draft.note(`a line of ${event} is ignored`);
      return;
    }
    const [, pattern, handle] = read;
    const found = pattern.exec(rest);
    if (found === null) this.#draft.note(`a line of ${event} has an unknown form`);
    else
      handle(
        this,
        found.slice(1).map((one) => one ?? ''),
      );
  }

  finish(): ReadTrace {
    for (const slot of this.#slots) for (const add of slot) add();
    return this.#draft.finish();
  }

  #then(add: () => void): void {
    this.#slots.push([add]);
  }

  registerWritten(offset: number, value: bigint, bytes: number): void {
    this.#submit();
    const at = registerAt(offset, bytes);
    if (at === undefined) {
      this.#draft.note(`a write to offset 0x${offset.toString(16)}, where no known register is, is left out`);
      return;
    }
    if (at.register === 'CMDQ_BASE' && at.half === undefined) {
      this.#queue = { base: value & BASE_ADDR, size: 1n << (value & LOG2SIZE) };
    }
    if (at.register === 'CMDQ_PROD') this.#then(() => this.#draft.barrier('not in the log'));
    this.#then(() => this.#draft.mmio(at, value));
  }

  registerRead(offset: number, value: bigint, bytes: number): void {
    const at = registerAt(offset, bytes);
    if (at !== undefined) this.#then(() => this.#draft.read(at, value));
    else
      this.#draft.note(`a read at offset 0x${offset.toString(16)}, where no known register is, is left out`);
  }

  /** QEMU consumes commands while the register is written, and logs the write afterwards. */
  consumes(index: number): void {
    this.#cons = index;
  }

  command(name: string): void {
    this.#consumed.push({ index: this.#cons, name, operands: undefined });
  }

  operands(text: string): void {
    const last = this.#consumed.at(-1);
    if (last !== undefined) last.operands ??= text;
  }

  descriptor(pa: bigint, value: bigint): void {
    if (this.#page !== undefined) {
      const walked = this.#walked.get(this.#page) ?? new Set();
      this.#walked.set(this.#page, walked.add(pa));
    }
    this.#show(pa, value, 'a walk read it; the log does not say when it was written');
  }

  level1(pa: bigint, table: bigint, stes: number): void {
    if (this.#structures === undefined) this.#fromMemory(pa, 'L1STD', 1);
    else this.#structures.level1(pa, table, stes);
  }

  structure(pa: bigint, what: 'STE' | 'CD'): void {
    if (this.#structures === undefined) this.#fromMemory(pa, what, STRUCTURE_WORDS);
    else if (what === 'STE') this.#structures.ste(pa);
    else this.#structures.cd(pa);
  }

  outputBits(bits: number): void {
    this.#structures?.outputBits(bits);
  }

  range(index: number, tsz: number, ttb: bigint, granuleLog2: number): void {
    this.#structures?.range(index, tsz, ttb, granuleLog2);
  }

  #fromMemory(pa: bigint, what: string, words: number): void {
    if (this.#memory === undefined) {
      this.#draft.note(`the log does not have the words of ${what}s: give the guest's memory too`);
      return;
    }
    for (let i = 0n; i < words; i++) {
      const at = pa + 8n * i;
      const value = this.#memory(at);
      if (value === undefined) this.#draft.note(`the image has no memory where ${what}s are`);
      else if (!this.#known.has(at)) {
        this.#known.set(at, value);
        this.#draft.initial(at, value);
        this.#draft.note(`${what}s are taken from the image, as if they had never changed`);
      }
    }
  }

  lookup(page: bigint, asid: number, vmid: number): void {
    this.#page = page;
    this.#structures?.lookup(asid, vmid);
  }

  access(
    sid: number,
    iova: bigint,
    rw: 'read' | 'write' | undefined,
    got: object,
    stages: string | undefined = '1',
  ): void {
    if (this.#structures !== undefined && stages !== '1') {
      this.#draft.note('transactions that stage 2 translates are left out: what it reads is not shown');
      this.#structures.take('stage 1');
      return;
    }
    const read = [...this.#showStructures(got), ...(this.#walked.get(this.#page ?? -1n) ?? [])];
    this.#draft.note('the log does not say how many bytes an access has');
    if (rw === undefined)
      this.#draft.note('the log does not say whether a translated access reads or writes: read is assumed');
    if (this.#shown)
      this.#then(() => this.#draft.barrier('not in the log: a walk saw the words before this step'));
    this.#shown = false;
    const access = { sid, iova: `0x${iova.toString(16)}`, rw: rw ?? 'read', size: 0 };
    this.#then(() => this.#draft.access(access, got));
    for (const pa of read) this.#used.set(pa, this.#slots.length);
    this.#page = undefined;
  }

  event(name: string, sid: number): void {
    const fault = Object.keys(EVENTS).find((known) => known === name);
    if (fault === undefined) this.#draft.note(`${name} is not an event of an SMMUv3`);
    else if (this.#page === undefined) {
      this.#draft.note(`an event ${name} of StreamID ${sid} is left out: its address is not in the log`);
    } else {
      this.#draft.note('for an access that faults, the log has only the page: its first byte is given');
      this.access(sid, this.#page, undefined, { fault });
    }
  }

  /** Puts the commands that were consumed into the queue, before the register write that started them. */
  #submit(): void {
    const commands = this.#consumed;
    this.#consumed = [];
    if (commands.length === 0) return;
    const queue = this.#queue;
    if (queue === undefined) {
      this.#draft.note('commands are left out: the log does not say where the queue is (SMMU_CMDQ_BASE)');
      return;
    }
    for (const command of commands) {
      const pa = queue.base + (BigInt(command.index) % queue.size) * COMMAND_BYTES;
      const { words, note } = wordsOf(command);
      if (words === undefined) {
        this.#draft.note(`${command.name} is left out: the log does not have its operands`);
        continue;
      }
      this.#then(() => this.#draft.write64(pa, words[0], note));
      this.#then(() => this.#draft.write64(pa + 8n, words[1]));
    }
  }

  /** What a transaction has read of structures, by what became of it. Returns the addresses. */
  #showStructures(got: object): readonly bigint[] {
    const config = 'bypass' in got ? 'bypass' : 'abort' in got ? 'abort' : 'stage 1';
    const words = this.#structures?.take(config) ?? [];
    for (const { pa, value, what } of words) {
      if (!this.#known.has(pa)) {
        this.#known.set(pa, value);
        this.#draft.initial(pa, value);
      } else this.#show(pa, value, `the ${what} as it was read; when it was written is not in the log`);
    }
    return words.map(({ pa }) => pa);
  }

  #show(pa: bigint, value: bigint, note: string): void {
    const old = this.#known.get(pa);
    if (old === value) return;
    this.#known.set(pa, value);
    const early = this.#structures && old !== undefined ? this.#used.get(pa) : undefined;
    if (early === undefined) {
      this.#then(() => this.#draft.write64(pa, value, note));
      this.#shown = true;
      return;
    }
    // Behind its last use: a command that came since then may be for it.
    this.#slots[early - 1]!.push(
      () => this.#draft.write64(pa, value, note),
      () => this.#draft.barrier('not in the log'),
    );
  }
}
