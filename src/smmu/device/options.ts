/** What an SMMU device is made with, and what it tells. (IHI 0070 3 to 7.) */
import type { Answer, StreamTransaction } from '../caches/answers.ts';
import type { SmmuCommand } from '../commands.ts';
import type { IdentificationRegisters } from '../features.ts';
import type { InterruptSource } from '../trace.ts';
import type { CommandError, ConsumedCommand } from './command-queue.ts';
import type { Msi, SmmuInterrupt } from './interrupts.ts';
import type { PageResponse } from './pri-queue.ts';
import type { IgnoredWrite } from './register-file.ts';
import type { StalledTransaction } from './stalls.ts';

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
  readonly choose?: (answers: readonly Answer[], transaction: StreamTransaction) => number;
  /** Called with each interrupt, when what it tells of can be seen; its MSI has been written. It may use the device. */
  readonly interrupt?: (interrupt: SmmuInterrupt) => void;
  /** Told when a stalled transaction gets through, ends, or stalls again: after its CMD_RESUME, CMD_STALL_TERM, or SMMUEN = 0. */
  readonly resumed?: (stalled: StalledTransaction, answers: DeviceAnswers) => void;
  /** Takes an MSI to an address outside RAM, as an interrupt controller does. False: it is aborted. Default: it is taken. */
  readonly msi?: (msi: Msi) => boolean;
  /** Told of each CMD_PRI_RESP: what a device is answered. */
  readonly pageResponse?: (response: PageResponse) => void;
  /** Whether the device answers a CMD_ATC_INV in time. If not, the next CMD_SYNC is CERROR_ATC_INV_SYNC (3.9.1.4). Default: it does. */
  readonly atcAnswers?: (command: SmmuCommand) => boolean;
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
  | { readonly kind: 'producer-beyond'; readonly waiting: number; readonly size: number }
  /** A command for a stalled transaction has no effect, or none that can be relied on. */
  | { readonly kind: 'stall-command'; readonly command: ConsumedCommand; readonly rule: string }
  /** With `beyondRam: 'zero'`: the SMMU may read a word outside RAM, which is taken as 0. Told once for each page. */
  | { readonly kind: 'beyond-ram'; readonly pa: bigint }
  /** Software took an interrupt that the SMMU has not sent. */
  | { readonly kind: 'no-interrupt'; readonly source: InterruptSource };

/** The answers to one transaction. */
export interface DeviceAnswers {
  /** All that are permitted: that of memory as it is first. */
  readonly answers: readonly Answer[];
  /** The one that happened. */
  readonly chosen: Answer;
  /** Where it may have stalled: by this it is named later. */
  readonly stalled?: StalledTransaction;
}
