/** What the assemblers of the probing programs share: words, and labels that are known once all of them are there. */

/** What stands in for a label's address until all labels are known. `encode` is given the distance in words. */
interface Fixup {
  readonly at: number;
  readonly label: string;
  readonly encode: (words: number) => number;
}

export class Assembler {
  readonly #words: number[] = [];
  readonly #labels = new Map<string, number>();
  readonly #fixups: Fixup[] = [];

  /** Bytes so far. */
  protected get length(): number {
    return this.#words.length * 4;
  }

  /** Names the next instruction. */
  label(name: string): this {
    this.#labels.set(name, this.#words.length);
    return this;
  }

  /** An instruction word as it is. */
  word(value: number): this {
    this.#words.push(value >>> 0);
    return this;
  }

  /** The program's words, labels resolved. */
  assemble(): Uint32Array {
    const words = Uint32Array.from(this.#words);
    for (const { at, label, encode } of this.#fixups) {
      const target = this.#labels.get(label);
      if (target === undefined) throw new Error(`no label '${label}'`);
      words[at] = encode(target - at);
    }
    return words;
  }

  /** An instruction that names a label. */
  protected toLabel(label: string, encode: Fixup['encode']): this {
    this.#fixups.push({ at: this.#words.length, label, encode });
    return this.word(0);
  }
}
