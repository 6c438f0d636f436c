/** kdump-compressed dumps of makedumpfile and QEMU: a bitmap of pages, and each page compressed separately. (makedumpfile's diskdump_mod.h.) */
import { hex } from '../memory/hex.ts';
import { type ByteSource, bytesAt } from './bytes.ts';
import { ImageError } from './errors.ts';
import type { ImageSegment, MemoryImage } from './image.ts';
import { type KdumpHeader, readKdumpHeader } from './kdump-header.ts';
import { KdumpPages, PAGE_DESC_BYTES } from './kdump-pages.ts';
import { placed } from './segments.ts';

/** Bytes read at once. */
const WINDOW = 1 << 20;
const MAX_SEGMENTS = 1 << 20;

/**
 * The bitmap is read once and stored as runs of pages, by which a page's descriptor is found.
 * @param base - added to each address.
 * @throws ImageError for damaged headers, and if the file is too short for the page descriptors.
 */
export function readKdump(source: ByteSource, base: bigint): MemoryImage {
  const header = readKdumpHeader(source);
  const pages = new KdumpPages(source, header.tableOffset, header.blockSize);
  const segments: ImageSegment[] = [];
  let count = 0;
  for (const { first, length } of pageRuns(source, header)) {
    if (segments.length === MAX_SEGMENTS) {
      throw new ImageError(source.name, 'more than a million stretches of memory', {
        hint: 'makedumpfile -d 0 leaves nothing out, so there are fewer of them',
      });
    }
    const size = BigInt(length) * BigInt(header.blockSize);
    const address = header.base + BigInt(first) * BigInt(header.blockSize);
    const pa = placed(source, address, size, base, header.bitmapOffset);
    segments.push(new PageRun(pages, { base: pa, size, index: count, pageBytes: header.blockSize }));
    count += length;
  }
  if (count === 0)
    throw new ImageError(source.name, 'the dump holds no page', { offset: header.bitmapOffset });
  const tableEnd = header.tableOffset + count * PAGE_DESC_BYTES;
  if (tableEnd > source.size) {
    const message = `descriptors of ${count} pages end at ${hex(tableEnd)}, and the file at ${hex(source.size)}: it is truncated or damaged`;
    throw new ImageError(source.name, message, { offset: header.tableOffset });
  }
  return { source: source.name, format: 'kdump', segments, notes: header.notes };
}

class PageRun implements ImageSegment {
  readonly base: bigint;
  readonly size: bigint;
  readonly #pages: KdumpPages;
  /** Index of its first page among those in the file. */
  readonly #index: number;
  readonly #pageBytes: number;

  constructor(pages: KdumpPages, run: { base: bigint; size: bigint; index: number; pageBytes: number }) {
    this.base = run.base;
    this.size = run.size;
    this.#pages = pages;
    this.#index = run.index;
    this.#pageBytes = run.pageBytes;
  }

  read(offset: number, into: Uint8Array): void {
    const within = offset % this.#pageBytes;
    this.#pages.read(this.#index + (offset - within) / this.#pageBytes, within, into);
  }
}

/** Runs of set bits, in order. */
function* pageRuns(
  source: ByteSource,
  { bitmapOffset, pages }: KdumpHeader,
): Generator<{ first: number; length: number }> {
  let first = -1;
  for (let at = 0; at * 8 < pages; at += WINDOW) {
    const bytes = Math.min(WINDOW, Math.ceil(pages / 8) - at);
    const words = new Uint32Array(Math.ceil(bytes / 4));
    new Uint8Array(words.buffer).set(bytesAt(source, bitmapOffset + at, bytes));
    for (let i = 0; i < words.length; i++) {
      const word = words[i]!;
      // Nearly all words of a bitmap continue the current state.
      if (word === (first < 0 ? 0 : 0xffff_ffff)) continue;
      for (let bit = 0, page = at * 8 + i * 32; bit < 32 && page < pages; bit++, page++) {
        const set = (word >>> bit) & 1;
        if (set && first < 0) first = page;
        else if (!set && first >= 0) {
          yield { first, length: page - first };
          first = -1;
        }
      }
    }
  }
  if (first >= 0) yield { first, length: pages - first };
}
