/**
 * The output of a stage-2 leaf: a translation as numbers, its memory attributes packed into a key. (DDI 0487 D8.3, D8.6; J1.1 AArch64.S2Translate.)
 */
import { STAGE2_LEAF } from '../arch/descriptors/index.ts';
import { highMask, lowMask, shiftOf } from '../arch/read.ts';
import type { PaSpace } from '../arch/security.ts';
import type { Stage2Attributes } from './combine-stages.ts';
import { entrySizeLog2, isContiguous, isNT, type Leaf } from './descriptor64.ts';
import type { S2Params } from './params/params.ts';

const { fields: FIELDS } = STAGE2_LEAF;
const MEM_ATTR = lowMask(FIELDS.MemAttr);
const MEM_ATTR_SHIFT = shiftOf(FIELDS.MemAttr);
const SH = lowMask(FIELDS['SH[1:0]']);
const SH_SHIFT = shiftOf(FIELDS['SH[1:0]']);
const FNXS = lowMask(FIELDS.FnXS);
const NS = highMask(FIELDS.NS);
const ASSURED_ONLY = highMask(FIELDS.AssuredOnly);

/** The numbers of values of MemAttr and of SH, from which an attribute key is made. */
const MEM_ATTRS = 16;
const SHS = 4;
/** The number of attribute keys. */
export const ATTRIBUTE_KEYS = MEM_ATTRS * SHS * 2;

/** A stage-2 translation, as numbers. */
export interface S2Output {
  readonly ok: true;
  readonly oa: number;
  readonly level: number;
  readonly sizeLog2: number;
  readonly permissions: number;
  /** Whether only table walks may write here. */
  readonly mostlyReadOnly: boolean;
  /** FEAT_THE: the leaf has AssuredOnly set. */
  readonly assuredOnly: boolean;
  readonly contiguous: boolean;
  readonly nT: boolean;
  /** MemAttr + 16 * SH + 64 * FnXS. */
  readonly attributeKey: number;
  /** The address space of the output. */
  readonly space: PaSpace;
}

/** The fields of which an attribute key is made. */
export function attributesOfKey(key: number): Stage2Attributes {
  return {
    memAttr: key % MEM_ATTRS,
    sh: Math.floor(key / MEM_ATTRS) % SHS,
    fnXs: key >= MEM_ATTRS * SHS,
  };
}

/** The address space of a leaf's output; `hi` is the leaf's upper half. */
export function s2LeafSpace({ security }: S2Params, hi: number): PaSpace {
  return security.choosesNs && (hi & NS) !== 0 ? 'non-secure' : security.outputs;
}

/** The result from a leaf once the access is allowed. */
export function s2Output(
  params: S2Params,
  { lo, hi, level }: Leaf,
  oa: number,
  permissions: number,
  mostlyReadOnly = false,
): S2Output {
  const memAttr = (lo & MEM_ATTR) >>> MEM_ATTR_SHIFT;
  const sh = params.sh ?? (lo & SH) >>> SH_SHIFT;
  const fnXs = lo & FNXS ? 1 : 0;
  return {
    ok: true,
    oa,
    level,
    sizeLog2: entrySizeLog2(level, params),
    permissions,
    mostlyReadOnly,
    assuredOnly: params.assuredOnly && (hi & ASSURED_ONLY) !== 0,
    contiguous: isContiguous(hi, level, params),
    nT: isNT(lo, level, params),
    attributeKey: memAttr + MEM_ATTRS * (sh + SHS * fnXs),
    space: s2LeafSpace(params, hi),
  };
}
