/** Small image files of every kind, written by hand: what the readers are held against. */
import { deflateSync } from 'node:zlib';
import { type ByteSource, bufferSource, type MemoryImage } from '../../src/image/index.ts';

/** `count` bytes that differ from their neighbours, and from those of other seeds. */
export function pattern(count: number, seed = 1): Uint8Array {
  return Uint8Array.from({ length: count }, (_, i) => (i * 7 + (i >> 8) * 13 + seed * 31) & 0xff);
}

/** 4096 bytes 1, 2, 3, 4, 1 … in snappy: a literal of 4 bytes, then copies that lie 4 back, 63 of 64 bytes and one of 60. */
export const SNAPPY_PAGE = Uint8Array.from([
  ...[0x80, 0x20],
  ...[3 << 2, 1, 2, 3, 4],
  ...Array.from({ length: 63 }, () => [(63 << 2) | 2, 4, 0]).flat(),
  ...[(59 << 2) | 2, 4, 0],
]);

/** 512 words 0x60000040000f47 + 4096 * (k % 37), as zstd 1.5 packed them. */
export const ZSTD_PAGE = Uint8Array.from(
  Buffer.from(
    '28b52ffd60000f5d0200f402470f004000006000471f2f3f4f5f6f7f8f9fafbfcfdfefff0f011f2f3f4f5f6f7f8f9fafbfcfdfefff0f021f2f3f4f25a820fa7a06f0d90e1168f4fdffffefd55ea9c6e9f51eeb53a6',
    'hex',
  ),
);

export function sourceOf(content: string | Uint8Array, name = 'file'): ByteSource {
  return bufferSource(name, typeof content === 'string' ? Buffer.from(content, 'latin1') : content);
}

/** Fields by offset, into `size` bytes: numbers are 32 bits, bigints 64, `[value]` is 16. */
export function fields(
  size: number,
  values: Readonly<Record<number, number | bigint | readonly [number] | string>>,
  little = true,
): Uint8Array {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  for (const [key, value] of Object.entries(values)) {
    const at = Number(key);
    if (typeof value === 'string') bytes.set(Buffer.from(value, 'latin1'), at);
    else if (typeof value === 'bigint') view.setBigUint64(at, value, little);
    else if (typeof value === 'number') view.setUint32(at, value, little);
    else view.setUint16(at, value[0], little);
  }
  return bytes;
}

export interface Segment {
  readonly type?: number;
  readonly paddr: bigint;
  readonly vaddr?: bigint;
  readonly data: Uint8Array;
  readonly memsz?: number;
  /** Where in the file; default: behind what stands before it. */
  readonly offset?: number;
}

export interface ElfOptions {
  readonly bits?: 32 | 64;
  readonly little?: boolean;
  /** The count goes into section 0. */
  readonly xnum?: boolean;
}

/** Header, program headers, perhaps one section header, data. */
export function elfFile(segments: readonly Segment[], options: ElfOptions = {}): Uint8Array {
  const { bits = 64, little = true, xnum = false } = options;
  const wide = bits === 64;
  const [headerBytes, segmentBytes, sectionBytes] = wide ? [64, 56, 64] : [52, 32, 40];
  const shoff = headerBytes + segments.length * segmentBytes;
  const word = (value: bigint) => (wide ? value : Number(value));
  const count = xnum ? 0xffff : segments.length;
  const header = wide
    ? {
        32: BigInt(headerBytes),
        40: xnum ? BigInt(shoff) : 0n,
        54: [segmentBytes] as const,
        56: [count] as const,
      }
    : { 28: headerBytes, 32: xnum ? shoff : 0, 42: [segmentBytes] as const, 44: [count] as const };
  const ident = `\x7fELF${String.fromCharCode(wide ? 2 : 1, little ? 1 : 2, 1)}`;
  const parts = [fields(headerBytes, { 0: ident, 16: [4], ...header }, little)];
  let offset = shoff + (xnum ? sectionBytes : 0);
  const data: Uint8Array[] = [];
  for (const one of segments) {
    const at = one.offset ?? offset;
    const [type, vaddr, memsz] = [one.type ?? 1, one.vaddr ?? one.paddr, one.memsz ?? one.data.length];
    const [o, v, p, f, m] = [BigInt(at), vaddr, one.paddr, BigInt(one.data.length), BigInt(memsz)].map(
      word,
    ) as (number | bigint)[];
    const at64 = { 0: type, 8: o!, 16: v!, 24: p!, 32: f!, 40: m! };
    const at32 = { 0: type, 4: o!, 8: v!, 12: p!, 16: f!, 20: m! };
    parts.push(fields(segmentBytes, wide ? at64 : at32, little));
    if (one.offset !== undefined) continue;
    data.push(one.data);
    offset += one.data.length;
  }
  if (xnum) parts.push(fields(sectionBytes, { [wide ? 44 : 28]: segments.length }, little));
  return Buffer.concat([...parts, ...data]);
}

export function limeFile(records: readonly { first: bigint; data: Uint8Array }[]): Uint8Array {
  return Buffer.concat(
    records.flatMap(({ first, data }) => [
      fields(32, { 0: 0x4c69_4d45, 4: 1, 8: first, 16: first + BigInt(data.length) - 1n }),
      data,
    ]),
  );
}

/** One record, its checksum made. */
export function ihexLine(address: number, type: number, data: Iterable<number>): string {
  const bytes = [...data];
  const record = [bytes.length, address >> 8, address & 0xff, type, ...bytes];
  const sum = record.reduce((a, b) => a + b, 0);
  return `:${hexOf([...record, -sum & 0xff])}\n`;
}

