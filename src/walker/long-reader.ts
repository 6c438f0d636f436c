/** How the tables of 64-bit descriptors are read entry by entry: those of VMSAv8-64, and the long ones of AArch32. (DDI 0487 D8.3, G5.5.) */
import { STAGE1_LEAF } from '../arch/descriptors/index.ts';
import { highMask, lowMask } from '../arch/read.ts';
import {
  descriptorType,
  entrySizeLog2,
  INVALID,
  isContiguous,
  LEAF,
  outputBase,
  type TableGeometry,
  VALID_BIT,
} from './descriptor64.ts';
import { type DescriptorReader, ENTRY_KINDS, type TableEntry } from './table-tree.ts';

const { BASE_LPA, BASE_LPA2, BASE_HIGH } = STAGE1_LEAF.fields;
/** The bits of both halves that hold OA[51:48]. */
const MOVED = {
  none: [0, 0],
  bits15_12: [lowMask(BASE_LPA), 0],
  ds: [lowMask(BASE_LPA2), highMask(BASE_HIGH)],
} as const;

/** 64-bit descriptors of VMSAv8-64 and AArch32 long descriptors. */
export class LongReader implements DescriptorReader {
  readonly format = 'long';
  readonly granuleLog2: number;
  readonly lpa2: boolean;
  readonly entryBytes = 8;
  readonly lastLevel = 3;
  readonly bigEndian: boolean;
  readonly #geometry: TableGeometry;
  readonly #runs: boolean;

  /** @param runs - bit 52 of leaves is the contiguous hint; it is not where it is Protected (FEAT_THE). */
  constructor(geometry: TableGeometry, runs = true) {
    this.#geometry = geometry;
    this.#runs = runs;
    this.bigEndian = geometry.bigEndian;
    this.granuleLog2 = geometry.granuleLog2;
    this.lpa2 = geometry.highAddress === 'ds';
  }

  isContiguous({ hi, level, kind }: TableEntry): boolean {
    return this.#runs && kind === ENTRY_KINDS.leaf && isContiguous(hi, level, this.#geometry);
  }

  hasValidBit({ lo }: TableEntry): boolean {
    return (lo & VALID_BIT) !== 0;
  }

  decode(entry: TableEntry): void {
    const geometry = this.#geometry;
    const { lo, hi, level } = entry;
    const type = descriptorType(lo, level, geometry);
    const sizeLog2 = entrySizeLog2(level, geometry);
    entry.kind = type;
    entry.sizeLog2 = sizeLog2;
    const addressLog2 = type === LEAF ? sizeLog2 : geometry.granuleLog2;
    entry.output = type === INVALID ? 0 : outputBase(lo, hi, addressLog2, geometry);
    // Bits below a block's address are not part of it. One of them is nT.
    const belowLo = addressLog2 >= 32 ? 0xffff_ffff : 2 ** addressLog2 - 1;
    const belowHi = addressLog2 > 32 ? 2 ** (addressLog2 - 32) - 1 : 0;
    const [movedLo, movedHi] = MOVED[geometry.highAddress];
    entry.attributesLo = (lo & belowLo & ~movedLo) >>> 0;
    entry.attributesHi = (hi & (belowHi | ~geometry.addressHighMask) & ~movedHi) >>> 0;
  }

  entrySizeLog2(level: number): number {
    return entrySizeLog2(level, this.#geometry);
  }

  entryCount(): number {
    return 2 ** this.#geometry.stride;
  }
}
