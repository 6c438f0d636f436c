/** What all tables of 64-bit entries have in common: an entry is two little-endian 32-bit words, and is empty when both are 0. */

/** Up to this many entries are cleared one by one, which takes no longer than a call of `fill`. */
const FEW = 16;

export abstract class WideEntries {
  readonly wordsPerEntry = 2;

  read(words: Uint32Array, at: number): bigint {
    return (BigInt(words[at + 1]!) << 32n) | BigInt(words[at]!);
  }

  clear(words: Uint32Array, at: number, count: number): void {
    const end = at + count * 2;
    if (count > FEW) words.fill(0, at, end);
    else for (let i = at; i < end; i++) words[i] = 0;
  }

  areEmpty(words: Uint32Array, at: number, count: number): boolean {
    for (let i = at, end = at + count * 2; i < end; i += 2)
      if ((words[i]! | words[i + 1]!) !== 0) return false;
    return true;
  }
}
