/** The headers of kdump-compressed files, as makedumpfile and QEMU write them. (makedumpfile's diskdump_mod.h, header versions up to 6.) */
import { hex } from '../memory/hex.ts';
import { type ByteSource, viewAt } from './bytes.ts';
import { ImageError } from './errors.ts';

const SIGNATURES = ['KDUMP   ', 'DISKDUMP'] as const;
const MACHINE = { offset: 272, bytes: 65 } as const;
/** Offset of status, block_size and so on. They follow a timeval, whose size depends on the machine. */
const STATUS_OFFSET = { 64: 424, 32: 412 } as const;
const HEADER_BYTES = 464;
const SUB_HEADER_BYTES = 104;
const MAX_NR_64 = 96;
/** DUMP_DH_COMPRESSED_INCOMPLETE */
const INCOMPLETE = 8;
/** 8 TiB of 1 KiB pages, 512 TiB of 64 KiB pages. */
const MAX_PAGES = 2 ** 33;

export interface KdumpHeader {
  /** Bytes of a page and of a block of the file. */
  readonly blockSize: number;
  /** Offset of the bitmap of pages in the file: one bit per page, lowest bit first. */
  readonly bitmapOffset: number;
  /** Offset of the first page descriptor. */
  readonly tableOffset: number;
  /** Number of bits in the bitmap. */
  readonly pages: number;
  /** PA of page 0. */
  readonly base: bigint;
  readonly notes: readonly string[];
}

export function isKdump(start: Uint8Array): boolean {
  return SIGNATURES.some((signature) => new TextDecoder('latin1').decode(start.subarray(0, 8)) === signature);
}

/** The contents of the main header. */
interface MainHeader {
  readonly status: number;
  readonly blockSize: number;
  readonly subBlocks: number;
  readonly bitmapBlocks: number;
  readonly pages: number;
}

/** @throws ImageError for big-endian and split dumps, and for an implausible header. */
export function readKdumpHeader(source: ByteSource): KdumpHeader {
  const view = viewAt(source, 0, HEADER_BYTES);
  const version = view.getUint32(8, true);
  const bits = ([64, 32] as const).find((wide) => isPlausible(mainHeader(view, wide, true)));
  if (bits === undefined) throw implausible(source, view);
  const main = mainHeader(view, bits, true);
  const kdump = view.getUint8(0) === 0x4b;
  const sub = viewAt(source, main.blockSize, SUB_HEADER_BYTES);
  if (kdump && version >= 2 && sub.getUint32(bits === 64 ? 12 : 8, true) !== 0) {
    throw new ImageError(source.name, 'one part of a dump that makedumpfile has split', {
      hint: 'makedumpfile --reassemble PART… WHOLE makes one file of the parts',
    });
  }
  const wideCount = kdump && version >= 6 && bits === 64 ? sub.getBigUint64(MAX_NR_64, true) : 0n;
  const pages = wideCount === 0n ? main.pages : Number(wideCount);
  const { base, notes } = firstPage(view, sub, bits, kdump && version >= 1);
  const incomplete = kdump && (main.status & INCOMPLETE) !== 0;
  return {
    blockSize: main.blockSize,
    ...layoutOf(source, main, pages),
    pages,
    base,
    notes: incomplete ? [...notes, 'makedumpfile did not finish this dump: pages are missing'] : notes,
  };
}

function mainHeader(view: DataView, bits: 64 | 32, little: boolean): MainHeader {
  const field = (index: number) => view.getUint32(STATUS_OFFSET[bits] + 4 * index, little);
  return {
    status: field(0),
    blockSize: field(1),
    subBlocks: field(2),
    bitmapBlocks: field(3),
    pages: field(4),
  };
}

/** Arm has pages of 4, 16 or 64 KiB; other architectures have 1 KiB and more. */
function isPlausible({ blockSize, subBlocks, bitmapBlocks }: MainHeader): boolean {
  const power = (blockSize & (blockSize - 1)) === 0;
  return (
    power &&
    blockSize >= 0x400 &&
    blockSize <= 0x1_0000 &&
    subBlocks >= 1 &&
    subBlocks <= 0x1000 &&
    bitmapBlocks >= 1
  );
}

function implausible(source: ByteSource, view: DataView): ImageError {
  const swapped = ([64, 32] as const).some((bits) => isPlausible(mainHeader(view, bits, false)));
  if (swapped) {
    return new ImageError(source.name, 'a kdump of a big-endian machine, which is not read', {
      hint: 'makedumpfile -E converts it to an ELF file, on such a machine; tables are assumed to be little-endian',
    });
  }
  const { blockSize, subBlocks, bitmapBlocks } = mainHeader(view, 64, true);
  const message = `the header is damaged: block_size ${hex(blockSize)}, sub_hdr_size ${hex(subBlocks)}, bitmap_blocks ${hex(bitmapBlocks)}`;
  return new ImageError(source.name, message, { offset: STATUS_OFFSET[64] });
}

/** On 32-bit Arm, makedumpfile counts pages from the start of RAM (its ARCH_PFN_OFFSET); elsewhere it counts from 0. */
function firstPage(
  view: DataView,
  sub: DataView,
  bits: 64 | 32,
  hasBase: boolean,
): { base: bigint; notes: string[] } {
  const machine = new TextDecoder('latin1').decode(
    new Uint8Array(view.buffer, MACHINE.offset, MACHINE.bytes),
  );
  if (bits === 64 || !hasBase || !machine.startsWith('arm')) return { base: 0n, notes: [] };
  const base = BigInt(sub.getUint32(0, true));
  return {
    base,
    notes: [`pages are counted from phys_base ${hex(base)}, as makedumpfile does on 32-bit Arm`],
  };
}

/** There are two bitmaps: of pages that exist, and of pages in the file. Very old dumps have only the first. */
function layoutOf(
  source: ByteSource,
  main: MainHeader,
  pages: number,
): { bitmapOffset: number; tableOffset: number } {
  const { blockSize, subBlocks, bitmapBlocks } = main;
  const start = (1 + subBlocks) * blockSize;
  const bytes = bitmapBlocks * blockSize;
  const needed = Math.ceil(Math.ceil(pages / 8) / blockSize) * blockSize;
  const both = bytes >= 2 * needed;
  const bitmapOffset = both ? start + bytes / 2 : start;
  if (pages < 1 || pages > MAX_PAGES || needed > bytes || bitmapOffset + Math.ceil(pages / 8) > source.size) {
    const message = `bitmaps of ${hex(bytes)} bytes for ${pages} pages, in a file of ${hex(source.size)}: it is truncated or damaged`;
    throw new ImageError(source.name, message, { offset: start });
  }
  return { bitmapOffset, tableOffset: start + bytes };
}
