/**
 * The translation tables of one stage as hardware reads them, entry by entry instead of address by address: what every entry
 * means at its level, for tools that look at whole tables. (DDI 0487 D8.3, G5.4, G5.5.)
 */
import type { DescriptorPlace } from '../arch/descriptors/index.ts';
import type { PaSpace } from '../arch/security.ts';
import type { S1PermissionEncoding } from './permission-indirection.ts';
import type { TableMemory } from './table-memory.ts';

/** What an entry is. `abort`: no RAM where it should be, or (stage 1 under stage 2) no translation of that address. */
export const ENTRY_KINDS = { invalid: 0, table: 1, leaf: 2, abort: 3 } as const;

/** How the descriptors of a stage are read. */
export interface DescriptorReader {
  readonly format: 'long' | 'short' | 'mtk' | 'mali' | 'riscv';
  /** log2 of the smallest page. */
  readonly granuleLog2: number;
  /** TCR.DS: addresses of 52 bits with 4K or 16K pages. */
  readonly lpa2: boolean;
  /** Bytes of an entry. */
  readonly entryBytes: 4 | 8;
  readonly bigEndian: boolean;
  /** The level whose leaves are pages. */
  readonly lastLevel: number;
  /** Decodes `entry.lo` and `entry.hi` at `entry.level` into the rest of it. */
  decode(entry: TableEntry): void;
  /** Whether it is a leaf whose Contiguous bit is set and not RES0. */
  isContiguous(entry: TableEntry): boolean;
  /** Whether it claims to be valid, even if its level does not have its type. */
  hasValidBit(entry: TableEntry): boolean;
  /** log2 of the bytes that one entry of a level covers. */
  entrySizeLog2(level: number): number;
  /** Entries of a table below the first. */
  entryCount(level: number): number;
}

/** The current entry of a scan, the same object for all entries. Addresses are exact doubles below 2^52. */
export class TableEntry {
  level = 0;
  index = 0;
  /** One of {@link ENTRY_KINDS}. */
  kind: number = ENTRY_KINDS.invalid;
  /** The descriptor's halves, unsigned; a short descriptor is in `lo`. */
  lo = 0;
  hi = 0;
  /** The next table's base, or the leaf's; 0 for an invalid entry. */
  output = 0;
  /** log2 of the bytes that a leaf maps (a run: all its entries), or that another entry covers. */
  sizeLog2 = 0;
  /** The descriptor without its output address. */
  attributesLo = 0;
  attributesHi = 0;
}

/** Where the tables of a stage start, and which input addresses they translate. */
export interface TreeRoot {
  readonly stage: 1 | 2;
  /** The register that points at them. */
  readonly register: 'ttbr0' | 'ttbr1' | 'vttbr' | 'vsttbr';
  readonly startLevel: number;
  /** Address of the first table: an IPA for stage 1 under stage 2, else a PA. */
  readonly base: number;
  /** Input addresses of the first entry's first byte and of the last byte: unsigned, at most 64 bits. */
  readonly firstIa: bigint;
  readonly lastIa: bigint;
  /** Stage 2 of Secure state: the space of the IPAs that it translates, which is one of two. */
  readonly ipas?: PaSpace;
  /** Index of the first entry in use: not 0 if the other register translates the addresses before it. */
  readonly firstIndex: number;
}

/** Register settings that affect the fields of descriptors. */
export type FieldPlace = Pick<DescriptorPlace, 'nv1' | 'security' | 'hierarchical' | 'features'> & {
  /** Of PBHA, bits [62:59] of a leaf, those that hardware uses: HWU62 to HWU59. */
  readonly hwu?: number;
};

/** Registers that PIIndex and POIndex of its leaves choose a field of, each where it is in use. */
export interface PermissionRegisters {
  readonly pir?: bigint | undefined;
  readonly pire0?: bigint | undefined;
  /** How these two hold permissions. Default: as registers of a PE do. */
  readonly encoding?: S1PermissionEncoding;
  readonly por?: bigint | undefined;
  readonly por0?: bigint | undefined;
  readonly s2pir?: bigint | undefined;
  readonly s2por?: bigint | undefined;
}

/** Called for each entry. It is overwritten by the next one, and by every other scan of the same tree. */
export type EntryVisitor = (entry: TableEntry) => void;

/** The PA of a table's page at a level, or undefined if stage 2 does not translate it. `space`: the space of the address. */
export type TableAddressOf = (address: number, level: number, space: PaSpace) => number | undefined;

/** The address spaces of a stage's tables and outputs. For stage 1 under stage 2 they are spaces of IPAs. */
export interface TreeSpaces {
  /** The space of the first table. */
  readonly root: PaSpace;
  /** The space of the table that a descriptor points at, if the descriptor's own table is in `space`. */
  below(entry: TableEntry, space: PaSpace): PaSpace;
  /** The space of a leaf's output. */
  output(entry: TableEntry, space: PaSpace): PaSpace;
}

