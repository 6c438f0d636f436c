/** ELF files: the contents of PT_LOAD segments, by their physical addresses. (System V ABI, "Program Header"; kernels, vmcores, QEMU's dumps.) */
import { hex } from '../memory/hex.ts';
import { type ByteSource, viewAt } from './bytes.ts';
import { ImageError } from './errors.ts';
import type { MemoryImage } from './image.ts';
import { FilePiece, keptApart, type Piece, placed } from './segments.ts';

const PT_LOAD = 1;
/** Means that the number of program headers exceeds 16 bits and is in sh_info of section 0. */
const PN_XNUM = 0xffff;
const MAX_HEADERS = 1 << 20;

/** Offsets of fields. `word` reads an address or offset. */
interface Layout {
  readonly wide: boolean;
  readonly header: { bytes: number; phoff: number; shoff: number; phentsize: number };
  readonly segment: {
    bytes: number;
    offset: number;
    vaddr: number;
    paddr: number;
    filesz: number;
    memsz: number;
  };
  readonly section: { bytes: number; info: number };
}

const ELF32: Layout = {
  wide: false,
  header: { bytes: 52, phoff: 28, shoff: 32, phentsize: 42 },
  segment: { bytes: 32, offset: 4, vaddr: 8, paddr: 12, filesz: 16, memsz: 20 },
  section: { bytes: 40, info: 28 },
};

const ELF64: Layout = {
  wide: true,
  header: { bytes: 64, phoff: 32, shoff: 40, phentsize: 54 },
  segment: { bytes: 56, offset: 8, vaddr: 16, paddr: 24, filesz: 32, memsz: 40 },
  section: { bytes: 64, info: 44 },
};

interface File {
  readonly source: ByteSource;
  readonly layout: Layout;
  readonly little: boolean;
}

/** A PT_LOAD that occupies memory. */
interface Load {
  readonly index: number;
  /** Offset of its program header. */
  readonly at: number;
  readonly offset: bigint;
  readonly vaddr: bigint;
  readonly paddr: bigint;
  readonly filesz: bigint;
  readonly memsz: bigint;
}

/**
 * 32 and 64 bits, either byte order, any e_type.
 * @param base - added to each p_paddr.
 * @throws ImageError for headers or data beyond the file's end, segments without physical addresses, and segments that disagree.
 */
export function readElf(source: ByteSource, base: bigint): MemoryImage {
  const file = identify(source);
  const loads = readLoads(file);
  if (loads.length === 0) {
    throw new ImageError(source.name, 'the ELF file has no PT_LOAD segment that occupies memory', {
      hint: 'object files and debug symbol files contain no memory',
    });
  }
  const notes = checkAddresses(source, loads);
  // With paging, QEMU writes a segment for each mapping. A vmcore holds the kernel's own image twice.
  const pieces = loads.map((load) => pieceOf(file, load, base));
  return { source: source.name, format: 'elf', segments: keptApart(source, pieces, 'same-bytes'), notes };
}

function identify(source: ByteSource): File {
  const ident = viewAt(source, 0, 16);
  const [bits, order] = [ident.getUint8(4), ident.getUint8(5)];
  if (ident.getUint32(0) !== 0x7f45_4c46)
    throw new ImageError(source.name, 'no ELF file: it does not begin with 7f 45 4c 46', { offset: 0 });
  if (bits !== 1 && bits !== 2) {
    throw new ImageError(source.name, `EI_CLASS is ${bits}; 1 (32 bits) or 2 (64 bits) are known`, {
      offset: 4,
    });
  }
  if (order !== 1 && order !== 2) {
    throw new ImageError(source.name, `EI_DATA is ${order}; 1 (little-endian) or 2 (big-endian) are known`, {
      offset: 5,
    });
  }
  return { source, layout: bits === 1 ? ELF32 : ELF64, little: order === 1 };
}

