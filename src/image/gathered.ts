/** Bytes gathered from the lines of a text into one growing buffer. A line that continues where the last one ended extends its run. */
import type { ByteSource } from './bytes.ts';
import type { ImageSegment } from './image.ts';
import { keptApart, type Piece, placed, type Twice } from './segments.ts';
import type { Line } from './text-lines.ts';

/** Bytes at consecutive addresses, from lines of one style. */
interface Run {
  readonly base: bigint;
  /** Offset of the first byte in the buffer. */
  readonly at: number;
  count: number;
  readonly line: number;
  readonly style: number;
}

/** The last line's bytes, repeated. */
interface Repeat {
  readonly base: bigint;
  readonly size: bigint;
  readonly at: number;
  readonly count: number;
  readonly line: number;
}

export class Gathered {
  readonly #source: ByteSource;
  readonly #offset: bigint;
  readonly #runs: Run[] = [];
  readonly #repeats: Repeat[] = [];
  #bytes = new Uint8Array(0x1000);
  #length = 0;
  #lastLine = { at: 0, count: 0 };
  /** The run that the next line may extend. */
  #open: Run | undefined;
  /** The PA after the last line. */
  #end = -1n;

  /** @param offset - added to each address. */
  constructor(source: ByteSource, offset: bigint) {
    this.#source = source;
    this.#offset = offset;
  }

  /**
   * @param bytes - only the first `count` are used.
   * @param style - lines of different styles are not joined, so that `eachRun` can distinguish them.
   * @throws ImageError beyond 2^52.
   */
  add(line: Line, address: bigint, bytes: Uint8Array, count: number, style = 0): void {
    if (count === 0) return;
    const base = placed(this.#source, address, BigInt(count), this.#offset, line.offset);
    const at = this.#append(bytes, count);
    if (this.#open !== undefined && base === this.#end && this.#open.style === style)
      this.#open.count += count;
    else {
      this.#open = { base, at, count, line: line.number, style };
      this.#runs.push(this.#open);
    }
    this.#lastLine = { at, count };
    this.#end = base + BigInt(count);
  }

  /**
   * Repeats the last line's bytes up to `address`.
   * @returns false if there is no last line, or `address` does not follow it.
   * @throws ImageError beyond 2^52.
   */
  repeatUpTo(line: Line, address: bigint): boolean {
    if (this.#end < 0n) return false;
    const end = placed(this.#source, address, 0n, this.#offset, line.offset);
    if (end <= this.#end) return false;
    this.#repeats.push({ ...this.#lastLine, base: this.#end, size: end - this.#end, line: line.number });
    this.#end = end;
    this.#open = undefined;
    return true;
  }

  /** Calls `change` with the bytes of each run, which it may change in place. */
  eachRun(change: (bytes: Uint8Array, style: number) => void): void {
    for (const { at, count, style } of this.#runs) change(this.#bytes.subarray(at, at + count), style);
  }

  /** @throws ImageError if lines contradict each other, or with `twice` = `never` if they overlap at all. */
  segments(twice: Twice): ImageSegment[] {
    const pieces = [
      ...this.#runs.map((run) => this.#pieceOf(run)),
      ...this.#repeats.map((one) => this.#repeated(one)),
    ];
    return keptApart(this.#source, pieces, twice);
  }

  #pieceOf({ base, at, count, line }: Run): Piece {
    const bytes = this.#bytes;
    return {
      base,
      size: BigInt(count),
      origin: `the lines from ${line} on`,
      read: (offset, into) => into.set(bytes.subarray(at + offset, at + offset + into.length)),
    };
  }

  #repeated({ base, size, at, count, line }: Repeat): Piece {
    const bytes = this.#bytes.subarray(at, at + count);
    return {
      base,
      size,
      origin: `the '*' before line ${line}`,
      read: (offset, into) => {
        for (let i = 0, from = offset % count; i < into.length; from = 0) {
          const part = bytes.subarray(from, from + into.length - i);
          into.set(part, i);
          i += part.length;
        }
      },
    };
  }

  #append(bytes: Uint8Array, count: number): number {
    const at = this.#length;
    if (at + count > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(at + count, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
    }
    this.#bytes.set(bytes.subarray(0, count), at);
    this.#length = at + count;
    return at;
  }
}
