/** The fields of a VMSAv8-64 descriptor that the break-before-make rules compare. (DDI 0487 D8.3.1.1, D8.3.1.2.) */
import { field, flag } from '../walker/bits.ts';

export type EntryKind = 'invalid' | 'table' | 'leaf';

export interface EntryFields {
  readonly kind: EntryKind;
  /** Output address of a leaf, or the next table's, and the bytes that a leaf maps. */
  readonly oa: bigint;
  readonly size: bigint;
  /** Memory type, cacheability and shareability, to compare. */
  readonly memory: string;
  /** nG = 0. Stage 2 has no such bit: false. */
  readonly global: boolean;
  readonly contiguous: boolean;
  readonly nT: boolean;
  readonly accessFlag: boolean;
  readonly writable: boolean;
  /** NSTable, APTable, UXNTable and PXNTable of a table descriptor: bits [63:59]. */
  readonly hierarchy: number;
}

/** What the fields of a descriptor depend on beside its bits. */
export interface FieldsContext {
  readonly stage: 1 | 2;
  /** Arm's level, -1 to 3. */
  readonly level: number;
  readonly granuleLog2: 12 | 14 | 16;
  /** FEAT_BBM level (ID_AA64MMFR2_EL1.BBM), or SMMU_IDR3.BBML. Of several readers the least. */
  readonly bbml: 0 | 1 | 2;
  /** 52-bit output addresses: TCR.DS = 1 with 4K or 16K, FEAT_LPA with 64K. Default false. */
  readonly oa52?: boolean;
  /** Hardware updates dirty state (TCR.HD): DBM = 1 is writable. Default false. */
  readonly hd?: boolean;
  /** Stage 1: MAIR, so that two AttrIndx of the same memory type are no change. */
  readonly mair?: bigint;
}

export function bbmFields(word: bigint, context: FieldsContext): EntryFields {
  const { stage, level, granuleLog2, bbml } = context;
  const kind = kindOf(word, context);
  const leafLog2 = granuleLog2 + (3 - level) * (granuleLog2 - 3);
  const leaf = kind === 'leaf';
  return {
    kind,
    oa: outputAddress(word, leaf ? leafLog2 : granuleLog2, context),
    size: 1n << BigInt(leafLog2),
    memory: memoryOf(word, context),
    global: leaf && stage === 1 && !flag(word, 11),
    contiguous: leaf && flag(word, 52),
    nT: leaf && level < 3 && bbml > 0 && flag(word, 16),
    accessFlag: flag(word, 10),
    writable: writable(word, context),
    hierarchy: kind === 'table' && stage === 1 ? field(word, 63, 59) : 0,
  };
}

/** A block at a level that has none, and 0b01 at level 3, are invalid. */
function kindOf(word: bigint, { level, granuleLog2, oa52 }: FieldsContext): EntryKind {
  if (!flag(word, 0)) return 'invalid';
  if (level === 3) return flag(word, 1) ? 'leaf' : 'invalid';
  if (flag(word, 1)) return 'table';
  const firstBlockLevel = (granuleLog2 === 12 ? 1 : 2) - (oa52 ? 1 : 0);
  return level >= firstBlockLevel ? 'leaf' : 'invalid';
}

function outputAddress(word: bigint, alignLog2: number, { granuleLog2, oa52 }: FieldsContext): bigint {
  const low = (BigInt.asUintN(48, word) >> BigInt(alignLog2)) << BigInt(alignLog2);
  if (!oa52) return low;
  if (granuleLog2 === 16) return low | (BigInt(field(word, 15, 12)) << 48n);
  return low | (BigInt((field(word, 9, 8) << 2) | field(word, 49, 48)) << 48n);
}

/** AttrIndx (by its MAIR byte, where that is known) or MemAttr, and SH where the descriptor has it. */
function memoryOf(word: bigint, { stage, granuleLog2, oa52, mair }: FieldsContext): string {
  const index = field(word, 4, 2);
  const byte = mair === undefined ? `index ${index}` : `type ${field(mair, index * 8 + 7, index * 8)}`;
  const type = stage === 1 ? byte : `MemAttr ${field(word, 5, 2)}`;
  return oa52 && granuleLog2 !== 16 ? type : `${type}, SH ${field(word, 9, 8)}`;
}

function writable(word: bigint, { stage, hd }: FieldsContext): boolean {
  const dirtiable = hd === true && flag(word, 51);
  return dirtiable || (stage === 1 ? !flag(word, 7) : flag(word, 7));
}
