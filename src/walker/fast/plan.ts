/**
 * What the fast path knows about a range's tables: plain numbers by level, and the rights of every combination of permission fields.
 * (DDI 0487 D8.2 to D8.4. The rules themselves are in the functions of the full walk, which are called once here.)
 */
import { STAGE1_LEAF } from '../../arch/descriptors/index.ts';
import { type FieldBits, highMask, shiftOf } from '../../arch/read.ts';
import { POW2 } from '../bits.ts';
import type { CpuFeatures } from '../cpu.ts';
import { addressBit, entrySizeLog2, type TableGeometry } from '../descriptor64.ts';
import type { S1Params, S2Params } from '../params/params.ts';
import {
  AP_READ_ONLY,
  S2AP_WRITE,
  s2Permissions,
  TABLE_PERMISSIONS,
  TABLE_PERMISSIONS_SHIFT,
} from '../permissions.ts';
import type { S1Ranges } from '../ranges.ts';
import { s1Permissions } from '../stage1-permissions.ts';
import { everyKey } from './key.ts';

/** A stage with 64-bit descriptors that the fast path can handle. */
export type DirectStage = { readonly stage1: S1Ranges } | DirectStage2;

/** Stage 2, and how many bits of an input address reach it. */
export interface DirectStage2 {
  readonly stage2: S2Params;
  readonly inputBits: number;
  readonly cpu: CpuFeatures;
}

/** The only stage of a regime that the fast path can handle, or both. */
export type DirectStages = DirectStage | DirectNested;

/** Two such stages, of which the second translates the addresses of the first one's tables. */
export interface DirectNested {
  readonly stage1: S1Ranges;
  readonly below: DirectStage2;
}

/** A flag above the permission bits: a write to this entry makes it dirty in memory, which only the full walk does. */
export const DIRTIES = 256;

/** Values of XN with one bit set. */
const PXN = 0b01;
const UXN = 0b10;

/** Arrays by level are indexed with `level + 1`. */
const LEVELS = [-1, 0, 1, 2, 3];

/** The tables of one range. Input addresses are doubles, descriptors two int32 halves. */
export interface TablePlan {
  /** Input addresses `[first, end)`, and what to subtract for the address within the range. */
  readonly first: number;
  readonly end: number;
  readonly bias: number;
  /** For stage 1: its other parameters. */
  readonly s1: S1Params | undefined;
  readonly startLevel: number;
  readonly tableBase: number;
  readonly tableBytes: number;
  /** log2 of a page's bytes. */
  readonly pageLog2: number;
  readonly firstBlockLevel: number;
  /** Bytes that an entry maps, and the reciprocal. */
  readonly entrySize: Float64Array;
  readonly perByte: Float64Array;
  /** The bits of an index: all of them at the first level, where tables may be concatenated. */
  readonly indexMask: Int32Array;
  /** Which bits of a leaf descriptor's halves are address. */
  readonly leafLow: Int32Array;
  readonly leafHigh: Int32Array;
  /** The same of a table descriptor. */
  readonly tableLow: number;
  readonly tableHigh: number;
  /** Address bits in another place: shifted up by `movedShift` from the low half into these bits of the high one. */
  readonly movedShift: number;
  readonly movedMask: number;
  /** Output addresses must be below, and a table's address bits [51:32] among these be zero. */
  readonly outputEnd: number;
  readonly beyondOutput: number;
  /** All bits of a key's TABLE, or 0 where table descriptors' permission bits do not count. */
  readonly hierarchical: number;
  /** With AF = 0, only the full walk can tell a fault from an update, so it is left to the full walk. */
  readonly allowed: Uint16Array;
}

