/**
 * The output of a stage-1 leaf, and the address spaces of tables and leaves. (DDI 0487 D8.4.6, D8.16; J1.1 S1NextWalkStateTable.)
 */
import { STAGE1_LEAF, TABLE_DESCRIPTOR } from '../arch/descriptors/index.ts';
import { highMask, lowMask, shiftOf } from '../arch/read.ts';
import { outputSpace, type PaSpace, type StageSecurity } from '../arch/security.ts';
import { entrySizeLog2, isContiguous, isNT, type Leaf } from './descriptor64.ts';
import type { S1Output } from './first-stage.ts';
import type { S1Params } from './params/params.ts';
import type { S1Ranges } from './ranges.ts';
import type { TreeSpaces } from './table-tree.ts';

const { fields: FIELDS } = STAGE1_LEAF;
const ATTR_INDX = lowMask(FIELDS.AttrIndx);
const ATTR_INDX_SHIFT = shiftOf(FIELDS.AttrIndx);
const SH = lowMask(FIELDS['SH[1:0]']);
const SH_SHIFT = shiftOf(FIELDS['SH[1:0]']);
const NG = lowMask(FIELDS.nG);
const NS = lowMask(FIELDS.NS);
const NSE = lowMask(FIELDS.NSE);
const ATTR_INDX_3 = highMask(FIELDS['AttrIndx[3]']);
/** The regions of MAIR, one for each AttrIndx and SH, come first, then those of MAIR2. */
const MAIR2_REGIONS = 32;
const GP = highMask(FIELDS.GP);
const NS_TABLE = highMask(TABLE_DESCRIPTOR.fields.NSTable);

/** The result from a leaf once the access is allowed. `nsTable`: a table on the path had NSTable set. `assured`: the translation is assured (FEAT_THE). */
export function s1Output(
  { unprivileged, guardedPages }: S1Ranges,
  params: S1Params,
  { lo, hi, level }: Leaf,
  oa: number,
  permissions: number,
  nsTable: boolean,
  assured = false,
): S1Output {
  const { security } = params;
  const mair2 = params.aie && (hi & ATTR_INDX_3) !== 0 ? MAIR2_REGIONS : 0;
  const neverGlobal = params.neverGlobal || (params.neverGlobalUnassured && !assured);
  return {
    ok: true,
    oa,
    level,
    sizeLog2: entrySizeLog2(level, params),
    permissions,
    region: params.regions[((lo & ATTR_INDX) >>> ATTR_INDX_SHIFT) + ((lo & SH) >>> SH_SHIFT) * 8 + mair2]!,
    // Below NSTable, a Secure translation belongs to one ASID, whatever nG says. (D8.4.6.1, D8.16 R_JYHZR)
    global:
      !unprivileged ||
      ((lo & NG) === 0 && !neverGlobal && !(nsTable && security.chosenBy === 'NS and NSTable')),
    contiguous: !params.pnch && isContiguous(hi, level, params),
    nT: isNT(lo, level, params),
    guarded: guardedPages && (hi & GP) !== 0,
    space: leafSpace(security, lo, nsTable),
    assured,
  };
}

/** The space of a leaf's output. Most accesses are Non-secure, where no bit affects it. `lo` is the leaf's lower half. */
export function leafSpace(security: StageSecurity, lo: number, nsTable: boolean): PaSpace {
  return security.chosenBy === 'nothing'
    ? security.state
    : outputSpace(security, { ns: (lo & NS) !== 0, nse: (lo & NSE) !== 0, nsTable });
}

/** The space of a table: the state's own or, in Secure state below an NSTable, the Non-secure one. (S1NextWalkStateTable.) */
export function tableSpace({ state, chosenBy }: StageSecurity, nsTable: boolean): PaSpace {
  return nsTable && chosenBy === 'NS and NSTable' ? 'non-secure' : state;
}

/** The same for tools that read whole tables. */
export function treeSpaces(security: StageSecurity): TreeSpaces {
  return {
    root: tableSpace(security, security.nsRoot === true),
    below: ({ hi }, space) => tableSpace(security, space !== security.state || (hi & NS_TABLE) !== 0),
    output: ({ lo }, space) => leafSpace(security, lo, space !== security.state),
  };
}
