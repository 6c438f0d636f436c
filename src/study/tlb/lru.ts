/** Sets with least-recently-used replacement and no object per element: the store of the lean TLB and its walk cache. */

/** Numbers in sets. Each set is a ring in the order of use: after its head comes the most recently used. */
export class LruSets {
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  readonly #used: Uint32Array;
  readonly #set: Uint32Array;
  readonly #numbers: number;
  readonly #ways: number;

  /** Holds the numbers 0 to `numbers - 1` in sets of `ways` places. */
  constructor(numbers: number, sets: number, ways: number) {
    this.#numbers = numbers;
    this.#ways = ways;
    this.#next = new Int32Array(numbers + sets).fill(-1);
    this.#previous = new Int32Array(numbers + sets);
    this.#used = new Uint32Array(sets);
    this.#set = new Uint32Array(numbers);
    for (let set = 0; set < sets; set++) {
      const head = numbers + set;
      this.#next[head] = head;
      this.#previous[head] = head;
    }
  }

  has(number: number): boolean {
    return this.#next[number] !== -1;
  }

  use(number: number): void {
    const head = this.#numbers + this.#set[number]!;
    if (this.#next[head] === number) return;
    this.#unlink(number);
    this.#link(number, head);
  }

  /** Puts a number into a set, or marks it as used if it is there. Returns the number that was evicted, or -1. */
  insert(number: number, set: number): number {
    if (this.has(number)) {
      this.use(number);
      return -1;
    }
    const head = this.#numbers + set;
    const oldest = this.#used[set] === this.#ways ? this.#previous[head]! : -1;
    if (oldest >= 0) this.remove(oldest);
    this.#set[number] = set;
    this.#used[set]!++;
    this.#link(number, head);
    return oldest;
  }

  /** Returns whether the number was there. */
  remove(number: number): boolean {
    if (!this.has(number)) return false;
    this.#unlink(number);
    this.#next[number] = -1;
    this.#used[this.#set[number]!]!--;
    return true;
  }

  #link(number: number, head: number): void {
    const second = this.#next[head]!;
    this.#next[head] = number;
    this.#previous[number] = head;
    this.#next[number] = second;
    this.#previous[second] = number;
  }

  #unlink(number: number): void {
    const [before, behind] = [this.#previous[number]!, this.#next[number]!];
    this.#next[before] = behind;
    this.#previous[behind] = before;
  }
}