export function ihexFile(base: number, data: Uint8Array): string {
  const lines = [ihexLine(0, 4, [base >>> 24, (base >>> 16) & 0xff])];
  for (let at = 0; at < data.length; at += 16)
    lines.push(ihexLine((base + at) & 0xffff, 0, data.subarray(at, at + 16)));
  return `${lines.join('')}${ihexLine(0, 1, [])}`;
}

export function srecLine(type: number, address: number, width: number, data: Iterable<number>): string {
  const bytes = [...data];
  const where = Array.from(
    { length: width },
    (_, i) => Math.floor(address / 2 ** (8 * (width - 1 - i))) & 0xff,
  );
  const record = [width + bytes.length + 1, ...where, ...bytes];
  return `S${type}${hexOf([...record, ~record.reduce((a, b) => a + b, 0) & 0xff])}\n`;
}

export function srecFile(base: number, data: Uint8Array): string {
  const lines = [srecLine(0, 0, 2, Buffer.from('HDR'))];
  for (let at = 0; at < data.length; at += 16)
    lines.push(srecLine(3, base + at, 4, data.subarray(at, at + 16)));
  return `${lines.join('')}${srecLine(5, lines.length - 1, 2, [])}${srecLine(7, base, 4, [])}`;
}

function hexOf(bytes: readonly number[]): string {
  return bytes.map((byte) => byte.toString(16).padStart(2, '0').toUpperCase()).join('');
}

/** `address: words` lines, 16 bytes each, as crash and U-Boot write words of 8 bytes. */
export function wordLines(base: bigint, data: Uint8Array): string {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  let text = '';
  for (let at = 0; at + 16 <= data.length; at += 16) {
    const words = [0, 8].map((i) =>
      view
        .getBigUint64(at + i, true)
        .toString(16)
        .padStart(16, '0'),
    );
    text += `${(base + BigInt(at)).toString(16)}:  ${words.join(' ')}\n`;
  }
  return text;
}

export interface KdumpPage {
  /** Page frame number. */
  readonly page: number;
  /** As it stands in the file; default: the page, packed with zlib. */
  readonly packed?: Uint8Array;
  readonly flags?: number;
  readonly data: Uint8Array;
}

export interface KdumpOptions {
  readonly blockSize?: number;
  readonly maxPages?: number;
  readonly signature?: string;
  readonly version?: number;
  readonly status?: number;
  readonly split?: number;
  readonly machine?: string;
  readonly bits?: 32 | 64;
  readonly physBase?: number;
}

/** A kdump-compressed file, version 6 unless told otherwise. `pages` ascend. */
export function kdumpFile(pages: readonly KdumpPage[], options: KdumpOptions = {}): Uint8Array {
  const { blockSize = 4096, signature = 'KDUMP   ', version = 6, split = 0, bits = 64 } = options;
  const maxPages = options.maxPages ?? pages.at(-1)!.page + 1;
  const bitmapBytes = Math.ceil(maxPages / 8 / blockSize) * blockSize;
  const status = bits === 64 ? 424 : 412;
  const header = fields(blockSize, {
    0: signature,
    8: version,
    272: options.machine ?? 'aarch64',
    [status]: options.status ?? 1,
    [status + 4]: blockSize,
    [status + 8]: 1,
    [status + 12]: (2 * bitmapBytes) / blockSize,
    [status + 16]: maxPages,
  });
  const sub = bits === 64 ? { 12: split, 96: BigInt(maxPages) } : { 8: split };
  const subHeader = fields(blockSize, { 0: options.physBase ?? 0, ...sub });
  const bitmap = new Uint8Array(bitmapBytes);
  for (const { page } of pages) bitmap[page >> 3]! |= 1 << (page & 7);
  const table = new Uint8Array(pages.length * 24);
  const start = 2 * blockSize + 2 * bitmapBytes + table.length;
  const data: Uint8Array[] = [];
  let offset = start;
  for (const [i, one] of pages.entries()) {
    const packed = one.packed ?? deflateSync(one.data);
    table.set(fields(24, { 0: BigInt(offset), 8: packed.length, 12: one.flags ?? 1 }), i * 24);
    data.push(packed);
    offset += packed.length;
  }
  const everyPage = new Uint8Array(bitmapBytes).fill(0xff);
  return Buffer.concat([header, subHeader, everyPage, bitmap, table, ...data]);
}

/** `whole` in makedumpfile's flattened form, cut at these offsets; more records behind. */
export function flattened(
  whole: Uint8Array,
  cuts: readonly number[],
  more: readonly { offset: number; data: Uint8Array }[] = [],
): Uint8Array {
  const edges = [0, ...cuts, whole.length];
  const records = edges
    .slice(1)
    .map((end, i) => ({ offset: edges[i]!, data: whole.subarray(edges[i]!, end) }));
  return Buffer.concat([
    fields(4096, { 0: 'makedumpfile', 16: 1n, 24: 1n }, false),
    ...[...records, ...more].flatMap(({ offset, data }) => [
      fields(16, { 0: BigInt(offset), 8: BigInt(data.length) }, false),
      data,
    ]),
    new Uint8Array(16).fill(0xff),
  ]);
}

/** What an image holds, as `[base, bytes]`. */
export function contents(image: MemoryImage): [bigint, Uint8Array][] {
  return image.segments.map((segment) => {
    const bytes = new Uint8Array(Number(segment.size)).fill(0xee);
    segment.read(0, bytes);
    return [segment.base, bytes];
  });
}
