/** Data compressed with DEFLATE in a zlib frame, as kdump files have it page by page. (RFC 1950, RFC 1951.) */

/** Codes longer than this don't exist. (RFC 1951 3.2.7) */
const MAX_BITS = 15;
/** Bits of codes that are found in one look. */
const FAST_BITS = 9;

const END_OF_BLOCK = 256;

/** Lengths of symbols 257 to 285, and distances of symbols 0 to 29: a base, and bits that are added to it. (RFC 1951 3.2.5) */
const [LENGTH_BASE, LENGTH_BITS] = stepped(3, 28, (n) => (n < 8 ? 0 : (n >> 2) - 1));
LENGTH_BASE.push(258);
LENGTH_BITS.push(0);
const [DISTANCE_BASE, DISTANCE_BITS] = stepped(1, 30, (n) => (n < 4 ? 0 : (n >> 1) - 1));
/** The order in which a block says the lengths of its code length codes. (RFC 1951 3.2.7) */
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

function stepped(first: number, count: number, bitsOf: (n: number) => number): [number[], number[]] {
  const bits = Array.from({ length: count }, (_, n) => bitsOf(n));
  let next = first;
  const base = bits.map((extra) => {
    const here = next;
    next += 2 ** extra;
    return here;
  });
  return [base, bits];
}

/** A canonical Huffman code. (RFC 1951 3.2.2) */
interface Code {
  /** By the next FAST_BITS bits: a symbol * 16 + its length, 0 where the code is longer. */
  readonly fast: Uint16Array;
  /** Number of codes of each length, and the symbols in the order of their codes. */
  readonly counts: Uint16Array;
  readonly symbols: Uint16Array;
}

function codeOf(lengths: ArrayLike<number>): Code | undefined {
  const counts = new Uint16Array(MAX_BITS + 1);
  for (let i = 0; i < lengths.length; i++) counts[lengths[i]!]!++;
  counts[0] = 0;
  const next = new Uint16Array(MAX_BITS + 2);
  const offsets = new Uint16Array(MAX_BITS + 2);
  let left = 1;
  for (let bits = 1; bits <= MAX_BITS; bits++) {
    left = left * 2 - counts[bits]!;
    // More codes than there are.
    if (left < 0) return undefined;
    next[bits + 1] = (next[bits]! + counts[bits]!) << 1;
    offsets[bits + 1] = offsets[bits]! + counts[bits]!;
  }
  const fast = new Uint16Array(1 << FAST_BITS);
  const symbols = new Uint16Array(lengths.length);
  for (let symbol = 0; symbol < lengths.length; symbol++) {
    const bits = lengths[symbol]!;
    if (bits === 0) continue;
    symbols[offsets[bits]!++] = symbol;
    const code = next[bits]!++;
    if (bits > FAST_BITS) continue;
    const step = 1 << bits;
    for (let at = reversed(code, bits); at < fast.length; at += step) fast[at] = symbol * 16 + bits;
  }
  return { fast, counts, symbols };
}

/** Codes arrive with their highest bit first, everything else with its lowest. */
function reversed(code: number, bits: number): number {
  let result = 0;
  for (let i = 0; i < bits; i++) result |= ((code >> i) & 1) << (bits - 1 - i);
  return result;
}

const FIXED_LENGTHS = codeOf(
  Array.from({ length: 288 }, (_, n) => (n < 144 ? 8 : n < 256 ? 9 : n < 280 ? 7 : 8)),
)!;
const FIXED_DISTANCES = codeOf(new Uint8Array(30).fill(5))!;

