/** RAM that is read on demand in small lines. It may have holes, which only show when they are read. */
import { RamRegion } from '../memory/ram-region.ts';

/** Small, since each read costs time and may be next to a device, but large enough that a table consists of few lines. */
const LINE_BYTES = 0x400;

/** Lines that were read and never written (32 MiB). Beyond it, the oldest is dropped. */
const MAX_LINES = 0x8000;

/** Reads memory from `pa` on. Fewer bytes than `length`: there is no memory after them. */
export type ReadLine = (pa: number, length: number) => Uint8Array;

export class LineRegion extends RamRegion {
  readonly #read: ReadLine;
  /** The oldest first. A line that is shorter than others ends in a hole. */
  readonly #lines = new Map<number, Uint32Array>();
  readonly #written = new Map<number, Uint32Array>();

  /** `base` and `size` are multiples of 8 below 2^52, as for every region. */
  constructor({ base, size, read }: { base: bigint; size: bigint; read: ReadLine }) {
    super({ base, size, load: () => {} });
    this.#read = read;
  }

  override get hostBytes(): number {
    return (this.#lines.size + this.#written.size) * LINE_BYTES;
  }

  override contains(pa: number, bytes = 1): boolean {
    if (!super.contains(pa, bytes)) return false;
    for (let at = pa; at < pa + bytes; at = lineOf(at) + LINE_BYTES) {
      const last = Math.min(pa + bytes, lineOf(at) + LINE_BYTES) - lineOf(at);
      if (last > this.#line(at).length * 4) return false;
    }
    return true;
  }

  override peek(pa: number): Uint32Array {
    return this.#line(pa);
  }

  /** What is written stays here: the machine never sees it. */
  override words(pa: number): Uint32Array {
    const line = this.#line(pa);
    this.#lines.delete(lineOf(pa));
    this.#written.set(lineOf(pa), line);
    return line;
  }

  override wordIndex(pa: number): number {
    return (pa - lineOf(pa)) / 4;
  }

  override bytesToChunkEnd(pa: number): number {
    return lineOf(pa) + LINE_BYTES - pa;
  }

  override clear(pa: number, bytes: number): void {
    for (let at = pa; at < pa + bytes; at = lineOf(at) + LINE_BYTES) {
      const end = Math.min(pa + bytes, lineOf(at) + LINE_BYTES);
      this.words(at).fill(0, this.wordIndex(at), (end - lineOf(at)) / 4);
    }
  }

  #line(pa: number): Uint32Array {
    const at = lineOf(pa);
    const known = this.#lines.get(at) ?? this.#written.get(at);
    if (known !== undefined) return known;
    // Nothing is read beyond the region, since a device may be there.
    const [from, to] = [Math.max(at, this.start), Math.min(at + LINE_BYTES, this.end)];
    const got = this.#read(from, to - from);
    const whole = from - at + got.length - ((from - at + got.length) % 8);
    const line = new Uint8Array(whole);
    line.set(got.subarray(0, Math.max(0, whole - (from - at))), Math.min(from - at, whole));
    const words = new Uint32Array(line.buffer);
    if (this.#lines.size >= MAX_LINES) this.#lines.delete(this.#lines.keys().next().value!);
    this.#lines.set(at, words);
    return words;
  }
}

function lineOf(pa: number): number {
  return pa - (pa % LINE_BYTES);
}
