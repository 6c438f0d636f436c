/** What becomes of stalled transactions on a device that answers at once: commands, an Event queue that takes records again, SMMUEN = 0. (IHI 0070 3.12.2, 4.7, 6.3.9.6, 7.2.1.) */
import type { Answer, StreamTransaction } from '../caches/answers.ts';
import { FROM, STILL } from '../caches/timeline.ts';
import type { ConsumedCommand } from './command-queue.ts';
import type { DeviceAnswers, DeviceNote } from './options.ts';
import { type StalledTransaction, Stalls } from './stalls.ts';

/** What it needs of the device. */
export interface StallHost {
  /** The answers to a transaction that comes now, of which none happens. */
  readonly answersTo: (transaction: StreamTransaction) => readonly Answer[];
  /** A transaction comes now. */
  readonly access: (transaction: StreamTransaction) => DeviceAnswers;
  readonly note: (note: DeviceNote) => void;
  readonly resumed: ((stalled: StalledTransaction, answers: DeviceAnswers) => void) | undefined;
}

/** Whether an answer is that the transaction stalls. */
export function isStall({ outcome }: Answer): boolean {
  return outcome.kind === 'fault' && outcome.stall === true;
}

/** An answer that needs no cache, and leaves no event. */
export function ended(kind: 'abort' | 'raz/wi'): Answer {
  return { outcome: { kind }, mask: FROM.memory, last: STILL, until: STILL, event: undefined };
}

export class StallControl {
  readonly stalls = new Stalls();
  readonly #host: StallHost;
  /** Those whose stalling has happened: others are only possible, and what becomes of them is asked for. */
  readonly #live = new Set<StalledTransaction>();
  /** Of these, those whose event the queue did not take. */
  #unrecorded: StalledTransaction[] = [];
  readonly #told: (readonly [StalledTransaction, DeviceAnswers])[] = [];

  constructor(host: StallHost) {
    this.#host = host;
  }

  /** A transaction has stalled. */
  happened(stalled: StalledTransaction, recorded: boolean): void {
    this.#live.add(stalled);
    if (!recorded) this.#unrecorded.push(stalled);
  }

  /** CMD_RESUME and CMD_STALL_TERM. @param abortsAlways - SMMU_IDR0.TERM_MODEL. */
  command(consumed: ConsumedCommand, moment: number, abortsAlways: boolean): void {
    const { command } = consumed;
    if (command.name === 'RESUME') {
      const found = this.stalls.resume(command, moment, abortsAlways);
      if ('rule' in found) this.#host.note({ kind: 'stall-command', command: consumed, rule: found.rule });
      else this.#settle(found);
    } else if (command.name === 'STALL_TERM') {
      const sid = Number(command.fields.StreamID ?? 0n);
      for (const stalled of this.stalls.end(sid, moment)) {
        if (!this.#host.answersTo(stalled.transaction).every(({ outcome }) => outcome.kind === 'abort')) {
          const rule = `transactions of StreamID ${sid} are not all terminated by now: whether CMD_STALL_TERM ends those that are stalled is UNPREDICTABLE (4.7.2); STE.Config = 0, CMD_CFGI_STE and CMD_SYNC go before it`;
          this.#host.note({ kind: 'stall-command', command: consumed, rule });
        }
        this.#settle(stalled);
      }
    }
  }

  /** SMMUEN = 0 ends all of them with an abort. (6.3.9.6.) */
  off(moment: number): void {
    for (const stalled of this.stalls.end(undefined, moment)) this.#settle(stalled);
  }

  /** The Event queue may take records again: transactions whose event it did not take are retried. (7.2.1.) */
  retryUnrecorded(): void {
    const waiting = this.#unrecorded.filter(({ command }) => command === undefined);
    this.#unrecorded = [];
    for (const stalled of waiting) {
      this.stalls.remove(stalled);
      this.#live.delete(stalled);
      this.#told.push([stalled, this.#host.access(stalled.transaction)]);
    }
  }

  /** Whether a transaction waits for the Event queue. */
  get waitsForQueue(): boolean {
    return this.#unrecorded.length > 0;
  }

  /** Tells what became of transactions, after the commands that did it. */
  deliver(): void {
    for (const [stalled, answers] of this.#told.splice(0)) this.#host.resumed?.(stalled, answers);
  }

  #settle(stalled: StalledTransaction): void {
    const { command, transaction } = stalled;
    if (!this.#live.delete(stalled) || command === undefined) return;
    this.#unrecorded = this.#unrecorded.filter((one) => one !== stalled);
    if (command.kind === 'retry') this.#told.push([stalled, this.#host.access(transaction)]);
    else {
      const answer = ended(command.response);
      this.#told.push([stalled, { answers: [answer], chosen: answer }]);
    }
  }
}
