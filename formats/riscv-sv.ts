/**
 * `riscv_64`: the tables of RISC-V, Sv39 and Sv48, with 64K ranges (Svnapot) and memory types by page (Svpbmt).
 * (RISC-V Privileged Architecture 1.13: "satp", "Sv39", "Sv48", "Svnapot", "Svpbmt".)
 *
 * RISC-V counts levels down to 0. Here they have Arm's numbers, where 3 is the last: Sv39 has levels 1 to 3, Sv48 has 0 to 3.
 * Input addresses are 39 or 48 bits with zeros above. A hart expects the top bit to be repeated above. So addresses of the lower
 * half are the same here, and addresses of the upper half are written here without their sign extension.
 *
 * @example
 * import { IommuDomain, PhysicalMemory } from 'lpae';
 * import { riscv64 } from 'lpae/formats/riscv-sv';
 *
 * const memory = new PhysicalMemory({ base: 0x8000_0000n, size: 1n << 20n });
 * const domain = new IommuDomain(memory, riscv64, { pgsizeBitmap: 0x4020_1000n, ias: 39, oas: 52 });
 * domain.map(0x1000n, 0x9000_0000n, 0x1000n, { read: true });
 * const [leaf] = domain.tables().at(-1)!.entries;
 * console.log(leaf?.index, leaf?.descriptor.toString(16)); // 1 20000000240000db
 */
import { fieldNamed } from '../src/descriptor/codec.ts';
import { fieldMask, rowsFrom } from '../src/descriptor/field.ts';
import { type DescriptorLayout, encode, type Field } from '../src/descriptor/index.ts';
import { FormatError } from '../src/pagetable/errors.ts';
import {
  type DirectCodec,
  EMPTY,
  type EntryCodec,
  type EntryKind,
  type EntryShape,
  type FormatModule,
  type FormatRequest,
  type Halves,
  halves,
  LEAF,
  type LeafBits,
  type LeafSize,
  type Level,
  leafBitsOf,
  type Prot,
  TABLE,
  type TableFormat,
} from '../src/pagetable/format.ts';
import { checkFeatures, checkLimits, checkQuirks, checkRequest, sizesWith4K } from './common/request.ts';
import { WideEntries } from './common/wide-entries.ts';

const NAME = 'riscv_64';
const SV = 'RISC-V Privileged "Sv39"';
const SVNAPOT = 'RISC-V Privileged "Svnapot"';
const SVPBMT = 'RISC-V Privileged "Svpbmt"';
const LAST = 3;
const RUN_LOG2 = 4;
/** By input size: the mode of satp, the start level, and the page sizes: 4K, 64K, 2M, 1G, and 512G where level 0 exists. */
const MODES = new Map([
  [39, { mode: 8n, start: 1, sizes: 0x4021_1000n }],
  [48, { mode: 9n, start: 0, sizes: 0x80_4021_1000n }],
]);
const PBMT = { pma: 0, nc: 1, io: 2 } as const;
const shiftOf = (level: number) => 12 + (LAST - level) * 9;

const field = rowsFrom(SV);

const VALID = field(0, 0, 'V', 'field', 'valid', { fixed: 1 });
const GLOBAL = field(5, 5, 'G', 'field', 'global: in every address space');
const SOFTWARE = field(9, 8, 'RSW', 'software', 'free for software');
const RESERVED = field(60, 54, '-', 'res0', 'reserved: a page fault if set');

/** Physical page number, from the address bit `low` on. */
const pageNumber = (low: number) =>
  field(53, low - 2, `PPN[43:${low - 12}]`, 'field', 'physical page number', { address: low });

function tableFields(): Field[] {
  return [
    field(63, 61, '-', 'res0', 'N and PBMT are for leaves: a page fault if set'),
    RESERVED,
    pageNumber(12),
    SOFTWARE,
    field(7, 6, '-', 'res0', 'D and A are for leaves'),
    GLOBAL,
    field(4, 4, '-', 'res0', 'U is for leaves'),
    field(3, 1, 'XWR', 'field', 'no permission at all: a pointer to the next table', { fixed: 0 }),
    VALID,
  ];
}

