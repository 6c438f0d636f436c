/** Random numbers from a seed, so that a workload is the same each time. (Marsaglia, Xorshift RNGs, 2003: the 32-bit generator 13, 17, 5.) */

export class SeededRandom {
  #state: number;

  /** @param seed - any number; its low 32 bits count. */
  constructor(seed: number) {
    // Small seeds differ in few bits, so spread them first. The state must not be 0, where the generator stays at 0.
    this.#state = Math.imul(seed ^ 0x9e37_79b9, 0x85eb_ca6b) | 1;
    for (let i = 0; i < 8; i++) this.next();
  }

  /** From 0 up to but not including 1. */
  next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return (x >>> 0) / 2 ** 32;
  }

  /** A whole number from 0 to `end - 1`. */
  below(end: number): number {
    return Math.floor(this.next() * end);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** Puts the numbers into a random order. */
  shuffle(numbers: Float64Array | Uint32Array): void {
    for (let i = numbers.length - 1; i > 0; i--) {
      const other = this.below(i + 1);
      const moved = numbers[i]!;
      numbers[i] = numbers[other]!;
      numbers[other] = moved;
    }
  }
}
