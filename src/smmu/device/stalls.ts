/**
 * Transactions that are stalled: each waits, with a tag of its own, until software retries or ends it. Until then the SMMU may retry it by
 * itself. (IHI 0070 3.12.2, 4.7.1, 4.7.2, 5.5.)
 */
import type { StreamTransaction } from '../caches/answers.ts';
import type { SmmuCommand } from '../commands.ts';

/** What software has done about it, from a moment on. */
export type StallCommand =
  | { readonly kind: 'retry'; readonly moment: number }
  | { readonly kind: 'end'; readonly moment: number; readonly response: 'abort' | 'raz/wi' };

/** A transaction that stalled. */
export interface StalledTransaction {
  readonly transaction: StreamTransaction;
  /** The moment at which it stalled. */
  readonly since: number;
  /** 16 bits. Undefined: not known, as where a trace does not hold the event. */
  readonly stag: number | undefined;
  /** Every permitted answer is that it stalls, or its event was seen. */
  readonly certain: boolean;
  /** Undefined: it waits. */
  readonly command: StallCommand | undefined;
}

/** Why a command has no effect, or none that can be relied on. */
export interface StallProblem {
  readonly rule: string;
}

const TAGS = 0x1_0000;

interface Stalled extends StalledTransaction {
  command: StallCommand | undefined;
}

export class Stalls {
  readonly #all: Stalled[] = [];

  /** The tag of the next transaction that stalls: none whose event waits for its command. (3.12.2.) */
  get nextTag(): number {
    const taken = new Set(this.waiting.map(({ stag }) => stag));
    for (let tag = 0; tag < TAGS; tag++) if (!taken.has(tag)) return tag;
    throw new RangeError(`${TAGS} transactions are stalled: no STAG is left`);
  }

  /** Those that have had no command. */
  get waiting(): readonly StalledTransaction[] {
    return this.#all.filter(({ command }) => command === undefined);
  }

  add(stall: Omit<StalledTransaction, 'command'>): StalledTransaction {
    const stalled: Stalled = { ...stall, command: undefined };
    this.#all.push(stalled);
    return stalled;
  }

  /** CMD_RESUME: of the transaction with this StreamID and STAG, and of no other. */
  resume(
    { fields: { StreamID = 0n, STAG = 0n, Ac = 0n, Ab = 0n } }: SmmuCommand,
    moment: number,
    abortsAlways: boolean,
  ): StalledTransaction | StallProblem {
    const [sid, tag] = [Number(StreamID), Number(STAG)];
    const ofStream = this.#all.filter(({ transaction }) => transaction.streamId === sid);
    const found =
      ofStream.find(({ stag, command }) => stag === tag && command === undefined) ??
      ofStream.find(({ stag, command }) => stag === undefined && command === undefined);
    if (found === undefined) return { rule: this.#noSuch(sid, tag) };
    const response = abortsAlways || Ab === 1n ? 'abort' : 'raz/wi';
    found.command = Ac === 1n ? { kind: 'retry', moment } : { kind: 'end', moment, response };
    return found;
  }

  /** CMD_STALL_TERM, or SMMUEN = 0: all of a stream, or all, end with an abort. */
  end(streamId: number | undefined, moment: number): readonly StalledTransaction[] {
    const ended = this.#all.filter(
      ({ transaction, command }) =>
        command === undefined && (streamId === undefined || transaction.streamId === streamId),
    );
    for (const stalled of ended) stalled.command = { kind: 'end', moment, response: 'abort' };
    return ended;
  }

  /** It is no longer stalled: it has been retried before software could hear of it. */
  remove(stalled: StalledTransaction): void {
    const at = this.#all.indexOf(stalled);
    if (at >= 0) this.#all.splice(at, 1);
  }

  #noSuch(sid: number, tag: number): string {
    const known = this.#all.find(({ transaction, stag }) => transaction.streamId === sid && stag === tag);
    if (known !== undefined) {
      return `the transaction of StreamID ${sid} with STAG ${tag} has had its command: whether a second one counts is UNPREDICTABLE (4.7.1)`;
    }
    const waiting = this.waiting.map(
      ({ transaction, stag }) =>
        `StreamID ${transaction.streamId}${stag === undefined ? '' : `, STAG ${stag}`}`,
    );
    const which = waiting.length === 0 ? 'none is' : `stalled are: ${waiting.join('; ')}`;
    return `no transaction of StreamID ${sid} with STAG ${tag} is stalled (4.7.1); ${which}`;
  }
}