/** R counts as a type bit here: it tells a leaf from a table, and no driver asks for memory that is executable but not readable. */
function leafFieldsOf(level: number, run: boolean): Field[] {
  const low = shiftOf(level) + (run ? RUN_LOG2 : 0);
  const below = run
    ? field(13, 10, 'PPN[3:0]', 'field', 'how long the range is', {
        fixed: 8,
        values: { 8: '64K' },
        reference: SVNAPOT,
      })
    : field(low - 3, 10, '-', 'res0', 'a superpage starts at a multiple of its size');
  const napot =
    level < LAST
      ? field(63, 63, '-', 'res0', 'N is for the last level', { reference: SVNAPOT })
      : field(63, 63, 'N', 'field', 'one of a naturally aligned range of equal entries', {
          fixed: run ? 1 : 0,
          reference: SVNAPOT,
        });
  return [
    napot,
    field(62, 61, 'PBMT', 'field', 'memory type', {
      values: { 0: 'PMA', 1: 'NC: main memory, not cached', 2: 'IO: not cached, strongly ordered' },
      reference: SVPBMT,
    }),
    RESERVED,
    pageNumber(low),
    ...(low > 12 ? [below] : []),
    SOFTWARE,
    field(7, 7, 'D', 'field', 'dirty: was written'),
    field(6, 6, 'A', 'field', 'accessed'),
    GLOBAL,
    field(4, 4, 'U', 'field', 'for user mode'),
    field(3, 3, 'X', 'field', 'executable'),
    field(2, 2, 'W', 'field', 'writable'),
    field(1, 1, 'R', 'field', 'readable', { fixed: 1 }),
    VALID,
  ];
}

function layoutOf(kind: DescriptorLayout['kind'], level: number, run = false): DescriptorLayout {
  const title = `RISC-V stage 1 level ${level} ${kind}${run ? ' of a 64K range' : ''}`;
  if (kind === 'table') return { title, kind, width: 64, fields: tableFields() };
  if (kind !== 'invalid') return { title, kind, width: 64, fields: leafFieldsOf(level, run) };
  const fields = [
    field(63, 1, '-', 'ignored', 'free for software'),
    field(0, 0, 'V', 'field', 'not valid', { fixed: 0 }),
  ];
  return { title, kind, width: 64, fields };
}

function leafLayout({ level, runLog2 }: Pick<LeafSize, 'level' | 'runLog2'>): DescriptorLayout {
  return layoutOf(level === LAST ? 'page' : 'block', level, runLog2 > 0);
}

/** W without R is reserved, so that writing implies reading. A and D are set: hardware may fault on them instead of setting them. */
function leafBits(prot: Prot, size: LeafSize): bigint {
  return encode(leafLayout(size), {
    R: 1,
    W: prot.write ? 1 : 0,
    X: prot.noexec ? 0 : 1,
    U: prot.priv ? 0 : 1,
    A: 1,
    D: 1,
    PBMT: prot.mmio ? PBMT.io : prot.cache ? PBMT.pma : PBMT.nc,
  });
}

const PAGE = layoutOf('page', LAST);
const TABLE_BITS = halves(encode(layoutOf('table', 0), {}));
const PPN = halves(fieldMask(fieldNamed(PAGE, 'PPN[43:0]')));
const NAPOT = halves(fieldMask(fieldNamed(PAGE, 'N')));
const POINTER = layoutOf('table', 0)
  .fields.filter(({ fixed }) => fixed !== undefined)
  .reduce((mask, one) => mask | Number(fieldMask(one)), 0);
/** The bits that the parts of a split leaf keep: every field except the address and the type. */
const ATTRIBUTES = PAGE.fields
  .filter(({ kind, address, fixed }) => kind !== 'res0' && address === undefined && fixed === undefined)
  .reduce((mask, one) => mask | fieldMask(one), 0n);

const SHAPE: EntryShape = {
  empty: { low: -1, high: -1 },
  tableMask: POINTER,
  tableType: TABLE_BITS.low,
  address: PPN,
  addressShift: 2,
  moved: { mask: 0, from: 0, to: 0 },
  single: (level) => ({ lowMask: 0, low: 0, high: level === LAST ? NAPOT.high : 0 }),
  sharedRuns: true,
};

/** 64-bit entries as two words. PPN stands at bit 10 and counts pages of 2^12: an address moved down by two. */
class SvEntryCodec extends WideEntries implements EntryCodec, DirectCodec {
  readonly direct = this;
  readonly shape = SHAPE;

  classify(words: Uint32Array, at: number, level: number): EntryKind {
    const low = words[at]!;
    if (low === 0 && words[at + 1] === 0) return EMPTY;
    return level < LAST && (low & POINTER) === TABLE_BITS.low ? TABLE : LEAF;
  }

  tableAddress(words: Uint32Array, at: number): number {
    return (words[at + 1]! & PPN.high) * 2 ** 34 + ((words[at]! & PPN.low) >>> 0) * 4;
  }

