/** A memory image: dumped stretches of physical memory, and the memory that a walker reads them from. */
import { hex } from '../memory/hex.ts';
import { MemoryError, PhysicalMemory, type RegionOptions } from '../memory/index.ts';
import { ImageError } from './errors.ts';
import { firstEndingAfter } from './sorted.ts';

/** The kinds of files that can be read. */
export const IMAGE_FORMATS = ['raw', 'elf', 'lime', 'kdump', 'ihex', 'srec', 'hex-text'] as const;
/** The kind of a memory file: raw bytes, an ELF core, LiME, kdump, Intel HEX, S-records, or a hex dump as text. */
export type ImageFormat = (typeof IMAGE_FORMATS)[number];

/** One stretch of physical memory. Its bytes are read on demand. */
export interface ImageSegment {
  /** PA of the first byte, up to 52 bits. */
  readonly base: bigint;
  /** Bytes, at least one. */
  readonly size: bigint;
  /**
   * Fills `into` with the bytes from `offset` on; the range lies inside the segment.
   * @throws ImageError if the file can't provide them.
   */
  read(offset: number, into: Uint8Array): void;
}

/** The result of reading a file. */
export interface MemoryImage {
  /** The file's name in messages. */
  readonly source: string;
  readonly format: ImageFormat;
  /** In ascending order, without overlaps. */
  readonly segments: readonly ImageSegment[];
  /** Notes for the user: skipped lines, assumptions. */
  readonly notes: readonly string[];
}

/** A physical address has at most 52 bits. */
export const PA_LIMIT = 1n << 52n;
/** RAM starts and ends on a multiple of this. */
const WORD = 8n;

interface Placed {
  readonly segment: ImageSegment;
  readonly source: string;
  /** The first byte, and the first one after the end. */
  readonly start: number;
  readonly end: number;
}

/**
 * The memory that images contain. Everything else is not RAM, except bytes that complete an 8-byte word.
 * @throws ImageError for segments that overlap, are empty, or lie beyond 2^52.
 */
export function imageMemory(images: readonly MemoryImage[]): PhysicalMemory {
  const placed = images.flatMap(({ source, segments }) => segments.map((segment) => place(segment, source)));
  placed.sort((a, b) => a.start - b.start);
  for (let i = 1; i < placed.length; i++) refuseOverlap(placed[i - 1]!, placed[i]!);
  if (placed.length === 0) throw new ImageError(images[0]?.source ?? 'image', 'holds no memory at all');
  try {
    return new PhysicalMemory(clusters(placed).map(regionOf));
  } catch (error) {
    if (error instanceof MemoryError) throw new ImageError(placed[0]!.source, error.message);
    throw error;
  }
}

function place(segment: ImageSegment, source: string): Placed {
  const { base, size } = segment;
  if (base < 0n || size <= 0n || base + size > PA_LIMIT) {
    const message = `memory [${hex(base)}, +${hex(size)}) is empty, or beyond the 52 bits of a physical address`;
    throw new ImageError(source, message);
  }
  return { segment, source, start: Number(base), end: Number(base + size) };
}

function refuseOverlap(before: Placed, after: Placed): void {
  if (after.start >= before.end) return;
  const other = after.source === before.source ? '' : ` of ${before.source}`;
  throw new ImageError(
    after.source,
    `memory from ${hex(after.start)} on overlaps [${hex(before.start)}, ${hex(before.end)})${other}`,
    {
      hint: 'if a PA is in two places, it is not clear which one counts; leave one of them out, or move it with FILE@BASE',
    },
  );
}

/** Segments that are adjacent or share a word form one region. */
function clusters(placed: readonly Placed[]): Placed[][] {
  const found: Placed[][] = [];
  let end = Number.NEGATIVE_INFINITY;
  for (const one of placed) {
    if (one.start < end) found.at(-1)!.push(one);
    else found.push([one]);
    end = Math.ceil(one.end / Number(WORD)) * Number(WORD);
    // Adjacent segments continue the region.
    if (one.end === end) end += 1;
  }
  return found;
}

function regionOf(parts: readonly Placed[]): RegionOptions {
  const base = (parts[0]!.segment.base / WORD) * WORD;
  const end = ((BigInt(parts.at(-1)!.end) + WORD - 1n) / WORD) * WORD;
  return { base, size: end - base, load: (pa, bytes) => fill(parts, pa, bytes) };
}

/** Copies the bytes of `[pa, pa + bytes.length)` that the parts hold. */
function fill(parts: readonly Placed[], pa: number, bytes: Uint8Array): void {
  const end = pa + bytes.length;
  for (let i = firstEndingAfter(parts, pa); i < parts.length && parts[i]!.start < end; i++) {
    const { segment, start, end: partEnd } = parts[i]!;
    const [from, to] = [Math.max(start, pa), Math.min(partEnd, end)];
    segment.read(from - start, bytes.subarray(from - pa, to - pa));
  }
}
