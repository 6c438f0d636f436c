/**
 * VMSAv8-64 and AArch32 long descriptors: what kind one is and which address it holds, at a level of a table tree.
 * A descriptor is two 32-bit numbers, `lo` and `hi`; addresses are exact doubles below 2^52.
 * (DDI 0487 D8.3; J1.1 AArch64.DecodeDescriptorType, BlockDescSupported, NextTableBase, S1LeafBase, S2LeafBase.)
 */
import { contiguousEntries, STAGE1_LEAF, TABLE_DESCRIPTOR } from '../arch/descriptors/index.ts';
import { type FieldBits, highMask, lowMask, shiftOf } from '../arch/read.ts';
import { alignDown, log2, POW2 } from './bits.ts';
import type { DirtyStateOff } from './denial-causes.ts';

/** What the address arithmetic of a table tree depends on, the same for both stages. */
export interface TableGeometry {
  /** 12, 14 or 16. A table is one granule: `stride` = granuleLog2 - 3 index bits a level. */
  readonly granuleLog2: number;
  readonly stride: number;
  /** Input address bits that the tables resolve. */
  readonly iaBits: number;
  readonly startLevel: number;
  /** Base of the first table, aligned as the architecture aligns it. */
  readonly tableBase: number;
  /** Output addresses must be below 2^oaBits. */
  readonly oaBits: number;
  /** The first level that can have blocks. */
  readonly firstBlockLevel: number;
  /** Where OA[51:48] is: nowhere, in [15:12] (64K with FEAT_LPA), or in [9:8] and [49:48] (DS = 1). */
  readonly highAddress: 'none' | 'bits15_12' | 'ds';
  /** Descriptor bits [47:32] that are address: 0xffff, or 0xff if, as in ARMv7, [47:40] are ignored. */
  readonly addressHighMask: number;
  /** SCTLR.EE: tables are big-endian. */
  readonly bigEndian: boolean;
  /** Hardware updates the access flag, and the dirty state. */
  readonly ha: boolean;
  readonly hd: boolean;
  /** Hardware sets the access flag of table descriptors too (FEAT_HAFT). */
  readonly haft: boolean;
  /** Why `hd` is not set. Also undefined if descriptors have no DBM. */
  readonly dirtyOff?: DirtyStateOff | undefined;
  /** An access flag that is 0 is neither updated nor a fault (SMMU: CD.AFFD, STE.S2AFFD). */
  readonly affd: boolean;
  /** Block descriptors have the nT bit (FEAT_BBM). */
  readonly nT: boolean;
}

/** A leaf descriptor and its level. */
export interface Leaf {
  readonly lo: number;
  readonly hi: number;
  readonly level: number;
}

export const INVALID = 0;
export const TABLE = 1;
export const LEAF = 2;

const { fields: S1 } = STAGE1_LEAF;
/** Bits of the lower half. */
export const VALID_BIT = lowMask(S1.Valid);
export const TYPE_BIT = lowMask(TABLE_DESCRIPTOR.fields.Type);
export const AF_BIT = lowMask(S1.AF);
const NT_BIT = lowMask(S1.nT);
/** Of the upper half. */
const CONTIGUOUS_BIT = highMask(S1.Contiguous);

/** AArch64.DecodeDescriptorType. A block at a level that has none is invalid, and so is 0b01 at level 3. */
export function descriptorType(lo: number, level: number, geometry: TableGeometry): number {
  if ((lo & VALID_BIT) === 0) return INVALID;
  if (lo & TYPE_BIT) return level === 3 ? LEAF : TABLE;
  return level < 3 && level >= geometry.firstBlockLevel ? LEAF : INVALID;
}

/** log2 of the bytes that one entry of a level maps. (TranslationSize.) */
export function entrySizeLog2(level: number, geometry: TableGeometry): number {
  return geometry.granuleLog2 + (3 - level) * geometry.stride;
}

/** The field of OA[51:48] with FEAT_LPA, and those of OA[51:50] and OA[49:48] with FEAT_LPA2. */
const { BASE_LPA, BASE_LPA2, BASE_HIGH } = S1;
const LPA_MASK = lowMask(BASE_LPA);
const LPA_SHIFT = shiftOf(BASE_LPA);
const LPA2_MASK = lowMask(BASE_LPA2);
const LPA2_SHIFT = shiftOf(BASE_LPA2);
const HIGH_MASK = highMask(BASE_HIGH);
const HIGH_SHIFT = shiftOf(BASE_HIGH);
const LPA_UNIT = 2 ** addressBit(BASE_LPA);
const LPA2_UNIT = 2 ** addressBit(BASE_LPA2);
const HIGH_UNIT = 2 ** addressBit(BASE_HIGH);

/** Address bits of the upper half that are in their natural place: [47:32], or [39:32] if, as in ARMv7, the others are ignored. */
export const ADDRESS_HIGH = highMask(S1.BASE);
export const ADDRESS_HIGH_ARMV7 = highMask(S1.BASE32);

/** The address bit that the field's lowest bit holds. */
export function addressBit({ address, low }: FieldBits): number {
  return address ?? low;
}

/** The base address in a descriptor, aligned to 2^log2: the rest of the field is RES0 and ignored. */
export function outputBase(lo: number, hi: number, log2: number, geometry: TableGeometry): number {
  const base = alignDown((hi & geometry.addressHighMask) * POW2[32]! + lo, log2);
  switch (geometry.highAddress) {
    case 'none':
      return base;
    case 'bits15_12':
      return base + ((lo & LPA_MASK) >>> LPA_SHIFT) * LPA_UNIT;
    case 'ds':
      return (
        base + ((lo & LPA2_MASK) >>> LPA2_SHIFT) * LPA2_UNIT + ((hi & HIGH_MASK) >>> HIGH_SHIFT) * HIGH_UNIT
      );
  }
}

/** AArch64.ContiguousBit: a leaf's contiguous hint. It is RES0 in the largest blocks. */
export function isContiguous(hi: number, level: number, { granuleLog2 }: TableGeometry): boolean {
  return (hi & CONTIGUOUS_BIT) !== 0 && contiguousEntries(granuleLog2, level) > 1;
}

/** The nT bit of a block: TLBs must not cache it, so that its size can be changed. It never faults here. */
export function isNT(lo: number, level: number, geometry: TableGeometry): boolean {
  return geometry.nT && level < 3 && (lo & NT_BIT) !== 0;
}

/** The granule by the level and the size of an entry: sizes tell granules apart. The inverse of {@link entrySizeLog2}. */
export function granuleOf(level: number, size: bigint): number {
  // size = granuleLog2 + (3 - level) * (granuleLog2 - 3)
  return (log2(size) + 3 * (3 - level)) / (4 - level);
}