/** The plans of a stage for an access. None if every access faults. */
export function tablePlans(
  stage: DirectStage,
  { privileged, pan }: { readonly privileged: boolean; readonly pan: boolean },
): TablePlan[] {
  if ('stage2' in stage) return stage2Plans(stage.stage2, stage.inputBits, stage.cpu);
  return stage.stage1.spans
    .filter(({ params }) => params.configurationFault === undefined && (privileged || !params.e0pd))
    .map(({ params, first, end, bias }) => {
      const allowed = everyKey((ap, xn, dbm, table) => {
        const fields = { ap, pxn: (xn & PXN) !== 0, uxn: (xn & UXN) !== 0, dbm, table, po: 0 };
        const mask = s1Permissions(stage.stage1, params, fields, { pan, foreign: false });
        const dirties = params.hd && (dbm || params.indirection !== undefined) && (ap & AP_READ_ONLY) !== 0;
        return mask | (dirties ? DIRTIES : 0);
      });
      return {
        first,
        end,
        bias,
        s1: params,
        ...numbersOf(params),
        hierarchical: params.hpd ? 0 : TABLE_PERMISSIONS >>> TABLE_PERMISSIONS_SHIFT,
        allowed,
      };
    });
}

function stage2Plans(params: S2Params, inputBits: number, cpu: CpuFeatures): TablePlan[] {
  if (params.invalid || params.baseOutOfRange) return [];
  const allowed = everyKey((s2ap, xn, dbm) => {
    const dirtiable = params.hd && dbm;
    const mask = s2Permissions(s2ap | (dirtiable ? S2AP_WRITE : 0), xn, cpu, params.aarch32);
    return mask | (dirtiable && (s2ap & S2AP_WRITE) === 0 ? DIRTIES : 0);
  }, 'leaves');
  const end = POW2[Math.min(params.iaBits, inputBits)]!;
  return [{ first: 0, end, bias: 0, s1: undefined, ...numbersOf(params), hierarchical: 0, allowed }];
}

const { BASE, BASE_HIGH, BASE_LPA, BASE_LPA2 } = STAGE1_LEAF.fields;
const BASE_BITS = highMask(BASE);
const BASE_HIGH_BITS = highMask(BASE_HIGH);

/** From where the field stands in the low half to where the address has it in the high one. */
function moved(field: FieldBits) {
  const high = { high: addressBit(field) + field.high - field.low, low: addressBit(field) };
  return { movedShift: shiftOf(high) - shiftOf(field), movedMask: highMask(high) };
}

/** Where OA[51:48] is in the low half of a descriptor; of DS = 1 the other two bits are in their own place. */
const MOVED = {
  none: { movedShift: 0, movedMask: 0, highBits: BASE_BITS },
  bits15_12: { ...moved(BASE_LPA), highBits: BASE_BITS },
  ds: { ...moved(BASE_LPA2), highBits: BASE_BITS | BASE_HIGH_BITS },
} as const;

function numbersOf(geometry: TableGeometry) {
  const { granuleLog2, stride, startLevel, tableBase, oaBits, firstBlockLevel } = geometry;
  const { movedShift, movedMask, highBits } = MOVED[geometry.highAddress];
  const sizes = LEVELS.map((level) => entrySizeLog2(level, geometry));
  const high = highBits & (geometry.addressHighMask | BASE_HIGH_BITS);
  return {
    startLevel,
    tableBase,
    tableBytes: 2 ** granuleLog2,
    pageLog2: granuleLog2,
    firstBlockLevel,
    entrySize: Float64Array.from(sizes, (log2) => 2 ** log2),
    perByte: Float64Array.from(sizes, (log2) => 2 ** -log2),
    indexMask: Int32Array.from(LEVELS, (level) => (level === startLevel ? -1 : 2 ** stride - 1)),
    leafLow: Int32Array.from(sizes, (log2) => (log2 >= 32 ? 0 : -(2 ** log2))),
    // OA[51:48] that was moved stays, however large the block: no block is larger than 2^48.
    leafHigh: Int32Array.from(sizes, (log2) => (log2 > 32 ? high & -(2 ** (log2 - 32)) : high)),
    tableLow: -(2 ** granuleLog2),
    tableHigh: high,
    movedShift,
    movedMask,
    outputEnd: POW2[oaBits]!,
    beyondOutput: ~(POW2[oaBits - 32]! - 1),
  };
}
