/** Random numbers from a seed, so that a run that failed can be run again. */

/** A 32-bit generator (mulberry32) with what the table makers draw from it. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 32 bits, unsigned. */
  word32(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let x = this.#state;
    x = Math.imul(x ^ (x >>> 15), x | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return (x ^ (x >>> 14)) >>> 0;
  }

  /** 64 bits, unsigned. */
  word64(): bigint {
    return (BigInt(this.word32()) << 32n) | BigInt(this.word32());
  }

  /** An integer from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + (this.word32() % (high - low + 1));
  }

  /** `bits` random bits. */
  bits(bits: number): bigint {
    return bits === 0 ? 0n : BigInt.asUintN(bits, this.word64());
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.word32() < probability * 2 ** 32;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.word32() % items.length];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }

  /** A generator of its own, for a part that can then be replayed alone. */
  fork(): Random {
    return new Random(this.word32());
  }
}
