/** The Command queue: which commands are consumed, and where it stops. (IHI 0070 3.5, 4.1, 6.3.26 to 6.3.28, 7.1.) */
import { addressOf, isSet, read, wordOf } from '../../arch/read.ts';
import {
  COMMAND_ERRORS,
  COMMAND_LOG2,
  COMMANDS,
  type CommandNeed,
  type CommandTraits,
  SMMU_CMDQ_CONS,
  SMMU_CR0,
  SMMU_GERROR,
  SMMU_IDR0,
  SMMU_IDR1,
  SMMU_IDR3,
  SMMU_IDR5,
  SMMU_QUEUE_BASE,
  STALL_MODEL,
} from '../../arch/smmu/index.ts';
import { reservedRange } from '../caches/scopes.ts';
import { type CommandWords, decodeCommand, type SmmuCommand } from '../commands.ts';
import type { Interrupts } from './interrupts.ts';
import type { RegisterFile } from './register-file.ts';

/** A queue's place and size, as its registers say. */
export interface QueuePlace {
  readonly base: bigint;
  readonly log2Size: number;
}

/** Where a queue is: aligned to its size, of at most as many entries as SMMU_IDR1 says. */
export function queuePlace(base: bigint, most: number, entryLog2: number): QueuePlace {
  const { ADDR, LOG2SIZE } = SMMU_QUEUE_BASE.fields;
  const log2Size = Math.min(read(base, LOG2SIZE), most);
  const bytes = BigInt(Math.max(log2Size + entryLog2, entryLog2));
  return { base: (addressOf(base, ADDR) >> bytes) << bytes, log2Size };
}

/** How many entries lie between two indexes, each with its wrap bit. */
export function entriesBetween(consumed: number, produced: number, log2Size: number): number {
  const wrap = 2 ** (log2Size + 1);
  return (((produced - consumed) % wrap) + wrap) % wrap;
}

/** A command that was consumed. */
export interface ConsumedCommand {
  readonly words: CommandWords;
  readonly command: SmmuCommand;
  /** Its index in the queue, without the wrap bit. */
  readonly index: number;
  readonly address: bigint;
}

/** Why the queue stopped. */
export interface CommandError extends ConsumedCommand {
  readonly error: 'CERROR_ILL' | 'CERROR_ABT' | 'CERROR_ATC_INV_SYNC';
  readonly rule: string;
}

const CODES: Readonly<Record<CommandError['error'], number>> = {
  CERROR_ILL: COMMAND_ERRORS.illegal,
  CERROR_ABT: COMMAND_ERRORS.abort,
  CERROR_ATC_INV_SYNC: COMMAND_ERRORS.atcInvSync,
};

const { CMDQ_ERR } = SMMU_GERROR.fields;
const { RD } = SMMU_CMDQ_CONS.fields;

export class CommandQueue {
  readonly #registers: RegisterFile;
  readonly #interrupts: Interrupts;
  readonly #fetch: (pa: bigint) => bigint | undefined;
  /** A CMD_ATC_INV was not answered: the next CMD_SYNC can't complete. */
  atcTimedOut = false;

  /** @param fetch - reads a word of memory; undefined where there is no RAM. */
  constructor(registers: RegisterFile, interrupts: Interrupts, fetch: (pa: bigint) => bigint | undefined) {
    this.#registers = registers;
    this.#interrupts = interrupts;
    this.#fetch = fetch;
  }

