/** Stretches of memory found by readers: given physical addresses, read from a file, and checked for overlaps. */
import { hex } from '../memory/hex.ts';
import type { ByteSource } from './bytes.ts';
import { ImageError } from './errors.ts';
import { type ImageSegment, PA_LIMIT } from './image.ts';

/** A segment with its origin in the file, such as `program header 3`. */
export interface Piece extends ImageSegment {
  readonly origin: string;
  /** File offset minus PA, if all bytes are in the file unchanged. Pieces with the same shift can't disagree. */
  readonly shift?: number | undefined;
}

/**
 * The PA for an address in a file: `base` is added, modulo 2^64, so that an image with virtual addresses can be moved too.
 * @throws ImageError if `size` bytes from there on leave the physical address space. `offset` is the place in the file.
 */
export function placed(
  source: ByteSource,
  address: bigint,
  size: bigint,
  base: bigint,
  offset: number,
): bigint {
  const pa = BigInt.asUintN(64, address + base);
  if (pa + size <= PA_LIMIT) return pa;
  const range = `[${hex(pa)}, +${hex(size)})`;
  throw new ImageError(source.name, `memory ${range} lies beyond the 52 bits of a physical address`, {
    offset,
    hint: 'virtual addresses can be moved to where the memory is: FILE@OFFSET adds OFFSET to each of them, modulo 2^64',
  });
}

/** Memory whose first `fileBytes` bytes are in the file from `offset` on; the rest is zeros. */
export class FilePiece implements Piece {
  readonly base: bigint;
  readonly size: bigint;
  readonly origin: string;
  readonly shift: number | undefined;
  readonly #source: ByteSource;
  readonly #offset: number;
  readonly #fileBytes: number;

  constructor(
    source: ByteSource,
    place: { base: bigint; size: bigint; offset: number; fileBytes: number; origin: string },
  ) {
    this.base = place.base;
    this.size = place.size;
    this.origin = place.origin;
    this.shift = BigInt(place.fileBytes) === place.size ? place.offset - Number(place.base) : undefined;
    this.#source = source;
    this.#offset = place.offset;
    this.#fileBytes = place.fileBytes;
  }

  read(offset: number, into: Uint8Array): void {
    const there = Math.min(into.length, Math.max(0, this.#fileBytes - offset));
    if (there > 0) this.#source.read(this.#offset + offset, into.subarray(0, there));
    into.fill(0, there);
  }
}

/** What a file may contain twice: nothing, or bytes that are the same both times. */
export type Twice = 'never' | 'same-bytes';

const WINDOW = 0x1_0000;
/** Maximum number of bytes compared: a vmcore holds the kernel's image twice, which has tens of megabytes. */
const MAX_COMPARED = 256 << 20;

/**
 * The pieces by ascending address. Bytes present twice are taken from the piece that begins first.
 * @throws ImageError where two pieces disagree on a byte, or overlap at all while `twice` is `never`.
 */
export function keptApart(source: ByteSource, pieces: readonly Piece[], twice: Twice): ImageSegment[] {
  const sorted = pieces.map((piece) => ({
    piece,
    start: Number(piece.base),
    end: Number(piece.base + piece.size),
  }));
  sorted.sort((a, b) => a.start - b.start);
  const kept: typeof sorted = [];
  let compared = 0;
  for (const one of sorted) {
    let from = one.start;
    for (let i = kept.length - 1; i >= 0 && kept[i]!.end > one.start; i--) {
      const before = kept[i]!;
      const end = Math.min(before.end, one.end);
      if (twice === 'never') throw overlap(source, before.piece, one.piece, one.start);
      from = Math.max(from, end);
      if (one.piece.shift !== undefined && one.piece.shift === before.piece.shift) continue;
      const start = Math.max(one.start, before.start);
      compared += end - start;
      if (compared > MAX_COMPARED) throw overlap(source, before.piece, one.piece, start);
      compare(source, before, one, start, end);
    }
    if (from < one.end)
      kept.push(from === one.start ? one : { ...one, start: from, piece: tail(one.piece, from - one.start) });
  }
  return kept.map(({ piece }) => piece);
}

function overlap(source: ByteSource, before: Piece, after: Piece, pa: number): ImageError {
  return new ImageError(
    source.name,
    `the memory of ${after.origin} overlaps that of ${before.origin} at ${hex(pa)}`,
    { hint: 'if a PA is in two places, it is not clear which one counts' },
  );
}

interface Spot {
  readonly piece: Piece;
  readonly start: number;
}

function compare(source: ByteSource, a: Spot, b: Spot, from: number, end: number): void {
  const length = Math.min(WINDOW, end - from);
  const [ours, theirs] = [new Uint8Array(length), new Uint8Array(length)];
  for (let at = from; at < end; at += WINDOW) {
    const count = Math.min(WINDOW, end - at);
    a.piece.read(at - a.start, ours.subarray(0, count));
    b.piece.read(at - b.start, theirs.subarray(0, count));
    for (let i = 0; i < count; i++) {
      if (ours[i] === theirs[i]) continue;
      const [one, other] = [ours[i]!, theirs[i]!].map((byte) => hex(byte, 2));
      throw new ImageError(
        source.name,
        `the byte at ${hex(at + i)} is ${one} in ${a.piece.origin}, and ${other} in ${b.piece.origin}`,
        {
          hint: 'memory that is present twice must be the same both times: was it dumped at two different times, or by virtual addresses?',
        },
      );
    }
  }
}

function tail(piece: Piece, skip: number): Piece {
  return {
    base: piece.base + BigInt(skip),
    size: piece.size - BigInt(skip),
    origin: piece.origin,
    shift: piece.shift,
    read: (offset, into) => piece.read(offset + skip, into),
  };
}
