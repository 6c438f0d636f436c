/**
 * The interface between a page-table format and the radix algorithm: geometry, and a few small functions over table memory.
 * The algorithm never sees a bit; a format never sees a tree. A new format is one module that implements FormatModule.
 */
import type { DescriptorLayout } from '../descriptor/index.ts';
import type { Concatenation, Quirk } from './linux.ts';
import type { Feature, FormatRequest } from './request.ts';

export { CONCATENATIONS, type Concatenation, choicesOf, QUIRKS, type Quirk } from './linux.ts';
export {
  FEATURES,
  type Feature,
  type FormatRequest,
  REGISTER_OPTIONS,
  type RegisterOption,
  STAGE1_REGIMES,
  type Stage1Regime,
} from './request.ts';

/** What a driver asks for, by the names of Linux's IOMMU_READ, IOMMU_WRITE, IOMMU_CACHE, IOMMU_NOEXEC, IOMMU_MMIO, IOMMU_PRIV. */
export interface Prot {
  readonly read?: boolean;
  readonly write?: boolean;
  readonly cache?: boolean;
  readonly noexec?: boolean;
  readonly mmio?: boolean;
  readonly priv?: boolean;
  /** Device memory of this type. (`mmio` always means nGnRE.) */
  readonly device?: DeviceType;
  /** Who may execute, for formats that distinguish privilege levels. (`noexec` forbids it to all.) */
  readonly execute?: Execute;
  /** Shareability of Normal memory. Default: Linux's choice, which is inner with `cache`, else outer. */
  readonly shareability?: ShareabilityDomain;
  /** The index of a MAIR attribute, 0 to 7 (with feature `aie` to 15: those of MAIR2), instead of the attribute that the flags ask for. */
  readonly mairIndex?: number;
  /** Which field of the overlay registers limits the rights, 0 to 7: Linux's protection key. Default: 0. Feature `s1poe`. */
  readonly poIndex?: number;
  /** For every ASID (nG = 0). Default: for one, as Linux maps. Regimes of EL2 and EL3 alone have no ASID: all is global there. */
  readonly global?: boolean;
  /** The output is in the Non-secure physical address space (NS = 1), for tables that Secure state walks. Default: as `arm_ns` says. */
  readonly nonSecure?: boolean;
}

export const DEVICE_TYPES = ['nGnRnE', 'nGnRE', 'nGRE', 'GRE'] as const;
/** Device memory by its ordering: Gathering, Reordering, Early acknowledgement, or not. (DDI 0487 B2.10.2.) */
export type DeviceType = (typeof DEVICE_TYPES)[number];
export const EXECUTE = ['all', 'privileged', 'unprivileged', 'none'] as const;
/** Who may execute: everybody, privileged or unprivileged code alone, nobody. (DDI 0487 D8.4.1.) */
export type Execute = (typeof EXECUTE)[number];
export const SHAREABILITY_DOMAINS = ['non', 'outer', 'inner'] as const;
/** Shareability of Normal memory: none, outer or inner. (DDI 0487 D8.6.2.) */
export type ShareabilityDomain = (typeof SHAREABILITY_DOMAINS)[number];

/** What a prot can say beyond Linux's flags. A format that does not list a member in `protExtras` refuses it. */
export const PROT_EXTRAS = [
  'device',
  'execute',
  'shareability',
  'mairIndex',
  'poIndex',
  'global',
  'nonSecure',
] as const satisfies readonly (keyof Prot)[];
/** A member of {@link Prot} beyond Linux's flags. */
export type ProtExtra = (typeof PROT_EXTRAS)[number];

/** The names of a prot's flags. */
export const PROT_FLAGS = [
  'read',
  'write',
  'cache',
  'noexec',
  'mmio',
  'priv',
] as const satisfies readonly (keyof Prot)[];

/** A level of the tree, by Arm's number. */
export interface Level {
  readonly level: number;
  /** log2 of the input bytes that one entry covers. */
  readonly shift: number;
  /** Entries of a table at this level; of the start level, of the whole root. */
  readonly entries: number;
  /** The number of concatenated tables: more than 1 only in a root. Default: 1. */
  readonly tables?: number;
  /** log2 of the entries in a run, at levels where several entries can form one leaf of `2 ** (shift + runLog2)` bytes. Default: 0, no runs. */
  readonly runLog2?: number;
}

