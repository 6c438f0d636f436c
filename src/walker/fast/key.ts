/**
 * The permission fields of a leaf and of the tables above it as one small number: an index into the rights of each combination.
 * (DDI 0487 D8.4: AP[2:1] or S2AP, UXN and PXN or XN[1:0], DBM, the hierarchical bits.)
 */
import { STAGE1_LEAF } from '../../arch/descriptors/index.ts';
import { bit, bits, layout } from '../../arch/field.ts';
import { lowMask, shiftOf } from '../../arch/read.ts';

const { fields: KEY } = layout(
  { name: 'key', title: 'permission fields', reference: 'DDI 0487 D8.4', width: 9 },
  {
    TABLE: bits(8, 5, 'APTable, XNTable and PXNTable, collected'),
    DBM: bit(4, 'dirty bit modifier'),
    XN: bits(3, 2, 'UXN and PXN, or XN[1:0]'),
    AP: bits(1, 0, 'AP[2:1] or S2AP'),
  },
);
const KEYS = 2 ** (KEY.TABLE.high + 1);
/** Keys of leaves alone, without bits of the tables above. */
const LEAF_KEYS = 2 ** (KEY.DBM.high + 1);

/** How far each field is shifted down into a key, and its bits there. (Fields of stage 2 use the same bits.) */
const { fields: FIELDS } = STAGE1_LEAF;
const AP_SHIFT = shiftOf(FIELDS['AP[2:1]']) - shiftOf(KEY.AP);
const AP_KEY = lowMask(KEY.AP);
const XN_SHIFT = shiftOf(FIELDS.PXN) - shiftOf(KEY.XN);
const XN_KEY = lowMask(KEY.XN);
const XN_KEY_SHIFT = shiftOf(KEY.XN);
const DBM_SHIFT = shiftOf(FIELDS.DBM) - shiftOf(KEY.DBM);
const DBM_KEY = lowMask(KEY.DBM);
const TABLE_SHIFT = shiftOf(KEY.TABLE);

/** The key of a leaf. */
export function keyOf(lo: number, hi: number, tableBits: number): number {
  return (
    ((lo >>> AP_SHIFT) & AP_KEY) |
    ((hi >>> XN_SHIFT) & XN_KEY) |
    ((hi >>> DBM_SHIFT) & DBM_KEY) |
    (tableBits << TABLE_SHIFT)
  );
}

/** The results of a function for every key. `leaves`: those of leaves alone, which is all that stage 2 has. */
export function everyKey(
  maskOf: (ap: number, xn: number, dbm: boolean, table: number) => number,
  leaves?: 'leaves',
): Uint16Array {
  const masks = new Uint16Array(leaves === undefined ? KEYS : LEAF_KEYS);
  for (let key = 0; key < masks.length; key++) {
    const xn = (key & XN_KEY) >>> XN_KEY_SHIFT;
    masks[key] = maskOf(key & AP_KEY, xn, (key & DBM_KEY) !== 0, key >>> TABLE_SHIFT);
  }
  return masks;
}
