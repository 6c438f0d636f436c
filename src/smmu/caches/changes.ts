/** What happened to an SMMU, moment by moment, as far as its caches may see it. (IHI 0070 3.21, 4.8, 6.3.) */
import type { Invalidation } from './invalidation.ts';
import type { WordHistory } from './word-history.ts';

/** The registers that decide which structures the SMMU reads. */
export interface ConfigurationRegisters {
  /** CR0.SMMUEN. */
  readonly enabled: boolean;
  readonly strtabBase: bigint;
  readonly strtabBaseCfg: bigint;
  readonly cr2: bigint;
  readonly s2pii: bigint;
  /** CR0.ATSCHK. */
  readonly atsCheck: boolean;
}

/** One change. Its moment is its place in the list. */
export type Change =
  /** Words may be read with another value from now on, or no longer with an older one. */
  | { readonly kind: 'words'; readonly words: ReadonlySet<number> }
  | { readonly kind: 'registers' }
  /** A command was consumed. */
  | { readonly kind: 'command'; readonly invalidation: Invalidation; readonly sync: boolean }
  /** All commands before a moment are complete. */
  | { readonly kind: 'complete'; readonly before: number };

/** Every change since reset, and what memory and registers held at each. */
export class Changes {
  readonly words: WordHistory;
  readonly #changes: Change[] = [];
  readonly #registers: { readonly moment: number; readonly value: ConfigurationRegisters }[];

  constructor(words: WordHistory, registers: ConfigurationRegisters) {
    this.words = words;
    this.#registers = [{ moment: -1, value: registers }];
  }

  /** The newest moment; -1 before the first change. */
  get now(): number {
    return this.#changes.length - 1;
  }

  at(moment: number): Change {
    return this.#changes[moment]!;
  }

  registersAt(moment: number): ConfigurationRegisters {
    for (let i = this.#registers.length - 1; ; i--) {
      const known = this.#registers[i]!;
      if (known.moment <= moment || i === 0) return known.value;
    }
  }

  /** A write of the driver to memory. `old`: see {@link WordHistory.write}. */
  write(pa: number, value: bigint, old?: bigint): void {
    this.words.write(pa, value, this.#changes.length, old);
    this.#changes.push({ kind: 'words', words: new Set([pa]) });
  }

  /** The SMMU writes to memory itself: it needs no barrier to see that. */
  hardwareWrite(pa: number, value: bigint, old: bigint): void {
    this.words.write(pa, value, this.#changes.length, old, true);
    this.#changes.push({ kind: 'words', words: new Set([pa]) });
  }

  barrier(): void {
    const words = this.words.barrier(this.#changes.length);
    if (words.size > 0) this.#changes.push({ kind: 'words', words });
  }

  setRegisters(value: ConfigurationRegisters): void {
    this.#registers.push({ moment: this.#changes.length, value });
    this.#changes.push({ kind: 'registers' });
  }

  /** A command is consumed. Returns its moment. @param sync - it is a CMD_SYNC. */
  command(invalidation: Invalidation, sync = false): number {
    this.#changes.push({ kind: 'command', invalidation, sync });
    return this.now;
  }

  /** A CMD_SYNC that came at a moment is complete. */
  complete(before: number): void {
    this.#changes.push({ kind: 'complete', before });
  }

  /** Makes changes and undoes them: barriers, commands and their completion. */
  attempt<T>(changes: () => void, look: () => T): T {
    const first = this.#changes.length;
    const unobservable = new Map(this.words.unobservable);
    try {
      changes();
      return look();
    } finally {
      this.#changes.length = first;
      this.words.rewind(first, unobservable);
    }
  }
}
