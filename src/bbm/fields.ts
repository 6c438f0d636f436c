/** The fields of a VMSAv8-64 descriptor that the break-before-make rules compare. (DDI 0487 D8.3.1.1, D8.3.1.2.) */
import { contiguousEntries, STAGE1_LEAF, STAGE2_LEAF, TABLE_DESCRIPTOR } from '../arch/descriptors/index.ts';
import { addressOf, isSet, read } from '../arch/read.ts';
import { traitsOf } from '../arch/regimes.ts';
import { outputSpace, type PaSpace, type SecurityState, stageSecurity } from '../arch/security.ts';
import type { TranslationRegime } from '../tlb/context.ts';
import { decodeMairByte } from '../walker/attributes.ts';
import { permissionIndexes } from '../walker/permission-indexes.ts';
import { S2AP_WRITE } from '../walker/permissions.ts';

export type EntryKind = 'invalid' | 'table' | 'leaf';

export interface EntryFields {
  readonly kind: EntryKind;
  /** Output address of a leaf or address of the next table, and the bytes that a leaf maps. */
  readonly oa: bigint;
  readonly size: bigint;
  /**
   * The physical address space of a leaf's output by its own bits, which is part of the output address: a change of NS (in Root state of
   * NSE, too) is a change of it. Of a table of NSTable, which is in `hierarchy`. (D8.17.1 IWZRHR.)
   */
  readonly space: PaSpace | 'own';
  /** Memory type, cacheability and shareability, as text to compare. */
  readonly memory: string;
  /** nG = 0, or a regime without EL0. Always false at stage 2, which has no such bit. */
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
  /** The regime of stage 1, which decides what NS and bit 11 mean. Default: `el1&0`. */
  readonly regime?: TranslationRegime;
  /**
   * The Security state of the regime: which bits choose the space of the output. Default: not known. Then NS of stage 1 counts, and NS of
   * stage 2, which is Realm state's, does not.
   */
  readonly security?: SecurityState;
  /** Stage 1: MAIR, so that two AttrIndx values with the same memory type are not a change. */
  readonly mair?: bigint;
  /** With indirect permissions (PIE, S2PIE): whether anybody may write, by PIIndex. Default: permissions are direct. */
  readonly indirect?: readonly boolean[];
  /** Stage 1, FEAT_AIE in use: bit 59 of a leaf chooses MAIR2. Default: false. */
  readonly aie?: boolean;
  readonly mair2?: bigint;
  /** Stage 1, FEAT_THE's PnCH: bit 52 is Protected, and no contiguous hint. Default: false. */
  readonly pnch?: boolean;
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
    space: leaf ? spaceOf(word, context) : 'own',
    memory: memoryOf(word, context),
    global: leaf && stage === 1 && !(hasAsid(context) && isSet(word, S1.nG)),
    contiguous:
      leaf &&
      context.pnch !== true &&
      contiguousEntries(granuleLog2, level) > 1 &&
      isSet(word, S1.Contiguous),
    nT: leaf && level < 3 && bbml > 0 && isSet(word, S1.nT),
    accessFlag: isSet(word, S1.AF),
    writable: writable(word, context),
    hierarchy: kind === 'table' && stage === 1 ? read(word, HIERARCHY) : 0,
  };
}

/** A regime without EL0 has no ASID: bit 11 of a leaf is RES0, or NSE in Root state. */
function hasAsid({ regime = 'el1&0' }: Pick<FieldsContext, 'regime'>): boolean {
  return traitsOf(regime).unprivileged;
}

function spaceOf(
  word: bigint,
  { stage, security, regime = 'el1&0' }: Pick<FieldsContext, 'stage' | 'security' | 'regime'>,
): EntryFields['space'] {
  if (stage === 2) return security === 'realm' && isSet(word, S2.NS) ? 'non-secure' : 'own';
  const ns = isSet(word, S1.NS);
  if (security === undefined) return ns ? 'non-secure' : 'own';
  return outputSpace(stageSecurity(regime, security), { ns, nse: isSet(word, S1.NSE), nsTable: false });
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

/** AttrIndx (as its byte of MAIR or MAIR2, if known) or MemAttr, and SH if the descriptor has it. */
function memoryOf(word: bigint, context: FieldsContext): string {
  const { stage, granuleLog2, oa52 } = context;
  const byte = mairByteOf(word, context);
  const named = byte === undefined ? `index ${memoryIndex(word, context)}` : `type ${byte}`;
  const type = stage === 1 ? named : `MemAttr ${read(word, S2.MemAttr)}`;
  return oa52 && granuleLog2 !== 16 ? type : `${type}, SH ${read(word, S1['SH[1:0]'])}`;
}

/** The memory types of a MAIR register. */
const MAIR_BYTES = 8;

function memoryIndex(word: bigint, { aie }: Pick<FieldsContext, 'aie'>): number {
  return read(word, S1.AttrIndx) + (aie && isSet(word, S1['AttrIndx[3]']) ? MAIR_BYTES : 0);
}

/** Undefined if the register is not known. */
function mairByteOf(
  word: bigint,
  context: Pick<FieldsContext, 'mair' | 'mair2' | 'aie'>,
): number | undefined {
  const index = memoryIndex(word, context);
  const register = index < MAIR_BYTES ? context.mair : context.mair2;
  const low = (index % MAIR_BYTES) * 8;
  return register === undefined ? undefined : read(register, { high: low + 7, low });
}

/**
 * Whether the XS attribute of a leaf may be 1. The memory type of stage 1 decides, and stage 2 can only clear it. If MAIR or stage 1
 * is not known, it may be.
 */
export function mayHaveXs(
  word: bigint,
  context: Pick<FieldsContext, 'stage' | 'mair' | 'mair2' | 'aie'>,
): boolean {
  if (context.stage === 2) return !isSet(word, S2.FnXS);
  const byte = mairByteOf(word, context);
  return byte === undefined || decodeMairByte(byte, WITH_XS).xs;
}

const WITH_XS = { mte: true, xs: true } as const;

/** Indirect permissions have no DBM: what is clean is writable where hardware makes it dirty. */
function writable(word: bigint, { stage, hd, indirect }: FieldsContext): boolean {
  if (indirect !== undefined) {
    const dirty = stage === 1 ? !isSet(word, S1.nDirty) : isSet(word, S2.Dirty);
    return indirect[permissionIndexes(stage, word).pi] === true && (hd === true || dirty);
  }
  if (hd === true && isSet(word, S1.DBM)) return true;
  return stage === 1 ? !isSet(word, S1['AP[2]']) : (read(word, S2.S2AP) & S2AP_WRITE) !== 0;
}