/** A size of leaf: one entry of a level, or a run of entries that hardware may hold as one. */
export interface LeafSize {
  readonly level: number;
  /** log2 of the bytes that one entry covers. */
  readonly shift: number;
  /** log2 of the entries: 0 for a single one. */
  readonly runLog2: number;
}

/** The register values for a table in two forms: as Linux's io_pgtable_cfg reports them, and as hardware takes them. */
export interface Registers {
  /** By Linux's names: `ttbr`, `tcr.tsz`, `vtcr.sl`, `mair` … */
  readonly cfg: Readonly<Record<string, bigint | Readonly<Record<string, number>>>>;
  /** A translation regime and the full values of its registers, in the architectural layout that a walker reads. */
  readonly hardware: {
    readonly regime:
      | 'el1&0'
      | 'el2'
      | 'el2&0'
      | 'el3'
      | 'el1&0-s2'
      | 'pl1&0'
      | 'pl2'
      | 'pl1&0-s2'
      | 'pl1&0-short'
      | 'mali'
      | 'mtk'
      | 'riscv-iova';
    readonly registers: Readonly<Record<string, bigint>>;
  };
}

/** An entry is exactly one of these three. */
export const EMPTY = 0;
export const TABLE = 1;
export const LEAF = 2;
/** What an entry is: 0 empty, 1 a table, 2 a leaf. */
export type EntryKind = typeof EMPTY | typeof TABLE | typeof LEAF;

/** A 64-bit word as signed 32-bit halves. */
export interface Halves {
  readonly low: number;
  readonly high: number;
}

/** What every entry of a leaf holds besides its address: the bits that the hot paths OR into each descriptor, and the number of entries. */
export interface LeafBits extends Halves {
  /** log2 of the bytes that one entry covers, and of the entries that make up the leaf. */
  readonly shift: number;
  readonly runLog2: number;
}

/** The signed halves of a 64-bit word. */
export function halves(word: bigint): Halves {
  return { low: Number(BigInt.asIntN(32, word)), high: Number(BigInt.asIntN(32, word >> 32n)) };
}

/** The bits of a leaf's entries, for the hot paths. */
export function leafBitsOf(word: bigint, { shift, runLog2 }: LeafSize): LeafBits {
  // One literal: a spread would give the hot loops an object with a slow shape.
  const { low, high } = halves(word);
  return { low, high, shift, runLog2 };
}

/**
 * How an entry tells its kind and address, as numbers that one loop over flat memory reads for every format (`flat-table.ts`). Masks are of an
 * entry's first (low) and last (high) 32-bit word. It says the same as the functions of {@link EntryCodec}.
 */
export interface EntryShape {
  /** An entry is empty if it has none of these bits. */
  readonly empty: Halves;
  /** Above the last level, an entry is a table if the bits `tableMask` of its low word are `tableType`. */
  readonly tableMask: number;
  readonly tableType: number;
  /** The address's bits, and how far an entry has them below their place in the address: 0 or 2. */
  readonly address: Halves;
  readonly addressShift: 0 | 2;
  /** Address bits from `32 + from` on that the low word has elsewhere: the bits `mask`, which begin at `to`. The mask is 0 if there are none. */
  readonly moved: { readonly mask: number; readonly from: number; readonly to: number };
  /** At a level: a leaf is a single one if it has these bits of the low word, of `lowMask`, and none of those of the high word. */
  single(level: number): { readonly lowMask: number; readonly low: number; readonly high: number };
  /** True if the entries of a run have the address of the whole, not of their own part. */
  readonly sharedRuns: boolean;
}

/**
 * Entries in table memory, seen as 32-bit words: `at` is the index of an entry's first word.
 * Addresses are exact numbers of bytes (at most 52 bits).
 */