  get place(): QueuePlace {
    const most = read(this.#registers.get('IDR1'), SMMU_IDR1.fields.CMDQS);
    return queuePlace(this.#registers.get('CMDQ_BASE'), most, COMMAND_LOG2);
  }

  /** Whether an error waits for its acknowledgement in GERRORN. */
  get stopped(): boolean {
    return isSet(this.#registers.get('GERROR') ^ this.#registers.get('GERRORN'), CMDQ_ERR);
  }

  /** How many commands lie between CONS and PROD. More than the queue has entries: PROD is nonsense. */
  get waiting(): number {
    const { log2Size } = this.place;
    return entriesBetween(this.#read, this.#indexOf('CMDQ_PROD'), log2Size);
  }

  /** Consumes commands until the queue is empty, disabled or stopped. `consume` says what is wrong with a command, if it is. */
  process(consume: (command: ConsumedCommand) => void): CommandError | undefined {
    const { base, log2Size } = this.place;
    while (this.#registers.isSet('CR0', SMMU_CR0.fields.CMDQEN) && !this.stopped && this.waiting > 0) {
      const read = this.#read;
      const index = read % 2 ** log2Size;
      const address = base + BigInt(index << COMMAND_LOG2);
      const words = [this.#fetch(address), this.#fetch(address + 8n)] as const;
      const known: CommandWords = [words[0] ?? 0n, words[1] ?? 0n];
      const command = decodeCommand(known);
      const taken = { words: known, command, index, address };
      if (words.includes(undefined)) {
        return this.#stop({
          ...taken,
          error: 'CERROR_ABT',
          rule: 'the command can not be read (IHI 0070 7.1)',
        });
      }
      const rule = illegal(command, this.#registers);
      if (rule !== undefined) return this.#stop({ ...taken, error: 'CERROR_ILL', rule });
      if (command.name === 'SYNC' && this.atcTimedOut) {
        this.atcTimedOut = false;
        return this.#stop({
          ...taken,
          error: 'CERROR_ATC_INV_SYNC',
          rule: 'a CMD_ATC_INV before it was not answered in time: which of them are done is UNKNOWN (IHI 0070 3.9.1.4, 4.7.3)',
        });
      }
      consume(taken);
      this.#registers.set('CMDQ_CONS', this.#consumed(read + 1, log2Size));
    }
    return undefined;
  }

  get #read(): number {
    return this.#indexOf('CMDQ_CONS');
  }

  #indexOf(register: 'CMDQ_PROD' | 'CMDQ_CONS'): number {
    return read(this.#registers.get(register), RD) % 2 ** (this.place.log2Size + 1);
  }

  #consumed(index: number, log2Size: number): bigint {
    const { ERR } = SMMU_CMDQ_CONS.fields;
    const error = read(this.#registers.get('CMDQ_CONS'), ERR);
    return wordOf(SMMU_CMDQ_CONS, { ERR: error, RD: index % 2 ** (log2Size + 1) });
  }

  /** RD stays at the command, ERR says why, and GERROR.CMDQ_ERR is toggled. */
  #stop(error: CommandError): CommandError {
    const code = CODES[error.error];
    this.#registers.set('CMDQ_CONS', wordOf(SMMU_CMDQ_CONS, { ERR: code, RD: this.#read }));
    this.#interrupts.activate('CMDQ_ERR');
    return error;
  }
}

/** What a command needs that the SMMU does not have, in words. */
function missing(need: CommandNeed, registers: RegisterFile): string | undefined {
  const [idr0, idr3] = [registers.get('IDR0'), registers.get('IDR3')];
  switch (need) {
    case 'stalls':
      return read(idr0, SMMU_IDR0.fields.STALL_MODEL) === STALL_MODEL.never
        ? 'stalls, SMMU_IDR0.STALL_MODEL = 1'
        : undefined;
    case 'Secure':
      return 'the Secure Command queue';
    case 'MPAM':
    case 'DPT':
      return isSet(idr3, SMMU_IDR3.fields[need]) ? undefined : `SMMU_IDR3.${need} = 1`;
    default:
      return isSet(idr0, SMMU_IDR0.fields[need]) ? undefined : `SMMU_IDR0.${need} = 1`;
  }
}

/** Why a command is CERROR_ILL, if it is. (4.1.3, and the section of each command.) */
export function illegal({ name, opcode, fields }: SmmuCommand, registers: RegisterFile): string | undefined {
  if (name === undefined) return `opcode 0x${opcode.toString(16)} is Reserved (IHI 0070 4.1.1)`;
  const { needs, section }: CommandTraits = COMMANDS[name];
  const where = `(IHI 0070 ${section})`;
  for (const need of needs) {
    const lack = missing(need, registers);
    if (lack !== undefined) return `CMD_${name} needs ${lack} ${where}`;
  }
  const { SSec, CS, Resp } = fields;
  if (SSec === 1n) return 'SSec = 1 in the Non-secure Command queue (IHI 0070 4.1.6)';
  if (CS === 3n) return `CMD_${name}.CS = 3 is Reserved ${where}`;
  if (Resp === 3n) return `CMD_${name}.Resp = 3 is Reserved ${where}`;
  const range = reservedRange(fields, {
    ds: isSet(registers.get('IDR5'), SMMU_IDR5.fields.DS),
    ranges: isSet(registers.get('IDR3'), SMMU_IDR3.fields.RIL),
  });
  return range && `CMD_${name} with ${range} (IHI 0070 4.4.1.1)`;
}
