/** The fields of a VMSAv8-64 descriptor that the break-before-make rules compare. (DDI 0487 D8.3.1.1, D8.3.1.2.) */
import {
  contiguousEntries,
  type DescriptorSecurity,
  STAGE1_LEAF,
  STAGE2_LEAF,
  TABLE_DESCRIPTOR,
} from '../arch/descriptors/index.ts';
import { addressOf, isSet, read } from '../arch/read.ts';
import { decodeMairByte } from '../walker/attributes.ts';
import { S2AP_WRITE } from '../walker/permissions.ts';

export type EntryKind = 'invalid' | 'table' | 'leaf';

export interface EntryFields {
  readonly kind: EntryKind;
  /** Output address of a leaf or address of the next table, and the bytes that a leaf maps. */
  readonly oa: bigint;
  readonly size: bigint;
  /** NS of a stage-1 leaf: the physical address space of the output, which is part of the output address. (D8.17.1 IWZRHR.) */
  readonly ns: boolean;
  /** Memory type, cacheability and shareability, as text to compare. */
  readonly memory: string;
  /** nG = 0. Always false at stage 2, which has no such bit. */
  readonly global: boolean;
  /** Set, and not RES0 at this level. */
  readonly contiguous: boolean;
  readonly nT: boolean;
  readonly accessFlag: boolean;
  readonly writable: boolean;
  /** NSTable, APTable, UXNTable and PXNTable of a table descriptor: bits [63:59]. */
  readonly hierarchy: number;
}

/** What the fields of a descriptor depend on besides its bits. */
export interface FieldsContext {
  readonly stage: 1 | 2;
  /** Arm's level, -1 to 3. */
  readonly level: number;
  readonly granuleLog2: 12 | 14 | 16;
  /** FEAT_BBM level (ID_AA64MMFR2_EL1.BBM), or SMMU_IDR3.BBML: the least, if there are several readers. */
  readonly bbml: 0 | 1 | 2;
  /** 52-bit output addresses: TCR.DS = 1 with 4K or 16K, FEAT_LPA with 64K. Default: false. */
  readonly oa52?: boolean;
  /** Hardware updates dirty state (TCR.HD): DBM = 1 means writable. Default: false. */
  readonly hd?: boolean;
  /** The Security state of the regime. NS is RES0 in Non-secure state. Default: not known, and NS counts. */
  readonly security?: DescriptorSecurity;
  /** Stage 1: MAIR, so that two AttrIndx values with the same memory type are not a change. */
  readonly mair?: bigint;
}

const { fields: S1 } = STAGE1_LEAF;
const { fields: S2 } = STAGE2_LEAF;
const { fields: TABLE } = TABLE_DESCRIPTOR;
/** NSTable, APTable, UXNTable and PXNTable are adjacent bits. */
const HIERARCHY = { high: TABLE.NSTable.high, low: TABLE.PXNTable.low };

export function bbmFields(word: bigint, context: FieldsContext): EntryFields {
  const { stage, level, granuleLog2, bbml } = context;
  const kind = kindOf(word, context);
  const leafLog2 = granuleLog2 + (3 - level) * (granuleLog2 - 3);
  const leaf = kind === 'leaf';
  return {
    kind,
    oa: outputAddress(word, leaf ? leafLog2 : granuleLog2, context),
    size: 1n << BigInt(leafLog2),
    ns: leaf && stage === 1 && context.security !== 'non-secure' && isSet(word, S1.NS),
    memory: memoryOf(word, context),
    global: leaf && stage === 1 && !isSet(word, S1.nG),
    contiguous: leaf && contiguousEntries(granuleLog2, level) > 1 && isSet(word, S1.Contiguous),
    nT: leaf && level < 3 && bbml > 0 && isSet(word, S1.nT),
    accessFlag: isSet(word, S1.AF),
    writable: writable(word, context),
    hierarchy: kind === 'table' && stage === 1 ? read(word, HIERARCHY) : 0,
  };
}

/** A block at a level without blocks, and 0b01 at level 3, are invalid. */
function kindOf(word: bigint, { level, granuleLog2, oa52 }: FieldsContext): EntryKind {
  if (!isSet(word, TABLE.Valid)) return 'invalid';
  const type = isSet(word, TABLE.Type);
  if (level === 3) return type ? 'leaf' : 'invalid';
  if (type) return 'table';
  const firstBlockLevel = (granuleLog2 === 12 ? 1 : 2) - (oa52 ? 1 : 0);
  return level >= firstBlockLevel ? 'leaf' : 'invalid';
}

/** The address aligned to the size of its target. Lower bits are RES0 and ignored. */
function outputAddress(word: bigint, alignLog2: number, { granuleLog2, oa52 }: FieldsContext): bigint {
  const low = (addressOf(word, S1.BASE) >> BigInt(alignLog2)) << BigInt(alignLog2);
  if (!oa52) return low;
  if (granuleLog2 === 16) return low | addressOf(word, S1.BASE_LPA);
  return low | addressOf(word, S1.BASE_LPA2) | addressOf(word, S1.BASE_HIGH);
}

/** AttrIndx (as its MAIR byte, if known) or MemAttr, and SH if the descriptor has it. */
function memoryOf(word: bigint, { stage, granuleLog2, oa52, mair }: FieldsContext): string {
  const index = read(word, S1.AttrIndx);
  const byte = mair === undefined ? `index ${index}` : `type ${mairByte(mair, index)}`;
  const type = stage === 1 ? byte : `MemAttr ${read(word, S2.MemAttr)}`;
  return oa52 && granuleLog2 !== 16 ? type : `${type}, SH ${read(word, S1['SH[1:0]'])}`;
}

/**
 * Whether the XS attribute of a leaf may be 1. The memory type of stage 1 decides, and stage 2 can only clear it. If MAIR or stage 1
 * is not known, it may be.
 */
export function mayHaveXs(word: bigint, { stage, mair }: Pick<FieldsContext, 'stage' | 'mair'>): boolean {
  if (stage === 2) return !isSet(word, S2.FnXS);
  return mair === undefined || decodeMairByte(mairByte(mair, read(word, S1.AttrIndx)), WITH_XS).xs;
}

const WITH_XS = { mte: true, xs: true } as const;

function mairByte(mair: bigint, index: number): number {
  return read(mair, { high: index * 8 + 7, low: index * 8 });
}

function writable(word: bigint, { stage, hd }: FieldsContext): boolean {
  if (hd === true && isSet(word, S1.DBM)) return true;
  return stage === 1 ? !isSet(word, S1['AP[2]']) : (read(word, S2.S2AP) & S2AP_WRITE) !== 0;
}