export interface EntryCodec {
  readonly wordsPerEntry: 1 | 2;
  read(words: Uint32Array, at: number): bigint;
  clear(words: Uint32Array, at: number, count: number): void;
  classify(words: Uint32Array, at: number, level: number): EntryKind;
  tableAddress(words: Uint32Array, at: number): number;
  writeTable(words: Uint32Array, at: number, pa: number): void;
  /** The PA that entry `index` of its table maps. In a run, the PA of this entry's own part. */
  leafAddress(words: Uint32Array, at: number, level: number, index: number): number;
  /** log2 of the entries of the run that a leaf's entry belongs to: 0 for a single one. */
  runLog2(words: Uint32Array, at: number, level: number): number;
  /** Writes all entries of one leaf, the first at `at`. */
  writeLeaf(words: Uint32Array, at: number, pa: number, bits: LeafBits): void;
  /** The bits that the parts of a leaf (an entry of `level`) keep when it is split into leaves of the size `part`. */
  splitBits(words: Uint32Array, at: number, level: number, part: LeafSize): LeafBits;
  /** Unmapping a run's worth of entries meets an empty one: true if nothing is unmapped, as in Linux's v7s; otherwise unmapping stops there. */
  readonly wholeRuns?: boolean;
  /** The entries as numbers, for the paths over flat memory. Absent if they can't be said so. */
  readonly shape?: EntryShape;
  /** The direct path of map_sg, if the format has one. */
  readonly direct?: DirectCodec;
  /** Access flag and dirty state of leaves, if the table was made with them. */
  readonly tracking?: TrackingCodec;
}

/** The state that hardware updates in a leaf's entry. Each can be read and reset. */
export interface TrackingCodec {
  /** True if dirty state is kept as well as the access flag. */
  readonly dirtyState: boolean;
  isDirty(words: Uint32Array, at: number): boolean;
  /** Makes the leaf writable-clean: the next write makes it dirty again. */
  setClean(words: Uint32Array, at: number): void;
  isAccessed(words: Uint32Array, at: number): boolean;
  setIdle(words: Uint32Array, at: number): void;
}

/** Writes many leaves at once, using small integers only. PAs are given as signed 32-bit halves. */
export interface DirectCodec {
  /** True when `count` entries from `at` on are all empty. */
  areEmpty(words: Uint32Array, at: number, count: number): boolean;
  /** `count` (at least 1) leaves at ascending addresses from `paHigh:paLow` on. An entry covers at most 2^30 bytes. */
  writeLeaves(
    words: Uint32Array,
    at: number,
    count: number,
    paLow: number,
    paHigh: number,
    bits: LeafBits,
  ): void;
  /** `count` leaves of one entry each, the addresses being `addresses[from]` and the following: exact numbers. */
  writePages(
    words: Uint32Array,
    at: number,
    count: number,
    addresses: Float64Array,
    from: number,
    bits: LeafBits,
  ): void;
}

/** A format, configured: what `configure` answers. */
export interface TableFormat {
  readonly name: string;
  readonly stage: 1 | 2;
  /** The request, narrowed as Linux narrows it. */
  readonly pgsizeBitmap: bigint;
  readonly ias: number;
  readonly oas: number;
  readonly coherentWalk: boolean;
  readonly quirks: readonly Quirk[];
  readonly features?: readonly Feature[];
  /** Of a format with concatenated roots: when it makes them. */
  readonly concatenation?: Concatenation;
  /** Members of a prot beyond Linux's flags that the format can express. Default: none. */
  readonly protExtras?: readonly ProtExtra[];
  /** Whether a prot may ask for execution alone. Default: false. */
  readonly executeOnly?: boolean;
  readonly granuleLog2: number;
  /** From the start level down to the last. */
  readonly levels: readonly Level[];
  /** Bytes of the root. It is aligned to its size (at least 64 bytes). */
  readonly rootBytes: number;
  /** Tables must lie below `2 ** tableAddressBits`, where entries can point and where the output size lets hardware follow. */
  readonly tableAddressBits: number;
  /** The lowest IOVA: 0, or with `arm_ttbr1` the first address whose upper bits are all ones. 64 bits. */
  readonly firstIova: bigint;
  registers(rootPa: bigint): Registers;
  /** Attribute and type bits of a leaf's entries, without the address. @throws FormatError for a prot that they can't express. */
  leafBits(prot: Prot, size: LeafSize): bigint;
  readonly entries: EntryCodec;
  /** The declared fields of a kind of descriptor at `level`; `run`: for a leaf that is part of a run, if that has other fields. */
  layout(kind: DescriptorLayout['kind'], level: number, run?: boolean): DescriptorLayout;
}

/** A pluggable format. */
export interface FormatModule {
  /** Linux's name in lower case: `arm_64_lpae_s1`. */
  readonly name: string;
  /** One line that describes the format. */
  readonly title: string;
  readonly stage: 1 | 2;
  /** The features that a request may ask for. Default: none. */
  readonly features?: readonly Feature[];
  /**
   * Makes a table's geometry, bits and registers.
   * @throws FormatError that says why a request is illegal and what would be accepted.
   */
  configure(request: FormatRequest): TableFormat;
}
