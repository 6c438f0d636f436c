/** What every table of 64-bit entries does alike, whatever its bits: an entry is two little-endian 32-bit words, and empty when both are 0. */

export abstract class WideEntries {
  readonly wordsPerEntry = 2;

  read(words: Uint32Array, at: number): bigint {
    return (BigInt(words[at + 1]!) << 32n) | BigInt(words[at]!);
  }

  clear(words: Uint32Array, at: number, count: number): void {
    words.fill(0, at, at + count * 2);
  }

  areEmpty(words: Uint32Array, at: number, count: number): boolean {
    for (let i = at, end = at + count * 2; i < end; i += 2)
      if ((words[i]! | words[i + 1]!) !== 0) return false;
    return true;
  }
}
