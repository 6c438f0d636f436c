/** The pages of a kdump-compressed file: their descriptors, and their decompressed bytes. (makedumpfile's diskdump_mod.h, page_desc.) */
import { decompress as unpackZstd } from 'fzstd';
import { hex } from '../memory/hex.ts';
import { type ByteSource, bytesAt, viewAt } from './bytes.ts';
import { ImageError } from './errors.ts';
import { inflateZlib } from './inflate.ts';
import { unpackSnappy } from './snappy.ts';

export const PAGE_DESC_BYTES = 24;

const ZLIB = 0x1;
const LZO = 0x2;
const SNAPPY = 0x4;
const ZSTD = 0x20;
const NAMES: Readonly<Record<number, string>> = { [ZLIB]: 'zlib', [SNAPPY]: 'snappy', [ZSTD]: 'zstd' };

const ZSTD_MAGIC = 0xfd2f_b528;
/** Bytes of a zstd frame's content size, by the two bits that encode it. (RFC 8878, 3.1.1.1.1.1) */
const ZSTD_SIZE_BYTES = [0, 2, 4, 8] as const;
const MAX_CACHED = 64;

/** Location of a page's bytes. Identical pages share them. */
interface Packed {
  readonly offset: number;
  readonly size: number;
  readonly flags: number;
  /** Offset of the descriptor, for messages. */
  readonly at: number;
}

export class KdumpPages {
  readonly #source: ByteSource;
  readonly #table: number;
  readonly #pageBytes: number;
  /** Decompressed pages by their location, least recently used first. */
  readonly #cache = new Map<string, Uint8Array>();

  constructor(source: ByteSource, tableOffset: number, pageBytes: number) {
    this.#source = source;
    this.#table = tableOffset;
    this.#pageBytes = pageBytes;
  }

  /**
   * Bytes from `offset` within page `index` of the file on; they may continue into the next pages.
   * @throws ImageError for damaged or missing pages, and for LZO.
   */
  read(index: number, offset: number, into: Uint8Array): void {
    for (let done = 0, page = index, from = offset; done < into.length; page++, from = 0) {
      const part = into.subarray(done, done + this.#pageBytes - from);
      this.#readPage(page, from, part);
      done += part.length;
    }
  }

  #readPage(index: number, from: number, into: Uint8Array): void {
    const packed = this.#descriptor(index);
    const kind = packed.flags & (ZLIB | LZO | SNAPPY | ZSTD);
    if (kind === 0) {
      if (packed.size !== this.#pageBytes)
        throw this.#damaged(packed, 'it is not compressed, but its length is not that of a page');
      this.#source.read(packed.offset + from, into);
    } else into.set(this.#unpacked(packed, kind).subarray(from, from + into.length));
  }

  #descriptor(index: number): Packed {
    const at = this.#table + index * PAGE_DESC_BYTES;
    const view = viewAt(this.#source, at, PAGE_DESC_BYTES);
    const [offset, size] = [view.getBigUint64(0, true), view.getUint32(8, true)];
    const packed = { offset: Number(offset), size, flags: view.getUint32(12, true), at };
    if (offset === 0n) throw this.#damaged(packed, 'makedumpfile did not write it');
    // No compressor doubles the size of a page.
    if (size === 0 || size > 2 * this.#pageBytes || packed.offset + size > this.#source.size) {
      throw this.#damaged(packed, `its ${hex(size)} bytes at ${hex(offset)} are not possible`);
    }
    return packed;
  }

  #unpacked(packed: Packed, kind: number): Uint8Array {
    const key = `${packed.offset} ${packed.size} ${kind}`;
    const page = this.#cache.get(key) ?? this.#unpack(packed, kind);
    this.#cache.delete(key);
    this.#cache.set(key, page);
    if (this.#cache.size > MAX_CACHED) {
      const [oldest] = this.#cache.keys();
      this.#cache.delete(oldest!);
    }
    return page;
  }

  #unpack(packed: Packed, kind: number): Uint8Array {
    if (kind === LZO) {
      throw new ImageError(this.#source.name, 'a page is compressed with LZO, which is not read', {
        offset: packed.at,
        hint: 'makedumpfile -c DUMP NEW packs it with zlib instead; in QEMU, dump-guest-memory -z',
      });
    }
    const bytes = bytesAt(this.#source, packed.offset, packed.size);
    const page = this.#unpackAs(kind, bytes);
    if (page?.length !== this.#pageBytes) {
      throw this.#damaged(
        packed,
        `the data at ${hex(packed.offset)} is not a page in ${NAMES[kind] ?? `compression ${hex(kind)}`}`,
      );
    }
    return page;
  }

  #unpackAs(kind: number, bytes: Uint8Array): Uint8Array | undefined {
    if (kind === SNAPPY) return unpackSnappy(bytes, this.#pageBytes);
    if (kind === ZLIB) return inflateZlib(bytes, this.#pageBytes);
    try {
      const whole = kind === ZSTD && zstdContentSize(bytes) === BigInt(this.#pageBytes);
      return whole ? unpackZstd(bytes, new Uint8Array(this.#pageBytes)) : undefined;
    } catch {
      return undefined;
    }
  }

  #damaged({ at }: Packed, message: string): ImageError {
    return new ImageError(this.#source.name, `a page can't be read: ${message}`, { offset: at });
  }
}

/** The content size that a frame declares, or undefined. The library trusts it, so it is checked first. (RFC 8878, 3.1.1.1) */
function zstdContentSize(bytes: Uint8Array): bigint | undefined {
  if (bytes.length < 14) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(0, true) !== ZSTD_MAGIC) return undefined;
  const descriptor = view.getUint8(4);
  const single = (descriptor >> 5) & 1;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]!;
  const sizeBytes = ZSTD_SIZE_BYTES[descriptor >> 6]! || single;
  const at = 6 - single + dictionaryBytes;
  if (sizeBytes === 0 || at + sizeBytes > bytes.length) return undefined;
  let size = 0n;
  for (let i = sizeBytes - 1; i >= 0; i--) size = (size << 8n) | BigInt(bytes[at + i]!);
  return sizeBytes === 2 ? size + 256n : size;
}