  writeTable(words: Uint32Array, at: number, pa: number): void {
    this.#write(words, at, pa, TABLE_BITS);
  }

  leafAddress(words: Uint32Array, at: number, level: number, index: number): number {
    const address = this.tableAddress(words, at);
    const runLog2 = this.runLog2(words, at, level);
    if (runLog2 === 0) return address;
    // In a range, the low bits of PPN give its length. The low bits of the index replace them.
    return address - (address % 2 ** (12 + runLog2)) + (index & ((1 << runLog2) - 1)) * 2 ** 12;
  }

  runLog2(words: Uint32Array, at: number, level: number): number {
    return level === LAST && (words[at + 1]! & NAPOT.high) !== 0 ? RUN_LOG2 : 0;
  }

  writeLeaf(words: Uint32Array, at: number, pa: number, bits: LeafBits): void {
    const end = at + (2 << bits.runLog2);
    for (let i = at; i < end; i += 2) this.#write(words, i, pa, bits);
  }

  splitBits(words: Uint32Array, at: number, _level: number, part: LeafSize): LeafBits {
    return leafBitsOf((this.read(words, at) & ATTRIBUTES) | encode(leafLayout(part), {}), part);
  }

  writeLeaves(
    words: Uint32Array,
    at: number,
    count: number,
    paLow: number,
    paHigh: number,
    bits: LeafBits,
  ): void {
    const step = 1 << (bits.shift + bits.runLog2);
    const stride = 2 << bits.runLog2;
    let low = paLow;
    let high = paHigh;
    for (let i = at, end = at + count * stride; i < end; ) {
      const wordLow = (low >>> 2) | (high << 30) | bits.low;
      const wordHigh = (high >>> 2) | bits.high;
      for (const next = i + stride; i < next; i += 2) {
        words[i] = wordLow;
        words[i + 1] = wordHigh;
      }
      low = (low + step) | 0;
      if (low >>> 0 < step) high++;
    }
  }

  writePages(
    words: Uint32Array,
    at: number,
    count: number,
    addresses: Float64Array,
    from: number,
    bits: LeafBits,
  ): void {
    for (let i = 0; i < count; i++) this.#write(words, at + i * 2, addresses[from + i]!, bits);
  }

  #write(words: Uint32Array, at: number, pa: number, bits: Halves): void {
    const high = Math.floor(pa / 2 ** 32);
    words[at] = ((pa | 0) >>> 2) | (high << 30) | bits.low;
    words[at + 1] = (high >>> 2) | bits.high;
  }
}

function levelsFrom(start: number): Level[] {
  const levels: Level[] = [];
  for (let level = start; level <= LAST; level++) {
    levels.push({ level, shift: shiftOf(level), entries: 512, ...(level === LAST && { runLog2: RUN_LOG2 }) });
  }
  return levels;
}

function configure(request: FormatRequest): TableFormat {
  const { coherentWalk = true, ias, oas } = request;
  checkRequest(request);
  checkQuirks(NAME, [], request);
  checkFeatures(NAME, [], request);
  const mode = MODES.get(ias);
  if (mode === undefined) {
    throw new FormatError(
      `satp has no mode for ias ${ias}; ${NAME} has ias 39 (Sv39: 3 levels) and 48 (Sv48: 4 levels)`,
    );
  }
  // RISC-V has 56 bits.
  checkLimits(NAME, request, { ias: 48, oas: 52 }, 'the most that a PhysicalMemory supports');
  const pgsizeBitmap = sizesWith4K(NAME, request, mode.sizes);
  return {
    name: NAME,
    stage: 1,
    pgsizeBitmap,
    ias,
    oas,
    coherentWalk,
    quirks: [],
    granuleLog2: 12,
    levels: levelsFrom(mode.start),
    rootBytes: 4096,
    tableAddressBits: oas,
    firstIova: 0n,
    layout: layoutOf,
    leafBits,
    registers: (root) => {
      const satp = (mode.mode << 60n) | (root >> 12n);
      return { cfg: { satp }, hardware: { regime: 'riscv-iova', registers: { ttbr0: satp } } };
    },
    entries: new SvEntryCodec(),
  };
}

/** Input 39 or 48 bits, output up to 52; pages of 4K, 64K, 2M and 1G, and with 48 bits 512G. */
export const riscv64: FormatModule = {
  name: NAME,
  title: 'RISC-V Sv39 and Sv48, with Svnapot and Svpbmt',
  stage: 1,
  configure,
};