function readLoads(file: File): Load[] {
  const { source, layout, little } = file;
  const { header, segment } = layout;
  const view = viewAt(source, 0, header.bytes);
  const entryBytes = view.getUint16(header.phentsize, little);
  let count = view.getUint16(header.phentsize + 2, little);
  if (count === PN_XNUM) count = countInSection(file, word(file, view, header.shoff));
  if (count === 0) return [];
  if (entryBytes !== segment.bytes) {
    const message = `a program header has ${segment.bytes} bytes, but e_phentsize is ${entryBytes}`;
    throw new ImageError(source.name, message, { offset: header.phentsize });
  }
  const start = word(file, view, header.phoff);
  const bytes = BigInt(count) * BigInt(segment.bytes);
  if (count > MAX_HEADERS || start + bytes > BigInt(source.size)) {
    const message = `${count} program headers at ${hex(start)} do not fit into the file's ${hex(source.size)} bytes: it is truncated or damaged`;
    throw new ImageError(source.name, message, { offset: header.phoff });
  }
  return loadsOf(file, Number(start), viewAt(source, Number(start), Number(bytes)));
}

/** (System V ABI: e_phnum is PN_XNUM.) */
function countInSection(file: File, offset: bigint): number {
  const { source, layout, little } = file;
  if (offset === 0n || offset + BigInt(layout.section.bytes) > BigInt(source.size)) {
    const message = `e_phnum is 0xffff, so section 0 holds the number, but it is at ${hex(offset)}, outside the file`;
    throw new ImageError(source.name, message, { offset: layout.header.shoff });
  }
  return viewAt(source, Number(offset), layout.section.bytes).getUint32(layout.section.info, little);
}

function loadsOf(file: File, start: number, headers: DataView): Load[] {
  const { segment } = file.layout;
  const loads: Load[] = [];
  for (let index = 0; index * segment.bytes < headers.byteLength; index++) {
    const at = index * segment.bytes;
    const field = (offset: number) => word(file, headers, at + offset);
    if (headers.getUint32(at, file.little) !== PT_LOAD || field(segment.memsz) === 0n) continue;
    loads.push({
      index,
      at: start + at,
      offset: field(segment.offset),
      vaddr: field(segment.vaddr),
      paddr: field(segment.paddr),
      filesz: field(segment.filesz),
      memsz: field(segment.memsz),
    });
  }
  return loads;
}

/** Core files of processes have only virtual addresses. */
function checkAddresses(source: ByteSource, loads: readonly Load[]): string[] {
  const virtual = loads.every(({ paddr }) => paddr === 0n) && loads.some(({ vaddr }) => vaddr !== 0n);
  if (!virtual) return [];
  if (loads.length === 1)
    return [`p_paddr is 0 while p_vaddr is ${hex(loads[0]!.vaddr)}: taken as memory at PA 0`];
  throw new ImageError(
    source.name,
    'all its segments have the physical address 0: only virtual ones are known',
    {
      offset: loads[0]!.at,
      hint: "a process's core can't be walked; dump a machine's memory, as QEMU's dump-guest-memory does (without -p), or /proc/vmcore",
    },
  );
}

function pieceOf({ source }: File, load: Load, base: bigint): Piece {
  const { index, at, offset, paddr, filesz, memsz } = load;
  if (filesz > memsz) {
    const message = `program header ${index} puts ${hex(filesz)} bytes of the file into ${hex(memsz)} bytes of memory`;
    throw new ImageError(source.name, message, { offset: at });
  }
  if (filesz > 0n && offset + filesz > BigInt(source.size)) {
    const message = `the data of program header ${index}, [${hex(offset)}, +${hex(filesz)}), goes beyond the file's end at ${hex(source.size)}: the file is truncated`;
    throw new ImageError(source.name, message, { offset: at });
  }
  return new FilePiece(source, {
    base: placed(source, paddr, memsz, base, at),
    size: memsz,
    offset: filesz === 0n ? 0 : Number(offset),
    fileBytes: Number(filesz),
    origin: `program header ${index}`,
  });
}

function word({ layout, little }: File, view: DataView, offset: number): bigint {
  return layout.wide ? view.getBigUint64(offset, little) : BigInt(view.getUint32(offset, little));
}