/** Only Non-secure memory. */
const NON_SECURE_SPACES: TreeSpaces = {
  root: 'non-secure',
  below: () => 'non-secure',
  output: () => 'non-secure',
};

const PAGE = 0x1000;
const ABORTED = {
  kind: ENTRY_KINDS.abort,
  lo: 0,
  hi: 0,
  output: 0,
  attributesLo: 0,
  attributesHi: 0,
} as const;

/**
 * The tables of one stage under one base register, to be read entry by entry.
 *
 * @example
 * for (const tree of walker.trees()) {
 *   const { startLevel, base } = tree.root;
 *   tree.scan(startLevel, base, 0, tree.rootEntries, ({ kind, index, output }) => {
 *     if (kind !== ENTRY_KINDS.invalid) console.log(index, output.toString(16));
 *   });
 * }
 */
export class TableTree {
  readonly root: TreeRoot;
  /** @internal How its descriptors are read. */
  readonly reader: DescriptorReader;
  /** Output addresses must be below 2^outputBits. */
  readonly outputBits: number;
  /** @internal Register settings for the fields of its descriptors, besides what its reader knows. */
  readonly place: FieldPlace;
  /** @internal Indirect and overlay permissions in use; nothing where they are direct. */
  readonly permissionRegisters: PermissionRegisters;
  /** @internal Where its tables are, and what they map. */
  readonly spaces: TreeSpaces;
  readonly #memory: TableMemory;
  readonly #addressOf: TableAddressOf | undefined;

  /** @internal Trees come from a walker's `trees()`. */
  constructor(
    memory: TableMemory,
    root: TreeRoot,
    reader: DescriptorReader,
    options: {
      readonly outputBits: number;
      readonly addressOf?: TableAddressOf | undefined;
      readonly place?: FieldPlace;
      readonly permissionRegisters?: PermissionRegisters;
      readonly spaces?: TreeSpaces;
    },
  ) {
    this.#memory = memory;
    this.root = root;
    this.reader = reader;
    this.outputBits = options.outputBits;
    this.place = options.place ?? {};
    this.permissionRegisters = options.permissionRegisters ?? {};
    this.spaces = options.spaces ?? NON_SECURE_SPACES;
    this.#addressOf = options.addressOf;
  }

  /** Entries of the first table: as many as the input addresses need. */
  get rootEntries(): number {
    const { firstIa, lastIa, startLevel } = this.root;
    const sizeLog2 = BigInt(this.reader.entrySizeLog2(startLevel));
    return Number((lastIa >> sizeLog2) - (firstIa >> sizeLog2)) + 1;
  }

  /** The PA of an entry, or undefined if the address of its table has none. `space`: the space of its table, by default that of the first table. */
  entryAddress(level: number, base: number, index: number, space = this.spaces.root): number | undefined {
    const address = base + index * this.reader.entryBytes;
    return this.#addressOf === undefined ? address : this.#addressOf(address, level, space);
  }

  /** Reads `count` entries of the table at `base`, from `first` on. `space`: the space of the table, by default that of the first table. */
  scan(
    level: number,
    base: number,
    first: number,
    count: number,
    visit: EntryVisitor,
    space = this.spaces.root,
  ): void {
    const { reader } = this;
    const { entryBytes } = reader;
    const perPage = PAGE / entryBytes;
    const entry = new TableEntry();
    entry.level = level;
    for (let index = first; index < first + count; ) {
      const pa = this.entryAddress(level, base, index, space);
      // Each page of a table is contiguous, wherever stage 2 maps the pages.
      const inPage = perPage - (((base % PAGE) / entryBytes + index) % perPage);
      const end = Math.min(index + inPage, first + count);
      for (let at = pa ?? 0; index < end; index++, at += entryBytes) {
        entry.index = index;
        if (pa !== undefined && this.#read(at)) {
          entry.lo = this.#memory.lo;
          entry.hi = this.#memory.hi;
          reader.decode(entry);
        } else {
          Object.assign(entry, ABORTED);
          entry.sizeLog2 = reader.entrySizeLog2(level);
        }
        visit(entry);
      }
    }
  }

  #read(pa: number): boolean {
    const { entryBytes, bigEndian } = this.reader;
    return entryBytes === 8 ? this.#memory.read64(pa, bigEndian) : this.#memory.read32(pa, bigEndian);
  }
}

/** An address as a register's signed number, as 64 unsigned bits. */
export function unsigned64(address: number): bigint {
  return BigInt.asUintN(64, BigInt(address));
}
