/**
 * The values of every 64-bit word of memory over time, and which of them the SMMU may read at a moment: the newest, and older ones
 * until a barrier has made the newest observable. (IHI 0070 3.21.1, 3.21.3.)
 */

/** A value, and the moment at which the driver wrote it; or the SMMU itself, which sees it at once. */
interface Version {
  readonly moment: number;
  readonly value: bigint;
  readonly observable?: boolean;
}

/** Before every moment. */
const RESET = -1;

export class WordHistory {
  /** The word before the first write; undefined where there is no RAM. */
  readonly #before: (pa: number) => bigint | undefined;
  readonly #words = new Map<number, Version[]>();
  /** Moments of barriers, ascending. */
  readonly #barriers: number[] = [];
  readonly #unobservable = new Map<number, number>();

  constructor(before: (pa: number) => bigint | undefined) {
    this.#before = before;
  }

  /** A write of the driver, or of the SMMU (`observable`). `old`: the value before, if memory no longer holds it. */
  write(pa: number, value: bigint, moment: number, old?: bigint, observable = false): void {
    let versions = this.#words.get(pa);
    if (versions === undefined) {
      versions = [{ moment: RESET, value: old ?? this.#before(pa) ?? 0n }];
      this.#words.set(pa, versions);
    }
    versions.push({ moment, value, observable });
    if (observable) this.#unobservable.delete(pa);
    else this.#unobservable.set(pa, moment);
  }

  /** A barrier. Returns the words that can no longer be read with an older value. */
  barrier(moment: number): ReadonlySet<number> {
    this.#barriers.push(moment);
    const settled = new Set(this.#unobservable.keys());
    this.#unobservable.clear();
    return settled;
  }

  /** Words whose newest value need not be observable yet, each with the moment of its last write. */
  get unobservable(): ReadonlyMap<number, number> {
    return this.#unobservable;
  }

  /** The moments of the writes that changed a word, ascending. */
  writesTo(pa: number): readonly number[] {
    const versions = this.#words.get(pa) ?? [];
    return versions
      .filter(({ value }, i) => i > 0 && value !== versions[i - 1]!.value)
      .map(({ moment }) => moment);
  }

  /** Takes back the barriers from a moment on, of which only barriers were tried. */
  rewind(moment: number, unobservable: ReadonlyMap<number, number>): void {
    while ((this.#barriers.at(-1) ?? RESET) >= moment) this.#barriers.pop();
    this.#unobservable.clear();
    for (const [pa, written] of unobservable) this.#unobservable.set(pa, written);
  }

  /** What the SMMU may read at a moment, the newest value first; undefined where there is no RAM. */
  readable(pa: number, moment: number): readonly bigint[] | undefined {
    const versions = this.#words.get(pa);
    if (versions === undefined) {
      const value = this.#before(pa);
      return value === undefined ? undefined : [value];
    }
    const found: bigint[] = [];
    for (let i = versions.length - 1; i >= 0; i--) {
      const version = versions[i]!;
      if (version.moment > moment) continue;
      if (!found.includes(version.value)) found.push(version.value);
      if (version.moment === RESET || version.observable || this.#isObservable(version.moment, moment)) break;
    }
    return found;
  }

  /** Whether a barrier came after a write, up to a moment. */
  #isObservable(written: number, moment: number): boolean {
    for (let i = this.#barriers.length - 1; i >= 0; i--) {
      const barrier = this.#barriers[i]!;
      if (barrier <= moment) return barrier > written;
    }
    return false;
  }
}