/** The bits of the input, from the lowest of each byte on. */
class Bits {
  readonly #bytes: Uint8Array;
  #at: number;
  #held = 0;
  #count = 0;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  /** Up to 16 bits. @throws RangeError where the input ends. */
  take(count: number): number {
    this.#fill(count);
    if (count > this.#count) throw new RangeError('the data ends');
    const value = this.#held & ((1 << count) - 1);
    this.#held >>>= count;
    this.#count -= count;
    return value;
  }

  /** The next symbol. @throws RangeError where the input ends, or there is no such code. */
  symbol({ fast, counts, symbols }: Code): number {
    this.#fill(MAX_BITS);
    const found = fast[this.#held & ((1 << FAST_BITS) - 1)]!;
    if (found !== 0 && (found & 15) <= this.#count) {
      this.#held >>>= found & 15;
      this.#count -= found & 15;
      return found >> 4;
    }
    let [code, first, index] = [0, 0, 0];
    for (let bits = 1; bits <= MAX_BITS; bits++) {
      code |= this.take(1);
      const count = counts[bits]!;
      if (code - first < count) return symbols[index + code - first]!;
      index += count;
      first = (first + count) << 1;
      code <<= 1;
    }
    throw new RangeError('no code begins so');
  }

  /** What is left of a byte is skipped. @returns where whole bytes go on. */
  toByte(): number {
    const at = this.#at - (this.#count >> 3);
    this.#held = 0;
    this.#count = 0;
    this.#at = at;
    return at;
  }

  skip(bytes: number): void {
    this.#at += bytes;
  }

  #fill(count: number): void {
    while (this.#count < count && this.#at < this.#bytes.length) {
      this.#held |= this.#bytes[this.#at++]! << this.#count;
      this.#count += 8;
    }
  }
}

/** What a zlib frame holds, if that is exactly `size` bytes; undefined for damaged data, and for any other size. */
export function inflateZlib(packed: Uint8Array, size: number): Uint8Array | undefined {
  const [method = 0, flags = 0] = packed;
  // DEFLATE, a header that is a multiple of 31, and no dictionary. (RFC 1950 2.2)
  if ((method & 15) !== 8 || ((method << 8) | flags) % 31 !== 0 || (flags & 0x20) !== 0) return undefined;
  try {
    const bits = new Bits(packed, 2);
    const out = new Uint8Array(size);
    let length = 0;
    for (let last = 0; last === 0; ) {
      last = bits.take(1);
      const kind = bits.take(2);
      length = kind === 0 ? stored(packed, bits, out, length) : block(bits, kind, out, length);
    }
    const at = bits.toByte();
    const sum = new DataView(packed.buffer, packed.byteOffset, packed.length).getUint32(at);
    return length === size && sum === adler32(out) ? out : undefined;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** A block without compression. (RFC 1951 3.2.4) */
function stored(packed: Uint8Array, bits: Bits, out: Uint8Array, at: number): number {
  const from = bits.toByte();
  const [length, inverse] = [bits.take(16), bits.take(16)];
  const data = packed.subarray(from + 4, from + 4 + length);
  if ((length ^ inverse) !== 0xffff || data.length < length)
    throw new RangeError('a block without its bytes');
  bits.toByte();
  bits.skip(length);
  out.set(data, at);
  return at + length;
}

/** A block with the codes that are fixed (kind 1), or with its own (kind 2). (RFC 1951 3.2.3) */
function block(bits: Bits, kind: number, out: Uint8Array, start: number): number {
  if (kind === 3) throw new RangeError('no such block');
  const [lengths, distances] = kind === 1 ? [FIXED_LENGTHS, FIXED_DISTANCES] : ownCodes(bits);
  for (let at = start; ; ) {
    const symbol = bits.symbol(lengths);
    if (symbol === END_OF_BLOCK) return at;
    if (symbol < END_OF_BLOCK) {
      if (at >= out.length) throw new RangeError('more than there should be');
      out[at++] = symbol;
      continue;
    }
    const length = said(LENGTH_BASE, LENGTH_BITS, symbol - 257, bits);
    const distance = said(DISTANCE_BASE, DISTANCE_BITS, bits.symbol(distances), bits);
    if (distance > at || at + length > out.length) throw new RangeError('a copy from or to nowhere');
    // What is copied may be what was just written.
    for (const end = at + length; at < end; at++) out[at] = out[at - distance]!;
  }
}

function said(base: readonly number[], extra: readonly number[], symbol: number, bits: Bits): number {
  const [first, count] = [base[symbol], extra[symbol]];
  if (first === undefined || count === undefined) throw new RangeError('no such symbol');
  return first + bits.take(count);
}

function ownCodes(bits: Bits): [Code, Code] {
  const [literals, distances, count] = [bits.take(5) + 257, bits.take(5) + 1, bits.take(4) + 4];
  const ofLengths = new Uint8Array(ORDER.length);
  for (const symbol of ORDER.slice(0, count)) ofLengths[symbol] = bits.take(3);
  const code = codeOf(ofLengths);
  const lengths: number[] = [];
  while (code !== undefined && lengths.length < literals + distances) {
    const symbol = bits.symbol(code);
    if (symbol < 16) lengths.push(symbol);
    else {
      const again = symbol === 16 ? 3 + bits.take(2) : symbol === 17 ? 3 + bits.take(3) : 11 + bits.take(7);
      const before = symbol === 16 ? lengths.at(-1) : 0;
      if (before === undefined) throw new RangeError('the same as nothing');
      for (let i = 0; i < again; i++) lengths.push(before);
    }
  }
  const [first, second] = [
    codeOf(lengths.slice(0, literals)),
    codeOf(lengths.slice(literals, literals + distances)),
  ];
  if (first === undefined || second === undefined || lengths.length > literals + distances)
    throw new RangeError('codes that are none');
  return [first, second];
}

/** RFC 1950 8.2. */
function adler32(bytes: Uint8Array): number {
  let [low, high] = [1, 0];
  for (const byte of bytes) {
    low = (low + byte) % 65521;
    high = (high + low) % 65521;
  }
  return high * 0x1_0000 + low;
}
